package config

import (
	"flag"
	"io/fs"
	"maps"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"one-ft/pkg/fence"
)

// seeds is how many random files are read back: each setting is in a third of them at least.
var seeds = flag.Uint64("seeds", 300, "random configuration files; 2000 is a survey")

// roundTrips checks that a valid File, written as YAML, is read back as it was.
func roundTrips(t *testing.T, f File) {
	t.Helper()
	if f.values == nil {
		return
	}
	v := f.Values()
	v.FencingSet, v.TimeoutSet = true, true // what is written says all
	f.values = &v
	readsBack(t, parse, f.Path, f, written(f))
}

// keys are those of a mapping with their values.
type keys map[string]any

// written is what a one-ft.yaml has to say for a File. What is "" or none cannot be written.
func written(f File) keys {
	v := f.Values()
	survey := keys{"settle": v.SurveySettle.String(), "alive": v.SurveyAlive.String(), "skip": v.SurveySkip}.set()
	if v.SurveyPort > 0 {
		survey["port"] = v.SurveyPort
	}
	all := keys{
		"confirm": v.Confirm, "fencing": v.Fencing, "fence_first": v.FenceFirst, "fence": writtenFence(f.Fence), "quarantine": v.Quarantine,
		"storm": keys{
			"share": v.StormShare.String(), "hosts": v.StormHosts, "window": v.StormWindow, "cool_down": v.StormCoolDown.String(), "give_up": v.StormGiveUp,
			"quiet": v.StormQuiet.String(), "per_cluster": v.StormPerCluster,
		},
		"survey":      survey,
		"watch":       keys{"act": v.WatchAct}.set(),
		"put_to_rest": keys{"action": v.PutToRest, "window": v.RestWindow},
		"priority":    keys{"min": v.PriorityMin, "max": v.PriorityMax},
		"budget": keys{"attempts": v.BudgetAttempts, "window": v.BudgetWindow, "back_off": v.BudgetBackOff, "ran_well": v.BudgetRanWell,
			"per_minute": v.BudgetPerMinute},
		"resume":   keys{"hosts": v.ResumeHosts, "suspended": v.ResumeSuspended, "unknown": v.ResumeUnknown, "failed": v.ResumeFailed},
		"parallel": v.Parallel, "timeout": v.Timeout, "oned_wait": v.OnedWait.String(), "verify": v.Verify, "place": v.Place, "ssh": v.SSH,
		"endpoint": v.Endpoint, "auth_file": v.AuthFile, "ca_file": v.CAFile, "log_file": v.LogFile, "state_dir": v.StateDir,
		"notify": v.Notify, "metrics_file": v.MetricsFile,
	}
	if v.Wait > 0 {
		all["wait"] = v.Wait
	} else {
		all["cycles"] = v.Cycles
	}
	return all.set()
}

// set leaves out texts, lists and times of nothing.
func (k keys) set() keys {
	maps.DeleteFunc(k, func(_ string, value any) bool {
		r := reflect.ValueOf(value)
		_, isTime := value.(time.Duration)
		return r.Kind() == reflect.String && r.Len() == 0 || (r.Kind() == reflect.Slice || r.Kind() == reflect.Map) && r.IsNil() || isTime && r.IsZero()
	})
	return k
}

// writtenFence is what fence has to say for entries.
func writtenFence(entries []Entry) (all []keys) {
	for _, e := range entries {
		var levels []keys
		for _, l := range e.Levels {
			var devices []keys
			for _, d := range l.Devices {
				k := keys{"agent": d.Agent, "params": d.Params, "password_file": d.SecretFile, "command": d.Command,
					"lease": d.Lease.Length, "reaction": d.Lease.Reaction, "margin": d.Lease.Margin}.set()
				if d.Kind == fence.KindManual {
					k["manual"] = true
				}
				devices = append(devices, k)
			}
			levels = append(levels, keys{"name": l.Name, "devices": devices})
		}
		k := keys{"hosts": e.Hosts, "clusters": e.Clusters, "timeout": e.Timeout, "back_off": e.Backoff, "levels": levels}.set()
		if e.Attempts > 0 {
			k["attempts"] = e.Attempts
		}
		all = append(all, k)
	}
	return all
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
	v := Default()
	f := File{values: &v}
	if r.IntN(2) == 0 {
		maybe(r, &v.Wait, between(r, 0, longest))
	} else {
		maybe(r, &v.Cycles, r.IntN(MaxCycles+1))
	}
	for range r.IntN(3) {
		v.Confirm = append(v.Confirm, []string{"/" + word(r), word(r)})
	}
	maybe(r, &v.Fencing, pick(r, FencingAuto, FencingRequired))
	maybe(r, &v.FenceFirst, r.IntN(2) == 0)
	maybe(r, &v.Quarantine, r.IntN(2) == 0)
	maybe(r, &v.StormShare, Percent(1+r.IntN(100)))
	maybe(r, &v.StormHosts, 1+r.IntN(100_000))
	maybe(r, &v.StormWindow, between(r, 10*time.Second, longest))
	maybe(r, &v.StormCoolDown, between(r, 0, Default().StormGiveUp-time.Second))
	maybe(r, &v.StormGiveUp, between(r, Default().StormGiveUp, longest))
	maybe(r, &v.StormQuiet, between(r, 0, time.Hour))
	maybe(r, &v.StormPerCluster, r.IntN(2) == 0)
	maybe(r, &v.SurveyPort, 1+r.IntN(65535))
	maybe(r, &v.SurveySkip, []string{"gpu?", "a*"})
	maybe(r, &v.SurveySettle, between(r, 0, 10*time.Minute))
	maybe(r, &v.SurveyAlive, between(r, 0, longest))
	maybe(r, &v.PriorityMin, r.IntN(51))
	maybe(r, &v.PriorityMax, 50+r.IntN(51))
	maybe(r, &v.BudgetAttempts, r.IntN(100+1))
	maybe(r, &v.BudgetWindow, between(r, time.Minute, longest))
	maybe(r, &v.BudgetBackOff, between(r, time.Second, time.Hour))
	maybe(r, &v.BudgetRanWell, between(r, time.Minute, longest))
	maybe(r, &v.BudgetPerMinute, 1+r.IntN(100))
	maybe(r, &v.Parallel, 1+r.IntN(MaxParallel))
	maybe(r, &v.Timeout, between(r, time.Second, longest))
	maybe(r, &v.OnedWait, between(r, 0, longest))
	maybe(r, &v.Place, r.IntN(2) == 0)
	maybe(r, &v.Verify, pick(r, "left", "none", "running"))
	maybe(r, &v.Endpoint, pick(r, "http://h/RPC2", "https://u:p@[::1]:2633/RPC2?#a b"))
	maybe(r, &v.AuthFile, "/"+word(r))
	maybe(r, &v.CAFile, "/"+word(r))
	maybe(r, &v.LogFile, pick(r, "-", "/"+word(r)))
	maybe(r, &v.StateDir, "/"+word(r))
	maybe(r, &v.ResumeHosts, pick(r, ResumeRecreate, ResumeDelete, ResumeMigrate))
	if v.ResumeHosts != ResumeMigrate {
		maybe(r, &v.WatchAct, between(r, shortestAct, 10*time.Minute))
	}
	maybe(r, &v.ResumeSuspended, r.IntN(2) == 0)
	maybe(r, &v.ResumeUnknown, pick(r, ResumeBoot, ResumeNone))
	maybe(r, &v.ResumeFailed, pick(r, ResumeRecreate, ResumeRetry, ResumeDelete, ResumeNone))
	for i := range r.IntN(MaxNotifications + 1) {
		v.Notify = append(v.Notify, Notification{
			Command: []string{"/" + word(r), word(r), strconv.Itoa(i)},
			On:      []string{pick(r, NotifyEnd, NotifyProblem), NotifyBegin, NotifyHold}[:1+r.IntN(3)],
			Timeout: between(r, time.Second, 10*time.Minute),
		})
	}
	maybe(r, &v.MetricsFile, "/"+word(r)+"x.prom")
	for range r.IntN(3) {
		f.Fence = append(f.Fence, randomEntry(r))
	}
	return f
}

func randomEntry(r *rand.Rand) Entry {
	e := Entry{Settings: fence.Settings{Timeout: between(r, time.Second, 10*time.Minute), Attempts: 1 + r.IntN(10), Backoff: between(r, time.Second, 5*time.Minute)}}
	if r.IntN(2) == 0 {
		e.Clusters = []string{"c" + word(r)}
	}
	if e.Clusters == nil || r.IntN(2) == 0 {
		e.Hosts = []string{pick(r, "node0*", "[ab]?", "~", "null", "12", `\*`)}
	}
	for i := range 1 + r.IntN(2) {
		level := fence.Level{Name: string(rune('a' + i))}
		for range 1 + r.IntN(2) {
			level.Devices = append(level.Devices, randomDevice(r))
		}
		switch r.IntN(5) {
		case 0:
			level.Devices = []fence.Device{{Kind: fence.KindManual}}
		case 1:
			level.Devices = []fence.Device{randomLease(r)}
		}
		e.Levels = append(e.Levels, level)
	}
	return e
}

func randomDevice(r *rand.Rand) fence.Device {
	if r.IntN(2) == 0 {
		return fence.Device{Kind: fence.KindCommand, Command: []string{"/" + word(r), word(r), ""}}
	}
	d := agentOf("fence_"+pick(r, "ipmilan", "a-b_9"), nil)
	if r.IntN(2) == 0 {
		d.Params = map[string]string{"ip": pick(r, "%h", "%i", "0623", "yes", "1e3", ""), "password": "&" + word(r) + "!"}
	} else {
		d.SecretFile = "/" + word(r)
	}
	return d
}

func randomLease(r *rand.Rand) fence.Device {
	d := fence.Device{Kind: fence.KindLease, Lease: fence.Lease{Length: between(r, fence.MinLease, fence.MaxLease)}}
	if r.IntN(2) == 0 {
		d.Lease.Reaction = between(r, time.Second, time.Hour)
	}
	if r.IntN(2) == 0 {
		d.Lease.Margin = between(r, time.Second, 10*time.Minute)
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
func maybe[T any](r *rand.Rand, field *T, value T) {
	if r.IntN(2) == 0 {
		*field = value
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
