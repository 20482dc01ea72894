package isolation

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/isolation/guest"
	"one-ft/pkg/one"
)

// watching lets a Watcher watch for a time, and calls what happens meanwhile.
func (w *world) watching(watcher *Watcher, length time.Duration, events func()) error {
	ctx, cancel := context.WithTimeout(w.t.Context(), length)
	defer cancel()
	if events != nil {
		go events()
	}
	return watcher.Watch(ctx, watcher.Policy.Every)
}

// VMs are stopped once the time is over, recorded on the disk before, and not again.
func TestStopsOnce(t *testing.T) {
	for _, strict := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			err := w.watching(w.watcher(steady(strict)), 10*time.Minute, func() {
				time.Sleep(62 * second)
				w.connect(false)
			})
			if err != nil || len(w.stops) != 1 {
				t.Fatalf("%v, stopped at %v\n%s", err, w.stops, w.said())
			}
			if after := w.stops[0] - time.Hour; after < 120*second || after > 133*second {
				t.Errorf("strict %v: stopped %s after the start", strict, after)
			}
			said := w.said()
			record, sync, stop := strings.Index(said, "problem: stopping VMs 4, 7 (destroy)"), strings.Index(said, "SYNC"), strings.Index(said, "STOP")
			if record < 0 || sync < record || stop < sync {
				t.Errorf("not recorded before it was done:\n%s", said)
			}
			if lines := strings.Count(said, "\n"); lines > 12 {
				t.Errorf("%d lines in ten minutes:\n%s", lines, said)
			}
		})
	}
}

// Nothing to stop is nothing to do.
func TestNothingToStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.guests, w.connected = nil, false
		if err := w.watching(w.watcher(steady(false)), 10*time.Minute, nil); err != nil || len(w.stops) > 0 || strings.Contains(w.said(), "stopping") {
			t.Errorf("%v, %v\n%s", err, w.stops, w.said())
		}
	})
}

// A VM that appears on a host that is still isolated is stopped, too.
func TestLateGuest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.connected = false
		_ = w.watching(w.watcher(steady(false)), 5*time.Minute, func() {
			time.Sleep(3 * time.Minute)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.guests = guestsOf(9)
		})
		if len(w.stops) != 2 || len(w.guests) > 0 {
			t.Errorf("%v\n%s", w.stops, w.said())
		}
	})
}

// A drill says everything and does nothing.
func TestDrill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.vms[4] = on(hostID+1, one.Active, one.Running)
		watcher := w.watcher(steady(true))
		watcher.Drill = true
		_ = w.watching(watcher, 6*time.Minute, func() {
			time.Sleep(time.Minute)
			w.connect(false)
			time.Sleep(3 * time.Minute)
			w.connect(true)
		})
		said := w.said()
		if len(w.stops)+len(w.destroyed) > 0 || !strings.Contains(said, "drill: would stop VMs 4, 7 now (destroy)") || !strings.Contains(said, "drill: would destroy the stale copy of VM 4") {
			t.Errorf("%v %v\n%s", w.stops, w.destroyed, said)
		}
		if _, err := os.Stat(w.store.RunDir); err == nil {
			t.Error("a drill remembers something")
		}
	})
}

// cronRuns starts a new Watcher each minute, as cron does.
func (w *world) cronRuns(n int, p Policy, events func(run int)) {
	w.t.Helper()
	for run := range n {
		if events != nil {
			events(run)
		}
		next := time.Now().Add(time.Minute)
		if complete, err := w.watcher(p).Once(w.t.Context()); err != nil || !complete {
			w.t.Errorf("run %d: complete %v, %v", run, complete, err)
		}
		time.Sleep(time.Until(next))
	}
}

// cronPolicy is for cron.
func cronPolicy(strict bool) Policy {
	p := steady(strict)
	p.Every, p.Lease, p.After = time.Minute, 150*second, 150*second
	return p
}

// Processes that remember what the ones before saw decide like a single one.
func TestCron(t *testing.T) {
	for _, strict := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.cronRuns(12, cronPolicy(strict), func(run int) {
				if run == 5 {
					w.connect(false)
				}
			})
			// Renewed in run 4, isolated from run 5: lost in 5, 6 and 7.
			want := time.Hour + 7*time.Minute + 3*second
			if !strict {
				want = time.Hour + 8*time.Minute + 3*second
			}
			if len(w.stops) != 1 || w.stops[0] != want {
				t.Errorf("strict %v: stopped at %v, want %s\n%s", strict, w.stops, want, w.said())
			}
		})
	}
}

// What was remembered is used in this boot only, and losing it costs no VM.
func TestStateOfAnotherBoot(t *testing.T) {
	for _, c := range []struct {
		name  string
		lose  func(w *world)
		stops time.Duration // when VMs are stopped after the loss in run 4, while isolated from run 3
	}{
		{"kept", func(*world) {}, 1 * time.Minute},
		{"damaged", func(w *world) { w.write("{") }, 3 * time.Minute},
		{"from the future", func(w *world) { w.write(`{"version":1,"boot":"b1","history":{"renewed":9000000000000000}}`) }, 3 * time.Minute},
		{"of another version", func(w *world) { w.write(`{"version":2,"boot":"b1","history":{}}`) }, 3 * time.Minute},
		{"lost", func(w *world) { _ = os.Remove(filepath.Join(w.store.RunDir, stateFile)) }, 3 * time.Minute},
		{"rebooted", func(w *world) { w.store.Boot = "b2" }, 0}, // an hour after the boot, never renewed since
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.cronRuns(10, cronPolicy(true), func(run int) {
				switch run {
				case 3:
					w.connect(false)
				case 4:
					c.lose(w)
				}
			})
			if len(w.stops) != 1 || (w.stops[0]-time.Hour-4*time.Minute).Truncate(time.Minute) != c.stops {
				t.Errorf("%s: stopped at %v\n%s", c.name, w.stops, w.said())
			}
		})
	}
}

func (w *world) write(text string) {
	if err := os.WriteFile(filepath.Join(w.store.RunDir, stateFile), []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// A host that has never had a lease, such as one with a wrong token, loses no VM.
func TestNeverArmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.says = ReportedNothing
		_ = w.watching(w.watcher(steady(true)), 30*time.Minute, nil)
		if len(w.stops) > 0 || !strings.Contains(w.said(), "it has never renewed the lease of this host") {
			t.Errorf("%v\n%s", w.stops, w.said())
		}
	})
}

// The hardware watchdog is kept quiet while all is well, also while VMs are stopped, and
// not any more when they could not be.
func TestDog(t *testing.T) {
	for _, hopeless := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.connected, w.hopeless, w.stopTakes = false, hopeless, 19*second
			watcher := w.watcher(steady(false))
			watcher.Pet = w.Pet
			_ = w.watching(watcher, 5*time.Minute, nil)
			longest, last := time.Duration(0), time.Hour
			for _, pet := range w.pets {
				longest, last = max(longest, pet-last), pet
			}
			if longest > 10*second { // two intervals; a watchdog has three at least
				t.Errorf("hopeless %v: not petted for %s", hopeless, longest)
			}
			if end := w.stops[0] + 20*second; hopeless != (last <= end) {
				t.Errorf("hopeless %v: last petted at %s, stopping ended at %s", hopeless, last, end)
			}
		})
	}
}

// A front-end that would not wait for long enough: there is no lease to begin with, and
// one that is held goes on.
func TestLeaseBroken(t *testing.T) {
	for _, c := range []struct {
		template map[string]string
		fits     bool
	}{
		{nil, true},
		{map[string]string{"FENCE_LEASE": "60", "FENCE_LEASE_REACTION": "40"}, true},
		{map[string]string{"FENCE_LEASE": "60", "FENCE_LEASE_REACTION": "30"}, false},
		{map[string]string{"FENCE_LEASE": "20"}, false},
		{map[string]string{"FENCE_LEASE": "soon"}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.template = c.template
			if err := w.watching(w.watcher(steady(true)), time.Minute, nil); c.fits != (err == nil) || !c.fits && !errors.Is(err, ErrLeaseBroken) {
				t.Errorf("%v: %v", c.template, err)
			}
			if st, _ := w.store.Load(w.uptime()); st.History.Armed != c.fits {
				t.Errorf("%v: armed %v", c.template, st.History.Armed)
			}
		})
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			err := w.watching(w.watcher(steady(true)), 5*time.Minute, func() {
				time.Sleep(time.Minute)
				w.mu.Lock()
				w.template = c.template
				w.mu.Unlock()
				time.Sleep(time.Minute)
				w.connect(false)
			})
			if told := strings.Count(w.said(), ErrLeaseBroken.Error()); err != nil || len(w.stops) != 1 || c.fits != (told == 0) || told > 1 {
				t.Errorf("%v: %v, %v, told %d times\n%s", c.template, err, w.stops, told, w.said())
			}
		})
	}
}

// A host that comes back destroys the copies that run elsewhere, and those only: what has the metadata of a VM and another name
// may be a copy that somebody has made on purpose.
func TestComingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.guests = append(guestsOf(4, 5, 6, 7, 8), guest.Guest{ID: 9, Name: "copy-of-web"})
		w.vms = map[int]one.VM{
			4: on(hostID, one.Active, one.Running), 5: on(hostID+1, one.Active, one.Boot), 6: on(hostID, one.Pending, one.LCMInit),
			8: on(hostID+1, one.Active, one.Running), 9: on(hostID+1, one.Active, one.Running), // 7 is not known
		}
		_ = w.watching(w.watcher(steady(true)), 3*time.Minute, func() {
			time.Sleep(time.Minute)
			w.connect(false)
			time.Sleep(30 * second)
			w.mu.Lock()
			w.says, w.vmErr = ReportedError, errors.New("busy") // at first
			w.mu.Unlock()
			w.connect(true)
			time.Sleep(10 * second)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.says, w.vmErr = ReportedMonitored, nil
		})
		if w.asked > 20 {
			t.Errorf("oned was asked for VMs %d times: once it is known, it is known", w.asked)
		}
		slices.Sort(w.destroyed)
		if !slices.Equal(w.destroyed, []int{5, 6, 8}) || len(w.stops) > 0 {
			t.Errorf("destroyed %v, stops %v\n%s", w.destroyed, w.stops, w.said())
		}
		said := w.said()
		if !strings.Contains(said, "virsh destroy one-7") || !strings.Contains(said, "copy-of-web is taken for VM 9, which is elsewhere") || strings.Index(said, "SYNC") > strings.Index(said, "DESTROY") {
			t.Errorf("\n%s", said)
		}
	})
}

// Without a token it only says so; without rights, too.
func TestComingBackWithoutRights(t *testing.T) {
	for _, asks := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			p := steady(false)
			p.Asks = asks
			if !asks {
				w.says = ReportedNothing
			}
			w.vmErr = one.ErrAuthorization
			_ = w.watching(w.watcher(p), 3*time.Minute, func() {
				time.Sleep(time.Minute)
				w.connect(false)
				time.Sleep(30 * second)
				w.connect(true)
			})
			want := map[bool]string{false: "compare with onevm list", true: "USE rights on VMs"}[asks]
			if said := w.said(); len(w.destroyed) > 0 || !strings.Contains(said, want) {
				t.Errorf("destroyed %v\n%s", w.destroyed, said)
			}
		})
	}
}

// VMs that were stopped here and that nobody started elsewhere are named.
func TestMentionsWhatItStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.vms = map[int]one.VM{4: on(hostID, one.Active, one.Unknown), 7: on(hostID, one.Active, one.Unknown)}
		_ = w.watching(w.watcher(steady(true)), 8*time.Minute, func() {
			time.Sleep(time.Minute)
			w.connect(false)
			time.Sleep(3 * time.Minute)
			w.mu.Lock()
			w.says = ReportedError // host_error is still waiting
			w.mu.Unlock()
			w.connect(true)
			time.Sleep(time.Minute)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.says = ReportedMonitored
			w.vms = map[int]one.VM{4: on(hostID, one.Poweroff, one.LCMInit), 7: on(hostID+1, one.Active, one.Running)}
		})
		if said := w.said(); len(w.stops) != 1 || strings.Count(said, "onevm resume 4") != 1 || strings.Contains(said, "onevm resume 7") {
			t.Errorf("%v\n%s", w.stops, said)
		}
	})
}
