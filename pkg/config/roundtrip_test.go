package config

import (
	"flag"
	"io/fs"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// seeds is how many random files are read back: each setting is in a third of them at least.
var seeds = flag.Uint64("seeds", 300, "random configuration files; 2000 is a survey")

// roundTrips checks that a valid File, written as YAML, is read back as it was.
func roundTrips(t *testing.T, f File) {
	t.Helper()
	readsBack(t, parse, f.Path, f, f)
}

// readsBack checks that a parser reads value from what is written as YAML.
func readsBack[T any](t *testing.T, parse parser[T], path string, value T, written any) {
	t.Helper()
	text, err := yaml.Marshal(written)
	if err != nil {
		t.Fatal(err)
	}
	back, err := parse(path, text, private)
	if err != nil || !reflect.DeepEqual(back, value) {
		t.Errorf("%s\n%v\nread back as %#v\nwritten was %#v", text, err, back, value)
	}
}

func TestRoundTrip(t *testing.T) {
	for seed := range *seeds {
		f := random(rand.New(rand.NewPCG(seed, 1)))
		f.Path = "f"
		roundTrips(t, f)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// random is a valid File in which about half of all is set.
func random(r *rand.Rand) File {
	var f File
	if r.IntN(2) == 0 {
		maybe(r, &f.Wait, between(r, 0, longest))
	} else {
		maybe(r, &f.Cycles, r.IntN(MaxCycles+1))
	}
	for range r.IntN(3) {
		f.Confirm = append(f.Confirm, []string{"/" + word(r), word(r)})
	}
	maybe(r, &f.Fencing, pick(r, FencingAuto, FencingRequired))
	maybe(r, &f.FenceFirst, r.IntN(2) == 0)
	maybe(r, &f.Quarantine, r.IntN(2) == 0)
	maybe(r, &f.Storm.Share, Percent(1+r.IntN(100)))
	maybe(r, &f.Storm.Hosts, 1+r.IntN(maxStormHosts))
	maybe(r, &f.Storm.Window, between(r, minStormWindow, longest))
	maybe(r, &f.Storm.CoolDown, between(r, 0, DefaultStormGiveUp-time.Second))
	maybe(r, &f.Storm.GiveUp, between(r, DefaultStormGiveUp, longest))
	maybe(r, &f.Storm.Quiet, between(r, 0, maxQuiet))
	maybe(r, &f.Storm.PerCluster, r.IntN(2) == 0)
	maybe(r, &f.Priority.Min, r.IntN(51))
	maybe(r, &f.Priority.Max, 50+r.IntN(51))
	maybe(r, &f.Budget.Attempts, r.IntN(MaxBudgetAttempts+1))
	maybe(r, &f.Budget.Window, between(r, time.Minute, longest))
	maybe(r, &f.Budget.BackOff, between(r, time.Second, time.Hour))
	maybe(r, &f.Budget.RanWell, between(r, time.Minute, longest))
	maybe(r, &f.Budget.PerMinute, 1+r.IntN(MaxPerMinute))
	maybe(r, &f.Parallel, 1+r.IntN(MaxParallel))
	maybe(r, &f.Timeout, between(r, time.Second, longest))
	maybe(r, &f.OnedWait, between(r, 0, longest))
	maybe(r, &f.Place, r.IntN(2) == 0)
	maybe(r, &f.Verify, pick(r, VerifyLeft, VerifyNone, VerifyRunning))
	maybe(r, &f.Endpoint, pick(r, "http://h/RPC2", "https://u:p@[::1]:2633/RPC2?#a b"))
	maybe(r, &f.AuthFile, "/"+word(r))
	maybe(r, &f.CAFile, "/"+word(r))
	maybe(r, &f.LogFile, pick(r, "-", "/"+word(r)))
	maybe(r, &f.StateDir, "/"+word(r))
	maybe(r, &f.Resume.Hosts, pick(r, ResumeRecreate, ResumeDelete, ResumeMigrate))
	maybe(r, &f.Resume.Suspended, r.IntN(2) == 0)
	maybe(r, &f.Resume.Unknown, pick(r, ResumeBoot, ResumeNone))
	maybe(r, &f.Resume.Failed, pick(r, ResumeRecreate, ResumeRetry, ResumeDelete, ResumeNone))
	for i := range r.IntN(MaxNotifications + 1) {
		f.Notify = append(f.Notify, Notification{
			Command: []string{"/" + word(r), word(r), strconv.Itoa(i)},
			On:      []string{pick(r, NotifyEnd, NotifyProblem), NotifyBegin, NotifyHold}[:1+r.IntN(3)],
			Timeout: between(r, time.Second, maxNotifyTimeout),
		})
	}
	maybe(r, &f.MetricsFile, "/"+word(r)+"x.prom")
	for range r.IntN(3) {
		f.Fence = append(f.Fence, randomEntry(r))
	}
	return f
}

func randomEntry(r *rand.Rand) Entry {
	e := Entry{Timeout: between(r, time.Second, maxFenceTimeout), Attempts: 1 + r.IntN(maxAttempts), BackOff: between(r, time.Second, maxBackOff)}
	if r.IntN(2) == 0 {
		e.Clusters = []string{"c" + word(r)}
	}
	if e.Clusters == nil || r.IntN(2) == 0 {
		e.Hosts = []string{pick(r, "node0*", "[ab]?", "~", "null", "12", `\*`)}
	}
	for i := range 1 + r.IntN(2) {
		level := Level{Name: string(rune('a' + i))}
		for range 1 + r.IntN(2) {
			level.Devices = append(level.Devices, randomDevice(r))
		}
		switch r.IntN(5) {
		case 0:
			level.Devices = []Device{{Manual: true}}
		case 1:
			level.Devices = []Device{randomLease(r)}
		}
		e.Levels = append(e.Levels, level)
	}
	return e
}

func randomDevice(r *rand.Rand) Device {
	if r.IntN(2) == 0 {
		return Device{Command: []string{"/" + word(r), word(r), ""}}
	}
	d := Device{Agent: "fence_" + pick(r, "ipmilan", "a-b_9")}
	if r.IntN(2) == 0 {
		d.Params = Params{"ip": pick(r, "%h", "%i", "0623", "yes", "1e3", ""), "password": "&" + word(r) + "!"}
	} else {
		d.PasswordFile = "/" + word(r)
	}
	return d
}

func randomLease(r *rand.Rand) Device {
	d := Device{Lease: between(r, minLease, maxLease)}
	if r.IntN(2) == 0 {
		d.Reaction = between(r, time.Second, maxReaction)
	}
	if r.IntN(2) == 0 {
		d.Margin = between(r, time.Second, maxMargin)
	}
	return d
}

// word is a text of characters that mean something in YAML.
func word(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(6) {
		b.WriteString(pick(r, "a", "0", " ", "#", ":", "-", "'", `"`, "{", "]", ",", "&", "*", "!", "|", ">", "@", "`", "ä", "~", "?", "=", "<<", `\`))
	}
	return b.String()
}

func pick(r *rand.Rand, words ...string) string { return words[r.IntN(len(words))] }

func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Int64N(int64(high-low)+1))
}

// maybe sets a field in half of the cases.
func maybe[T any](r *rand.Rand, field **T, value T) {
	if r.IntN(2) == 0 {
		*field = &value
	}
}

// Whatever a file holds, it is refused with one printable line that names it, or
// it is valid and survives being written and read again.
func FuzzLoad(f *testing.F) {
	for _, text := range []string{
		"", "wait: 90s\n", "cycles: 2\nstorm: {share: 50%}", "wait: &a 1s\ntimeout: *a", "\tx", "a: [", "? [a]\n: b", "---\n---\n", "a: |\n  b",
		device("agent: fence_ipmilan", "params: {ip: '%h', password: x}"), device("command: [/a, b]"), device("manual: true"),
		device("lease: 1m", "reaction: 45s", "margin: 10s"),
		"resume: {hosts: none, unknown: boot}\nnotify: [{command: [/a], on: [end]}]\nmetrics_file: /a.prom",
		"priority: {min: 1, max: 2}\nendpoint: http://a:b@c/", "confirm:\n- [/a, \"\\u2028\"]\n",
	} {
		f.Add(text, uint32(0o640))
		f.Add(text, uint32(0o644))
	}
	f.Fuzz(func(t *testing.T, text string, mode uint32) {
		file, err := parse("f", []byte(text), fs.FileMode(mode)&fs.ModePerm)
		if err != nil {
			wellFormed(t, err)
			if !strings.HasPrefix(err.Error(), "f:") {
				t.Errorf("%v does not begin with the file", err)
			}
			if !reflect.DeepEqual(file, File{}) {
				t.Errorf("something of a refused file is left: %+v", file)
			}
			return
		}
		if v := file.Values(); v.Parallel < 1 || v.Parallel > MaxParallel || v.Timeout < time.Second || v.PriorityMin > v.PriorityMax {
			t.Errorf("values out of range: %+v", v)
		}
		roundTrips(t, file)
	})
}
