package scenarios_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"one-ft/test/sim/play"
)

// cycle is that of the monitoring in scenarios.
const cycle = 20 * time.Second

// TestChaosStaggered: at one moment a front-end loses k of n hosts, all of which live, and they become ERROR one after the
// other within a cycle of the monitoring. Where that is a storm no VM is touched and no host is powered off, on any version,
// whatever the hook's words and the fencing are, and whether the hosts can be asked or not; where it is none, no promise is
// broken.
func TestChaosStaggered(t *testing.T) {
	if *chaosTime == 0 {
		_ = flag.Lookup("rapid.checks").Value.Set(fmt.Sprint(shortChaos))
	}
	var storms, others int
	rapid.Check(t, func(rt *rapid.T) {
		s, family, storm := staggered(rt)
		r := playQuietly(t, rt, s, family)
		bad := r.Problems
		if storm {
			storms++
			for line := range strings.Lines(r.Log) {
				if strings.Contains(line, " asks oned ") || strings.Contains(line, " is off now") {
					bad = append(bad, "touched in a storm: "+strings.TrimSpace(line))
				}
			}
		} else {
			others++
		}
		if bad = slices.Concat(bad, r.Forgotten); len(bad) > 0 {
			rt.Fatalf("%s\non %s:\n%s\n%s", strings.Join(bad, "\n"), family, s.Format(), r.Log)
		}
	})
	t.Logf("%d storms, %d others", storms, others)
}

// staggered draws such a loss.
func staggered(rt *rapid.T) (s play.Scenario, family string, storm bool) {
	family = rapid.SampledFrom(play.Releases()).Draw(rt, "version")
	n := rapid.IntRange(3, 8).Draw(rt, "hosts")
	k := rapid.IntRange(1, n).Draw(rt, "lost")
	storm = k >= 3 && 2*k > n
	s = play.Scenario{Sentence: "Staggered losses.", Versions: []string{family}, Lenient: true}
	over := time.Duration(rapid.IntRange(0, int(cycle/time.Second)-1).Draw(rt, "stagger")) * time.Second
	s.Cloud = []string{fmt.Sprintf("hosts %d", n), "timer 1m", fmt.Sprintf("hosts are monitored over %s", over)}
	s.Cloud = append(s.Cloud, rapid.SampledFrom([]string{"fencing none", "fencing all bmc", "fencing all bmc strip"}).Draw(rt, "fencing"))
	shortest := 30
	if rapid.Bool().Draw(rt, "jump host") {
		s.Cloud = append(s.Cloud, "ssh through a jump host")
		shortest = 90 // where nobody can be asked nothing but their ERROR tells, so the outage lasts until all have it
	}
	s.Cloud = append(s.Cloud, "hook host_error HOST "+rapid.SampledFrom([]string{"-r n", "-r n", "-r n -p 2", "-d n"}).Draw(rt, "hook"))
	for id := range n {
		s.Cloud = append(s.Cloud, fmt.Sprintf("vms %d-%d on host%d", 2*id, 2*id+1, id))
	}
	lost := make([]string, k)
	for i, id := range rapid.Permutation(slices.Collect(func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	})).Draw(rt, "which")[:k] {
		lost[i] = fmt.Sprintf("host%d", id)
	}
	names := strings.Join(lost, " ")
	begins := time.Duration(rapid.IntRange(30_000, 60_000).Draw(rt, "begins")) * time.Millisecond
	back := begins + time.Duration(rapid.IntRange(shortest, 600).Draw(rt, "back"))*time.Second
	s.Events = []play.Event{{At: begins, Text: names + " lose their network"}, {At: back, Text: names + " are reachable again"}, {At: back + 20*time.Minute, Text: "end"}}
	if k == 1 {
		s.Events[0].Text, s.Events[1].Text = names+" loses its network", names+" is reachable again"
	}
	return s, family, storm
}
