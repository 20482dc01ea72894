package reconcile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/coordinator"
	"one-ft/pkg/failfast"
	"one-ft/pkg/failover"
	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/journaling"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// look reads the journal, all hosts, and the VMs that are not well.
func (w *sweeper) look(ctx context.Context) (sight, error) {
	past, open := w.pasts()
	w.cleanups = map[int]int{}
	cloud := failover.Observed(w.s.Client)
	hosts, err := cloud.Hosts(ctx)
	if err != nil {
		return sight{}, err
	}
	var all sight
	for _, h := range hosts {
		records := past[key{"host", h.ID}]
		if _, isOpen := open[key{"host", h.ID}]; !isOpen && (!h.State.Failed() || len(h.VMs) == 0) {
			if f, stuck := w.stuck(h, records); stuck {
				all.hosts = append(all.hosts, f)
			}
			continue
		}
		delete(open, key{"host", h.ID})
		if full, err := cloud.Host(ctx, h.ID); err == nil { // the pool does not tell when it was monitored
			h = full
		}
		all.hosts = append(all.hosts, w.host(ctx, h, w.known(records)))
	}
	if all.vms, err = w.vms(ctx, hosts, past, open); err != nil {
		return sight{}, err
	}
	all.hosts = append(all.hosts, w.cleaning(ctx, hosts, all.hosts, past)...)
	for k, r := range open { // of objects that are gone, or well again
		f := w.resumed(k, r)
		if k.kind == "VM" && w.holder("incident-of-VM", k.id) != nil {
			continue
		}
		w.leaveInHand(&f)
		if k.kind == "host" {
			all.hosts = append(all.hosts, f)
		} else {
			all.vms = append(all.vms, f)
		}
	}
	byID := func(a, b found) int { return a.id - b.id }
	slices.SortFunc(all.hosts, byID)
	slices.SortFunc(all.vms, byID)
	return all, nil
}

// key is a host or VM.
type key struct {
	kind string
	id   int
}

// pasts reads what the journal knows, the newest first and without the VMs, and the open incidents
// of objects.
func (w *sweeper) pasts() (past map[key][]incident.Record, open map[key]incident.Record) {
	past, open = map[key][]incident.Record{}, map[key]incident.Record{}
	dir := filepath.Join(w.s.StateDir, "incidents")
	if _, err := os.Stat(dir); w.s.DryRun && err != nil {
		return past, open // a dry run makes no directory
	}
	journal, err := incident.OpenJournal(dir)
	if err != nil {
		w.s.Log.Say(wording.NoJournal, err)
		return past, open
	}
	records, failed := journal.Summaries()
	for _, err := range failed {
		w.s.Log.Say(wording.Trouble, err)
	}
	for _, r := range records {
		k := key{r.Kind, r.ID}
		if len(past[k]) == 0 && r.Status.Unfinished() {
			open[k] = w.whole(r)
		}
		past[k] = append(past[k], r)
	}
	return past, open
}

// known is what records of one object say, the newest with its VMs.
func (w *sweeper) known(records []incident.Record) (past []recovery.Past) {
	for i, r := range records {
		if i == 0 {
			r = w.whole(r)
		}
		past = append(past, journaling.PastOf(r))
	}
	return past
}

// whole reads the rest of a record.
func (w *sweeper) whole(r incident.Record) incident.Record {
	journal, err := incident.OpenJournal(filepath.Join(w.s.StateDir, "incidents"))
	if err != nil {
		return r
	}
	if all, err := journal.Load(r.Number); err == nil {
		return all
	}
	return r
}

// cleaning decides about hosts in ERROR without VMs where oned still cleans up: somebody else has recreated them, such as
// OpenNebula's own hook, and without a proof nothing ends clean-ups that hang.
func (w *sweeper) cleaning(ctx context.Context, hosts []one.Host, known []found, past map[key][]incident.Record) (all []found) {
	for _, h := range hosts {
		if w.cleanups[h.ID] == 0 || !h.State.Failed() || slices.ContainsFunc(known, func(f found) bool { return f.id == h.ID }) {
			continue
		}
		if records := past[key{"host", h.ID}]; len(records) > 0 && records[0].Status.Unfinished() {
			continue
		}
		f := w.host(ctx, h, w.known(past[key{"host", h.ID}]))
		f.what = fmt.Sprintf("host %d (%s) %s: %d VMs in CLEANUP_RESUBMIT", h.ID, h.Name, h.State, w.cleanups[h.ID])
		all = append(all, f)
	}
	return all
}

// stuckFor is how long after its end an incident is looked at whose VMs were on their way when they were given up. A choice.
const stuckFor = 24 * time.Hour

// stuck decides about a host whose last incident gave up VMs that had left it; false when there are none.
func (w *sweeper) stuck(h one.Host, records []incident.Record) (found, bool) {
	if len(records) == 0 || records[0].Status != incident.Incomplete || records[0].Ended == nil || time.Since(*records[0].Ended) > stuckFor {
		return found{}, false
	}
	r := w.whole(records[0])
	if !journaling.GivenUpMoving(r) {
		return found{}, false
	}
	f := found{id: h.ID, what: fmt.Sprintf("host %d (%s): VMs that left it", h.ID, h.Name), swept: recovery.SweepStuck(journaling.PastOf(r), time.Now())}
	f.request = w.following(w.requestOf(r))
	f.why = whyNot(f, "host_error")
	w.leaveInHand(&f)
	return f, true
}

// followSlice is how long a run of oneft resume follows VMs: it is called each minute, and hosts that fail meanwhile
// are not to wait for it.
const followSlice = 20 * time.Second

// following makes a request one that only follows.
func (w *sweeper) following(q incident.Request) incident.Request {
	q.Follow, q.Timeout = true, followSlice.Seconds()
	return q
}

// resumed is an open incident of an object that needs nothing any more.
func (w *sweeper) resumed(k key, r incident.Record) found {
	f := found{id: k.id, what: fmt.Sprintf("%s %d (%s)", r.Kind, r.ID, r.Name), swept: recovery.Swept{Verdict: recovery.SweepContinue, Past: journaling.PastOf(r)}}
	if f.request = w.requestOf(r); r.Status == incident.Following {
		f.request = w.following(f.request)
	}
	return f
}

// requestOf is what a record was asked for.
func (w *sweeper) requestOf(r incident.Record) incident.Request {
	if r.Request != nil && r.Request.Check() == nil && r.Request.ID == r.ID && r.Request.Kind == r.Kind {
		q := *r.Request
		q.At = time.Now().Truncate(time.Millisecond) // it is asked for now
		if q.ConfirmedOff {                          // an admin confirmed it then, not now, and that was all that was known
			q.ConfirmedOff, q.Override, q.AnyState = false, false, false
		}
		return q
	}
	q := w.request(r.Kind, r.ID, w.opt.Hosts)
	if r.Kind == "VM" {
		q.Action = w.opt.Failed
		if r.Tool == "vm_unknown" {
			q.Action = w.opt.Unknown
		}
	}
	return q
}

// request is one of this command by itself.
func (w *sweeper) request(kind string, id int, action string) incident.Request {
	return incident.Request{Kind: kind, ID: id, Tool: "oneft", Call: append([]string{"resume"}, w.s.Call...), Action: action, Verify: coordinator.VerifyOf(w.s, kind),
		Idle: kind == "host" && w.opt.Suspended, At: time.Now().Truncate(time.Millisecond)}
}

// host decides about a host.
func (w *sweeper) host(ctx context.Context, h one.Host, past []recovery.Past) found {
	f := found{id: h.ID, host: h, what: fmt.Sprintf("host %d (%s) %s", h.ID, h.Name, h.State), swept: recovery.SweepHost(h, past, time.Now())}
	c, claimed := failover.ClaimOf(h)
	name, _ := incident.KnownFrontEndName(w.s.StateDir)
	foreign := claimed && c.FrontEnd != name && (h.LastContact == 0 || c.Began.After(time.Unix(h.LastContact, 0)))
	f.request = w.request("host", h.ID, w.opt.Hosts)
	switch f.swept.Verdict {
	case recovery.SweepContinue, recovery.SweepAgain:
		f.request = w.continued(f.swept.Past.Number, f.request)
	case recovery.SweepMissed:
		if foreign && c.Ended && c.Status != "came-back" {
			f.swept.Verdict = recovery.SweepHandled
			break
		}
		if foreign && !c.Ended {
			f.request.Action, f.request.Idle, f.request.Fencing, f.request.Verify = c.Action, c.Idle, c.Fencing, c.Verify
			f.request.Confirm = c.Confirm.Seconds()
			break
		}
		f.request.Confirm = w.opt.confirm(h).Seconds()
	}
	f.why = whyNot(f, "host_error")
	if f.why.IsZero() && f.swept.Verdict == recovery.SweepMissed && w.lives(ctx, h) {
		f.why = wording.Of(wording.SweptLives)
	}
	w.leaveInHand(&f)
	return f
}

// lives reports whether VMs of a host say that it is monitored again (recovery.Lives). Where they cannot be read together,
// before 5.12, a host that is monitored again is MONITORED.
func (w *sweeper) lives(ctx context.Context, h one.Host) bool {
	vms, err := w.s.Client.VMSet(ctx, h.VMs)
	return err == nil && recovery.Lives(vms, h.ID)
}

// leaveInHand leaves a host whose incident a process is at work on to that process: handed over,
// it would begin anew as soon as it has ended, and a storm would be held for ever.
func (w *sweeper) leaveInHand(f *found) {
	if v := f.swept.Verdict; !f.why.IsZero() || f.request.Kind != "host" || v != recovery.SweepContinue && v != recovery.SweepAgain {
		return
	}
	if err := w.holder("host", f.id); err != nil {
		f.why = wording.Of(wording.Busy, err)
	}
}

// confirm is how long a host is still watched: oned tells since 5.12 when it failed.
func (o Resuming) confirm(h one.Host) time.Duration {
	if h.LastContact == 0 {
		return o.Confirm
	}
	failed := time.Unix(h.LastContact, 0).Add(o.Cycle)
	return max(0, min(o.Confirm, o.Confirm-time.Since(failed)))
}

// continued is the request of an incident that is gone on with.
func (w *sweeper) continued(number int, otherwise incident.Request) incident.Request {
	journal, err := incident.OpenJournal(filepath.Join(w.s.StateDir, "incidents"))
	if err != nil {
		return otherwise
	}
	r, err := journal.Load(number)
	if err != nil {
		return otherwise
	}
	if r.Status == incident.Following {
		return w.following(w.requestOf(r))
	}
	return w.requestOf(r)
}

// whyNot says why nothing is done about something; the zero Message when something is.
func whyNot(f found, tool string) wording.Message {
	past := f.swept.Past
	switch f.swept.Verdict {
	case recovery.SweepHandled:
		return wording.Of(wording.SweptHandled, past.Number)
	case recovery.SweepAlive:
		return wording.Of(wording.SweptAlive, past.Number)
	case recovery.SweepPerson:
		return wording.Of(wording.SweptPerson, past.Number, wording.Words(past.Summary))
	case recovery.SweepLater:
		return wording.Of(wording.SweptLater, past.Number, f.swept.At)
	}
	if f.request.Action == config.ResumeNone {
		return wording.Of(wording.SweptNone, tool, f.id)
	}
	return wording.Message{}
}

// vms finds the VMs that are UNKNOWN or failed and whose host is fine.
func (w *sweeper) vms(ctx context.Context, hosts []one.Host, past map[key][]incident.Record, open map[key]incident.Record) ([]found, error) {
	fine := map[int]bool{}
	for _, h := range hosts {
		fine[h.ID] = h.State.Back()
	}
	var all []found
	for _, state := range []one.VMState{one.Active, one.Failed} {
		vms, err := w.s.Client.VMsIn(ctx, state)
		if err != nil {
			return nil, err
		}
		for _, vm := range vms {
			last, placed := vm.Last()
			if placed && vm.Is(one.CleanupResubmit) {
				w.cleanups[last.HostID]++
			}
			unknown := vm.Is(one.Unknown)
			if !unknown && !recovery.FailedOnTheWay(vm) || !placed || !fine[last.HostID] {
				continue
			}
			k := key{"VM", vm.ID}
			f := found{id: vm.ID, what: fmt.Sprintf("VM %d (%s) %s", vm.ID, vm.Name, vm.Status()), same: vm.Status(), swept: recovery.SweepVM(w.known(past[k]), time.Now())}
			tool := "vm_failure"
			f.request = w.request("VM", vm.ID, w.opt.Failed)
			if unknown {
				tool, f.request.Action = "vm_unknown", w.opt.Unknown
			}
			if v := f.swept.Verdict; v == recovery.SweepContinue || v == recovery.SweepAgain {
				f.request = w.continued(f.swept.Past.Number, f.request)
			}
			f.why = whyNot(f, tool)
			delete(open, k)
			if f.why.IsZero() && w.holder("incident-of-VM", vm.ID) != nil {
				continue
			}
			all = append(all, f)
		}
	}
	return all, nil
}

// holder is the error that names the process which works on an object; nil when there is none. One
// that asks for the lock at the very same moment finds it taken: so only of what is handed over
// when it is free.
func (w *sweeper) holder(kind string, id int) error {
	if w.s.Locks == nil {
		return nil
	}
	release, err := w.s.Locks.Acquire(kind, id)
	if err == nil {
		release()
	}
	if errors.Is(err, incident.ErrBusy) {
		return err
	}
	return nil
}

// outlook is that of a host that a dry run of oneft resume has found; the zero Outlook of a VM and
// of a host whose VMs have all left.
func (w *sweeper) outlook(f found) fence.Outlook {
	if f.request.Kind != "host" || len(f.host.VMs) == 0 {
		return fence.Outlook{}
	}
	return coordinator.NewFences(w.s).Outlook(coordinator.FencingOf(w.s, f.request), f.host)
}

// would adds what a dry run of oneft resume would do about something it has found.
func would(b coordinator.Batch, f found, o fence.Outlook) coordinator.Batch {
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

// sweepMarks removes marks that processes which died have left. They do nothing any more.
func (w *sweeper) sweepMarks(ctx context.Context) {
	removed, err := failfast.Open(w.s.StateDir).Sweep(ctx)
	for _, m := range removed {
		w.s.Log.Say(wording.MarkRemoved, text.Printable(m.Name))
	}
	if err != nil {
		w.s.Log.Say(wording.MarksRemain, err)
	}
}
