package install

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/one"
	"one-ft/pkg/statedir"
	"one-ft/pkg/wording"
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
	// Script gives the text of a script, see Script; nil looks at none.
	Script func(path string) string
	// Beside are names of hooks of which an admin says that they leave VMs and hosts alone.
	Beside []string
}

// Lint says whether the hooks in oned.conf are right, for 4.4 to 5.8.
func Lint(f File, facts Facts) []Finding {
	found := facts.lint(f.Hooks(facts))
	if !slices.ContainsFunc(f.Entries, func(e Entry) bool { return e.Name == "HM_MAD" }) {
		found = append(found, Finding{Problem, "oned.conf has no HM_MAD: oned calls no hooks", `add HM_MAD = [ EXECUTABLE = "one_hm" ] to oned.conf and restart oned`})
	}
	return found
}

// LintPool says whether the hooks in the pool are right, for 5.10 and later.
func LintPool(pool []PoolHook, facts Facts) []Finding {
	onStates := slices.DeleteFunc(PoolHooks(pool, facts), func(k Known) bool { return k.api })
	return facts.lint(onStates)
}

const (
	hostTrigger = "HOST/ERROR"
	installIt   = "oneft hooks install"
	onlyOne     = "the hook manager up to 5.10.4 calls only one of them"
)

// lint checks each hook of ours, what others run on failures, and all that recover VMs together.
func (facts Facts) lint(all []Known) []Finding {
	var found []Finding
	for _, a := range all {
		if a.By.Class != Ours {
			found = append(found, a.foreign()...)
			continue
		}
		mine := facts.one(a)
		if len(mine) == 0 {
			mine = []Finding{{OK, fmt.Sprintf("%s runs %s on %s", a.Where, a.By.Program, a.Trigger), ""}}
		}
		found = append(found, mine...)
	}
	found = append(found, facts.together(all)...)
	if !slices.ContainsFunc(all, func(a Known) bool {
		return a.Trigger == hostTrigger && (a.By.Class == Ours || a.By.Class == KnownRecoverer)
	}) {
		found = append(found, Finding{Problem, "no hook recovers the VMs of a failed host", installIt})
	}
	return append(found, facts.missingFailures(all)...)
}

// foreign is what there is to say of a hook that is not ours: nothing, unless it waits for a failure, or when it
// surely leaves VMs and hosts alone.
func (k Known) foreign() []Finding {
	switch {
	case !onFailure(k.Trigger) || k.By.Class == Harmless || k.By.Class == Ours:
		return nil
	case k.By.Class == KnownRecoverer:
		return []Finding{{Problem, wording.Of(wording.HookRecovers, k.Where, k.By.Message(), k.Trigger).String(), k.takeOut}}
	case k.Beside:
		return []Finding{{OK, wording.Of(wording.HookBeside, k.Where, k.By.Message(), k.Trigger).String(), ""}}
	}
	return []Finding{{Warning, wording.Of(wording.HookMay, k.Where, k.By.Message(), k.Trigger).String(),
		fmt.Sprintf("if it does, %s; if not, %s --beside %s", k.takeOut, installIt, shellWord(k.named()))}}
}

// onFailure reports whether a trigger is a failure of a host or VM, or what host_error or an admin does to a failed host:
// one-ft acts on the same VMs then.
func onFailure(trigger string) bool {
	switch trigger {
	case hostTrigger, "HOST/DISABLE", "HOST/DISABLED", "HOST/OFFLINE", "VM/ACTIVE/UNKNOWN":
		return true
	}
	return strings.HasPrefix(trigger, "VM/FAILED") || strings.HasPrefix(trigger, "VM/ACTIVE/") && strings.HasSuffix(trigger, "_FAILURE")
}

// inTheWay reports whether a hook with that trigger acts when a wanted one does: on the same event, or on any failure where
// host_error is wanted. It acts on VMs in all those states, makes a host DISABLED before its VMs are started elsewhere, and
// VMs are UNKNOWN 0.1 s after their host is in ERROR.
func inTheWay(trigger string, wanted []Hook) bool {
	return slices.ContainsFunc(wanted, func(h Hook) bool {
		return h.trigger() == trigger || h.trigger() == hostTrigger && onFailure(trigger)
	})
}

// one checks a hook that runs an executable of ours.
func (facts Facts) one(a Known) (found []Finding) {
	add := func(wrong bool, severity, fix, format string, args ...any) {
		if wrong {
			found = append(found, Finding{severity, a.Where + ": " + fmt.Sprintf(format, args...), fix})
		}
	}
	want := facts.triggers(a)
	add(!slices.Contains(want, a.Trigger), Problem, installIt, "%s waits for %s, not for %s", a.By.Program, quoted(a.Trigger), strings.Join(want, " or "))
	add(strings.EqualFold(strings.TrimSpace(a.remote), "yes"), Problem, a.edit+`REMOTE = "no"`, "it runs on the host that has failed, because REMOTE is yes")
	add(!a.pool && strings.ContainsAny(a.name, " \t"), Problem, a.edit+"NAME = "+quoted(strings.Join(strings.Fields(a.name), "_")),
		"oned takes the second word of its name for the host to run it on")
	if file := a.By.Path; facts.Executable != nil {
		if err := facts.Executable(file); err != nil {
			right := path.Join(facts.Dir, a.By.Program)
			fix := "install -m 0755 " + a.By.Program + " " + short(file)
			if file != right && program(a.command) != "" && facts.Executable(right) == nil {
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
	switch a.By.Program {
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
			case a.By.Class == Ours && b.By.Class == Ours:
				fix := a.takeOut
				if a.Ours && !b.Ours {
					fix = b.takeOut
				}
				found = append(found, Finding{Problem, fmt.Sprintf("%s and %s both recover VMs on %s, which hangs oned up to 5.10", b.Where, a.Where, a.Trigger), fix})
			case onePerState(facts.Version) && (a.By.Class == Ours || b.By.Class == Ours):
				found = append(found, Finding{Problem, fmt.Sprintf("%s and %s wait for the same state, and %s", b.Where, a.Where, onlyOne),
					"upgrade to 5.10.5 or later, or take one of them out"})
			}
		}
	}
	return found
}

// CanRun reports why an executable of the hooks cannot be run, nil when all can, or when they are on another machine.
func (facts Facts) CanRun(hooks []Hook) error {
	for _, h := range hooks {
		if facts.Executable == nil {
			return nil
		}
		if err := facts.Executable(h.Command); err != nil {
			return fmt.Errorf("%s cannot be run: %w", quoted(h.Command), err)
		}
	}
	return nil
}

// missingFailures finds states of failure without a hook where others have one.
func (facts Facts) missingFailures(all []Known) []Finding {
	states := failureStates(facts.Version)
	missing := slices.DeleteFunc(slices.Clone(states), func(state string) bool {
		return slices.ContainsFunc(all, func(a Known) bool { return a.By.Program == vmFailure && a.Trigger == "VM/ACTIVE/"+state })
	})
	if len(missing) == 0 || len(missing) == len(states) {
		return nil
	}
	return []Finding{{Warning, "vm_failure is not called on " + strings.Join(missing, ", "), installIt}}
}

// hooksDir is where oned looks for a command without a path.
func (facts Facts) hooksDir() string { return cmp.Or(facts.HooksDir, path.Dir(DefaultDir)) }

// seconds reads a TIMEOUT as the hook manager does (to_i of Ruby): digits at the beginning.
func seconds(timeout string) (int64, error) {
	timeout = strings.TrimSpace(timeout)
	n := len(timeout) - len(strings.TrimLeft(timeout, "0123456789"))
	return strconv.ParseInt("0"+timeout[:n], 10, 64)
}

// Executable reports why a path cannot be run: nil for a file that somebody may execute.
func Executable(path string) error {
	info, err := os.Stat(path)
	var failed *fs.PathError
	switch {
	case errors.As(err, &failed):
		return failed.Err
	case !info.Mode().IsRegular():
		return errors.New("it is not a file")
	case info.Mode().Perm()&0o111 == 0:
		return errors.New("it is not executable")
	}
	return nil
}

// maxScript is the largest script that is read: those that people write have some kB.
const maxScript = 64 << 10

// Script gives the text of a script, "" for what cannot be read or is none.
func Script(path string) string {
	source, err := statedir.ReadConfig(path, maxScript)
	if err != nil || bytes.IndexByte(source, 0) >= 0 {
		return ""
	}
	return string(source)
}
