package play

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/test/sim/cloud"
)

// audit holds everything against the promises: each call of a process before it is executed, each
// change of a state, each event, and what is left in the end.
type audit struct {
	world  *world
	values config.Values

	mu        sync.Mutex
	looks     int
	seen      int                 // calls
	under     map[int]string      // calls under way, by VM
	unproven  map[int]bool        // hosts whose VMs were touched while they ran there
	excused   map[int]bool        // of these, hosts that an admin said were off
	twice     map[int]bool        // VMs that were said to run twice
	held      map[int]time.Time   // since when the storm guard holds a host; missing when it does not
	failedAt  map[int]time.Time   // when a host became ERROR
	backAt    map[int]time.Time   // when it was seen MONITORED again
	actions   map[int][]time.Time // of vm_failure and vm_unknown, by VM
	acted     map[int]string      // accepted changes, by VM: the process
	perMinute []time.Time
	truth     *truth
}

// What an audit allows for: a process acts a moment after it looked, and a fence takes its time
// after the guard.
const (
	lookToAct  = 3 * time.Second
	turnToAct  = time.Second // a turn is taken a moment before the call reaches oned
	guardToAct = 3 * time.Minute
	// lateCleanUp is how long what drivers had begun on a host before it was back can be under way: three commands of 135 s
	// behind a router, 40 s more for a stale master.
	lateCleanUp = (3*135 + 40) * time.Second
)

func newAudit(w *world) *audit {
	a := &audit{world: w, truth: newTruth(w), under: map[int]string{}, unproven: map[int]bool{}, excused: map[int]bool{}, twice: map[int]bool{},
		failedAt: map[int]time.Time{}, backAt: map[int]time.Time{}, actions: map[int][]time.Time{}, acted: map[int]string{}, held: map[int]time.Time{}}
	path := filepath.Join(w.dir, "audit.yaml")
	if err := os.WriteFile(path, []byte(w.scenario.Config), 0o600); err == nil {
		if file, err := config.Load(path, ""); err == nil {
			a.values = file.Values()
			return a
		}
	}
	a.values = config.File{}.Values()
	return a
}

// counts are how many calls and looks there were.
func (a *audit) counts() (calls, looks int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seen, a.looks
}

// look is made after each event: no VM runs twice, and what the guard has to say.
func (a *audit) look() {
	hosts := a.world.cloud.Hosts()
	where := map[int][]string{}
	for _, n := range a.world.nodes {
		for _, vm := range a.world.cloud.Guests(n.id) {
			where[vm] = append(where[vm], n.name())
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.looks++
	for vm, on := range where {
		if len(on) < 2 || a.twice[vm] {
			continue
		}
		a.twice[vm] = true
		if !slices.ContainsFunc(on, func(h string) bool { id, _ := a.world.spec.hostID(h); return a.unproven[id] }) {
			a.world.problem("promise 1: vm %d runs on %s", vm, strings.Join(on, " and "))
		}
	}
	if a.world.cloud.Deadlocked() {
		a.world.problem("promise 6: oned is deadlocked by two calls for one VM")
	}
	a.storm(hosts)
	a.truth.look()
}

// vmChanged is told of each change of a VM before anything looks.
func (a *audit) vmChanged(e cloud.VMEvent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.truth.vm(e)
}

// storm notes since when the guard holds. The lock is held.
func (a *audit) storm(hosts []cloud.Host) {
	var seen []one.Host
	for _, h := range hosts {
		failed := h.State.Failed()
		if failed && a.failedAt[h.ID].IsZero() {
			a.failedAt[h.ID] = time.Now()
		}
		if !failed {
			delete(a.failedAt, h.ID)
		}
		if h.State.Back() && a.backAt[h.ID].IsZero() {
			a.backAt[h.ID] = time.Now()
		}
		if !h.State.Back() {
			delete(a.backAt, h.ID)
		}
		state := h.State
		if since := a.truth.served[h.ID]; failed && !since.IsZero() && time.Since(since) >= a.world.spec.cloud.MonitorInterval {
			state = one.HostMonitored // it lives, though oned says ERROR for up to 10 minutes
		}
		seen = append(seen, one.Host{ID: h.ID, State: state, Cluster: h.ClusterName, ClusterID: h.Cluster})
	}
	p := recovery.GuardPolicy{Share: float64(a.values.StormShare) / 100, Hosts: a.values.StormHosts, Window: a.values.StormWindow, PerCluster: a.values.StormPerCluster}
	since := map[int]time.Time{}
	for id, at := range a.failedAt {
		since[id] = at
	}
	for _, h := range hosts {
		switch hold := recovery.Guard(seen, since, time.Now(), p, h.ID, nil).Hold; {
		case hold && a.held[h.ID].IsZero():
			a.held[h.ID] = time.Now()
		case !hold:
			delete(a.held, h.ID)
		}
	}
}

// calls judges a call that is about to be executed. What it returns is told of the answer.
func (a *audit) calls(p *process, c call) (done func(said string)) {
	a.look()
	a.mu.Lock()
	a.seen++
	a.mu.Unlock()
	if c.action == "" {
		return func(string) {}
	}
	a.before(p, c)
	a.judge(p, c)
	return func(said string) {
		a.mu.Lock()
		delete(a.under, c.vm)
		if strings.HasPrefix(said, "refused") { // nothing was done
			a.actions[c.vm] = withoutLast(a.actions[c.vm])
			a.perMinute = withoutLast(a.perMinute)
		} else {
			a.acted[c.vm] = p.call()
		}
		a.mu.Unlock()
		a.world.log.add(rankProcess, p.frontEnd.name+" asks oned", c.vm, "%s: %s", c.action, said)
	}
}

// byHand notes that an admin does something with a VM without any tool of ours: what runs where it
// is now may run twice from now on.
func (a *audit) byHand(vm int) {
	v, known := a.world.cloud.VM(vm)
	if !known || len(v.History) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	host := v.History[len(v.History)-1].HostID
	a.unproven[host], a.excused[host], a.truth.byHand[vm] = true, true, true
}

// withoutLast takes the last time away, if there is one.
func withoutLast(times []time.Time) []time.Time { return times[:max(0, len(times)-1)] }

// before is about calls at the same time.
func (a *audit) before(p *process, c call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if other, busy := a.under[c.vm]; busy {
		a.world.problem("promise 6: two calls for vm %d at the same time, of %s and %s", c.vm, other, p.call())
	}
	a.under[c.vm] = p.call()
}

// judge is about one call.
func (a *audit) judge(p *process, c call) {
	v, known := a.world.cloud.VM(c.vm)
	if !known || len(v.History) == 0 {
		a.world.problem("promise 2: %s of vm %d, which is on no host", c.action, c.vm)
		return
	}
	host, _ := a.world.cloud.Host(v.History[len(v.History)-1].HostID)
	if n := len(v.History); n > 1 && host.State.Back() && (one.VM{State: v.State, LCM: v.LCM}).Migrating() {
		host, _ = a.world.cloud.Host(v.History[n-2].HostID) // it is still on its source
	}
	if p.tool == "vm_failure" || p.tool == "vm_unknown" || c.action == "boot" {
		a.budget(p, c, host)
		return
	}
	failed := v.State == one.Failed || strings.HasSuffix(v.LCM.String(), "_FAILURE")
	if (p.tool == "oneft" || failed) && !host.State.Failed() && !host.State.SetByAdmin() {
		a.budget(p, c, host) // a failed VM that it found, or that has failed where it was started again
		return
	}
	if n := len(v.History); n > 1 && (one.VM{State: v.State, LCM: v.LCM}).Migrating() {
		// It may run at its source, and it is a matter of that host, too, when that failed.
		source, _ := a.world.cloud.Host(v.History[n-2].HostID)
		a.proof(p, c, source)
		if source.State.Failed() {
			host = source
		}
	}
	if n := len(v.History); n > 1 && host.State.Back() && a.cleaned(c) {
		// The clean-up of a migration goes to both ends, and hangs at the one that failed. At this one nothing of the VM may run.
		if slices.Contains(a.world.cloud.Guests(host.ID), c.vm) {
			a.world.problem("promise 1: %s of vm %d, whose guest is on host%d (%s)", c.action, c.vm, host.ID, p.call())
		}
		host, _ = a.world.cloud.Host(v.History[n-2].HostID)
	}
	a.place(p, c, host)
	a.proof(p, c, host)
	a.alive(p, c, host)
	a.inStorm(p, c, host.ID)
}

// alive is promise 1, too: what oned calls failed may be alive, and answers then. Nothing is done with its VMs unless a device
// proves it off, or an admin says so; where nobody can ask it, it cannot be known.
func (a *audit) alive(p *process, c call, host cloud.Host) {
	s := a.world.spec
	words := p.call()
	for _, h := range s.hooks {
		words += " " + h.args
	}
	unfenced := !s.fenced[host.ID] || a.values.Fencing == config.FencingOff || strings.Contains(words, " -u") || strings.Contains(words, "--fencing off")
	if !host.State.Failed() || !unfenced || s.jump || len(a.values.SurveySkip) > 0 || strings.HasPrefix(c.action, "recover") ||
		strings.Contains(words, "--confirm-off") || strings.Contains(words, "--any-state") {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if since := a.truth.served[host.ID]; !since.IsZero() && time.Since(since) > guardToAct {
		a.world.problem("promise 1: %s of vm %d, whose host%d has been reachable for %s, and nothing proves it off (%s)", c.action, c.vm, host.ID, time.Since(since).Round(time.Second), p.call())
	}
}

// place is promise 2: the last record of the VM is on a host that failed; while it migrates that
// of its source may be.
func (a *audit) place(p *process, c call, host cloud.Host) {
	a.mu.Lock()
	defer a.mu.Unlock()
	back := a.backAt[host.ID]
	if host.State.Back() && !back.IsZero() && time.Since(back) > lookToAct && !(a.cleaned(c) && time.Since(back) > lateCleanUp) {
		a.world.problem("promise 2: %s of vm %d although host%d, where its last record is, is %s (%s)", c.action, c.vm, host.ID, host.State, p.call())
	}
}

// cleaned reports whether a call ends a clean-up. Once none of its commands can be under way nothing else helps the VM,
// whether the host is back or not.
func (a *audit) cleaned(c call) bool {
	v, known := a.world.cloud.VM(c.vm)
	return known && strings.HasPrefix(c.action, "recover") && v.State == one.Active && v.LCM == one.CleanupResubmit
}

// proof is promise 1: the VM does not run on its last host any more, unless nothing is
// configured that could prove that, or an admin said so.
func (a *audit) proof(p *process, c call, host cloud.Host) {
	if strings.HasPrefix(c.action, "recover") {
		return // a migration that goes back to its source is started nowhere else
	}
	runs := slices.Contains(a.world.cloud.Guests(host.ID), c.vm)
	if !runs || a.world.node(host.ID).served() {
		return // gone, or oned can stop it there
	}
	words := strings.Join(p.words, " ")
	byAdmin := strings.Contains(words, "--confirm-off")
	risk := !a.world.spec.fenced[host.ID] || byAdmin || a.values.Fencing == config.FencingOff
	for _, h := range a.world.spec.hooks {
		risk = risk || strings.Contains(h.args, " -u") || strings.Contains(h.args, "--fencing off")
	}
	risk = risk || strings.Contains(words, " -u") || strings.Contains(words, "--fencing off")
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unproven[host.ID] = true
	a.excused[host.ID] = a.excused[host.ID] || byAdmin
	if !risk {
		a.world.problem("promise 1: %s of vm %d, which still runs on host%d (%s)", c.action, c.vm, host.ID, p.call())
	}
}

// inStorm is promise 3.
func (a *audit) inStorm(p *process, c call, host int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	override := strings.Contains(strings.Join(p.words, " "), "--override-storm") || strings.Contains(strings.Join(p.words, " "), "--confirm-off")
	for _, h := range a.world.spec.hooks {
		override = override || strings.Contains(h.args, "--override-storm")
	}
	if since := a.held[host]; !since.IsZero() && time.Since(since) > guardToAct && !override {
		a.world.problem("promise 3: %s of vm %d in a storm that has lasted for %s (%s)", c.action, c.vm, time.Since(since).Round(time.Second), p.call())
	}
}

// budget is promise 5.
func (a *audit) budget(p *process, c call, host cloud.Host) {
	if p.admin || strings.Contains(strings.Join(p.words, " "), "--no-budget") {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	recent := func(all []time.Time, within time.Duration) []time.Time {
		return slices.DeleteFunc(all, func(t time.Time) bool { return now.Sub(t) >= within })
	}
	a.actions[c.vm] = append(recent(a.actions[c.vm], a.values.BudgetWindow), now)
	if v, known := a.world.cloud.VM(c.vm); known { // one that ran well has its budget back
		for _, r := range v.History {
			if well := time.Unix(r.RETime, 0).Sub(time.Unix(r.RSTime, 0)) >= a.values.BudgetRanWell; well && r.RSTime > 0 {
				a.actions[c.vm] = slices.DeleteFunc(a.actions[c.vm], func(t time.Time) bool { return t.Before(time.Unix(r.RSTime, 0)) })
			}
		}
	}
	limit := a.values.BudgetAttempts
	if n, err := strconv.Atoi(host.Template["FT_MAX_ATTEMPTS"]); err == nil { // set by an admin
		limit = n
	}
	if n := len(a.actions[c.vm]); n > limit {
		a.world.problem("promise 5: %s of vm %d, the %dth action within %s (%s)", c.action, c.vm, n, a.values.BudgetWindow, p.call())
	}
	a.perMinute = append(recent(a.perMinute, time.Minute-turnToAct), now)
	if n := len(a.perMinute); n > a.values.BudgetPerMinute {
		a.world.problem("promise 5: %d actions on failed VMs within a minute (%s)", n, p.call())
	}
}
