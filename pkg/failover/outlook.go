package failover

import (
	"context"
	"fmt"
	"strings"

	"one-ft/pkg/fence"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// dryRun says what would be done to the VMs of a host, what the guard sees, and whether the host
// would be proven off. A host that would be refused is refused: exit code 3, as in earnest.
func (r *runner) dryRun(ctx context.Context, host one.Host, job HostJob, report Report) (Report, error) {
	report.Preview = r.preview(ctx, host, job)
	if job.Outlook != nil {
		r.outlook = job.Outlook(host)
		report.Outlook, report.Preview = &r.outlook, append(report.Preview, r.outlook.Lines()...)
	}
	report, err := r.recoverHost(ctx, host, job, report, fence.WithoutProof(host.ID, "dry run"), Earlier{})
	for _, o := range report.Outcomes {
		report.Refused = report.Refused || o.Result == WouldRefuse
	}
	return report, err
}

// foreseen is how a VM that something would be done about stands in a dry run.
func (r *runner) foreseen() Result {
	switch r.outlook.Verdict {
	case fence.Refused:
		return WouldRefuse
	case fence.Unproven:
		return WouldUnproven
	}
	return Planned
}

// why is the last column of a dry run.
func (r Report) why(o Outcome) string {
	if r.Outlook == nil || o.Result != WouldRefuse && o.Result != WouldUnproven {
		return o.Detail
	}
	return strings.TrimSuffix(r.Outlook.Row(o.Action == recovery.VerbDelete)+"; "+o.Detail, "; ")
}

// outlook is that of a host that a dry run of oneft resume has found; the zero Outlook of a VM and
// of a host whose VMs have all left.
func (w *sweeper) outlook(f found) fence.Outlook {
	if f.request.Kind != "host" || len(f.host.VMs) == 0 {
		return fence.Outlook{}
	}
	return NewFences(w.s).Outlook(fencingOf(w.s, f.request), f.host)
}

// would adds what a dry run of oneft resume would do about something it has found.
func (b Batch) would(f found, o fence.Outlook) Batch {
	line := fmt.Sprintf("%s: %s: it would be handled: %s", f.what, f.swept.Verdict, f.request.Action)
	if text := o.Row(f.request.Action == string(recovery.Delete)); text != "" {
		line += "; its VMs " + text
	}
	b.Would++
	if o.Verdict == fence.Refused {
		b.WouldRefuse++
	}
	b.Lines = append(b.Lines, line)
	return b
}
