package install

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"one-ft/pkg/one"
	"one-ft/pkg/text"
)

// told is findings as lines, without those that are fine.
func told(findings []Finding) []string {
	var lines []string
	for _, f := range findings {
		if f.Severity != OK {
			lines = append(lines, f.Severity+" "+f.What+" -> "+f.Fix)
		}
	}
	return lines
}

// wantTold checks that there is exactly one finding for each want, with its parts.
func wantTold(t *testing.T, what string, findings []Finding, wants ...string) {
	t.Helper()
	lines := told(findings)
	if len(lines) != len(wants) {
		t.Errorf("%s: %d findings, want %d:\n%s", what, len(lines), len(wants), strings.Join(lines, "\n"))
		return
	}
	for i, want := range wants {
		for _, part := range strings.Split(want, "|") {
			if !strings.Contains(lines[i], part) {
				t.Errorf("%s: %q does not say %q", what, lines[i], part)
			}
		}
		if text.Printable(lines[i]) != lines[i] {
			t.Errorf("%s: %q is not printable", what, lines[i])
		}
	}
}

func parsed(t *testing.T, text string) File {
	t.Helper()
	f, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// exec reports the executables of a directory as there.
func exec(dir string) func(string) error {
	return func(path string) error {
		if strings.HasPrefix(path, dir+"/") {
			return nil
		}
		return errors.New("no such file")
	}
}

// TestInstalledIsRight: what is installed has nothing against it, on every version.
func TestInstalledIsRight(t *testing.T) {
	for _, v := range []one.Version{v44, v412, v414, v58, v5104, v5105, v610, v74} {
		for _, w := range []Spec{DefaultSpec(), all()} {
			f := Facts{Version: v, Dir: DefaultDir, Executable: exec(DefaultDir)}
			var findings []Finding
			var shown []Known
			if UsesPool(v) {
				p := &fakePool{}
				p.make(t, hooksFor(t, w, v), f)
				findings, shown = LintPool(p.hooks, f), List(PoolHooks(p.hooks, f))
			} else {
				text, err := Install(example(t, "oned-4.4.conf"), hooksFor(t, w, v), Facts{})
				if err != nil {
					t.Fatal(err)
				}
				file := parsed(t, string(text))
				findings, shown = Lint(file, f), List(file.Hooks(Facts{}))
			}
			if n := len(hooksFor(t, w, v)); len(findings) != n || len(told(findings)) > 0 || len(shown) != n {
				t.Errorf("%s: %+v, %+v", v, findings, shown)
			}
			if !strings.Contains(findings[0].What, "host_error on HOST/ERROR") || shown[0].By.Class != Ours || !shown[0].Ours || shown[0].Trigger != "HOST/ERROR" {
				t.Errorf("%s: %+v, %+v", v, findings[0], shown[0])
			}
		}
	}
}

const mad = "HM_MAD = [ EXECUTABLE = one_hm ]\n"

// goodHost is a hook for hosts in oned.conf, as it should be.
const goodHost = `HOST_HOOK = [ NAME = host, ON = ERROR, COMMAND = "` + DefaultDir + `/host_error", ARGUMENTS = "$ID -r n -p 2" ]` + "\n"

// judged is an oned.conf of a version, and what is to be said of it.
type judged struct {
	text    string
	version one.Version
	wants   []string
}

func checkJudged(t *testing.T, cases map[string]judged) {
	t.Helper()
	for name, tc := range cases {
		f := Facts{Version: tc.version, Dir: DefaultDir, Executable: exec(DefaultDir)}
		wantTold(t, name, Lint(parsed(t, tc.text), f), tc.wants...)
	}
}

func TestLintFile(t *testing.T) {
	const good = goodHost
	checkJudged(t, map[string]judged{
		"good":           {mad + good, v44, nil},
		"nothing":        {mad, v44, []string{"problem no hook recovers|-> oneft hooks install"}},
		"no driver":      {good, v44, []string{"problem|HM_MAD|restart oned"}},
		"commented out":  {mad + "#" + good, v44, []string{"no hook recovers"}},
		"$HID":           {mad + strings.Replace(good, "$ID", "$HID", 1), v44, []string{`problem|does not know $HID|line 2 of oned.conf|ARGUMENTS = "$ID -r n -p 2"`}},
		"no host":        {mad + strings.Replace(good, "$ID ", "", 1), v44, []string{`which host or VM|ARGUMENTS = "$ID -r n -p 2"`}},
		"template":       {mad + strings.Replace(good, "$ID", "$TEMPLATE", 1), v58, []string{`warning|100 kB|ARGUMENTS = "$ID -r n -p 2"`}},
		"remote":         {mad + strings.Replace(good, " ]", `, REMOTE = "Yes" ]`, 1), v44, []string{`problem|runs on the host that has failed|REMOTE = "no"`}},
		"two words":      {mad + strings.Replace(good, "NAME = host", `NAME = "my host"`, 1), v44, []string{`problem|second word|NAME = "my_host"`}},
		"wrong path":     {mad + strings.Replace(good, DefaultDir, "/opt", 1), v44, []string{`problem|"/opt/host_error" cannot be run|COMMAND = "` + DefaultDir + `/host_error"`}},
		"relative":       {mad + strings.Replace(good, DefaultDir, "ft", 1), v44, nil},
		"wrong relative": {mad + strings.Replace(good, DefaultDir, "tf", 1), v44, []string{`/var/lib/one/remotes/hooks/tf/host_error" cannot be run`}},
		"wrong ON":       {mad + strings.Replace(good, "ERROR", "DISABLE", 1), v44, []string{`"HOST/DISABLE"|not for HOST/ERROR|oneft hooks install`, "no hook recovers"}},
		"no ON":          {mad + strings.Replace(good, "ON = ERROR,", "", 1), v44, []string{`NOTHING`, "no hook recovers"}},
		"twice":          {mad + good + good, v44, []string{"problem|line 2 of|line 3 of|both recover VMs on HOST/ERROR|put # before line 3"}},
		"upstream":       {string(example(t, "oned-4.14.conf")), v414, []string{"problem|lines 16 to 21|runs OpenNebula's host_error.rb on HOST/ERROR|put # before lines 16 to 21 of oned.conf and restart oned"}},
		"both":           {mad + good + `HOST_HOOK = [ ON = ERROR, COMMAND = "ruby", ARGUMENTS = "/x/host_error.rb $ID" ]`, v44, []string{"problem|line 3|host_error.rb|put # before line 3"}},
		"a copy":         {mad + good + `HOST_HOOK = [ ON = ERROR, COMMAND = "/usr/bin/env bash -c", ARGUMENTS = "'ft/sp_host_error.rb'" ]`, v44, []string{"problem|line 3|runs ft/sp_host_error.rb (by its name"}},
		"alone":          {mad + `HOST_HOOK = [ ON = ERROR, COMMAND = "ft/host_error.rb.custom" ]`, v44, []string{"problem|line 2|runs /var/lib/one/remotes/hooks/ft/host_error.rb.custom (by its name"}},
		"not known":      {mad + good + `VM_HOOK = [ NAME = x, ON = UNKNOWN, COMMAND = "/opt/x" ]`, v44, []string{"warning|line 3|runs /opt/x (not known|if it does, put # before line 3 of oned.conf and restart oned; if not, oneft hooks install --beside x"}},
		"through sudo":   {mad + strings.Replace(good, `"/`, `"/bin/sudo -n /`, 1), v44, nil},
		"others":         {mad + good + "HOST_HOOK = [ ON = ERROR, COMMAND = \"/bin/mail\" ]\nVM_HOOK = [ ON = DONE, COMMAND = \"/bin/mail\" ]", v44, nil},
		"untrusted":      {mad + good + "VM_HOOK = [ NAME = \"\x1b[31m\", ON = \"\x1b\", COMMAND = \"/\u202e/vm_unknown\", ARGUMENTS = \"\x07\" ]", v44, []string{`not for`, "cannot be run", "which host or VM"}},
	})
}

func TestLintVMHooks(t *testing.T) {
	const good = goodHost
	vm := func(on, program, arguments string) string {
		return fmt.Sprintf(`VM_HOOK = [ NAME = v, %s, COMMAND = "%s/%s", ARGUMENTS = "%s" ]`+"\n", on, DefaultDir, program, arguments)
	}
	failure := func(state string) string {
		return vm("ON = CUSTOM, STATE = ACTIVE, LCM_STATE = "+state, "vm_failure", "$ID -r")
	}
	everyFailure := ""
	for _, s := range failureStates(v414) {
		everyFailure += failure(s)
	}
	checkJudged(t, map[string]judged{
		"FAILED":          {mad + good + vm("ON = failed", "vm_failure", "$ID -r"), v412, nil},
		"FAILED, 4.14":    {mad + good + vm("ON = FAILED", "vm_failure", "$ID -r"), v414, []string{"VM/FAILED/LCM_INIT|VM/ACTIVE/BOOT_FAILURE"}},
		"failures, 4.4":   {mad + good + failure("BOOT_FAILURE"), v44, []string{"VM/ACTIVE/BOOT_FAILURE|not for VM/FAILED", "warning vm_failure is not called"}},
		"all failures":    {mad + good + everyFailure + failure("EPILOG_STOP_FAILURE"), v414, nil},
		"one failure":     {mad + good + strings.Replace(everyFailure, "= PROLOG_FAILURE", "= EPILOG_STOP_FAILURE", 1), v414, []string{"warning|not called on PROLOG_FAILURE"}},
		"later failure":   {mad + good + everyFailure + failure("PROLOG_MIGRATE_UNKNOWN_FAILURE"), v414, []string{"UNKNOWN_FAILURE|not for"}},
		"no such failure": {mad + good + vm("ON = CUSTOM, STATE = ACTIVE, LCM_STATE = RUNNING", "vm_failure", "$ID -r"), v414, []string{"VM/ACTIVE/RUNNING"}},
		"unknown":         {mad + good + vm("ON = CUSTOM, STATE = ACTIVE, LCM_STATE = UNKNOWN", "vm_unknown", "$ID"), v58, nil},
		"not unknown":     {mad + good + vm("ON = RUNNING", "vm_unknown", "$ID"), v58, []string{"VM/RUNNING|not for VM/ACTIVE/UNKNOWN"}},
	})
}

func TestLintBlock(t *testing.T) {
	const good = goodHost
	// Ours is the one to keep.
	text, err := Install([]byte(mad), hooksFor(t, DefaultSpec(), v44), Facts{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{good + string(text), string(text) + good} {
		findings := Lint(parsed(t, text), Facts{Version: v44, Dir: DefaultDir})
		if lines := told(findings); len(lines) != 1 || !strings.Contains(lines[0], "put # before line ") {
			t.Errorf("%q", lines)
		}
	}
	missing := Facts{Version: v44, Dir: DefaultDir, Executable: exec("/nowhere")}
	wantTold(t, "missing", Lint(parsed(t, mad+good), missing), "problem|no such file|install -m 0755 host_error "+DefaultDir+"/host_error")
	missing.HooksDir, missing.Executable = "/srv/one/remotes/hooks", exec("/srv/one/remotes/hooks/ft")
	wantTold(t, "self-contained", Lint(parsed(t, mad+strings.Replace(good, DefaultDir, "ft", 1)), missing))
}

func TestLintPool(t *testing.T) {
	with := func(changes ...string) PoolHook {
		h := byHand(2)
		for _, c := range changes {
			name, value, _ := strings.Cut(c, "=")
			h.Attributes[name] = value
		}
		return h
	}
	upstream, err := ParsePool(recorded(t, "6.10"))
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		pool    []PoolHook
		version one.Version
		wants   []string
	}{
		"good":            {[]PoolHook{byHand(2)}, v610, nil},
		"nothing":         {others(), v610, []string{"no hook recovers"}},
		"argv":            {[]PoolHook{with("ARGUMENTS_STDIN=")}, v610, []string{`problem|100 kB|onehook update 2: ARGUMENTS_STDIN = "yes"`}},
		"true":            {[]PoolHook{with("ARGUMENTS_STDIN=true")}, v74, []string{`problem|"true"|only yes works|ARGUMENTS_STDIN = "yes"`}},
		"YES":             {[]PoolHook{with("ARGUMENTS_STDIN=YES")}, v74, nil},
		"$ID":             {[]PoolHook{with("ARGUMENTS=$ID -r n")}, v610, []string{`do not know $ID|ARGUMENTS = "$TEMPLATE -r n"`}},
		"$HID":            {[]PoolHook{with("ARGUMENTS=$ID -r $HID")}, v610, []string{`does not know $HID`}},
		"no host":         {[]PoolHook{with("ARGUMENTS=-r")}, v610, []string{`which host or VM|ARGUMENTS = "$TEMPLATE -r"`}},
		"short":           {[]PoolHook{with("TIMEOUT=60")}, v610, []string{`problem|TIMEOUT is 60s|onehook update 2: TIMEOUT = "14400"`}},
		"a little short":  {[]PoolHook{with("TIMEOUT= 14399s")}, v610, []string{`TIMEOUT is 14399s`}},
		"long enough":     {[]PoolHook{with("TIMEOUT=14400")}, v610, nil},
		"no limit":        {[]PoolHook{with("TIMEOUT=0")}, v610, nil},
		"no number":       {[]PoolHook{with("TIMEOUT=long")}, v610, nil},
		"far too long":    {[]PoolHook{with("TIMEOUT=99999999999999999999")}, v610, nil},
		"remote":          {[]PoolHook{with("REMOTE=YES")}, v610, []string{`runs on the host that has failed|onehook update 2: REMOTE = "no"`}},
		"wrong state":     {[]PoolHook{with("STATE=MONITORED")}, v610, []string{`"HOST/MONITORED"|HOST/ERROR`, "no hook recovers"}},
		"wrong resource":  {[]PoolHook{with("RESOURCE=VM", "STATE=ACTIVE", "LCM_STATE=UNKNOWN")}, v610, []string{"VM/ACTIVE/UNKNOWN", "no hook recovers"}},
		"wrong path":      {[]PoolHook{with("COMMAND=/opt/ft/host_error")}, v610, []string{`cannot be run|COMMAND = "` + DefaultDir}},
		"two words":       {[]PoolHook{{ID: 2, Name: "my host", Type: "state", Attributes: byHand(2).Attributes}}, v610, nil},
		"upstream":        {upstream, v610, []string{"problem hook 5 (ha-stdin) runs OpenNebula's host_error.rb|onehook delete 5"}},
		"both":            {[]PoolHook{upstream[0], byHand(2)}, v610, []string{"problem hook 5 (ha-stdin) runs OpenNebula's|onehook delete 5"}},
		"the only one":    {[]PoolHook{others()[0], byHand(2)}, v5104, []string{"hook 3 (mail) and hook 2|same state|upgrade to 5.10.5"}},
		"both are called": {[]PoolHook{others()[0], byHand(2)}, v5105, nil},
		"an API call":     {[]PoolHook{byHand(2), {ID: 7, Type: "api", Attributes: map[string]string{"COMMAND": "/x/host_error"}}}, v610, nil},
	} {
		f := Facts{Version: tc.version, Dir: DefaultDir, Executable: exec(DefaultDir)}
		wantTold(t, name, LintPool(tc.pool, f), tc.wants...)
	}
}

func TestList(t *testing.T) {
	var got []string
	for _, k := range List(parsed(t, string(example(t, "oned-4.14.conf"))+"HOST_HOOK=[ ON=ERROR, COMMAND=\"/bin/mail\" ]\nVM_HOOK=[ ON=DONE, COMMAND=x ]").Hooks(Facts{})) {
		got = append(got, fmt.Sprint(k.Where, "|", k.Trigger, "|", k.Runs(), "|", k.By.Message(), "|", k.Ours))
	}
	if want := []string{`HOST_HOOK "error" in lines 16 to 21 of oned.conf|HOST/ERROR|ft/host_error.rb $HID -m -p 5|OpenNebula's host_error.rb|false`,
		`HOST_HOOK "" in line 24 of oned.conf|HOST/ERROR|/bin/mail|/bin/mail (leaves VMs and hosts alone)|false`}; !slices.Equal(got, want) {
		t.Errorf("%q\nwant\n%q", got, want)
	}
	rows := List(PoolHooks(append(others(), byHand(2)), facts(v610)))
	if len(rows) != 2 || rows[0].Ours || rows[0].By.Class != Harmless || !rows[1].Ours || rows[1].Where != "hook 2 (host_error)" {
		t.Errorf("%+v", rows)
	}
}

func TestOnePerState(t *testing.T) {
	for v, want := range map[one.Version]bool{v58: false, {Major: 5, Minor: 9, Patch: 80}: true, {Major: 5, Minor: 10}: true,
		v5104: true, v5105: false, {Major: 5, Minor: 11, Patch: 80}: false, {Major: 6}: false, v74: false} {
		if onePerState(v) != want {
			t.Errorf("%s: %v", v, !want)
		}
	}
	if UsesPool(v58) || !UsesPool(v5104) || UsesPool(one.Version{Major: 5, Minor: 8, Patch: 99}) {
		t.Error("UsesPool")
	}
	if !slices.Contains(failureStates(one.Version{Major: 5}), "PROLOG_MIGRATE_UNKNOWN_FAILURE") {
		t.Error("5.0 knows that state")
	}
}
