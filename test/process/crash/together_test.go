package crash_test

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// logLine is a line of the log: who wrote it, and what.
var logLine = regexp.MustCompile(`(?m)^time=\S+ level=\S+ msg=("(?:[^"\\]|\\.)*"|\S+) .*\bpid=(\d+)\b`)

// busy is what a process says that finds another one at work.
var busy = regexp.MustCompile(`host 1(?: is already being handled by|: handed over to) (host_error, pid \d+)?.*`)

// TestSimultaneousEvents lets many events for one host come at once: one acts.
func TestSimultaneousEvents(t *testing.T) {
	for _, c := range []struct {
		version string
		events  int
	}{{"6.10.0", 2}, {"4.4.1", 10}, {"5.10.6", 10}, {"6.10.0", 10}, {"7.4.1", 10}, {"6.10.0", 50}} {
		t.Run(fmt.Sprintf("%s/%d", c.version, c.events), func(t *testing.T) { simultaneous(t, c.version, c.events) })
	}
}

func simultaneous(t *testing.T, version string, events int) {
	w, err := newWorld(version)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	f, err := newFrontEnd(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	others := holdUntil(ctx, w, events-1)
	var wg sync.WaitGroup
	var cmds []*exec.Cmd
	for range events {
		cmd := f.event(ctx, w)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
		wg.Go(func() {
			if err := cmd.Wait(); err != nil || out.Len() > 0 {
				t.Errorf("pid %d: %v: %s", cmd.Process.Pid, err, out.Bytes())
			}
			others <- struct{}{}
		})
	}
	wg.Wait()
	for _, wrong := range verdict(ctx, w, f, nil) {
		t.Error(wrong)
	}
	oneActed(t, f, cmds)
}

// holdUntil has all recreates wait until so many processes have ended: then whoever acts is at
// work while all others look. Each process that has ended is told to the channel.
func holdUntil(ctx context.Context, w *world, ends int) chan<- struct{} {
	told, enough := make(chan struct{}, ends+1), make(chan struct{})
	go func() {
		defer close(enough)
		for range ends {
			select {
			case <-told:
			// Two that act wait for each other: then both go on, and are seen.
			case <-time.After(20 * time.Second):
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	w.front.holdRecreates(func() { <-enough })
	return told
}

// oneActed reads in the log that one of the processes acted, and all others say who does.
func oneActed(t *testing.T, f frontEnd, cmds []*exec.Cmd) {
	t.Helper()
	said := map[string][]string{} // by the pid
	for _, m := range logLine.FindAllStringSubmatch(f.log(), -1) {
		said[m[2]] = append(said[m[2]], m[1])
	}
	var actors []string
	for _, cmd := range cmds {
		pid := fmt.Sprint(cmd.Process.Pid)
		if slices.ContainsFunc(said[pid], func(text string) bool { return strings.Contains(text, "accepted by oned") }) {
			actors = append(actors, pid)
		}
	}
	if len(actors) != 1 {
		t.Fatalf("these processes acted: %v", actors)
	}
	named := 0
	for _, cmd := range cmds {
		pid := fmt.Sprint(cmd.Process.Pid)
		if pid == actors[0] {
			continue
		}
		all := strings.Join(said[pid], "\n")
		m := busy.FindStringSubmatch(all)
		switch {
		case m == nil:
			t.Errorf("pid %s does not say that another one handles the host:\n%s", pid, all)
		case m[1] == "host_error, pid "+actors[0], m[1] == "" && strings.Contains(m[0], "(incident 1)"):
			named++
		default:
			t.Errorf("pid %s names neither the process (%s) nor the incident: %s", pid, actors[0], m[0])
		}
	}
	t.Logf("%d of %d others name the process or the incident", named, len(cmds)-1)
}
