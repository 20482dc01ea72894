package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// outages are the last ones of hosts that are fine, of the last day, in which somebody saw what their VMs were.
func (w *sweeper) outages(fine map[int]bool) map[int]recovery.Outage {
	all := map[int]recovery.Outage{}
	for k, past := range w.past {
		if k.kind != "host" || !fine[k.id] || past[0].Ended == nil || time.Since(*past[0].Ended) > stuckFor {
			continue
		}
		if r := w.whole(past[0]); r.Sight != nil {
			all[k.id] = recovery.Outage{Sight: *r.Sight, Failed: failedOf(r), Back: w.backSince(r), Window: w.s.Config.Values().RestWindow}
		}
	}
	return all
}

// backSince is when the host of an incident was seen monitored again: at the end of one that saw it, or as the first run of
// oneft resume behind it has noted; this is the first where none has.
func (w *sweeper) backSince(r incident.Record) time.Time {
	if r.Status == incident.CameBack && r.Ended != nil {
		return *r.Ended
	}
	back := wording.Of(wording.HostReturned)
	if i := slices.IndexFunc(r.Events, func(e incident.Event) bool { return e.Kind == back.Kind.Name() }); i >= 0 {
		return r.Events[i].At
	}
	if !w.s.DryRun {
		e := incident.Event{Step: incident.StepEnd, VM: -1, Level: wording.Info, Kind: back.Kind.Name(), Text: back.String()}
		if err := w.journal.Note(r.Number, e); err != nil {
			w.s.Log.Say(wording.Trouble, err)
		}
	}
	return time.Now()
}

// rested decides about VMs that are POWEROFF on a host that came back without its guests, and that ran there before: from
// 5.12 on monitoring says so of a guest that it does not find, and calls no hook.
func (w *sweeper) rested(ctx context.Context, outages map[int]recovery.Outage) (all []found, err error) {
	v := w.s.Config.Values()
	if len(outages) == 0 || v.PutToRest == config.RestLeave || w.s.Dialect.MonitorSuspendsOnly {
		return nil, nil
	}
	vms, err := w.s.Client.VMsIn(ctx, one.Poweroff)
	if err != nil && !one.Temporary(err) { // 4.4 lets nobody ask for that state (POWEROFF is above FAILED)
		const notDone one.VMState = -1
		vms, err = w.s.Client.VMsIn(ctx, notDone)
	}
	if err != nil {
		return nil, err
	}
	action := w.opt.Unknown
	if v.PutToRest == config.RestReport {
		action = config.ResumeNone
	}
	for _, vm := range vms {
		last, _ := vm.Last()
		o, known := outages[last.HostID]
		if !known || vm.State != one.Poweroff || !o.Saw(vm) {
			continue
		}
		if vm, err = w.s.Client.VM(ctx, vm.ID); err != nil { // the pool does not tell since when
			continue
		}
		if !o.Rested(vm, w.s.Dialect) {
			continue
		}
		q := w.request("VM", vm.ID, action)
		q.Rested = true
		all = append(all, w.decide(found{what: fmt.Sprintf("VM %d (%s) %s", vm.ID, vm.Name, vm.Status()), tool: "onevm resume", same: vm.Status(),
			swept: recovery.SweepVM(w.known(object{"VM", vm.ID}), time.Now()), request: q}))
	}
	return all, nil
}

// PutToRest are the VMs that are POWEROFF because their host came back without them, ID ascending: those that oneft resume boots,
// and those that it leaves to an operator. Nothing is changed or locked.
func PutToRest(ctx context.Context, s app.Session, hosts []one.Host) (booted, left []int, err error) {
	s.DryRun = true
	v := s.Config.Values()
	w := &sweeper{s: s, opt: Resuming{Hosts: v.ResumeHosts, Failed: v.ResumeFailed, Unknown: v.ResumeUnknown}}
	w.readJournal()
	all, err := w.rested(ctx, w.outages(fineOf(hosts)))
	for _, f := range all {
		switch id := f.request.ID; {
		case s.Locks.Holder("incident-of-VM", id) != "" || f.swept.Verdict == recovery.SweepHandled:
		case f.why.IsZero() || f.swept.Verdict == recovery.SweepLater:
			booted = append(booted, id)
		default:
			left = append(left, id)
		}
	}
	slices.Sort(booted)
	slices.Sort(left)
	return booted, left, err
}

// fineOf are the hosts that are MONITORED.
func fineOf(hosts []one.Host) map[int]bool {
	fine := map[int]bool{}
	for _, h := range hosts {
		fine[h.ID] = h.State.Back()
	}
	return fine
}

// failedOf is since when oned called the host of an incident failed.
func failedOf(r incident.Record) time.Time {
	if r.Host != nil && !r.Host.Failed.IsZero() {
		return r.Host.Failed
	}
	return r.Began
}
