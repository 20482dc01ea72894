package install

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/one"
)

// The severities of findings.
const (
	OK      = "ok"
	Warning = "warning" // it works, but not always
	Problem = "problem" // VMs are not recovered, or twice
)

// Finding is one thing that was checked. Both texts are printable lines.
type Finding struct {
	Severity string
	What     string
	Fix      string // the command or line that repairs it; "" when OK
}

// Facts are what hooks are checked against.
type Facts struct {
	Version one.Version
	// Dir is where the executables belong.
	Dir string
	// HooksDir is where oned looks for a command without a path; "" means /var/lib/one/remotes/hooks.
	HooksDir string
	// Executable reports why a path cannot be run, see Executable; nil looks at nothing.
	Executable func(path string) error
}

// Lint says whether the hooks in oned.conf are right, for 4.4 to 5.8.
func Lint(f File, facts Facts) []Finding {
	found := facts.lint(f.Hooks())
	if !slices.ContainsFunc(f.Entries, func(e Entry) bool { return e.Name == "HM_MAD" }) {
		found = append(found, Finding{Problem, "oned.conf has no HM_MAD: oned calls no hooks", `add HM_MAD = [ EXECUTABLE = "one_hm" ] to oned.conf and restart oned`})
	}
	return found
}

// LintPool says whether the hooks in the pool are right, for 5.10 and later.
func LintPool(pool []PoolHook, facts Facts) []Finding {
	onStates := slices.DeleteFunc(PoolHooks(pool, facts.Dir), func(k Known) bool { return k.api })
	return facts.lint(onStates)
}

const (
	hostTrigger = "HOST/ERROR"
	installIt   = "oneft hooks install"
	onlyOne     = "the hook manager up to 5.10.4 calls only one of them"
)

// lint checks each hook of ours, and all that recover VMs together.
func (facts Facts) lint(all []Known) []Finding {
	var found []Finding
	for _, a := range all {
		switch {
		case strings.Contains(a.command+" "+a.arguments, "host_error.rb"):
			found = append(found, Finding{Problem, a.Where + " still runs OpenNebula's host_error.rb", a.takeOut})
		case program(a.command) != "":
			mine := facts.one(a)
			if len(mine) == 0 {
				mine = []Finding{{OK, fmt.Sprintf("%s runs %s on %s", a.Where, program(a.command), a.Trigger), ""}}
			}
			found = append(found, mine...)
		}
	}
	found = append(found, facts.together(all)...)
	if !slices.ContainsFunc(all, func(a Known) bool { return a.Trigger == hostTrigger && a.By != "" }) {
		found = append(found, Finding{Problem, "no hook recovers the VMs of a failed host", installIt})
	}
	return append(found, facts.missingFailures(all)...)
}

// one checks a hook that runs an executable of ours.
func (facts Facts) one(a Known) (found []Finding) {
	add := func(wrong bool, severity, fix, format string, args ...any) {
		if wrong {
			found = append(found, Finding{severity, a.Where + ": " + fmt.Sprintf(format, args...), fix})
		}
	}
	want := facts.triggers(a)
	add(!slices.Contains(want, a.Trigger), Problem, installIt, "%s waits for %s, not for %s", program(a.command), quoted(a.Trigger), strings.Join(want, " or "))
	add(strings.EqualFold(strings.TrimSpace(a.remote), "yes"), Problem, a.edit+`REMOTE = "no"`, "it runs on the host that has failed, because REMOTE is yes")
	add(!a.pool && strings.ContainsAny(a.name, " \t"), Problem, a.edit+"NAME = "+quoted(strings.Join(strings.Fields(a.name), "_")),
		"oned takes the second word of its name for the host to run it on")
	if file := facts.resolve(a.command); facts.Executable != nil {
		if err := facts.Executable(file); err != nil {
			right := path.Join(facts.Dir, program(a.command))
			fix := "install -m 0755 " + program(a.command) + " " + short(file)
			if file != right && facts.Executable(right) == nil {
				fix = a.edit + "COMMAND = " + quoted(right)
			}
			add(true, Problem, fix, "%s cannot be run: %s", quoted(file), short(err.Error()))
		}
	}
	a.lintArguments(add)
	const least = int64(MinTimeout / time.Second)
	n, err := seconds(a.timeout) // none kills no hook
	add(a.pool && err == nil && n > 0 && n < least, Problem, fmt.Sprintf(`%sTIMEOUT = "%d"`, a.edit, least),
		"TIMEOUT is %ds, so it may be killed while it works", n)
	return found
}

// lintArguments checks how the host or VM is passed on.
func (a Known) lintArguments(add func(wrong bool, severity, fix, format string, args ...any)) {
	words := strings.Fields(a.arguments)
	right := "$ID"
	if a.pool {
		right = "$TEMPLATE"
	}
	replace := func(word string) string {
		rest := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == word || w == right })
		return a.edit + "ARGUMENTS = " + quoted(strings.Join(append([]string{right}, rest...), " "))
	}
	const tooLong = "a template of more than about 100 kB does not fit into an argument"
	byID, byTemplate := slices.Contains(words, "$ID"), slices.Contains(words, "$TEMPLATE")
	switch stdin := a.edit + `ARGUMENTS_STDIN = "yes"`; {
	case strings.Contains(a.arguments, "$HID"):
		add(true, Problem, replace("$HID"), "oned does not know $HID, and the hook is called without a host")
	case a.pool && byID:
		add(true, Problem, replace("$ID"), "OpenNebula 5.10 and later do not know $ID in hooks")
	case !byID && !byTemplate:
		add(true, Problem, replace(right), "its arguments do not say which host or VM it is about")
	case !a.pool:
		add(byTemplate, Warning, replace("$TEMPLATE"), "%s, and then the hook never runs", tooLong)
	case strings.TrimSpace(a.stdin) == "":
		add(true, Problem, stdin, "%s, and then the hook never runs", tooLong)
	default:
		add(!strings.EqualFold(a.stdin, "yes"), Problem, stdin, "ARGUMENTS_STDIN is %s, and only yes works; %s", quoted(a.stdin), tooLong)
	}
}

// triggers are what an executable of ours is made for.
func (facts Facts) triggers(a Known) []string {
	switch program(a.command) {
	case hostError:
		return []string{hostTrigger}
	case vmUnknown:
		return []string{"VM/ACTIVE/UNKNOWN"}
	}
	if facts.Version.Before(4, 13) { // the betas of 4.14
		return []string{"VM/FAILED/LCM_INIT"}
	}
	// Any state of failure that the version knows is right, also those that vm_failure only reports.
	if lcm, found := strings.CutPrefix(a.Trigger, "VM/ACTIVE/"); found && strings.HasSuffix(lcm, "_FAILURE") &&
		(lcm != "PROLOG_MIGRATE_UNKNOWN_FAILURE" || slices.Contains(failureStates(facts.Version), lcm)) {
		return []string{a.Trigger}
	}
	return []string{"VM/ACTIVE/BOOT_FAILURE", "another *_FAILURE state"}
}

// onePerState reports whether the hook manager knows one hook for a state only: @hooks in src/hem/onehem-server.rb of
// 5.10.0 to 5.10.4; since 5.10.5 it has lists.
func onePerState(v one.Version) bool {
	return UsesPool(v) && (v.Before(5, 10) || v.Major == 5 && v.Minor == 10 && v.Patch < 5)
}

// together finds hooks that get in each other's way.
func (facts Facts) together(all []Known) []Finding {
	var found []Finding
	for i, a := range all {
		for _, b := range all[:i] {
			switch {
			case a.Trigger != b.Trigger:
			case a.By != "" && b.By != "":
				fix := a.takeOut
				if a.Ours && !b.Ours {
					fix = b.takeOut
				}
				found = append(found, Finding{Problem, fmt.Sprintf("%s and %s both recover VMs on %s, which hangs oned up to 5.10", b.Where, a.Where, a.Trigger), fix})
			case onePerState(facts.Version) && (program(a.command) != "" || program(b.command) != ""):
				found = append(found, Finding{Problem, fmt.Sprintf("%s and %s wait for the same state, and %s", b.Where, a.Where, onlyOne),
					"upgrade to 5.10.5 or later, or take one of them out"})
			}
		}
	}
	return found
}

// missingFailures finds states of failure without a hook where others have one.
func (facts Facts) missingFailures(all []Known) []Finding {
	states := failureStates(facts.Version)
	missing := slices.DeleteFunc(slices.Clone(states), func(state string) bool {
		return slices.ContainsFunc(all, func(a Known) bool { return program(a.command) == vmFailure && a.Trigger == "VM/ACTIVE/"+state })
	})
	if len(missing) == 0 || len(missing) == len(states) {
		return nil
	}
	return []Finding{{Warning, "vm_failure is not called on " + strings.Join(missing, ", "), installIt}}
}

// resolve is the path that oned runs for a command.
func (facts Facts) resolve(command string) string {
	first := strings.Fields(command)[0]
	if path.IsAbs(first) {
		return first
	}
	return path.Join(cmp.Or(facts.HooksDir, path.Dir(DefaultDir)), first)
}

// seconds reads a TIMEOUT as the hook manager does (to_i of Ruby): digits at the beginning.
func seconds(timeout string) (int64, error) {
	timeout = strings.TrimSpace(timeout)
	n := len(timeout) - len(strings.TrimLeft(timeout, "0123456789"))
	return strconv.ParseInt("0"+timeout[:n], 10, 64)
}

// Executable reports why a path cannot be run: nil for a file that somebody may execute.
func Executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a file", quoted(path))
	case info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%s is not executable", quoted(path))
	}
	return nil
}

// Known is a hook that oned knows, of oned.conf or of the pool.
type Known struct {
	Where   string // such as hook 5 (NAME), or lines of oned.conf; printable
	Trigger string // resource, state and LCM state, such as VM/ACTIVE/UNKNOWN; printable
	By      string // who recovers VMs with it: "one-ft", "OpenNebula's host_error.rb", "onevm recover", ...; "" for nobody
	Ours    bool   // Install or Plan may change it

	takeOut string // how to take it out
	edit    string // how to change a line of it
	id      int    // in the pool
	pool    bool
	api     bool // it waits for API calls, not for a state
	name    string
	command, arguments,
	remote, stdin, timeout string
}

// Runs are its command and arguments, printable.
func (k Known) Runs() string { return short(strings.TrimSpace(k.command + " " + k.arguments)) }

// Words are the words of its arguments, and Limit its TIMEOUT: 0 for none.
func (k Known) Words() []string { return strings.Fields(k.arguments) }
func (k Known) Limit() time.Duration {
	n, err := seconds(k.timeout)
	if err != nil || n > math.MaxInt32 {
		return 0
	}
	return time.Duration(n) * time.Second
}

// RecoversHosts reports whether it runs host_error on a host in ERROR.
func (k Known) RecoversHosts() bool {
	return k.Trigger == hostTrigger && program(k.command) == hostError && !k.api
}

// List gives the hooks that recover VMs, and ours.
func List(all []Known) []Known {
	return slices.DeleteFunc(slices.Clone(all), func(k Known) bool { return k.api || k.By == "" && !k.Ours })
}

// Hooks are the hooks for hosts and VMs in oned.conf. Comments are none.
func (f File) Hooks() []Known {
	var all []Known
	for _, e := range f.Entries {
		resource := e.Hook()
		if resource == "" {
			continue
		}
		place := fmt.Sprintf("line %d", e.Line)
		if e.Last > e.Line {
			place = fmt.Sprintf("lines %d to %d", e.Line, e.Last)
		}
		on := cmp.Or(e.Get("ON"), "NOTHING") // without it oned does not register the hook
		all = append(all, Known{
			Where:   fmt.Sprintf("%s %s in %s of oned.conf", e.Name, quoted(e.Get("NAME")), place),
			Trigger: short(trigger(resource, on, e.Get("STATE"), e.Get("LCM_STATE"))), By: recovers(e.Get("COMMAND"), e.Get("ARGUMENTS")), Ours: e.Ours,
			takeOut: fmt.Sprintf("put # before %s of oned.conf and restart oned", place), edit: fmt.Sprintf("%s of oned.conf, then restart oned: ", place),
			name: e.Get("NAME"), command: e.Get("COMMAND"), arguments: e.Get("ARGUMENTS"), remote: e.Get("REMOTE"),
		})
	}
	return all
}

// PoolHooks are the hooks of the pool; dir has the executables of one-ft.
func PoolHooks(pool []PoolHook, dir string) []Known {
	var all []Known
	for _, p := range pool {
		a := p.Attributes
		all = append(all, Known{
			Where: fmt.Sprintf("hook %d (%s)", p.ID, short(p.Name)), Trigger: short(p.trigger()), By: recovers(a["COMMAND"], a["ARGUMENTS"]), Ours: p.ours(dir),
			takeOut: fmt.Sprintf("onehook delete %d", p.ID), edit: fmt.Sprintf("onehook update %d: ", p.ID), id: p.ID, pool: true, api: !p.state(),
			name: p.Name, command: a["COMMAND"], arguments: a["ARGUMENTS"], remote: a["REMOTE"], stdin: a["ARGUMENTS_STDIN"], timeout: a["TIMEOUT"],
		})
	}
	return all
}

// conflicts finds hooks of others that recover VMs when the wanted ones would, would be silenced by them, or have the
// name of one in the pool.
func (facts Facts) conflicts(all []Known, wanted []Hook) []Finding {
	var found []Finding
	for _, k := range all {
		same := slices.ContainsFunc(wanted, func(h Hook) bool { return h.trigger() == k.Trigger })
		switch {
		case k.Ours:
		case same && k.By != "":
			found = append(found, Finding{Problem, fmt.Sprintf("%s recovers VMs at the same time (%s)", k.Where, k.By), k.takeOut})
		case same && onePerState(facts.Version):
			found = append(found, Finding{Problem, k.Where + " waits for the same state, and " + onlyOne, k.takeOut})
		case k.pool && slices.ContainsFunc(wanted, func(h Hook) bool { return h.Name == k.name }):
			found = append(found, Finding{Problem, k.Where + " has the name of a hook of one-ft", fmt.Sprintf("onehook rename %d NAME", k.id)})
		}
	}
	return found
}
