package metrics

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"

	"one-ft/pkg/incident"
)

func TestStepSeconds(t *testing.T) {
	steps := func(r incident.Record) string { return fmt.Sprint(stepSeconds(r)) }
	for name, c := range map[string]struct {
		r    incident.Record
		want string
	}{
		"none": {ended("host", incident.Done, 9), "map[]"},
		"one":  {ended("host", incident.Done, 9, event("told", 1, "")), "map[told:8]"},
		"several": {ended("host", incident.Done, 10, event("told", 0, ""), event("confirm", 0.5, ""), event("confirm", 2, ""), event("fence", 3, ""), event("end", 10, "")),
			"map[confirm:2.5 end:0 fence:7 told:0.5]"},
		"one comes again": {ended("host", incident.Done, 10, event("told", 0, ""), event("act", 2, ""), event("told", 3, ""), event("verify", 6, "")),
			"map[act:4 told:2 verify:4]"},
		"clock set back": {ended("host", incident.Done, 10, event("told", 5, ""), event("act", 2, ""), event("verify", 20, "")), "map[act:18 told:0 verify:0]"},
		"unknown step":   {ended("host", incident.Done, 3, event("x", 1, "")), "map[x:2]"},
	} {
		if got := steps(c.r); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestAdd(t *testing.T) {
	dir := t.TempDir()
	stateFile, promFile := filepath.Join(dir, "metrics.json"), filepath.Join(dir, "one_ft.prom")
	storm := ended("host", incident.Incomplete, 100, event(incident.StepTold, 0, "ERROR"), event(incident.StepGuard, 10, "looking"),
		heldEvent(11), heldEvent(12), event(incident.StepAct, 60, "acting"))
	storm.VMs = []incident.VM{{Action: "recreate", Result: "done"}, {Action: "recreate", Result: "done"}, {Action: "resume, then recreate", Result: "incomplete"}}
	odd := ended("rack", "on \"fire\"\n", 50, event("dance\n", 49, "holding: no guard"), event("leap", 49.5, ""))
	odd.VMs = []incident.VM{{Action: "explode{}", Result: ""}, {Action: "delete", Result: "left"}}
	early := ended("host", incident.Done, 20)
	for _, r := range []incident.Record{storm, odd, early, ended("VM", incident.Done, 3600*24*365)} {
		if err := Add(t.Context(), stateFile, promFile, r, at(200)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(promFile)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprint(map[string]float64{
		`one_ft_incidents_total{kind="host",status="incomplete"}`: 1, `one_ft_incidents_total{kind="other",status="other"}`: 1,
		`one_ft_incidents_total{kind="host",status="done"}`: 1, `one_ft_incidents_total{kind="VM",status="done"}`: 1,
		`one_ft_vms_total{action="recreate",result="done"}`: 2, `one_ft_vms_total{action="resume_then_recreate",result="incomplete"}`: 1,
		`one_ft_vms_total{action="other",result="other"}`: 1, `one_ft_vms_total{action="delete",result="left"}`: 1,
		`one_ft_step_seconds_total{step="told"}`: 10, `one_ft_step_seconds_total{step="guard"}`: 50, `one_ft_step_seconds_total{step="act"}`: 40,
		`one_ft_step_seconds_total{step="other"}`: 1,
		`one_ft_step_count_total{step="told"}`:    1, `one_ft_step_count_total{step="guard"}`: 1, `one_ft_step_count_total{step="act"}`: 1,
		`one_ft_step_count_total{step="other"}`: 2, `one_ft_storm_holds_total{}`: 1,
		`one_ft_last_incident_timestamp_seconds{kind="host"}`:  float64(at(100).Unix()),
		`one_ft_last_incident_timestamp_seconds{kind="other"}`: float64(at(50).Unix()),
		`one_ft_last_incident_timestamp_seconds{kind="VM"}`:    float64(at(200).Unix()), // not later than now
	})
	if got := counted(t, string(text)); got != want {
		t.Errorf("got  %s\nwant %s", strings.ReplaceAll(got, " one_", "\n one_"), strings.ReplaceAll(want, " one_", "\n one_"))
	}
	for path, mode := range map[string]os.FileMode{stateFile: 0o640, promFile: 0o644} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 3 { // and the lock
		t.Errorf("left are %v", entries)
	}
}

// What is known is there from the beginning, so that its first 1 is seen.
func TestZeros(t *testing.T) {
	found := samples(t, string(newState().exposition()))
	for _, series := range []string{`one_ft_incidents_total{kind="VM",status="failed"}`, `one_ft_incidents_total{kind="host",status="unproven"}`, `one_ft_vms_total{action="recreate",result="unproven"}`, `one_ft_vms_total{action="boot",result="refused"}`,
		`one_ft_step_seconds_total{step="opinion"}`, `one_ft_step_count_total{step="end"}`, `one_ft_storm_holds_total{}`} {
		if value, there := found[series]; !there || value != 0 {
			t.Errorf("%s is %v, %v", series, value, there)
		}
	}
	if len(found) != 2*6+10*7+9+9+2+2*(len(bounds)+3) {
		t.Errorf("%d series", len(found))
	}
}

func TestNotEnded(t *testing.T) {
	stateFile := filepath.Join(t.TempDir(), "metrics.json")
	open := ended("host", incident.Open, 1)
	half := ended("host", incident.Done, 1)
	half.Ended = nil
	following := ended("host", incident.Following, 1)
	for _, r := range []incident.Record{open, half, following} {
		if err := Add(t.Context(), stateFile, "", r, at(2)); err == nil {
			t.Errorf("%+v was counted", r)
		}
	}
	if _, err := os.Stat(stateFile); !os.IsNotExist(err) {
		t.Error(err)
	}
}

// A file for node_exporter that cannot be written loses no count, and none is written
// where none is asked for.
func TestPromFile(t *testing.T) {
	dir := t.TempDir()
	stateFile := filepath.Join(dir, "metrics.json")
	if err := Add(t.Context(), stateFile, filepath.Join(dir, "no/one.prom"), ended("host", incident.Done, 1), at(2)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if err := Add(t.Context(), stateFile, "", ended("host", incident.Done, 1), at(2)); err != nil {
		t.Error(err)
	}
	full := filepath.Join(dir, "full.prom")
	if err := os.MkdirAll(filepath.Join(full, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Add(t.Context(), stateFile, full, ended("host", incident.Done, 1), at(2)); err == nil {
		t.Error("a directory was replaced")
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
	s, err := load(stateFile)
	if err != nil || s.Incidents["host"]["done"] != 3 {
		t.Errorf("%v: %+v", err, s)
	}
	// A link is replaced and not followed.
	promFile, target := filepath.Join(dir, "one.prom"), filepath.Join(dir, "target")
	if err := errors.Join(os.WriteFile(target, []byte("x"), 0o600), os.Symlink(target, promFile)); err != nil {
		t.Fatal(err)
	}
	if err := Add(t.Context(), stateFile, promFile, ended("host", incident.Done, 1), at(2)); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(target); err != nil || string(text) != "x" {
		t.Errorf("%v: %q", err, text)
	}
	if info, err := os.Lstat(promFile); err != nil || !info.Mode().IsRegular() {
		t.Errorf("%v", err)
	}
}

func TestDamagedState(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "half": `{"version": 1, "inc`, "no version": `{}`, "a list": `[]`, "null": "null",
		"negative": `{"version":1,"storm_holds":-1}`, "null inside": `{"version":1,"vms":null}`, "no running": `{"version":1,"error_to_running":null}`,
		"seconds": `{"version":1,"step_seconds":{"act":-1}}`, "long": `{"version":1,"step_seconds":{"act":1e300}}`, "last": `{"version":1,"last_incident":{"host":-1}}`,
		"sum":      `{"version":1,"error_to_running":{"host":{"buckets":{"5":1},"sum":-1}}}`,
		"overflow": `{"version":1,"error_to_running":{"host":{"buckets":{"5":18446744073709551615},"sum":1}}}`,
		"large":    `{"version":1}` + strings.Repeat(" ", maxState),
	} {
		dir := t.TempDir()
		stateFile := filepath.Join(dir, "metrics.json")
		promFile := filepath.Join(dir, "one.prom")
		if err := os.WriteFile(stateFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := Add(t.Context(), stateFile, promFile, ended("host", incident.Done, 1), at(2))
		if !errors.Is(err, ErrDamaged) || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%s: %v", name, err)
		}
		if aside, err := os.ReadFile(stateFile + ".damaged"); err != nil || string(aside) != text {
			t.Errorf("%s was not set aside: %v", name, err)
		}
		prom, err := os.ReadFile(promFile)
		if err != nil || samples(t, string(prom))[`one_ft_incidents_total{kind="host",status="done"}`] != 1 {
			t.Errorf("%s: %v: %s", name, err, prom)
		}
		if err := Add(t.Context(), stateFile, promFile, ended("host", incident.Done, 1), at(2)); err != nil {
			t.Errorf("%s: the next: %v", name, err)
		}
	}
}

// No file but a regular one is read, and one of a later one-ft stays as it is.
func TestOtherState(t *testing.T) {
	dir := t.TempDir()
	stateFile := filepath.Join(dir, "metrics.json")
	if err := syscall.Mkfifo(stateFile, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Add(t.Context(), stateFile, "", ended("host", incident.Done, 1), at(2)); !errors.Is(err, ErrDamaged) {
		t.Errorf("a pipe: %v", err)
	}
	const later = `{"version": 2, "incidents": [1]}`
	if err := os.WriteFile(stateFile, []byte(later), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Add(t.Context(), stateFile, "", ended("host", incident.Done, 1), at(2)); !errors.Is(err, errLater) || errors.Is(err, ErrDamaged) {
		t.Errorf("a later one: %v", err)
	}
	if text, err := os.ReadFile(stateFile); err != nil || string(text) != later {
		t.Errorf("%v: %s", err, text)
	}
}

// What another one-ft counts, or somebody wrote there, is kept and not shown.
func TestUnknownLabels(t *testing.T) {
	const text = `{"version":1,"incidents":{"rack":{"x\"}":1},"host":null},"vms":{"x":{"done":1}},"step_count":{"x":1},"step_seconds":{"x":1},"last_incident":{"x":1},` +
		`"error_to_running":{"x":{"buckets":{}},"host":{"buckets":{"7":1},"sum":6}}}`
	s, err := decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s.add(ended("host", incident.Done, 1), at(2))
	if got := counted(t, string(s.exposition())); strings.Contains(got, "rack") || strings.Contains(got, `"x`) || !strings.Contains(got, `one_ft_incidents_total{kind="host",status="done"}:1`) {
		t.Error(got)
	}
	if s.VMs["x"]["done"] != 1 {
		t.Errorf("%v", s.VMs)
	}
}

// child makes this test, when it is run again, one of many processes.
const child = "METRICS_TEST_DIR"

// No count of many processes is lost, and the text is whole at every moment.
func TestManyProcesses(t *testing.T) {
	const processes, each = 4, 10
	dir := os.Getenv(child)
	if dir != "" {
		for range each {
			if err := Add(t.Context(), filepath.Join(dir, "s"), filepath.Join(dir, "one.prom"), ended("host", incident.Done, 1), at(2)); err != nil {
				t.Error(err)
			}
		}
		return
	}
	dir = t.TempDir()
	var wg sync.WaitGroup
	for range processes {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), child+"="+dir)
		wg.Go(func() {
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, text)
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	last := 0.0
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		text, err := os.ReadFile(filepath.Join(dir, "one.prom"))
		if err != nil {
			if !os.IsNotExist(err) {
				t.Fatal(err)
			}
			continue
		}
		now := samples(t, string(text))[`one_ft_incidents_total{kind="host",status="done"}`]
		if now < last || now == 0 {
			t.Fatalf("%g became %g", last, now)
		}
		last = now
	}
	if last != processes*each {
		t.Errorf("%g were counted", last)
	}
}

// Whatever a file holds, it is refused, or it is what is written again, and its text is valid.
func FuzzState(f *testing.F) {
	full := newState()
	full.add(restarted(ended("host", incident.Done, 9, event("told", 1, ""))), at(10))
	text, err := full.encode()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(text), "", "{}", `{"version":1}`, `{"version":2}`, `{"version":1,"vms":{"boot":null}}`, `{"version":1,"step_seconds":{"act":1e15}}`,
		`{"version":1,"error_to_running":{"host":{"buckets":{"5":1,"+Inf":1000000000000000},"sum":1e15}}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := decode([]byte(text))
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("%q", err)
			}
			return
		}
		samples(t, string(s.exposition()))
		again, err := s.encode()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := decode(again); err != nil || !reflect.DeepEqual(back, s) {
			t.Errorf("%v: %+v became %+v", err, s, back)
		}
		s.add(restarted(ended("host", incident.Done, 9, event("told", 1, ""))), at(10))
		samples(t, string(s.exposition()))
	})
}
