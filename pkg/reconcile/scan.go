package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/coordinator"
	"one-ft/pkg/failover"
	"one-ft/pkg/hostmark"
	"one-ft/pkg/incident"
	"one-ft/pkg/journaling"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// found is a host in ERROR, a VM that failed, or an incident that is open, with what to do.
type found struct {
	what    string // such as "host 3 (node03) ERROR"
	tool    string // what handles it by hand
	same    string // what is the same in two scans; 4.4 and 5.10 show a host in ERROR in two states
	swept   recovery.Swept
	request incident.Request
	host    one.Host        // of a host
	follow  bool            // nothing is left but to follow VMs that left the host
	why     wording.Message // nothing is done; zero when it is
}

func (f found) object() object { return object{f.request.Kind, f.request.ID} }

// scan reads the journal, all hosts, and the VMs that are not well, and decides about each.
func (w *sweeper) scan(ctx context.Context) ([]found, error) {
	w.readJournal()
	cloud := failover.Observed(w.s.Client)
	hosts, err := cloud.Hosts(ctx)
	if err != nil {
		return nil, err
	}
	all, cleanups, err := w.vms(ctx, hosts)
	if err != nil {
		return nil, err
	}
	for _, h := range hosts {
		_, open := w.open(object{"host", h.ID})
		if open || h.State.Failed() && len(h.VMs) > 0 {
			if full, err := cloud.Host(ctx, h.ID); err == nil { // the pool does not tell when it was monitored
				h = full
			}
			if !open && !h.State.Failed() {
				continue // it is in quarantine, and monitored again: releaseClean looks after it
			}
			all = append(all, w.decideHost(ctx, h, ""))
		} else if r, stuck := w.stuck(h); stuck {
			all = append(all, w.decide(found{what: fmt.Sprintf("host %d (%s): VMs that left it", h.ID, h.Name), tool: "host_error", follow: true,
				swept: recovery.SweepStuck(r, time.Now()), request: w.requestOf(r)}))
		} else if h.State.Failed() && cleanups[h.ID] > 0 {
			// Somebody else has recreated its VMs, such as OpenNebula's hook; without a proof nothing ends clean-ups that hang.
			all = append(all, w.decideHost(ctx, h, fmt.Sprintf(": %d VMs in CLEANUP_RESUBMIT", cleanups[h.ID])))
		}
	}
	for k := range w.past { // open incidents of objects that are gone, or well again
		r, open := w.open(k)
		if open && !slices.ContainsFunc(all, func(f found) bool { return f.object() == k }) {
			all = append(all, w.decide(found{what: fmt.Sprintf("%s %d (%s)", r.Kind, r.ID, r.Name), tool: r.Tool,
				swept: recovery.Swept{Verdict: recovery.SweepContinue, Past: r}, request: w.requestOf(r)}))
		}
	}
	all = slices.DeleteFunc(all, func(f found) bool {
		return f.request.Kind == "VM" && f.why.IsZero() && w.s.Locks.Holder("incident-of-VM", f.request.ID) != ""
	})
	sort.Slice(all, func(i, j int) bool { // hosts first; smaller than slices.SortFunc by 13 kB
		a, b := all[i].request, all[j].request
		return cmp.Or(strings.Compare(b.Kind, a.Kind), a.ID-b.ID) < 0
	})
	return all, nil
}

// readJournal reads what the journal knows.
func (w *sweeper) readJournal() {
	w.past = map[object][]incident.Record{}
	dir := statedir.Dir(w.s.StateDir).Incidents()
	if _, err := os.Stat(dir); w.s.DryRun && err != nil {
		return // a dry run makes no directory
	}
	var err error
	if w.journal, err = incident.OpenJournal(dir); err != nil {
		w.s.Log.Say(wording.NoJournal, w.s.StateUnusable(err))
		return
	}
	records, failed := w.journal.Summaries()
	for _, err := range failed {
		w.s.Log.Say(wording.Trouble, err)
	}
	for _, r := range records {
		k := object{r.Kind, r.ID}
		w.past[k] = append(w.past[k], r)
	}
}

// open is the incident of an object that has not ended.
func (w *sweeper) open(k object) (incident.Record, bool) {
	if all := w.past[k]; len(all) > 0 && all[0].Status.Unfinished() {
		return w.whole(all[0]), true
	}
	return incident.Record{}, false
}

// whole reads the rest of a record.
func (w *sweeper) whole(r incident.Record) incident.Record {
	if all, err := w.journal.Load(r.Number); err == nil {
		return all
	}
	return r
}

// known is what the journal says of an object, the newest incident with its VMs.
func (w *sweeper) known(k object) []incident.Record {
	past := slices.Clone(w.past[k])
	if len(past) > 0 {
		past[0] = w.whole(past[0])
	}
	return past
}

// stuckFor is how long after its end an incident is resumed whose VMs were on their way when they were given up. A choice.
const stuckFor = 24 * time.Hour

// stuck is the last incident of a host when it gave up VMs that had left the host.
func (w *sweeper) stuck(h one.Host) (incident.Record, bool) {
	all := w.past[object{"host", h.ID}]
	if len(all) == 0 || all[0].Status != incident.Incomplete || all[0].Ended == nil || time.Since(*all[0].Ended) > stuckFor {
		return incident.Record{}, false
	}
	r := w.whole(all[0])
	return r, journaling.GivenUpMoving(r)
}

// vms decides about VMs that are UNKNOWN, failed, or put to rest by an outage, on a host that is fine. cleanups is how many oned cleans up on each host.
func (w *sweeper) vms(ctx context.Context, hosts []one.Host) (all []found, cleanups map[int]int, err error) {
	fine, gone := fineOf(hosts), map[int]bool{}
	for id := range fine {
		gone[id] = false
	}
	cleanups = map[int]int{}
	outages := w.outages(fine)
	for _, state := range []one.VMState{one.Active, one.Failed} {
		vms, err := w.s.Client.VMsIn(ctx, state)
		if err != nil {
			return nil, nil, err
		}
		for _, vm := range vms {
			last, placed := vm.Last()
			if placed && vm.Is(one.CleanupResubmit) {
				cleanups[last.HostID]++
			}
			if state == one.Active && placed && w.gone(ctx, gone, last.HostID) {
				all = append(all, found{what: fmt.Sprintf("VM %d (%s) %s", vm.ID, vm.Name, vm.Status()), request: incident.Request{Kind: "VM", ID: vm.ID},
					why: wording.Of(wording.SweptHomeless, last.HostID, text.Printable(last.Host), vm.ID)})
				continue
			}
			unknown := vm.Is(one.Unknown)
			if !unknown && !recovery.FailedOnTheWay(vm) || !placed || !fine[last.HostID] {
				continue
			}
			tool, action := "vm_failure", w.opt.Failed
			if unknown {
				tool, action = "vm_unknown", w.opt.Unknown
			}
			f := w.decide(found{what: fmt.Sprintf("VM %d (%s) %s", vm.ID, vm.Name, vm.Status()), tool: tool, same: vm.Status(),
				swept: recovery.SweepVM(w.known(object{"VM", vm.ID}), time.Now()), request: w.request("VM", vm.ID, action)})
			if unknown && f.swept.Verdict == recovery.SweepMissed && outages[last.HostID].Stopped(vm) {
				f.why = wording.Of(wording.SweptStopped, vm.ID)
			}
			all = append(all, f)
		}
	}
	rested, err := w.rested(ctx, outages)
	return append(all, rested...), cleanups, err
}

// gone reports whether a host no longer exists: it is not in the pool, and oned knows none when it is asked about it once more.
func (w *sweeper) gone(ctx context.Context, known map[int]bool, host int) bool {
	is, asked := known[host]
	if !asked {
		_, err := w.s.Client.Host(ctx, host)
		is = errors.Is(err, one.ErrNotFound)
		known[host] = is
	}
	return is
}

// decideHost decides about a host; more is what is to be said beside its state.
func (w *sweeper) decideHost(ctx context.Context, h one.Host, more string) found {
	past, now := w.known(object{"host", h.ID}), time.Now()
	f := found{what: fmt.Sprintf("host %d (%s) %s%s", h.ID, h.Name, h.State, more), tool: "host_error", host: h,
		swept: recovery.SweepHost(h, past, now), request: w.request("host", h.ID, w.opt.Hosts)}
	if f.swept.Verdict == recovery.SweepMissed {
		w.heed(&f)
	}
	f = w.decide(f)
	if api := h.API(); f.why.IsZero() && f.swept.Verdict != recovery.SweepContinue && api != "" {
		f.why = wording.Of(wording.HostIsAPI, api)
	}
	if f.why.IsZero() && f.swept.Verdict == recovery.SweepMissed && !recovery.DiedAgain(h, past, now) && failover.Lives(ctx, w.s.Client, h) {
		f.why = wording.Of(wording.SweptLives)
	}
	return f
}

// heed heeds what another front-end has begun for a host that this one knows nothing of.
func (w *sweeper) heed(f *found) {
	h := f.host
	c, claimed := hostmark.ClaimOf(h)
	name, _ := incident.KnownFrontEndName(w.s.StateDir)
	foreign := claimed && c.FrontEnd != name && (h.LastContact == 0 || c.Began.After(time.Unix(h.LastContact, 0)))
	switch {
	case foreign && !c.Ended:
		f.request.Action, f.request.Idle, f.request.Fencing, f.request.Verify = c.Action, c.Idle, c.Fencing, c.Verify
		f.request.Confirm = c.Confirm.Seconds()
	case foreign && c.Status != "came-back":
		f.swept.Verdict = recovery.SweepHandled
	default:
		f.request.Confirm = w.opt.confirm(h).Seconds()
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

// decide gives an incident that is resumed its own request, and says why nothing is done. A host on which a process works is
// left to it: handed over, it would be recovered again as soon as that has ended, and a storm would be held forever.
func (w *sweeper) decide(f found) found {
	resumed := slices.Contains([]recovery.Sweep{recovery.SweepContinue, recovery.SweepAgain, recovery.SweepAsk}, f.swept.Verdict)
	if resumed {
		if r, err := w.journal.Load(f.swept.Past.Number); err == nil {
			if f.request = w.requestOf(r); f.follow || r.Status == incident.Following {
				f.request.Follow, f.request.Timeout = true, followSlice.Seconds()
			}
		}
	}
	f.why = whyNot(f)
	if resumed && f.why.IsZero() && f.request.Kind == "host" {
		if holder := w.s.Locks.Holder("host", f.request.ID); holder != "" {
			f.why = wording.Of(wording.Busy, &incident.BusyError{Object: "it", Holder: holder})
		}
	}
	return f
}

// whyNot says why nothing is done about something; the zero Message when something is.
func whyNot(f found) wording.Message {
	past := f.swept.Past
	switch f.swept.Verdict {
	case recovery.SweepHandled:
		return wording.Of(wording.SweptHandled, past.Number)
	case recovery.SweepAlive:
		return wording.Of(wording.SweptAlive, past.Number)
	case recovery.SweepPerson:
		if !f.swept.At.IsZero() {
			return asksAgain(past, f.swept.At)
		}
		return wording.Of(wording.SweptPerson, past.Number, wording.Words(past.Summary))
	case recovery.SweepLater:
		return wording.Of(wording.SweptLater, past.Number, f.swept.At)
	}
	if f.request.Action == config.ResumeNone {
		return wording.Of(wording.SweptNone, f.tool, f.request.ID)
	}
	return wording.Message{}
}

// followSlice is how long a run of oneft resume follows VMs: it is called each minute, and hosts that fail must not wait for it.
const followSlice = 20 * time.Second

// requestOf is the request of a record.
func (w *sweeper) requestOf(r incident.Record) incident.Request {
	if r.Request != nil && r.Request.Check() == nil && r.Request.ID == r.ID && r.Request.Kind == r.Kind {
		q := *r.Request
		q.At, q.Event, q.Again, q.DuringPause = time.Now().Truncate(time.Millisecond), nil, false, w.s.Cli.Bool("override-pause") // it is requested now
		if q.ConfirmedOff {                                                                                                       // an admin confirmed it then, not now, and that was all that was known
			q.ConfirmedOff, q.Override, q.AnyState = false, false, false
		}
		if w.s.Cli.IsSet("timeout") { // said now, it is worth more than what was said then
			q.Timeout = w.s.Timeout.Seconds()
		}
		return q
	}
	action := w.opt.Hosts
	switch {
	case r.Tool == "vm_unknown":
		action = w.opt.Unknown
	case r.Kind == "VM":
		action = w.opt.Failed
	}
	return w.request(r.Kind, r.ID, action)
}

// request is one that this command makes.
func (w *sweeper) request(kind string, id int, action string) incident.Request {
	q := coordinator.NewRequest(w.s, incident.Request{Kind: kind, ID: id, Action: action})
	q.Call, q.Idle = append([]string{"resume"}, q.Call...), kind == "host" && w.opt.Suspended
	q.AnyState, q.Timeout = false, 0
	return q
}
