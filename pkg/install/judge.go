package install

import (
	"fmt"
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

// Finding is one thing that was looked at. Both texts are printable lines.
type Finding struct {
	Severity string
	What     string
	Fix      string // the command or line that mends it; "" when OK
}

// Facts are what hooks are judged against.
type Facts struct {
	Version one.Version
	// Dir is where the executables belong.
	Dir string
	// HooksDir is where oned looks for a command without a path; "" means
	// /var/lib/one/remotes/hooks.
	HooksDir string
	// Timeout is the least TIMEOUT that kills no working hook; 0 means MinTimeout.
	Timeout time.Duration
	// Executable reports why a path cannot be run, see Executable; nil looks at nothing.
	Executable func(path string) error
}

// active is a hook that oned knows, of oned.conf or of the pool.
type active struct {
	where   string // for messages
	takeOut string // how to take it out
	edit    string // how to change a line of it
	pool    bool
	ours    bool // one-ft may change it
	trigger string
	name    string
	command, arguments,
	remote, stdin, timeout string
}

// active are the hooks for hosts and VMs in oned.conf. Comments are none.
func (f File) active() []active {
	var all []active
	for _, e := range f.Entries {
		resource, hook := strings.CutSuffix(e.Name, "_HOOK")
		if !hook || resource != "HOST" && resource != "VM" || e.Pairs == nil {
			continue
		}
		place := fmt.Sprintf("line %d", e.Line)
		if e.Last > e.Line {
			place = fmt.Sprintf("lines %d to %d", e.Line, e.Last)
		}
		on := e.Get("ON")
		if on == "" {
			on = "NOTHING" // oned does not register it
		}
		all = append(all, active{
			where:   fmt.Sprintf("%s %s in %s of oned.conf", e.Name, quoted(e.Get("NAME")), place),
			takeOut: fmt.Sprintf("put # before %s of oned.conf and restart oned", place),
			edit:    fmt.Sprintf("%s of oned.conf, then restart oned: ", place),
			ours:    e.Ours, trigger: trigger(resource, on, e.Get("STATE"), e.Get("LCM_STATE")), name: e.Get("NAME"),
			command: e.Get("COMMAND"), arguments: e.Get("ARGUMENTS"), remote: e.Get("REMOTE"),
		})
	}
	return all
}

// active is a hook of the pool.
func (p PoolHook) active(dir string) active {
	a := p.Attributes
	return active{
		where: fmt.Sprintf("hook %d (%s)", p.ID, short(p.Name)), takeOut: fmt.Sprintf("onehook delete %d", p.ID),
		edit: fmt.Sprintf("onehook update %d: ", p.ID),
		pool: true, ours: p.ours(dir), trigger: p.trigger(), name: p.Name,
		command: a["COMMAND"], arguments: a["ARGUMENTS"], remote: a["REMOTE"], stdin: a["ARGUMENTS_STDIN"], timeout: a["TIMEOUT"],
	}
}

// Judge says whether the hooks in oned.conf are right, for 4.4 to 5.8.
func Judge(f File, facts Facts) []Finding {
	found := judge(f.active(), facts)
	if !slices.ContainsFunc(f.Entries, func(e Entry) bool { return e.Name == "HM_MAD" }) {
		found = append(found, Finding{Problem, "oned.conf has no HM_MAD: oned calls no hooks", `add HM_MAD = [ EXECUTABLE = "one_hm" ] to oned.conf and restart oned`})
	}
	return found
}

// JudgePool says whether the hooks in the pool are right, for 5.10 and later.
func JudgePool(pool []PoolHook, facts Facts) []Finding {
	return judge(stateHooks(pool, facts.Dir), facts)
}

// stateHooks are the hooks of the pool on states; those on API calls recover nothing.
func stateHooks(pool []PoolHook, dir string) []active {
	var all []active
	for _, p := range pool {
		if p.state() {
			all = append(all, p.active(dir))
		}
	}
	return all
}

// judge looks at each hook of ours, and at all that recover VMs together.
func judge(all []active, facts Facts) []Finding {
	var found []Finding
	for _, a := range all {
		switch {
		case strings.Contains(a.command+" "+a.arguments, "host_error.rb"):
			found = append(found, Finding{Problem, a.where + " still runs OpenNebula's host_error.rb", a.takeOut})
		case program(a.command) != "":
			mine := facts.look(a)
			if len(mine) == 0 {
				mine = []Finding{{OK, fmt.Sprintf("%s runs %s on %s", a.where, program(a.command), a.trigger), ""}}
			}
			found = append(found, mine...)
		}
	}
	found = append(found, together(all, facts)...)
	if !slices.ContainsFunc(all, func(a active) bool { return a.trigger == hostTrigger && recovers(a.command, a.arguments) != "" }) {
		found = append(found, Finding{Problem, "no hook recovers the VMs of a failed host", installIt})
	}
	return append(found, missingFailures(all, facts)...)
}

const (
	hostTrigger = "HOST/ERROR"
	installIt   = "oneft hooks install"
	onlyOne     = "the hook manager up to 5.10.4 calls only one of them"
)

// onePerState reports whether the hook manager knows one hook for a state only: @hooks in
// src/hem/onehem-server.rb of 5.10.0 to 5.10.4; since 5.10.5 it has lists.
func onePerState(v one.Version) bool {
	return UsesPool(v) && (v.Before(5, 10) || v.Major == 5 && v.Minor == 10 && v.Patch < 5)
}

// together finds hooks that get in each other's way.
func together(all []active, facts Facts) []Finding {
	var found []Finding
	seen := map[string][]active{}
	for _, a := range all {
		recovering := recovers(a.command, a.arguments) != ""
		for _, b := range seen[a.trigger] {
			switch {
			case recovering && recovers(b.command, b.arguments) != "":
				fix := a.takeOut
				if a.ours && !b.ours {
					fix = b.takeOut
				}
				found = append(found, Finding{Problem, fmt.Sprintf("%s and %s both recover VMs on %s, which hangs oned up to 5.10", b.where, a.where, a.trigger), fix})
			case onePerState(facts.Version) && (program(a.command) != "" || program(b.command) != ""):
				found = append(found, Finding{Problem, fmt.Sprintf("%s and %s wait for the same state, and %s", b.where, a.where, onlyOne),
					"upgrade to 5.10.5 or later, or take one of them out"})
			}
		}
		seen[a.trigger] = append(seen[a.trigger], a)
	}
	return found
}

// missingFailures finds states of failure without a hook where others have one.
func missingFailures(all []active, facts Facts) []Finding {
	has := func(state string) bool {
		return slices.ContainsFunc(all, func(a active) bool {
			return program(a.command) == vmFailure && a.trigger == "VM/ACTIVE/"+state
		})
	}
	var missing []string
	states := failureStates(facts.Version)
	for _, state := range states {
		if !has(state) {
			missing = append(missing, state)
		}
	}
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
	dir := facts.HooksDir
	if dir == "" {
		dir = path.Dir(DefaultDir)
	}
	return path.Join(dir, first)
}

// seconds reads a TIMEOUT as the hook manager does (to_i of Ruby): digits at the beginning.
func seconds(timeout string) (int64, error) {
	timeout = strings.TrimSpace(timeout)
	n := len(timeout) - len(strings.TrimLeft(timeout, "0123456789"))
	return strconv.ParseInt("0"+timeout[:n], 10, 64)
}
