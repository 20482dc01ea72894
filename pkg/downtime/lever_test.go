package downtime

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"one-ft/pkg/failfast"
	"one-ft/pkg/one"
)

// TestLevers: what saves most comes first, what ends a downtime without an end before all, and
// what is well set is not advised.
func TestLevers(t *testing.T) {
	in := Input{Settings: ShippedSettings(release(6, 10)), Failure: Dropped, Disks: repeat(40, 1), Hosts: 4, Proven: true, Watch: Between(360, 360), Proof: Between(0, 300)}
	kinds := func(in Input, shorter Span) (kinds []LeverKind) {
		last := Unbounded.Seconds()
		for _, l := range Levers(in, shorter, in.Failure) {
			g := l.Gains[0]
			if !g.Ends && g.Seconds > last || g.Seconds < 0 {
				t.Errorf("%+v behind %g", l, last)
			}
			if kinds = append(kinds, l.Kind); !g.Ends {
				last = g.Seconds
			}
		}
		return kinds
	}
	// A ConnectTimeout shortens both detection and clean-up.
	want := []LeverKind{LeverConnectTimeout, LeverFailFast, LeverFenceFirst, LeverProof, LeverPlace, LeverMaxHost, LeverInterval, LeverSchedInterval}
	if got := kinds(in, Between(0, 150)); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	l := Levers(in, Span{}, in.Failure)[4]
	if c := l.Changes; l.Kind != LeverMaxHost || len(c) != 2 || c[0] != (Change{FileSched, MaxDispatch, "30", "40"}) || c[1] != (Change{FileSched, MaxHost, "1", "10"}) {
		t.Errorf("%+v", l)
	}
	frozen := in
	frozen.Failure = Frozen
	if got := Levers(frozen, Span{}, frozen.Failure); len(got) == 0 || got[0].Kind != LeverConnectTimeout || !got[0].Gains[0].Ends {
		t.Errorf("%+v", got)
	}
	unproven := in
	unproven.Proven = false
	if got := Levers(unproven, Span{}, unproven.Failure); len(got) == 0 || got[0].Kind != LeverFencing || !got[0].Gains[0].Ends {
		t.Errorf("%+v", got)
	}
	planned := in
	planned.Settings = ShippedSettings(release(7, 4))
	for _, l := range Levers(planned, Span{}, planned.Failure) {
		if l.Kind == LeverMaxHost && len(l.Changes) != 3 {
			t.Errorf("%+v", l)
		}
	}
	good := Input{Settings: in.Settings.With(HostInterval, 60, Configured).With(MaxHost, 20, Configured).With(SchedInterval, 10, Configured), Failure: Dropped, Disks: repeat(20, 1), Hosts: 4, Proven: true, FailFast: true,
		SSH: SSH{ConnectTimeout: 5 * time.Second}, Place: true}
	if got := Levers(good, Span{}, good.Failure); len(got) > 0 {
		t.Errorf("%+v", got)
	}
}

// TestConnectTimeoutIsWhatInstallWrites: the value that is advised is the one of the block, what it saves is counted with it,
// and where a value is set, which install leaves, the file is named and not the command.
func TestConnectTimeoutIsWhatInstallWrites(t *testing.T) {
	block, err := failfast.Install(nil, failfast.Block{StateDir: "/var/lib/one/one-ft", Timeout: true}, false)
	if err != nil {
		t.Fatal(err)
	}
	_, written, _ := strings.Cut(string(block), "ConnectTimeout ")
	written, _, _ = strings.Cut(written, "\n")
	const command = "oneft hooks install"
	for name, c := range map[string]struct {
		ssh           SSH
		advised, runs bool
		says          string
	}{
		"as shipped":        {SSH{}, true, true, "ConnectTimeout " + written + " in the ssh configuration"},
		"longer":            {SSH{ConnectTimeout: 33 * time.Second}, true, false, "ConnectTimeout " + written + " (now 33) where ssh"},
		"longer by a bit":   {SSH{ConnectTimeout: failfast.Timeout + 5*time.Second}, true, false, "(now 15)"},
		"of other hosts":    {SSH{SetElsewhere: true}, true, false, "ConnectTimeout " + written + " for all hosts at the end of ~/.ssh/config"},
		"as install writes": {SSH{ConnectTimeout: failfast.Timeout}, false, false, ""},
		"shorter":           {SSH{ConnectTimeout: time.Second}, false, false, ""},
	} {
		in := Input{Settings: ShippedSettings(release(6, 10)), Failure: Dropped, SSH: c.ssh, Disks: repeat(40, 1), Hosts: 4, Proven: true}
		levers := Levers(in, Span{}, in.Failure)
		i := slices.IndexFunc(levers, func(l Lever) bool { return l.Kind == LeverConnectTimeout })
		if (i >= 0) != c.advised {
			t.Errorf("%s: advised: %t", name, i >= 0)
		}
		if i < 0 {
			continue
		}
		l, with := levers[i], in
		with.SSH.ConnectTimeout = failfast.Timeout
		if saves := Predict(in).Total.High - Predict(with).Total.High; l.Gains[0].Seconds != saves.Seconds() || l.Changes[0].Value != written {
			t.Errorf("%s: %+v, want %s that saves %s", name, l, written, saves)
		}
		if text := l.Text(Place{}); !strings.Contains(text, c.says) || strings.Contains(text, command) != c.runs {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// TestMonotone: more VMs, disks, waiting or time never make it sooner, and more hosts, threads or a
// ConnectTimeout never make it later.
func TestMonotone(t *testing.T) {
	versions := []one.Version{release(4, 4), release(5, 4), release(5, 10), release(5, 12), release(6, 10), release(7, 4)}
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SampledFrom(versions).Draw(t, "version")
		in := Input{Settings: ShippedSettings(v), Failure: rapid.SampledFrom(Failures()).Draw(t, "failure"),
			Disks: rapid.SliceOfN(rapid.IntRange(0, 5), 0, 60).Draw(t, "disks"), Hosts: rapid.IntRange(1, 30).Draw(t, "hosts"),
			Proven: rapid.Bool().Draw(t, "proven"), FailFast: rapid.Bool().Draw(t, "fail fast"),
			SSH: SSH{ConnectTimeout: time.Duration(rapid.IntRange(0, 200).Draw(t, "timeout")) * time.Second}}
		for _, name := range []Setting{HostInterval, OldInterval, SchedInterval, MaxHost, MaxDispatch, Retries} {
			if in.Settings.Get(name) != (Value{}) && rapid.Bool().Draw(t, "change") {
				in.Settings = in.Settings.With(name, rapid.IntRange(1, 300).Draw(t, string(name)), Configured)
			}
		}
		before := Predict(in)
		if before.Total.Low < 0 || before.Total.High < before.Total.Low {
			t.Fatalf("%+v", before)
		}
		worse := func(what string, change func(*Input)) {
			with := in
			change(&with)
			if after := Predict(with); after.Total.High < before.Total.High || after.Total.Low < before.Total.Low {
				t.Fatalf("%s: %v, before %v", what, after.Total, before.Total)
			}
			if !Predict(with).Stage(StageScheduling).Bounded() {
				return // no time-out can help
			}
			if DefaultTimeout(with) < DefaultTimeout(in) || CleanupLimit(with.Disks, 15, with.SSH) < CleanupLimit(in.Disks, 15, in.SSH) || CleanupLimit(in.Disks, 1, in.SSH) < CleanupLimit(in.Disks, 2, in.SSH) {
				t.Fatalf("%s: shorter limits", what)
			}
		}
		raise := func(name Setting) func(*Input) {
			return func(i *Input) { i.Settings = i.Settings.With(name, i.Settings.number(name)+7, Configured) }
		}
		worse("a VM more", func(i *Input) { i.Disks = append([]int{2}, i.Disks...) })
		worse("no fail fast", func(i *Input) { i.FailFast = false })
		worse("a longer watch", func(i *Input) { i.Watch = Between(5, 10) })
		worse("a longer proof", func(i *Input) { i.Proof = Between(5, 10) })
		worse("slower disks", func(i *Input) { i.Prolog = Between(2, 90) })
		for _, name := range []Setting{HostInterval, OldInterval, SchedInterval, ManagerTimer, MonitordTimer, Retries, SystemProbe, WindowTime} {
			worse(string(name), raise(name))
		}
		if len(in.Disks) > 0 {
			worse("a disk more", func(i *Input) { i.Disks = append([]int{i.Disks[0] + 1}, i.Disks[1:]...) })
		}
		if in.SSH.ConnectTimeout > 0 {
			worse("no ConnectTimeout", func(i *Input) { i.SSH.ConnectTimeout = 0 })
		}
		if !in.Settings.Plans() {
			worse("a host less", func(i *Input) { i.Hosts-- })
			worse("MAX_HOST", func(i *Input) { i.Settings = i.Settings.With(MaxHost, i.Settings.number(MaxHost)-1, Configured) })
		}
	})
}
