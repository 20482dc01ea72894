package install

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/one"
)

// spelled is a hook in one line.
func spelled(h Hook) string {
	return strings.Join([]string{h.trigger(), h.On, h.Command[strings.LastIndex(h.Command, "/")+1:], h.Arguments}, " ")
}

func TestHooksOfAllVersions(t *testing.T) {
	states := []string{"PROLOG_FAILURE", "BOOT_FAILURE", "PROLOG_MIGRATE_FAILURE", "PROLOG_MIGRATE_POWEROFF_FAILURE",
		"PROLOG_MIGRATE_SUSPEND_FAILURE", "EPILOG_FAILURE"}
	for _, tc := range []struct {
		version  one.Version
		subject  string
		failures []string // nil: FAILED
	}{
		{v44, "$ID", nil},
		{v412, "$ID", nil},
		{v414, "$ID", states},
		{v58, "$ID", append(slices.Clone(states), "PROLOG_MIGRATE_UNKNOWN_FAILURE")},
		{v5104, "$TEMPLATE", append(slices.Clone(states), "PROLOG_MIGRATE_UNKNOWN_FAILURE")},
		{v74, "$TEMPLATE", append(slices.Clone(states), "PROLOG_MIGRATE_UNKNOWN_FAILURE")},
	} {
		want := []string{
			"HOST/ERROR ERROR host_error " + tc.subject + " -r n -p 2",
			"VM/ACTIVE/UNKNOWN UNKNOWN vm_unknown " + tc.subject,
		}
		for _, s := range tc.failures {
			want = append(want, "VM/ACTIVE/"+s+" CUSTOM vm_failure "+tc.subject+" -r")
		}
		if tc.failures == nil {
			want = append(want, "VM/FAILED/LCM_INIT FAILED vm_failure "+tc.subject+" -r")
		}
		var got, names []string
		for _, h := range hooksFor(t, all(), tc.version) {
			got, names = append(got, spelled(h)), append(names, h.Name)
			if h.Timeout != MinTimeout {
				t.Errorf("%s: %+v", tc.version, h)
			}
			if strings.ContainsAny(h.Name, " \t") || !strings.HasPrefix(h.Command, DefaultDir+"/") {
				t.Errorf("%s: %+v", tc.version, h)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", tc.version, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if slices.Sort(names); len(slices.Compact(names)) != len(want) {
			t.Errorf("%s: names repeat: %q", tc.version, names)
		}
	}
}

func TestWishes(t *testing.T) {
	for _, tc := range []struct {
		change func(*Spec)
		want   string
	}{
		{func(w *Spec) {}, "$ID -r n -p 2"},
		{func(w *Spec) { w.Host, w.Pause = "delete", 0 }, "$ID -d n"},
		{func(w *Spec) { w.Host, w.Suspended = "migrate", true }, "$ID -m y -p 2"},
		{func(w *Spec) { w.Suspended, w.Pause = true, 5 }, "$ID -r y -p 5"},
	} {
		w := DefaultSpec()
		tc.change(&w)
		if hooks := hooksFor(t, w, v412); len(hooks) != 2 || hooks[0].Arguments != tc.want {
			t.Errorf("%+v, want %q", hooks, tc.want)
		}
	}
	w := all()
	w.Host, w.Unknown, w.Failures = "none", "none", "retry"
	if hooks := hooksFor(t, w, v414); len(hooks) != 6 || hooks[0].Arguments != "$ID --retry" {
		t.Errorf("%+v", hooks)
	}
	w.Failures = "delete"
	if hooks := hooksFor(t, w, v44); len(hooks) != 1 || hooks[0].Arguments != "$ID -d" {
		t.Errorf("%+v", hooks)
	}
	w.Failures, w.Host, w.Timeout = "none", "recreate", 5*time.Hour
	if hooks := hooksFor(t, w, v610); len(hooks) != 1 || hooks[0].Timeout != 5*time.Hour {
		t.Errorf("%+v", hooks)
	}
	w.Host = "none"
	if hooks := hooksFor(t, w, v610); len(hooks) != 0 {
		t.Errorf("%+v", hooks)
	}
}

func TestWishesThatCannotBe(t *testing.T) {
	for _, tc := range []struct {
		version one.Version
		change  func(*Spec)
		parts   []string
	}{
		{v44, func(w *Spec) { w.Host = "migrate" }, []string{"4.4 to 4.8", "recreate or delete"}},
		{v412, func(w *Spec) { w.Failures = "retry" }, []string{"4.10 to 4.12", "cannot retry"}},
		{v610, func(w *Spec) { w.Host = "explode\x1b" }, []string{"hosts", `explode\x1b`, "recreate"}},
		{v610, func(w *Spec) { w.Failures = "" }, []string{"failures", "none"}},
		{v610, func(w *Spec) { w.Unknown = "recreate" }, []string{"unknown", "boot"}},
		{v610, func(w *Spec) { w.Pause = -1 }, []string{"pause", "1000"}},
		{v610, func(w *Spec) { w.Pause = 1001 }, []string{"pause", "1000"}},
		{v610, func(w *Spec) { w.Dir = "ft" }, []string{"absolute"}},
		{v610, func(w *Spec) { w.Dir = "/" }, []string{"absolute"}},
		{v610, func(w *Spec) { w.Dir = "/a/../b" }, []string{"absolute"}},
		{v610, func(w *Spec) { w.Dir = "/a;reboot" }, []string{"shell"}},
		{v610, func(w *Spec) { w.Dir = "/a b" }, []string{"shell"}},
		{v610, func(w *Spec) { w.Dir = "/a\n" }, []string{"shell"}},
		{v610, func(w *Spec) { w.Timeout = time.Millisecond }, []string{"timeout"}},
		{v610, func(w *Spec) { w.Timeout = -time.Hour }, []string{"timeout"}},
		{one.Version{Major: 4, Minor: 2}, func(w *Spec) {}, []string{"4.2.0"}},
	} {
		w := DefaultSpec()
		tc.change(&w)
		hooks, err := Hooks(w, tc.version)
		wantError(t, err, tc.parts...)
		if hooks != nil {
			t.Errorf("%+v beside the error", hooks)
		}
	}
	if _, err := Hooks(DefaultSpec(), one.Version{Major: 4}); !errors.Is(err, one.ErrTooOld) {
		t.Error(err)
	}
}

// TestTimeout: what a run may take fits twice.
func TestTimeout(t *testing.T) {
	for _, tc := range []struct {
		parts []time.Duration
		want  time.Duration
	}{
		{[]time.Duration{6 * time.Minute, 30 * time.Minute, 4 * time.Minute, 10 * time.Minute, 2 * time.Minute}, MinTimeout},
		{nil, MinTimeout},
		{[]time.Duration{5 * time.Hour, 46 * time.Minute}, 12 * time.Hour},
		{[]time.Duration{46 * time.Minute, 24 * time.Hour}, 50 * time.Hour},
		{[]time.Duration{3 * time.Hour}, 6 * time.Hour},
		{[]time.Duration{3*time.Hour + time.Second}, 7 * time.Hour},
	} {
		if got := Timeout(tc.parts...); got != tc.want {
			t.Errorf("%v: %s, want %s", tc.parts, got, tc.want)
		}
	}
}

func TestPrint(t *testing.T) {
	w := DefaultSpec()
	w.Unknown = "none"
	want := `HOST_HOOK = [
    NAME      = "oneft_host_error",
    ON        = "ERROR",
    COMMAND   = "/var/lib/one/remotes/hooks/ft/host_error",
    ARGUMENTS = "$ID -r n -p 2",
    REMOTE    = "no" ]
`
	if got := Print(hooksFor(t, w, v44), v44); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	w.Unknown = "boot"
	want = `# onehook create oneft_host_error.hook
NAME            = "oneft_host_error"
TYPE            = "state"
RESOURCE        = "HOST"
REMOTE          = "NO"
COMMAND         = "/var/lib/one/remotes/hooks/ft/host_error"
ARGUMENTS       = "$TEMPLATE -r n -p 2"
STATE           = "ERROR"
ARGUMENTS_STDIN = "yes"
TIMEOUT         = "14400"
FT_HOOK         = "host_error"

# onehook create oneft_vm_unknown.hook
NAME            = "oneft_vm_unknown"
TYPE            = "state"
ON              = "UNKNOWN"
RESOURCE        = "VM"
REMOTE          = "NO"
COMMAND         = "/var/lib/one/remotes/hooks/ft/vm_unknown"
ARGUMENTS       = "$TEMPLATE"
ARGUMENTS_STDIN = "yes"
TIMEOUT         = "14400"
FT_HOOK         = "vm_unknown"
`
	if got := Print(hooksFor(t, w, v610), v610); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	// What is printed for oned.conf is what Install writes.
	text := "A = 1\n" + Print(hooksFor(t, all(), v58), v58)
	f, err := Parse([]byte(text))
	if err != nil || !slices.EqualFunc(hooksFor(t, all(), v58), f.Entries[1:], Hook.is) {
		t.Errorf("%v, %+v", err, f)
	}
}

// TestKeep: what the hooks that are there do stays, what is missing is as by default, and hooks of others say nothing.
func TestKeep(t *testing.T) {
	hook := func(resource, on, program, arguments string) string {
		return resource + `_HOOK = [ NAME = x, ON = ` + on + `, COMMAND = "/x/` + program + `", ARGUMENTS = "` + arguments + "\" ]\n"
	}
	for text, want := range map[string]Spec{
		"": {Host: "recreate", Pause: 2, Failures: "none", Unknown: "boot"},
		hook("VM", "FAILED", "vm_failure", "$ID -d"):                                                   {Host: "recreate", Pause: 2, Failures: "delete", Unknown: "boot"},
		hook("VM", "FAILED", "vm_failure", "$ID --retry") + hook("VM", "UNKNOWN", "vm_unknown", "$ID"): {Host: "recreate", Pause: 2, Failures: "retry", Unknown: "boot"},
		hook("HOST", "ERROR", "host_error", "$ID -m Y -p 5"):                                           {Host: "migrate", Suspended: true, Pause: 5, Failures: "none", Unknown: "boot"},
		hook("HOST", "ERROR", "host_error", "$ID -d -f --pause=7"):                                     {Host: "delete", Suspended: true, Pause: 7, Failures: "none", Unknown: "boot"},
		hook("HOST", "ERROR", "host_error", "$ID -p3 --recreate n"):                                    {Host: "recreate", Pause: 3, Failures: "none", Unknown: "boot"},
		hook("HOST", "ERROR", "host_error", "$ID -r n"):                                                {Host: "recreate", Failures: "none", Unknown: "boot"},
	} {
		want.Dir = DefaultDir
		file := parsed(t, "# BEGIN one-ft\n"+text+"# END one-ft\n")
		if got := DefaultSpec().Keep(file.Hooks(Facts{})); got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
		if got := DefaultSpec().Keep(parsed(t, text).Hooks(Facts{})); got != DefaultSpec() {
			t.Errorf("%s, of somebody else: %+v", text, got)
		}
	}
}

// TestCanRun: the first executable that hooks could not run is named.
func TestCanRun(t *testing.T) {
	hooks := hooksFor(t, all(), v44)
	for dir, want := range map[string]string{DefaultDir: "", "/nowhere": DefaultDir + "/host_error\" cannot be run: no such file"} {
		err := Facts{Executable: exec(dir)}.CanRun(hooks)
		if want == "" && err != nil {
			t.Error(err)
		} else if want != "" {
			wantError(t, err, want)
		}
	}
	if err := (Facts{}).CanRun(hooks); err != nil {
		t.Errorf("on another machine: %v", err)
	}
}
