package play

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"one-ft/pkg/failfast"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// truth holds what one-ft says against what is so: nothing is called done that does not run, nothing is kept from ssh
// that is not off, and nothing is destroyed behind everybody's back.
type truth struct {
	world   *world
	arrived map[int]time.Time    // when oned last said RUNNING of a VM that really runs where oned has it
	byHand  map[int]bool         // VMs that an admin did something with
	served  map[int]time.Time    // since when oned reaches a host
	lost    map[int]time.Time    // since when it does not any more
	off     map[int]time.Time    // when a host was seen without power last
	changed map[string]time.Time // the journals, as they were looked at last
	judged  map[string]bool
	harms   int
}

func newTruth(w *world) *truth {
	return &truth{world: w, arrived: map[int]time.Time{}, byHand: map[int]bool{}, served: map[int]time.Time{}, lost: map[int]time.Time{}, off: map[int]time.Time{}, changed: map[string]time.Time{}, judged: map[string]bool{}}
}

// vm notes that a VM has come to RUNNING. The monitoring may have taken an old guest for it.
func (t *truth) vm(e cloud.VMEvent) {
	if e.State != one.Active || e.LCM != one.Running || len(e.VM.History) == 0 || t.old(e.VM.ID) {
		return
	}
	t.arrived[e.VM.ID] = time.Now()
}

// old reports whether what runs of a VM is the guest from before.
func (t *truth) old(vm int) bool {
	for _, h := range t.world.cloud.Harms() {
		if h.Kind == cloud.OldGuest && h.VM == vm && t.arrived[vm].Before(h.At) {
			return true
		}
	}
	return false
}

// look is made at each event.
func (t *truth) look() {
	t.harm()
	for _, n := range t.world.nodes {
		if !n.powered() {
			t.off[n.id] = time.Now()
		}
		switch was := !t.served[n.id].IsZero(); {
		case was && !n.served():
			t.lost[n.id] = time.Now()
			delete(t.served, n.id)
		case !was && n.served():
			t.served[n.id] = time.Now()
			delete(t.lost, n.id)
		}
		t.lease(n)
	}
	for _, f := range t.world.frontEnds {
		f.mu.Lock()
		state := filepath.Join(f.root, "var", "one-ft")
		f.mu.Unlock()
		t.marks(f, filepath.Join(state, "off"))
		t.journal(f, filepath.Join(state, "incidents"))
	}
}

// lease is promise 1, too: host_isolated has stopped the guests of a host that lost oned within the time that it publishes.
func (t *truth) lease(n *node) {
	at, lost := t.lost[n.id]
	since, watched := n.watchedSince()
	if since.After(at) {
		at = since
	}
	if lost && watched && time.Since(at) > promised {
		for _, vm := range n.leased() {
			t.world.problem("promise 1: vm %d still runs on %s %s after that lost its network", vm, n.name(), promised)
		}
	}
}

// harm is what the cloud has noted since.
func (t *truth) harm() {
	all := t.world.cloud.Harms()
	for _, h := range all[t.harms:] {
		if !t.byHand[h.VM] {
			t.world.problem("promise 1: vm %d, host%d: %s", h.VM, h.Host, h.Kind)
		}
	}
	t.harms = len(all)
}

// marks looks at the marks of a front-end that are in force: their host is off, and none outlives the return of its host
// by more than the time that a mark has.
func (t *truth) marks(f *frontEnd, dir string) {
	names, err := os.ReadDir(dir)
	if err != nil {
		return // there are none
	}
	for _, entry := range names {
		info, err := entry.Info()
		if err != nil || strings.HasPrefix(entry.Name(), ".") || !info.ModTime().After(time.Now()) {
			continue
		}
		for _, h := range t.world.cloud.Hosts() {
			if h.Name != entry.Name() {
				continue
			}
			n := t.world.node(h.ID)
			if since := t.served[h.ID]; !since.IsZero() {
				if time.Since(since) > t.markTime() {
					t.world.problem("promise 2: %s keeps ssh from host%d, which is reached again since %s", f.name, h.ID, time.Since(since).Round(time.Second))
				}
				continue
			}
			if n.powered() && !t.mayBeMarked(h.ID) {
				t.world.problem("promise 1: %s keeps ssh from host%d, which is not off", f.name, h.ID)
			}
		}
	}
}

// markTime is how long a mark may be in force after its host is back: the process that renews it sees that within two
// cycles of the monitoring, and one that was killed has left it for MaxHold.
func (t *truth) markTime() time.Duration {
	return failfast.MaxHold + 2*t.world.spec.cloud.MonitorInterval
}

// mayBeMarked reports whether there may be a mark for a host that has power, and that oned does not reach: an admin has
// said that it is off, or nothing runs on it (that a lease is about) and that is so because host_isolated has ended its guests, or because
// it was off a moment ago.
func (t *truth) mayBeMarked(host int) bool {
	if t.world.confirmed.Load() {
		return true
	}
	was, known := t.off[host]
	return len(t.world.node(host).leased()) == 0 && (t.world.spec.isolated[host] || known && time.Since(was) <= t.markTime())
}

// journal reads the incidents of a front-end when they have changed.
func (t *truth) journal(f *frontEnd, dir string) {
	info, err := os.Stat(dir)
	if err != nil || info.ModTime().Equal(t.changed[dir]) {
		return
	}
	t.changed[dir] = info.ModTime()
	for _, r := range f.records() {
		if r.Request != nil && r.Request.Verify != "" && r.Request.Verify != "running" {
			continue // it was said that less is enough
		}
		for _, v := range r.VMs {
			key := fmt.Sprint(f.name, " ", r.Number, " ", v.ID, " ", v.Action)
			if v.Result != "done" {
				delete(t.judged, key)
			} else if !t.judged[key] {
				t.judged[key] = true
				t.judge(f, r, v)
			}
		}
	}
}

// judge is about a VM that a journal calls done.
func (t *truth) judge(f *frontEnd, r incident.Record, v incident.VM) {
	now, known := t.world.cloud.VM(v.ID)
	switch {
	case !known, now.State == one.Done:
	case now.State != one.Active && now.State != one.Pending: // moved as it was, or put there by its owner since
	case t.arrived[v.ID].After(r.Began):
	case now.State == one.Active && now.LCM == one.Running && t.runs(now):
	default:
		state := now.State.String()
		if now.State == one.Active {
			state = now.LCM.String()
		}
		t.world.problem("promise 4: incident %d of %s calls vm %d done (%s), which is %s", r.Number, f.name, v.ID, v.Action, state)
	}
}

// runs reports whether a VM runs where oned has it.
func (t *truth) runs(v cloud.VM) bool {
	if len(v.History) == 0 || t.old(v.ID) {
		return false
	}
	host := v.History[len(v.History)-1].HostID
	for _, id := range t.world.cloud.Guests(host) {
		if id == v.ID {
			return t.world.node(host).served()
		}
	}
	return false
}
