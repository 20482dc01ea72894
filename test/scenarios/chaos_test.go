package scenarios_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"one-ft/test/sim/play"
)

// chaosTime is for make chaos; without it as many scenarios are played as fit into make test.
var chaosTime = flag.Duration("chaos.time", 0, "play random scenarios for this time")

// shortChaos is how many are played in make test.
const shortChaos = 12

// TestChaos plays random clouds with random policies and random trouble. No promise may be broken
// at any moment, and when everything has been well again for a while, no VM may be forgotten. What
// fails is shrunk to a scenario that can be put into a file.
func TestChaos(t *testing.T) {
	short := shortChaos
	if raceEnabled() {
		short /= 2
	}
	checks, end := fmt.Sprint(short), time.Time{}
	if *chaosTime > 0 {
		checks, end = "1000000", time.Now().Add(*chaosTime)
	}
	seed := flag.Lookup("rapid.seed")
	if seed.Value.String() == "0" { // the same ones in each make test; make chaos has others
		_ = seed.Value.Set("1")
	}
	_ = flag.Lookup("rapid.checks").Value.Set(checks)
	began, last := time.Now(), time.Now()
	var scenarios, events, audits, calls int
	tell := func() {
		t.Logf("seed %s: %d scenarios, %d events, %d audits, %d calls in %s", seed.Value, scenarios, events, audits, calls, time.Since(began).Round(time.Second))
	}
	rapid.Check(t, func(rt *rapid.T) {
		s, family := randomScenario(rt)
		if !end.IsZero() && time.Now().After(end) {
			return
		}
		r := playQuietly(t, rt, s, family)
		scenarios, events, audits, calls = scenarios+1, events+len(s.Events), audits+r.Audits, calls+r.Calls
		if *chaosTime > 0 && time.Since(last) > time.Minute {
			last = time.Now()
			tell()
		}
		if bad := slices.Concat(r.Problems, r.Forgotten); len(bad) > 0 {
			rt.Fatalf("%s\non %s:\n%s\n%s", strings.Join(bad, "\n"), family, s.Format(), r.Log)
		}
	})
	tell()
}

// playQuietly plays a scenario that may fail.
func playQuietly(t *testing.T, rt *rapid.T, s play.Scenario, family string) (result play.Result) {
	dir := scratch(t)
	synctest.Test(t, func(*testing.T) {
		var err error
		if result, err = play.Run(s, family, dir); err != nil {
			result.Problems = append(result.Problems, err.Error())
		}
	})
	return result
}

// The length of the trouble, and of the time behind it in which all is well again: longer than a
// storm is held (30m) and than what was left undone waits to be tried again.
const (
	trouble  = 10 * time.Minute
	recovery = 50 * time.Minute
)

// randomScenario draws a cloud and what happens to it.
func randomScenario(rt *rapid.T) (play.Scenario, string) {
	family := rapid.SampledFrom(play.Releases()).Draw(rt, "version")
	s := play.Scenario{Sentence: "Random trouble.", Versions: []string{family}, Lenient: true}
	hosts := rapid.IntRange(2, 7).Draw(rt, "hosts")
	frontEnds := 1
	if !strings.HasPrefix(family, "4.") { // since 5.4
		frontEnds = rapid.SampledFrom([]int{1, 1, 2, 3}).Draw(rt, "front-ends")
	}
	s.Cloud = []string{fmt.Sprintf("hosts %d", hosts), fmt.Sprintf("front-ends %d", frontEnds), "timer 1m"}
	s.Cloud = append(s.Cloud, rapid.SampledFrom([][]string{
		{"fencing none"}, {"fencing all bmc"}, {"fencing all bmc"}, {"fencing all bmc strip"}, {"fencing all lease", "isolated all"}, {"fencing all bmc lease", "isolated all"},
	}).Draw(rt, "fencing")...)
	s.Cloud = append(s.Cloud, rapid.SampledFrom([][]string{
		{"network local"}, {"network local", "scheduler as shipped"}, {"network routed", "ssh connect-timeout 5s"}, {"network routed"}, {"network instant"},
	}).Draw(rt, "network")...)
	if rapid.IntRange(0, 2).Draw(rt, "hang") == 0 {
		s.Cloud = append(s.Cloud, "clean-ups hang always")
	}
	s.Cloud = append(s.Cloud, fmt.Sprintf("seed %d", rapid.IntRange(0, 99).Draw(rt, "seed")))
	hook := rapid.SampledFrom([]string{"-r n", "-r n", "-r y", "-d n", "-m"}).Draw(rt, "action")
	if hook == "-m" && family == "4.4" {
		hook = "-r n"
	}
	s.Cloud = append(s.Cloud, fmt.Sprintf("hook host_error HOST %s -p %d", hook, rapid.IntRange(0, 2).Draw(rt, "cycles")))
	for _, line := range []string{"hook vm_unknown VM", "hook vm_failure VM -r"} {
		if rapid.Bool().Draw(rt, line) {
			s.Cloud = append(s.Cloud, line)
		}
	}
	s.Config = rapid.SampledFrom([]string{"", "", "fencing: required\n", "parallel: 1\n", "storm:\n  hosts: 2\n", "resume:\n  failed: recreate\n", "place: true\n", "quarantine: false\n"}).Draw(rt, "configuration")
	vms := rapid.IntRange(1, 8).Draw(rt, "VMs")
	for id := range vms {
		s.Cloud = append(s.Cloud, randomVM(rt, id, hosts, family))
	}
	s.Events = randomEvents(rt, hosts, frontEnds, vms)
	return s, family
}

// randomVM draws a line for a VM.
func randomVM(rt *rapid.T, id, hosts int, family string) string {
	host := rapid.IntRange(0, hosts-1).Draw(rt, "host")
	states := []string{"RUNNING", "RUNNING", "RUNNING", "SUSPENDED", "POWEROFF", "PROLOG", "BOOT", "SHUTDOWN", "EPILOG", "SAVE_STOP", "HOTPLUG", "STOPPED", "PENDING", "MIGRATE", "PROLOG_MIGRATE"}
	if family != "4.4" {
		states = append(states, "BOOT_FAILURE", "PROLOG_FAILURE", "UNDEPLOYED")
	}
	state := rapid.SampledFrom(states).Draw(rt, "state")
	line := fmt.Sprintf("vm %d on host%d %s", id, host, state)
	if strings.Contains(state, "MIGRATE") {
		line += fmt.Sprintf(" from host%d", (host+1)%hosts)
	}
	return line + rapid.SampledFrom([]string{"", "", "", "", " FT_ACTION=none", " FT_PRIORITY=90", " image=broken", " image=unbootable", " FT_MAX_ATTEMPTS=1"}).Draw(rt, "more")
}

// randomEvents draws trouble, and its end.
func randomEvents(rt *rapid.T, hosts, frontEnds, vms int) []play.Event {
	host := rapid.Custom(func(rt *rapid.T) string { return fmt.Sprintf("host%d", rapid.IntRange(0, hosts-1).Draw(rt, "host")) })
	front := rapid.Custom(func(rt *rapid.T) string {
		return string(rune('A' + rapid.IntRange(0, frontEnds-1).Draw(rt, "front-end")))
	})
	vm := rapid.IntRange(0, vms-1)
	happens := rapid.Custom(func(rt *rapid.T) string {
		h, f, v := host.Draw(rt, "h"), front.Draw(rt, "f"), vm.Draw(rt, "v")
		return rapid.SampledFrom([]string{
			h + " loses power", h + " loses power", h + " loses power", h + " loses its network", h + " loses its network", h + " is back", h + " is back",
			h + " is frozen", h + " is reachable again", h + " has a persistent connection",
			"an admin disables " + h, "an admin enables " + h, "an admin sets " + h + " offline", "the hook of " + h + " is called again",
			"bmc-" + h + " lies", "bmc-" + h + " is unreachable", "bmc-" + h + " is late", "bmc-" + h + " hangs", "bmc-" + h + " fails once", "bmc-" + h + " works",
			"front-end " + f + " loses its network", "front-end " + f + " has its network back", "front-end " + f + " dies", "front-end " + f + " comes back",
			"front-end " + f + " becomes leader", "front-end " + f + " becomes leader", "there is no leader",
			"all processes of " + f + " are killed", "all processes of " + f + " are killed", "all processes of " + f + " are told to end",
			"the hook manager of " + f + " stops", "the hook manager of " + f + " starts",
			"oned stops", "oned starts", "oned starts", "oned takes 3s for each call", "oned resets all connections", "oned answers with internal errors", "oned is as before", "oned is as before",
			"the answers of the next 2 actions are lost", "the next 2 actions are accepted and forgotten", "the next 2 actions are refused with an internal error",
			fmt.Sprintf("vm %d crashes", v), fmt.Sprintf("the image of vm %d is broken", v), fmt.Sprintf("the owner of vm %d sets FT_ACTION=none", v),
			h + " boots without its network", "libvirt of " + h + " hangs", "libvirt of " + h + " ends", "guests of " + h + " ignore SIGTERM",
			fmt.Sprintf("an admin recreates vm %d", v), fmt.Sprintf("an admin deletes vm %d", v),
		}).Draw(rt, "what")
	})
	at := rapid.SliceOfN(rapid.IntRange(1, int(trouble.Seconds())), 1, 14).Draw(rt, "times")
	slices.Sort(at)
	var events []play.Event
	for _, second := range at {
		events = append(events, play.Event{At: time.Duration(second)*time.Second + 313*time.Millisecond, Text: happens.Draw(rt, "event")})
	}
	for i, text := range []string{"oned starts", "oned is as before", "front-end A comes back", "front-end A becomes leader", "front-end A has its network back", "the hook manager of A starts"} {
		events = append(events, play.Event{At: trouble + time.Duration(10+i)*time.Second, Text: text})
	}
	return append(events, play.Event{At: trouble + recovery, Text: "end"})
}
