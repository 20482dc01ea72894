package install

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/wording"
)

// Known is a hook that oned knows, of oned.conf or of the pool.
type Known struct {
	Where   string // such as hook 5 (NAME), or lines of oned.conf; printable
	Trigger string // resource, state and LCM state, such as VM/ACTIVE/UNKNOWN; printable
	By      Runner // what it runs
	Ours    bool   // Install or Plan may change it
	Beside  bool   // it is Unknown, and an admin said that it leaves VMs and hosts alone

	takeOut string // how to take it out
	edit    string // how to change a line of it
	id      int    // in the pool
	pool    bool
	api     bool // it waits for API calls, not for a state
	name    string
	command, arguments,
	remote, stdin, timeout,
	beside string // marks of others, in one of ours
}

// Runs are its command and arguments, printable.
func (k Known) Runs() string { return short(k.line()) }

func (k Known) line() string { return strings.TrimSpace(k.command + " " + k.arguments) }

// Words are the words of its arguments.
func (k Known) Words() []string { return strings.Fields(k.arguments) }

// Limit is its TIMEOUT; 0 for none.
func (k Known) Limit() time.Duration {
	n, err := seconds(k.timeout)
	if err != nil || n > math.MaxInt32 {
		return 0
	}
	return time.Duration(n) * time.Second
}

// RecoversHosts reports whether it runs host_error on a host in ERROR.
func (k Known) RecoversHosts() bool { return k.Trigger == hostTrigger && k.By.Class == Ours && !k.api }

// named is what oned calls it: one without a name has its command for one (HostPool.cc of 4.4).
func (k Known) named() string { return cmp.Or(k.name, k.command) }

// mark is what is remembered of a hook beside which ours were installed: another command is another hook.
func (k Known) mark() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{k.Trigger, k.command, k.arguments}, "\x00")))
	return hex.EncodeToString(sum[:6])
}

// List gives the hooks that have to do with failures, and ours.
func List(all []Known) []Known {
	return slices.DeleteFunc(slices.Clone(all), func(k Known) bool { return k.api || !k.Ours && k.By.Class != Ours && !onFailure(k.Trigger) })
}

// Hooks are the hooks for hosts and VMs in oned.conf. Comments are none.
func (f File) Hooks(facts Facts) []Known {
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
			Trigger: short(trigger(resource, on, e.Get("STATE"), e.Get("LCM_STATE"))), Ours: e.Ours,
			takeOut: fmt.Sprintf("put # before %s of oned.conf and restart oned", place), edit: fmt.Sprintf("%s of oned.conf, then restart oned: ", place),
			name: e.Get("NAME"), command: e.Get("COMMAND"), arguments: e.Get("ARGUMENTS"), remote: e.Get("REMOTE"), beside: e.Get(besideKey),
		})
	}
	return facts.classified(all)
}

// PoolHooks are the hooks of the pool; facts.Dir has the executables of one-ft.
func PoolHooks(pool []PoolHook, facts Facts) []Known {
	var all []Known
	for _, p := range pool {
		a := p.Attributes
		all = append(all, Known{
			Where: fmt.Sprintf("hook %d (%s)", p.ID, short(p.Name)), Trigger: short(p.trigger()), Ours: p.ours(facts.Dir),
			takeOut: fmt.Sprintf("onehook delete %d", p.ID), edit: fmt.Sprintf("onehook update %d: ", p.ID), id: p.ID, pool: true, api: !p.state(),
			name: p.Name, command: a["COMMAND"], arguments: a["ARGUMENTS"], remote: a["REMOTE"], stdin: a["ARGUMENTS_STDIN"], timeout: a["TIMEOUT"], beside: a[besideKey],
		})
	}
	return facts.classified(all)
}

// classified finds out what each hook runs, and of which unknown ones an admin has said that they are harmless.
func (facts Facts) classified(all []Known) []Known {
	var marks []string
	for _, k := range all {
		if k.Ours {
			marks = append(marks, strings.Fields(k.beside)...)
		}
	}
	for i, k := range all {
		line := k.line()
		if k.command != "" && k.command[0] != '/' { // oned puts its directory before it (HostPool.cc of 4.4, onehem-server.rb of 6.10)
			line = facts.hooksDir() + "/" + line
		}
		all[i].By = Classify(line, facts.Script)
		all[i].Beside = !k.Ours && all[i].By.Class == Unknown && (slices.Contains(marks, k.mark()) || slices.Contains(facts.Beside, k.named()))
	}
	return all
}

// besideKey is an attribute of one of our hooks: the marks of hooks of others that an admin said are harmless. It stands
// where the hooks are, so that all front-ends know it.
const besideKey = "FT_BESIDE"

// beside gives the hooks that are wanted with what is to be remembered of others.
func beside(wanted []Hook, all []Known) []Hook {
	var marks []string
	for _, k := range all {
		if k.Beside && onFailure(k.Trigger) {
			marks = append(marks, k.mark())
		}
	}
	if len(wanted) == 0 || len(marks) == 0 {
		return wanted
	}
	slices.Sort(marks)
	wanted = slices.Clone(wanted)
	wanted[0].Beside = strings.Join(slices.Compact(marks), " ")
	return wanted
}

// conflicts finds hooks of others that recover VMs when the wanted ones would or may do so, would be silenced by them, or
// have the name of one in the pool.
func (facts Facts) conflicts(all []Known, wanted []Hook) []Finding {
	var found []Finding
	for _, k := range all {
		same := slices.ContainsFunc(wanted, func(h Hook) bool { return h.trigger() == k.Trigger })
		foreign := slices.DeleteFunc(k.foreign(), func(f Finding) bool { return f.Severity == OK })
		switch {
		case k.Ours || k.api:
		case same && k.By.Class == Ours:
			found = append(found, Finding{Problem, wording.Of(wording.HookRecovers, k.Where, k.By.Message(), k.Trigger).String(), k.takeOut})
		case same && onePerState(facts.Version) && k.By.Class != KnownRecoverer:
			found = append(found, Finding{Problem, k.Where + " waits for the same state, and " + onlyOne, k.takeOut})
		case inTheWay(k.Trigger, wanted) && len(foreign) > 0:
			found = append(found, foreign...)
		case k.pool && slices.ContainsFunc(wanted, func(h Hook) bool { return h.Name == k.name }):
			found = append(found, Finding{Problem, k.Where + " has the name of a hook of one-ft", fmt.Sprintf("onehook rename %d NAME", k.id)})
		}
	}
	return found
}

// missing gives the names of facts.Beside that no hook of others has.
func (facts Facts) missing(all []Known) error {
	var names []string
	for _, k := range all {
		if !k.Ours && !k.api {
			names = append(names, k.named())
		}
	}
	for _, name := range facts.Beside {
		if !slices.Contains(names, name) {
			return fmt.Errorf("--beside %s: oned has no hook with that name; oneft hooks show lists them", quoted(name))
		}
	}
	return nil
}

// shellWord is a word as a shell reads it.
func shellWord(word string) string {
	if word = short(word); plainWord().MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
