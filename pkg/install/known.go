package install

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

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
