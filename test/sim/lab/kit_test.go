package lab

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// recorder is a hook that writes down how it was called.
const recorder = `#!/bin/sh
{
  echo "argc=$#"
  for word; do echo "arg=$word"; done
  echo "cwd=$(pwd)"
  echo "stdin=$(cat)"
  read -r _ _ _ _ group _ <"/proc/$$/stat"
  echo "group=$group"
  env | sed 's/^/env=/'
} >"$HOME/new.$$"
mv "$HOME/new.$$" "$HOME/record.$$"
`

func versions() []string { return []string{"4.4.1", "5.10.5", "6.10.0", "7.4.1"} }

// fast is a lab with short times; its directory is short enough for a socket.
func fast(t *testing.T, version string) Config {
	t.Helper()
	dir, err := os.MkdirTemp("", "lab")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return Config{
		Version: version, Hosts: 4, VMs: 12, Dir: dir,
		Step: 20 * time.Millisecond, Interval: 100 * time.Millisecond, Sched: 50 * time.Millisecond, HookTimeout: 20 * time.Second,
	}
}

// begin starts a lab that ends with the test.
func begin(t *testing.T, cfg Config) *Lab {
	t.Helper()
	l, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// script writes an executable and returns its path.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hook")
	// Written by another process: a fork elsewhere in this one must not hold the
	// file open for writing while it is executed.
	if err := os.WriteFile(path+".text", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	runProgram(t, "install", "-m", "0755", path+".text", path)
	return path
}

// ask has a lab carry out a request.
func ask(t *testing.T, l *Lab, req Request) Reply {
	t.Helper()
	reply, err := Ask(l.Dir(), req)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Command, req.Object, err)
	}
	return reply
}

// until waits for a goal.
func until(t *testing.T, l *Lab, g Goal) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := l.Wait(ctx, g); err != nil {
		t.Fatalf("%v\n%s", err, hooksText(t, l))
	}
}

// hooksText is the log of the hooks.
func hooksText(t *testing.T, l *Lab) string {
	t.Helper()
	text, err := os.ReadFile(HooksLog(l.Dir()))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// record is how a hook was called.
type record struct {
	argc  string
	args  []string
	other map[string]string // cwd, stdin, group
	env   map[string]string
}

// records reads what the recorder has written.
func records(t *testing.T, l *Lab) []record {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(l.Dir(), "record.*"))
	if err != nil {
		t.Fatal(err)
	}
	var list []record
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := record{other: map[string]string{}, env: map[string]string{}}
		for line := range strings.Lines(string(text)) {
			key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			switch key {
			case "argc":
				r.argc = value
			case "arg":
				r.args = append(r.args, value)
			case "env":
				name, value, _ := strings.Cut(value, "=")
				r.env[name] = value
			default:
				r.other[key] = value
			}
		}
		list = append(list, r)
	}
	return list
}

// onlyRecord is the record of the only call.
func onlyRecord(t *testing.T, l *Lab) record {
	t.Helper()
	list := records(t, l)
	if len(list) != 1 {
		t.Fatalf("the hook ran %d times, want once\n%s", len(list), hooksText(t, l))
	}
	return list[0]
}

// wantLines checks that each text is in the log of the hooks.
func wantLines(t *testing.T, l *Lab, texts ...string) {
	t.Helper()
	log := hooksText(t, l)
	for _, text := range texts {
		if !strings.Contains(log, text) {
			t.Errorf("the log of the hooks does not say %q:\n%s", text, log)
		}
	}
}

// waitForEnd waits for the end of a process that was killed: a signal takes its
// time. Nobody may be there to collect the process.
func waitForEnd(t *testing.T, pid string) {
	t.Helper()
	waitFor(t, "the end of process "+pid, func() bool {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		_, rest, _ := strings.Cut(string(stat), ") ")
		return err != nil || strings.HasPrefix(rest, "Z") || strings.HasPrefix(rest, "X")
	})
}

// waitFor waits for a condition that nothing tells of.
func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
