package failover

import (
	"context"
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
