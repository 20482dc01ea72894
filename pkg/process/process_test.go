package process

import (
	"context"
	"errors"
	"strings"
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
