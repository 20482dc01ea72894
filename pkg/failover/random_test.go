package failover_test

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"one-ft/pkg/one"
)

// TestRandomHistories: hosts fail, come back, are disabled and enabled at random. The
// audit of each action holds it against the promises; a host that stays down
// while few others are is recovered.
func TestRandomHistories(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		version := rapid.SampledFrom(versions).Draw(rt, "version")
		type event struct {
			at   time.Duration
			host int
			what string
		}
		events := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) event {
			return event{
				time.Duration(rapid.IntRange(0, 1200).Draw(rt, "second"))*time.Second + 500*time.Millisecond,
				rapid.IntRange(0, 4).Draw(rt, "host"), rapid.SampledFrom([]string{"fail", "heal", "disable"}).Draw(rt, "what"),
			}
		}), 1, 12).Draw(rt, "events")
		synctest.Test(t, func(t *testing.T) {
			r := newRegion(t, version, 6)
			for _, e := range events {
				switch e.what {
				case "fail":
					r.at(e.at, r.fail(e.host))
				case "heal":
					r.at(e.at, r.heal(e.host))
				default:
					r.at(e.at, func() { _ = r.cloud.SetHostState(e.host, one.HostDisabled) })
				}
			}
			time.Sleep(25 * time.Minute) // the last event is 20 minutes in
			var stay []int
			for _, h := range r.cloud.Hosts() {
				if h.State.Failed() {
					stay = append(stay, h.ID)
				}
			}
			time.Sleep(40 * time.Minute)
			if len(stay) <= 2 { // few enough to be no storm
				for _, host := range stay {
					r.elsewhere(host)
				}
			}
			for id := range r.hosts { // so that hooks of 4.x end
				_ = r.cloud.HealHost(id)
			}
			time.Sleep(5 * time.Minute)
			r.wg.Wait()
			for _, p := range r.problems {
				rt.Errorf("%s", p)
			}
		})
	})
}
