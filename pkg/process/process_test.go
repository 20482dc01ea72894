package process

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	t.Parallel()
	sh := func(script string) Program {
		return Program{Path: "/bin/sh", Args: []string{"-c", script}, Env: []string{"PATH=" + "/usr/sbin:/usr/bin:/sbin:/bin"}}
	}
	big := Program{Path: "/bin/true", Stdin: make([]byte, 1<<20)} // nobody reads it
	for _, c := range []struct {
		name   string
		p      Program
		code   int
		output string
		err    string
	}{
		{name: "both streams", p: sh("echo one; echo two >&2; exit 3"), code: 3, output: "one\ntwo\n"},
		{name: "input is not read", p: big, code: 0},
		{name: "signal", p: sh("kill -TERM $$"), code: -1, err: "signal 15"},
		{name: "missing", p: Program{Path: "/nonexistent/agent"}, code: -1, err: "no such file"},
		{name: "hangs", p: sh("trap '' TERM; sleep 1000"), code: -1, err: "no answer in time"},
	} {
		r := Run(t.Context(), time.Second, c.p)
		if r.Code != c.code || r.Output != c.output || (c.err == "") != (r.Err == nil) || r.Err != nil && !strings.Contains(r.Err.Error(), c.err) {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := Run(ctx, time.Minute, sh("exit 0")); r.Code != -1 || !errors.Is(r.Err, context.Canceled) {
		t.Errorf("a context that has ended: %+v", r)
	}
	flood := Run(t.Context(), 20*time.Second, sh("head -c 10485760 /dev/zero"))
	if flood.Code != 0 || len(flood.Output) != MaxOutput || !flood.CutOff {
		t.Errorf("10 MB: code %d, %d bytes kept, cut off %v", flood.Code, len(flood.Output), flood.CutOff)
	}
}

// TestScript: a site's script needs no #!, as with shells and Ruby; whatever else the kernel cannot run fails.
func TestScript(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "own script")
	for _, c := range []struct {
		text   string
		script bool
		code   int
		output string
	}{
		{"echo \"$0 $1\"; exit 3\n", true, 3, path + " 22,443\n"},
		{"\n#!/bin/false\necho yes\n", true, 0, "yes\n"},
		{"", true, 0, ""},
		{"#!/bin/sh\nexit 4\n", true, 4, ""},
		{"exit 0\n", false, -1, ""}, // agents and others are programs
		{"#!/nonexistent/sh\nexit 0\n", true, -1, ""},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o755); err != nil {
			t.Fatal(err)
		}
		r := Run(t.Context(), 20*time.Second, Program{Path: path, Args: []string{"22,443"}, Script: c.script})
		if r.Code != c.code || r.Output != c.output || (c.code < 0) != errors.Is(r.Err, ErrStart) {
			t.Errorf("%q: %+v", c.text, r)
		}
	}
}

// TestBusy: a program that is still being written is started when it is complete, and fails when that never happens.
func TestBusy(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "agent")
	writer, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if _, err := writer.WriteString("#!/bin/sh\nexit 4\n"); err != nil {
		t.Fatal(err)
	}
	run := func() Result { return Run(t.Context(), 20*time.Second, Program{Path: path}) }
	if r := run(); !errors.Is(r.Err, ErrStart) || !errors.Is(r.Err, syscall.ETXTBSY) {
		t.Errorf("it is never complete: %+v", r)
	}
	time.AfterFunc(5*busyPause, func() { writer.Close() })
	if r := run(); r.Code != 4 {
		t.Errorf("it is complete after a moment: %+v", r)
	}
}
