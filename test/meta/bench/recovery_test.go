package bench

import (
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"one-ft/test/sim/cloud"
)

// The goals: how many times sooner than the build of before the last VM runs, by network.
var soonerGoals = map[cloud.Network]float64{cloud.Routed: 20, cloud.Local: 3}

const (
	// buildOfBefore is the last commit before one-ft followed VMs until they run.
	buildOfBefore = "1230cbf"
	// patience is how many times the time of the new build the others get. With that the goals are seen to be met.
	// Where VMs are lost they never do, and they get no longer than patienceLimit.
	patience      = 25
	patienceLimit = 4 * time.Minute
	// recoveryLimit bounds the new build.
	recoveryLimit = 5 * time.Minute
)

// before builds executables of an earlier commit, as that one shipped them, below build/before of this checkout.
func before(t *testing.T, commit string, packages ...string) string {
	t.Helper()
	root, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		t.Fatalf("find the checkout: %v", err)
	}
	top := strings.TrimSpace(string(root))
	dir := filepath.Join(top, "build", "before", commit)
	script := `set -e
git cat-file -e $2 2>/dev/null || { echo "it is not here, as in a shallow clone: git fetch --unshallow"; exit 1; }
rm -rf "$1" && mkdir -p "$1/source"
git -C "$3" archive --format=tar $2 | tar -x -C "$1/source"
cd "$1/source" && shift 3
if grep -q '^flags:' Makefile; then make -s build && exec mv bin/* ..; fi
CGO_ENABLED=0 go build -buildvcs=false -tags nethttpomithttp2 -trimpath -ldflags '-s -w' -o ../ "$@"`
	if out, err := exec.Command("sh", append([]string{"-c", script, "sh", dir, commit, top}, packages...)...).CombinedOutput(); err != nil {
		t.Fatalf("build commit %s: %v\n%s", commit, err, out)
	}
	return dir
}

// compared is an outage with all that was measured of it.
type compared struct {
	outage
	now, shipped, before, bare, toTheEnd course
}

// sooner is how many times sooner than before the last VM runs: at least that many when that was given up, and any
// number when it never does.
func (c compared) sooner() (factor float64, sign string) {
	switch {
	case c.before.lost > 0:
		return math.Inf(1), ""
	case c.before.running < c.vms:
		return c.before.watched.Seconds() / c.now.last.Seconds(), "> "
	}
	return c.before.last.Seconds() / c.now.last.Seconds(), ""
}

// check holds a comparison to the goals.
func (c compared) check(t *testing.T) {
	t.Helper()
	for name, course := range map[string]course{"": c.now, " with the scheduler as shipped": c.shipped} {
		if course.running != c.vms {
			t.Errorf("%s: %d VMs were recovered%s", c.outage, course.running, name)
		}
	}
	if factor, _ := c.sooner(); factor < soonerGoals[c.network] {
		t.Errorf("%s: %.1f times sooner than before, want at least %.0f", c.outage, factor, soonerGoals[c.network])
	}
}

// row is a comparison as a row of the table.
func (c compared) row() string {
	end := fmt.Sprintf("%.0f s (%d of %d)", c.toTheEnd.last.Seconds(), c.toTheEnd.running, c.vms)
	factor, sign := c.sooner()
	sooner := fmt.Sprintf("%s%.1f", sign, factor)
	if math.IsInf(factor, 1) {
		sooner = "before never ends"
	}
	return fmt.Sprintf("%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t\n", c.network, c.share(), c.vms, c.bare.cell(c.vms), end, c.before.cell(c.vms), c.now.cell(c.vms), c.shipped.cell(c.vms), sooner)
}

// TestScaleOfRecovery measures in real time how long it takes from the proof that a host is off until the last of its
// VMs runs elsewhere: by bare calls, with the build of before and with this one.
func TestScaleOfRecovery(t *testing.T) {
	now := doer{bin: build(t), ssh: true}
	bare := doer{bin: now.bin, bare: true}
	if !*full {
		recoverSome(t, now)
		return
	}
	old := doer{bin: before(t, buildOfBefore, "./cmd/host_error", "./cmd/oneft")}
	var all []*compared
	for _, network := range []cloud.Network{cloud.Local, cloud.Routed} {
		for _, hang := range []string{"", "never"} {
			for _, vms := range []int{6, 40, 200} {
				c := &compared{outage: outage{vms: vms, network: network, hang: hang}}
				c.now = measure(t, c.outage, now, recoveryLimit) // with the machine for itself
				c.toTheEnd = c.outage.toTheEnd(t)
				all = append(all, c)
			}
		}
	}
	measureTogether(t, all, now, old, bare)
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "network\thang\tVMs\tbare calls\tto their end\tbefore\tnow\tnow, shipped scheduler\ttimes sooner than before\t")
	for _, c := range all {
		fmt.Fprint(w, c.row())
		c.check(t)
	}
	_ = w.Flush()
	t.Log("\n" + table.String())
}

// measure is one run that has to work.
func measure(t *testing.T, o outage, d doer, limit time.Duration) course {
	t.Helper()
	c, err := o.run(t.Context(), d, limit)
	if err != nil {
		t.Fatalf("%s: %v", o, err)
	}
	return c
}

// measureTogether measures what nearly only waits, all at the same time.
func measureTogether(t *testing.T, all []*compared, now, old, bare doer) {
	t.Helper()
	var wait sync.WaitGroup
	start := func(into *course, o outage, d doer, limit time.Duration) {
		wait.Go(func() {
			var err error
			if *into, err = o.run(t.Context(), d, limit); err != nil {
				t.Errorf("%s: %v", o, err)
			}
		})
	}
	for _, c := range all {
		shipped := c.outage
		shipped.shipped = true
		start(&c.shipped, shipped, now, recoveryLimit)
		limit := min(patience*c.now.last, patienceLimit)
		start(&c.before, c.outage, old, limit)
		start(&c.bare, c.outage, bare, limit)
	}
	wait.Wait()
}

// recoverSome is what of it make test has the time for: where bare calls leave VMs in their clean-up, all run
// elsewhere, and many times sooner than after bare calls whose clean-ups all end.
func recoverSome(t *testing.T, now doer) {
	t.Helper()
	o := outage{vms: 6, network: cloud.Routed, hang: "always"}
	c := measure(t, o, now, recoveryLimit)
	t.Logf("%s: %s", o, c.cell(o.vms))
	if c.running != o.vms {
		t.Errorf("%s: %d were recovered", o, c.running)
	}
	if end := o.toTheEnd(t); end.running > 0 || end.lost != o.vms {
		t.Errorf("bare calls: %+v", end)
	}
	best := outage{vms: o.vms, network: o.network, hang: "never"}.toTheEnd(t) // some minutes, of virtual time
	t.Logf("bare calls, when nothing hangs: %s", best.cell(o.vms))
	if factor := best.last.Seconds() / c.last.Seconds(); best.running != o.vms || *full && factor < soonerGoals[o.network] {
		t.Errorf("%s: %s; bare calls where no clean-up hangs: %s, %.1f times that, want at least %.0f", o, c.cell(o.vms), best.cell(o.vms), factor, soonerGoals[o.network])
	}
}
