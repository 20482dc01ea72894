package coordinator

import (
	"context"
	"fmt"

	"one-ft/pkg/app"
	"one-ft/pkg/failover"
	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// consent asks the operator at the terminal before the VMs of a host are touched although nothing would prove it off. The
// Report is nil when the recovery may proceed: nobody is there, the host would be proven off or refused anyway, or the
// answer is yes. Else nothing was done, and it says so: refused. What cannot be read is left to the recovery to report.
func consent(ctx context.Context, s app.Session, q incident.Request) *failover.Report {
	if s.Confirm == nil || s.DryRun {
		return nil
	}
	host, err := s.Client.Host(ctx, q.ID)
	if err != nil || !failover.Recovers(host.State, q.AnyState) || len(host.VMs) == 0 {
		return nil
	}
	o := NewFences(s, nil).Outlook(fence.Mode(q.Fencing), host)
	if o.Verdict != fence.Unproven || s.Confirm(ctx, unprovenQuestion(host, q, o)) {
		return nil
	}
	report := failover.Refusal(host, o, wording.Of(wording.Declined, wording.Words(o.Detail)))
	return &report
}

// unprovenQuestion says what acting without a proof does, and how to make sure.
func unprovenQuestion(host one.Host, q incident.Request, o fence.Outlook) app.Question {
	vms := fmt.Sprintf("Its %d VMs", len(host.VMs))
	if len(host.VMs) == 1 {
		vms = "Its VM"
	}
	return app.Question{
		Lines: []string{
			fmt.Sprintf("Nothing would prove that host %d (%s) is off: %s.", host.ID, host.Name, o.Detail),
			vms + " would be " + map[recovery.Mode]string{
				recovery.Recreate: "started elsewhere UNPROVEN: if the host still runs them, they run twice and can destroy their disks",
				recovery.Migrate:  "moved elsewhere UNPROVEN: if the host still runs them, they run twice and can destroy their disks",
				recovery.Delete:   "deleted UNPROVEN: if the host still runs them, they go on running there, unknown to OpenNebula",
			}[recovery.Mode(q.Action)] + ".",
			"Make sure first: see in its BMC or at the machine that it has no power, and that nobody powers it on; no answer on the network is no proof.",
		},
		Ask: "Go on without a proof?",
	}
}
