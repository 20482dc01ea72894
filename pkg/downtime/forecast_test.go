package downtime

import (
	"encoding/json"
	"testing"
	"time"

	"one-ft/pkg/one"
)

func repeat(n, disks int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = disks
	}
	return all
}

// near fails unless a time is within 2 s of what was measured or computed.
func near(t *testing.T, what string, got time.Duration, want float64) {
	t.Helper()
	if d := got.Seconds() - want; d > 2 || d < -2 {
		t.Errorf("%s: %s, want %g s", what, got, want)
	}
}

// TestDetection: what was measured with 6.10, computed for shipped settings; and what the sources of
// others say.
func TestDetection(t *testing.T) {
	five := SSH{ConnectTimeout: 5 * time.Second}
	for _, c := range []struct {
		version   one.Version
		failure   Failure
		ssh       SSH
		low, high float64 // -1: never
	}{
		{release(6, 10), Silent, SSH{}, 156, 201},
		{release(6, 10), Dropped, SSH{}, 417, 465},
		{release(6, 10), Dropped, five, 160, 206},
		{release(6, 10), Unreachable, SSH{}, 155, 200},
		{release(6, 10), Refused, SSH{}, 150, 196},
		{release(6, 10), Frozen, SSH{}, -1, -1},
		{release(6, 10), Frozen, five, 160, 206},
		{release(6, 10), NoSSHD, five, -1, -1},
		{release(6, 10), NoLibvirtd, SSH{}, 0, 600},
		{release(7, 4), Silent, SSH{}, 156, 201},
		{release(5, 12), Frozen, SSH{}, -1, -1},
		// 4 tries, 3 s between them; from 5.6 on each ends after 90 s.
		{release(4, 4), Silent, SSH{}, 55, 90},
		{release(4, 4), Dropped, SSH{}, 577, 618},
		{release(4, 4), Frozen, SSH{}, -1, -1},
		{release(5, 10), Dropped, SSH{}, 483, 558},
		{release(5, 10), Frozen, SSH{}, 483, 558},
		{release(5, 10), NoLibvirtd, SSH{}, 0, 60},
		{release(5, 4), NoSSHD, SSH{}, -1, -1},
	} {
		got := Detection(ShippedSettings(c.version), c.failure, c.ssh)
		what := c.version.String() + " " + string(c.failure)
		if c.low < 0 {
			if !got.Never() || got.Bounded() {
				t.Errorf("%s: %v, want never", what, got)
			}
			continue
		}
		near(t, what, got.Low, c.low)
		near(t, what, got.High, c.high)
	}
	// Measured with an interval of 20 s: no ARP 34 s, dropped 290 s, unreachable with a stale master 77 s.
	quick := ShippedSettings(release(6, 10)).With(HostInterval, 20, Configured)
	for f, seen := range map[Failure]float64{Silent: 34, Dropped: 290, Unreachable: 77} {
		if got := Detection(quick, f, SSH{}); got.Low.Seconds() > seen || got.High.Seconds() < seen {
			t.Errorf("%s: %v, measured %g s", f, got, seen)
		}
	}
}

// TestScheduling: the measured 40 VMs on 4 hosts, limits of each kind, and plans.
func TestScheduling(t *testing.T) {
	v610, v44, v74 := ShippedSettings(release(6, 10)), ShippedSettings(release(4, 4)), ShippedSettings(release(7, 4))
	start := Between(2, 20)
	for name, c := range map[string]struct {
		vms, hosts int
		s          Settings
		low, high  float64
	}{
		"measured, 6.10":  {40, 4, v610, 135, 150},
		"4.4":             {40, 4, v44, 270, 300},
		"one VM":          {1, 4, v610, 0, 15},
		"no VM":           {0, 0, v610, 0, 0},
		"MAX_HOST":        {40, 4, v610.With(MaxHost, 10, Configured), 15, 30}, // MAX_DISPATCH 30
		"both":            {40, 4, v610.With(MaxHost, 10, Configured).With(MaxDispatch, 0, Configured), 0, 15},
		"MAX_DISPATCH":    {90, 100, v610, 30, 45},
		"MAX_VM":          {40, 4, v610.With(MaxHost, 40, Configured).With(MaxDispatch, 0, Configured).With(MaxVM, 20, Configured), 15, 30},
		"no host":         {1, 0, v610, -1, -1},
		"MAX_HOST 0":      {1, 4, v610.With(MaxHost, 0, Configured), -1, -1},
		"7.4, one VM":     {1, 4, v74, 0, 15},
		"7.4":             {40, 4, v74, 18, 15 + 9*20},
		"7.4, MAX_HOST":   {40, 4, v74.With(MaxHost, 0, Configured), 9 * 2, 15 + 9*35},
		"7.4, both":       {40, 4, v74.With(MaxHost, 10, Configured).With(ActionsPerHost, 10, Configured).With(ActionsPerCluster, 40, Configured), 0, 15},
		"7.4, in cluster": {40, 40, v74, 2, 15 + 35},
	} {
		got := Scheduling(c.vms, c.hosts, c.s, start)
		if c.low < 0 {
			if !got.Never() {
				t.Errorf("%s: %v, want never", name, got)
			}
			continue
		}
		near(t, name, got.Low, c.low)
		near(t, name, got.High, c.high)
	}
}

// TestCleanup: what was measured with 6.10, and what needs a proof.
func TestCleanup(t *testing.T) {
	five := SSH{ConnectTimeout: 5 * time.Second}
	for name, c := range map[string]struct {
		disks           []int
		failure         Failure
		ssh             SSH
		failFast, ended bool
		low, high       float64
	}{
		"measured, dropped":     {[]int{1}, Dropped, SSH{}, false, true, 401, (3*135+40)*1.1 + 10},
		"same network":          {[]int{1}, Silent, SSH{}, false, true, 9, (3*135+40)*1.1 + 10},
		"nobody ends it":        {[]int{1}, Silent, SSH{}, false, false, 9, -1},
		"fail fast":             {[]int{1}, Dropped, SSH{}, true, true, 0, 2.6},
		"fail fast, nobody":     {[]int{1}, Dropped, SSH{}, true, false, 0, -1},
		"queue of 15":           {repeat(31, 1), Silent, SSH{}, false, true, 27, (3*(3*135+40))*1.1 + 10},
		"ConnectTimeout":        {[]int{2}, Dropped, five, false, true, 20.4, (4*5.6+40)*1.1 + 10},
		"no VM":                 {nil, Dropped, SSH{}, false, false, 0, 0},
		"40 VMs with fail fast": {repeat(40, 1), Dropped, SSH{}, true, true, 0, 5.6},
	} {
		got := Cleanup(c.disks, 15, c.failure, c.ssh, c.failFast, c.ended)
		near(t, name, got.Low, c.low)
		if c.high < 0 {
			if got.Bounded() {
				t.Errorf("%s: %v, want no bound", name, got)
			}
			continue
		}
		near(t, name, got.High, c.high)
	}
	// Up to 6.2, and with qemu and lxc, one VM after the other: 40 VMs with 3 commands of 135 s each.
	for _, c := range []struct {
		version one.Version
		driver  string
		want    int
	}{{release(4, 4), "", 1}, {release(6, 2), "kvm", 1}, {release(6, 4), "kvm", 15}, {release(7, 4), "", 15}, {release(7, 4), "qemu", 1}} {
		if got := ShippedSettings(c.version).CleanupThreads(c.driver); got != c.want {
			t.Errorf("%s %s: %d at a time, want %d", c.version, c.driver, got, c.want)
		}
	}
	near(t, "one after the other", Cleanup(repeat(40, 1), 1, Dropped, SSH{}, false, true).Low, 40*3*133.5)
	if got := CleanupLimit([]int{0}, 15, SSH{}); got != (2*135+40)*time.Second*11/10+10*time.Second {
		t.Error(got)
	}
}

// TestPredict: the stages in their order, the total is their sum, and what is never stays never.
func TestPredict(t *testing.T) {
	in := Input{Settings: ShippedSettings(release(6, 10)), Failure: Dropped, Disks: repeat(40, 1), Hosts: 4, Proven: true,
		Watch: Between(360, 360), Opinion: Between(0, 32), Proof: Between(0, 100), Prolog: Between(1, 10)}
	slow := Predict(in)
	in.FailFast = true
	fast := Predict(in)
	var sum Span
	for i, s := range slow.Stages {
		if want := []StageKind{StageDetection, StageWatch, StageOpinion, StageGuard, StageProof, StageCleanup, StageScheduling, StageProlog, StageBoot}; s.Kind != want[i] {
			t.Errorf("stage %d is %s", i, s.Kind)
		}
		sum = sum.Plus(s.Span)
	}
	if sum != slow.Total || slow.Stage(StageWatch) != in.Watch || slow.Stage(StageScheduling) != Between(135, 150) {
		t.Errorf("%+v", slow)
	}
	if fast.Total.High >= slow.Total.High || fast.Stage(StageCleanup).High > 10*time.Second {
		t.Errorf("%+v", fast)
	}
	in.Place = true
	if placed := Predict(in); placed.Stage(StageScheduling) != placing {
		t.Errorf("%+v", placed)
	}
	in.Failure, in.Disks = Frozen, nil
	frozen := Predict(in)
	if !frozen.Total.Never() || frozen.Stage(StageProlog) != (Span{}) {
		t.Errorf("%+v", frozen)
	}
	in.Failure, in.Disks, in.Proven = Silent, []int{1}, false
	if unproven := Predict(in); unproven.Total.Bounded() || unproven.Total.Never() {
		t.Errorf("without a proof nothing ends a clean-up: %+v", unproven)
	}
}

// TestJSON: a forecast in JSON has names that stay.
func TestJSON(t *testing.T) {
	in := Input{Settings: ShippedSettings(release(6, 10)), Failure: Frozen, Disks: []int{1}, Hosts: 4}
	f := Predict(in)
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"failure":"frozen","stages":[{"stage":"detection","low_s":null,"high_s":null},{"stage":"watch","low_s":0,"high_s":0},{"stage":"second_opinion","low_s":0,"high_s":0},` +
		`{"stage":"guard","low_s":0,"high_s":0},{"stage":"proof","low_s":0,"high_s":0},{"stage":"cleanup","low_s":null,"high_s":null},{"stage":"scheduling","low_s":0,"high_s":15},` +
		`{"stage":"prolog","low_s":1,"high_s":60},{"stage":"boot","low_s":1,"high_s":15}],"total":{"low_s":null,"high_s":null}}`
	if string(text) != want {
		t.Errorf("%s", text)
	}
}

// TestDefaultTimeout: ten minutes for a small cloud, more where the clean-up or the scheduler need it.
func TestDefaultTimeout(t *testing.T) {
	v610 := ShippedSettings(release(6, 10))
	for name, c := range map[string]struct {
		in   Input
		want time.Duration
	}{
		"small, fast":  {Input{Settings: v610, Disks: repeat(5, 1), Hosts: 4, FailFast: true, Proven: true}, MinTimeout},
		"nothing":      {Input{Settings: v610}, MinTimeout},
		"no other":     {Input{Settings: v610, Disks: repeat(5, 1), Proven: true, FailFast: true}, MinTimeout},
		"200 VMs":      {Input{Settings: v610, Disks: repeat(200, 1), Hosts: 4, FailFast: true, Proven: true}, 18 * time.Minute},
		"without":      {Input{Settings: v610, Disks: repeat(40, 1), Hosts: 4, Proven: true}, 36 * time.Minute},
		"a large host": {Input{Settings: v610, Disks: repeat(100_000, 3), Hosts: 1}, 24 * time.Hour},
	} {
		if got := DefaultTimeout(c.in); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
