package wording

import (
	"errors"
	"go/token"
	"regexp"
	"slices"
	"testing"
	"time"
)

// reserved are names that each line of a log has already.
var reserved = []string{"kind", "host", "vm", "pid", "exit", "level", "msg", "time", "action", "result"}

func TestKinds(t *testing.T) {
	seen := map[Name]bool{}
	for constant, k := range kindsByName(t, token.NewFileSet()) {
		name, level, sentence := k.parts()
		if !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(string(name)) || seen[name] || sentence == "" {
			t.Errorf("%s: %q", constant, k)
		}
		if !slices.Contains([]Level{Info, Warning, Problem}, level) {
			t.Errorf("%s: level %q", constant, level)
		}
		seen[name] = true
		for _, name := range k.fields() {
			if slices.Contains(reserved, name) || !regexp.MustCompile(`^[a-z_]+$`).MatchString(name) {
				t.Errorf("%s: field %q", constant, name)
			}
		}
	}
}

func TestMessage(t *testing.T) {
	room := Of(NoRoom, "nothing fits")
	for _, c := range []struct {
		m           Message
		text, plain string
	}{
		{Of(Watch, 30*time.Second), "watching the host for 30s; it counts as back only when it is MONITORED", "watch period=30s"},
		{Of(FailFast, 1.26), "ssh to the host fails at once from here on (1.3 s)", "ssh-fails-fast took=1.3"},
		{Of(Running, 3, "node 3").After("recreate: done"), "recreate: done: running on host 3 (node 3)", `recreate: done: running on=3 name="node 3"`},
		{Of(IsNow, "RUNNING").After("leave: left"), "left: it is RUNNING now", "leave: left: is-now state=RUNNING"},
		{Of(FailedAgain, Of(FellBack, "FAILED", Quote("no"))), "it fell back to FAILED: no", `failed-again how=[fell-back state=FAILED says=no]`},
		{Of(CallFailed, errors.New("oops")), "oops; retrying", "call-failed"},
		{Of(StuckCleanupOff, time.Minute, Resume(0)), "oned has been cleaning up on the failed host for 1m0s, which nothing proves to be off: when it is certainly off, say so", "stuck-clean-up-unproven took=1m0s incident=0"},
		{Of(OutageHandled, 7, Of(HostBack)), "this outage has been handled: incident 7: the host came back: the VM is left alone; see oneft incidents show 7", "outage-handled number=7 why=[host-back]"},
		{Of(Waits, room), "PENDING: no host has room for it (the scheduler says: nothing fits)", `waits why=[scheduler-no-room says="nothing fits"]`},
	} {
		if got := c.m.String(); got != c.text {
			t.Errorf("%s:\n got %q\nwant %q", c.m.Kind, got, c.text)
		}
		if got := c.m.Plain(); got != c.plain {
			t.Errorf("%s:\n got %s\nwant %s", c.m.Kind, got, c.plain)
		}
	}
}
