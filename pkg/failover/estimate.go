package failover

import (
	"context"
	"time"

	"one-ft/pkg/downtime"
	"one-ft/pkg/incident"
	"one-ft/pkg/recovery"
)

// Estimate is what a cloud and its front-end need, for package downtime: all but what the VMs and the outage are.
type Estimate func(ctx context.Context, host string) downtime.Input

// estimate completes the input for the VMs that are started elsewhere: their disks, and the hosts that are left.
func (r *permit) estimate(ctx context.Context, tasks []*task) (in downtime.Input, known bool) {
	if r.opt.Estimate == nil || r.hostID < 0 {
		return in, false
	}
	name := ""
	for _, t := range tasks {
		if last, placed := t.step.VM.Last(); placed && name == "" {
			name = last.Host
		}
		if t.out.Result == "" && starts(t.step.Verb) {
			in.Disks = append(in.Disks, t.step.VM.DiskCount)
		}
	}
	if len(in.Disks) == 0 {
		return in, false
	}
	disks := in.Disks
	in, _ = r.conditions(ctx, name)
	in.Disks, in.Proven, in.Failure = disks, r.proof.Certain(), downtime.Dropped
	if hosts, _, err := r.hosts(ctx); err == nil {
		for _, h := range hosts {
			if h.ID != r.hostID && h.State.Back() {
				in.Hosts++
			}
		}
	}
	return in, true
}

// starts reports whether a verb starts a VM on another host.
func starts(v recovery.Verb) bool {
	return v == recovery.VerbRecreate || v == recovery.VerbResumeRecreate
}

// needs are the limits of the VMs, and how long all of it may take. Where nothing is known of a cloud its driver cleans up one
// VM after the other.
func (r *permit) needs(ctx context.Context, tasks []*task) (limits recovery.Limits, timeout time.Duration) {
	limits = recovery.Limits{Cleanup: DefaultCleanupLimit, Settle: recovery.Settle(len(tasks), 1), Scheduler: r.opt.Timeout}
	in, known := r.estimate(ctx, tasks)
	if !known {
		return limits, r.opt.Timeout
	}
	threads := cleanupThreads(in.Settings, tasks)
	limits.Settle, limits.Cleanup = recovery.Settle(len(tasks), threads), downtime.CleanupLimit(in.Disks, threads, in.SSH)
	need := downtime.DefaultTimeout(in)
	limits.Scheduler = max(r.opt.Timeout, need)
	r.forecast(in)
	if r.opt.Request.Timeout > 0 {
		return limits, r.opt.Timeout
	}
	return limits, max(r.opt.Timeout, need)
}

// cleanupThreads is how many clean-ups run at the same time on the host: the fewest of the drivers of its VMs.
func cleanupThreads(s downtime.Settings, tasks []*task) int {
	threads := 0
	for _, t := range tasks {
		last, _ := t.step.VM.Last()
		if n := s.CleanupThreads(last.Driver); threads == 0 || n < threads {
			threads = n
		}
	}
	return threads
}

// forecast writes down how long the rest is expected to take, for whoever reads of it afterwards.
func (r *permit) forecast(in downtime.Input) {
	names := map[downtime.StageKind]incident.StageName{
		downtime.StageCleanup: incident.StageCleanup, downtime.StageScheduling: incident.StageScheduler,
		downtime.StageProlog: incident.StageProlog, downtime.StageBoot: incident.StageBoot,
	}
	in.FailFast = r.barrier != nil
	var stages []incident.Stage
	for _, s := range downtime.Predict(in).Stages {
		if name, is := names[s.Kind]; is && s.Span.Bounded() {
			stages = append(stages, incident.Stage{Name: name, Seconds: s.Span.High.Seconds()})
		}
	}
	r.rec.Forecast(stages)
}
