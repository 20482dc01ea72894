package install

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"one-ft/pkg/one"
)

// facts are what most tests plan and judge with.
func facts(v one.Version) Facts { return Facts{Version: v, Dir: DefaultDir} }

// others are hooks that are none of ours.
func others() []PoolHook {
	return []PoolHook{
		{ID: 3, Name: "mail", Type: "state", Attributes: map[string]string{"RESOURCE": "HOST", "STATE": "ERROR", "COMMAND": "/usr/bin/mail", "ARGUMENTS": "$TEMPLATE"}},
		{ID: 4, Name: "call", Type: "api", Attributes: map[string]string{"CALL": "one.vm.info", "COMMAND": DefaultDir + "/host_error"}},
	}
}

// make plans and applies, and says which verbs there were.
func (p *fakePool) make(t *testing.T, wanted []Hook, f Facts) string {
	t.Helper()
	changes, err := Plan(p.hooks, wanted, f)
	if err != nil {
		t.Fatal(err)
	}
	p.calls = nil
	if err := Apply(context.Background(), p, changes, wanted, f); err != nil {
		t.Fatal(err)
	}
	var verbs []string
	for _, c := range changes {
		verbs = append(verbs, string(c.Verb))
	}
	return strings.Join(verbs, " ")
}

// TestPoolFromBeginToEnd: install, again, other wishes, remove: the pool is what it was.
func TestPoolFromBeginToEnd(t *testing.T) {
	p := &fakePool{hooks: others(), next: 5}
	wanted := hooksFor(t, DefaultSpec(), v610)
	if got := p.make(t, wanted, facts(v610)); got != "create create" || len(p.hooks) != 4 {
		t.Errorf("%s: %v", got, p.hooks)
	}
	if got := p.make(t, wanted, facts(v610)); got != "" || p.calls != nil {
		t.Errorf("%s: %q", got, p.calls)
	}
	w := all()
	w.Suspended, w.Unknown = true, "none"
	if got := p.make(t, hooksFor(t, w, v610), facts(v610)); got != "delete update create create create create create create create" {
		t.Error(got)
	}
	if p.hooks[2].ID != 5 || p.hooks[2].Attributes["ARGUMENTS"] != "$TEMPLATE -r y -p 2" {
		t.Errorf("%+v", p.hooks[2])
	}
	w.Dir = "/opt/ft" // ours are found by their mark
	moved := facts(v610)
	moved.Dir = w.Dir
	if got := p.make(t, hooksFor(t, w, v610), moved); got != strings.TrimSpace(strings.Repeat("update ", 8)) || p.hooks[2].Attributes["COMMAND"] != "/opt/ft/host_error" {
		t.Errorf("%s: %+v", got, p.hooks[2])
	}
	if got := p.make(t, nil, moved); got != strings.TrimSpace(strings.Repeat("delete ", 8)) || !reflect.DeepEqual(p.hooks, others()) {
		t.Errorf("%s: %v", got, p.hooks)
	}
}

// byHand is the host hook as README has told admins to write it.
func byHand(id int) PoolHook {
	return PoolHook{ID: id, Name: "host_error", Type: "STATE", Attributes: map[string]string{"RESOURCE": "HOST", "STATE": "ERROR", "REMOTE": "NO",
		"COMMAND": DefaultDir + "/host_error", "ARGUMENTS": "$TEMPLATE -r n -p 2", "ARGUMENTS_STDIN": "yes", "NOTE": "mine"}}
}

// TestPlanByHand: hooks that an admin made of our executables are taken over, with what else
// they hold, and kept only once.
func TestPlanByHand(t *testing.T) {
	p := &fakePool{hooks: []PoolHook{byHand(9), byHand(2)}, next: 10}
	p.hooks[0].Name = "twice"
	wanted := hooksFor(t, DefaultSpec(), v5104)
	changes, err := Plan(p.hooks, wanted, facts(v5104))
	if err != nil || len(changes) != 3 || changes[0].String() != "delete hook 9 (twice)" || changes[1].String() != "update hook 2 (host_error)" {
		t.Fatalf("%v, %v", changes, err)
	}
	want := `delete hook 9 (twice)
@@ -1,9 +0,0 @@
-NAME            = "twice"
-TYPE            = "STATE"
-ARGUMENTS       = "$TEMPLATE -r n -p 2"
-ARGUMENTS_STDIN = "yes"
-COMMAND         = "/var/lib/one/remotes/hooks/ft/host_error"
-NOTE            = "mine"
-REMOTE          = "NO"
-RESOURCE        = "HOST"
-STATE           = "ERROR"
update hook 2 (host_error)
@@ -3,7 +3,9 @@
 ARGUMENTS       = "$TEMPLATE -r n -p 2"
 ARGUMENTS_STDIN = "yes"
 COMMAND         = "/var/lib/one/remotes/hooks/ft/host_error"
+FT_HOOK         = "host_error"
 NOTE            = "mine"
 REMOTE          = "NO"
 RESOURCE        = "HOST"
 STATE           = "ERROR"
+TIMEOUT         = "14400"
create hook oneft_vm_unknown
`
	if got := DiffPool(changes); !strings.HasPrefix(got, want) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	p.make(t, wanted, facts(v5104))
	if len(p.hooks) != 2 || p.hooks[0].ID != 2 || p.hooks[0].Attributes["NOTE"] != "mine" || p.hooks[0].Attributes["TIMEOUT"] != "14400" {
		t.Errorf("%+v", p.hooks)
	}
	// As wanted, but its twin is deleted: the hook manager of 5.10.4 has to be told of it again.
	p.hooks = append(p.hooks, byHand(11))
	p.hooks[2].Name = "twin"
	if got := p.make(t, wanted, facts(v5104)); got != "delete update" {
		t.Error(got)
	}
	if got := p.make(t, wanted, facts(v5104)); got != "" {
		t.Error(got)
	}
}

func TestPlanConflicts(t *testing.T) {
	upstream, err := ParsePool(recorded(t, "7.4"))
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := ParsePool(recorded(t, "5.10"))
	if err != nil {
		t.Fatal(err)
	}
	name := PoolHook{ID: 8, Name: "oneft_vm_unknown", Type: "state", Attributes: map[string]string{"RESOURCE": "VM", "STATE": "DONE", "LCM_STATE": "LCM_INIT"}}
	onevm := PoolHook{ID: 9, Name: "boot\x1b", Type: "state", Attributes: map[string]string{"RESOURCE": "VM", "STATE": "ACTIVE", "LCM_STATE": "UNKNOWN",
		"COMMAND": "onevm resume", "ARGUMENTS": "$TEMPLATE"}}
	for _, tc := range []struct {
		hook    PoolHook
		version one.Version
		parts   []string // none: no conflict
	}{
		{upstream[0], v74, []string{"hook 5 (ha-stdin)", "host_error.rb", "onehook delete 5"}},
		{elsewhere[0], v5105, []string{"hook 0 (host_error)", "one-ft", "onehook delete 0"}},
		{name, v74, []string{"hook 8", "has the name", "onehook rename 8"}},
		{onevm, v74, []string{`hook 9 (boot\x1b)`, "onevm resume", "onehook delete 9"}},
		{others()[0], v5104, []string{"hook 3 (mail)", "same state", "5.10.4", "onehook delete 3"}},
		{others()[0], v5105, nil},
		{others()[1], v5104, nil},
	} {
		changes, err := Plan([]PoolHook{tc.hook}, hooksFor(t, DefaultSpec(), tc.version), facts(tc.version))
		if tc.parts == nil {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		wantError(t, err, append(tc.parts, "nothing was changed")...)
		var conflict *ConflictError
		if !errors.As(err, &conflict) || changes != nil {
			t.Errorf("%T, %v", err, changes)
		}
		// Removing ours does not mind them.
		if changes, err := Plan([]PoolHook{tc.hook}, nil, facts(tc.version)); err != nil || len(changes) > 0 {
			t.Errorf("%v, %v", changes, err)
		}
	}
}

func TestApplyStops(t *testing.T) {
	wanted := hooksFor(t, DefaultSpec(), v610)
	for fail, parts := range map[int][]string{
		1: {"create hook oneft_host_error", "oned is away", "nothing was changed before"},
		2: {"create hook oneft_vm_unknown", "oned is away", "done before that: create hook oneft_host_error", "run this again"},
		3: {"read the hooks again", "oned is away"},
	} {
		p := &fakePool{fail: fail}
		changes, err := Plan(nil, wanted, facts(v610))
		if err != nil {
			t.Fatal(err)
		}
		wantError(t, Apply(context.Background(), p, changes, wanted, facts(v610)), parts...)
		if len(p.calls) != fail {
			t.Errorf("%q", p.calls)
		}
		p.fail = 0
		p.make(t, wanted, facts(v610)) // goes on
		if len(p.hooks) != 2 {
			t.Errorf("%v", p.hooks)
		}
	}
	p := &fakePool{ignore: true}
	changes, err := Plan(nil, wanted, facts(v610))
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, Apply(context.Background(), p, changes, wanted, facts(v610)), "not as wanted")
}

// TestRandomPools: whatever is in the pool, a plan that can be made makes it as wanted at
// once, a second one has nothing to do, and hooks of others stay.
func TestRandomPools(t *testing.T) {
	value := func(values ...string) *rapid.Generator[string] { return rapid.SampledFrom(values) }
	planned := 0
	rapid.Check(t, func(t *rapid.T) {
		p := &fakePool{next: 100}
		for i := range rapid.IntRange(0, 6).Draw(t, "hooks") {
			p.hooks = append(p.hooks, PoolHook{ID: i * 2, Name: fmt.Sprintf("hook%d", i), Type: value("state", "state", "api").Draw(t, "type"), Attributes: map[string]string{
				"RESOURCE": value("HOST", "VM").Draw(t, "resource"), "STATE": value("ERROR", "ACTIVE", "DONE").Draw(t, "state"),
				"LCM_STATE":       value("UNKNOWN", "BOOT_FAILURE", "").Draw(t, "lcm"),
				"COMMAND":         value(DefaultDir+"/host_error", DefaultDir+"/vm_unknown -x", "/usr/bin/mail").Draw(t, "command"),
				"ARGUMENTS_STDIN": value("yes", "YES", "no").Draw(t, "stdin"), "FT_HOOK": value("", "", "vm_failure", "x").Draw(t, "mark"),
			}})
		}
		var foreign []PoolHook
		for _, h := range p.hooks {
			if !h.ours(DefaultDir) {
				foreign = append(foreign, h)
			}
		}
		wanted, err := Hooks(rapid.SampledFrom([]Spec{DefaultSpec(), all(), {Host: "none", Failures: "none", Unknown: "none", Dir: DefaultDir}}).Draw(t, "wish"), v610)
		if err != nil {
			t.Fatal(err)
		}
		changes, err := Plan(p.hooks, wanted, facts(v610))
		if err != nil {
			return
		}
		planned++
		if err := Apply(context.Background(), p, changes, wanted, facts(v610)); err != nil {
			t.Fatal(err)
		}
		if again, err := Plan(p.hooks, wanted, facts(v610)); err != nil || len(again) > 0 {
			t.Fatalf("%v, %v", again, err)
		}
		kept := slices.DeleteFunc(slices.Clone(p.hooks), func(h PoolHook) bool { return h.ours(DefaultDir) })
		if len(kept)+len(foreign) > 0 && !reflect.DeepEqual(kept, foreign) {
			t.Fatalf("%v, want %v", kept, foreign)
		}
	})
	if planned < 50 {
		t.Errorf("only %d plans", planned)
	}
}
