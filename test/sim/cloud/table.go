package cloud

import (
	"embed"
	"fmt"
	"strconv"
	"strings"

	"one-ft/pkg/one"
)

// The transitions are data: calls.tsv says what oned answers to a call for a
// VM and what it starts, drivers.tsv what the started work leads to.
//
// actions.tsv, ssh.tsv and sched.tsv are for clouds with a Network.
//
//go:embed tables/*.tsv
var tableFiles embed.FS

// state is where a VM is: LCM counts only when VM is ACTIVE.
type state struct {
	vm  one.VMState
	lcm one.LCMState
}

// String gives the name that oned uses in texts and that the tables use.
func (s state) String() string {
	if s.vm == one.Active {
		return s.lcm.String()
	}
	return s.vm.String()
}

// active makes the state of an ACTIVE VM.
func active(l one.LCMState) state { return state{one.Active, l} }

// effect is what an accepted call starts.
type effect int

const (
	doNothing effect = iota
	doEnter          // callRow.to
	doDone           // straight to DONE
	doSucceed        // as if the driver at work had reported success
	doFail           // as if it had reported failure
	doAgain          // start the driver of this state once more
	doRetry          // back to the state before the failure
	doResched
	doUnresched
	doDeploy // on the host that the call names
	doMove   // open a record on the host that the call names, enter callRow.to
	doResume // open a record on the same host, enter callRow.to
)

// callRow is one row of calls.tsv.
type callRow struct {
	from    string // ",A,B," for a quick look-up
	refusal string // "" accepts
	then    effect
	to      state
	action  int // for the history record; 0 keeps what it has
}

// driverRow is one row of drivers.tsv.
type driverRow struct {
	success  state
	powered  state // instead of success after a migration that powered the VM off
	failure  state
	revert   bool // failure goes on on the host where the VM came from
	driver   string
	dead     bool // fails on a dead host
	prolog   bool // fails when the VM says so
	boot     bool // fails when the VM says so
	unshared bool // fails when the source is dead and its datastore is not shared
}

// working reports whether a driver works while a VM is in this row's state.
func (d driverRow) working() bool { return d.driver != "-" }

// tables holds the rows of one family.
type tables struct {
	calls   map[string][]callRow
	drivers map[state]driverRow
	states  map[string]state
	actions map[string][]actionRow // by the driver
	ssh     map[Death]sshRow
	hang    float64 // share of clean-ups on a dead host
	shipped shippedScheduler
}

// loadTables reads the tables for a family and a network.
func loadTables(f family, n Network) (*tables, error) {
	t := &tables{calls: map[string][]callRow{}, drivers: map[state]driverRow{}, states: stateNames(),
		actions: map[string][]actionRow{}, ssh: map[Death]sshRow{}}
	if err := eachRow(f, "tables/calls.tsv", 6, t.addCall); err != nil {
		return nil, err
	}
	if err := eachRow(f, "tables/drivers.tsv", 6, t.addDriver); err != nil {
		return nil, err
	}
	if err := eachRow(f, "tables/actions.tsv", 9, t.addAction); err != nil {
		return nil, err
	}
	if err := eachRow(f, "tables/sched.tsv", 5, t.addScheduler); err != nil {
		return nil, err
	}
	return t, t.loadNetwork(n)
}

// stateNames maps the names of all states to them.
func stateNames() map[string]state {
	names := map[string]state{}
	for v := one.Init; v <= one.CloningFailure; v++ {
		if v != one.Active {
			names[v.String()] = state{vm: v}
		}
	}
	for l := one.LCMInit; l <= one.Restore; l++ {
		names[l.String()] = active(l)
	}
	return names
}

// rowsOf reads the rows of a table without its comments and its header.
func rowsOf(file string, columns int) (rows [][]string, err error) {
	data, err := tableFiles.ReadFile(file)
	if err != nil {
		return nil, err
	}
	header := true
	for n, line := range strings.Split(string(data), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if header {
			header = false
			continue
		}
		col := strings.Split(line, "\t")
		if len(col) != columns {
			return nil, fmt.Errorf("%s:%d: %d columns, want %d", file, n+1, len(col), columns)
		}
		rows = append(rows, col)
	}
	return rows, nil
}

// eachRow calls add with the columns after the first of every row of a table
// that is for family f.
func eachRow(f family, file string, columns int, add func(col []string) error) error {
	rows, err := rowsOf(file, columns)
	if err != nil {
		return err
	}
	for _, col := range rows {
		ours, err := f.inVersions(col[0])
		if err == nil && ours {
			err = add(col[1:])
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %w", file, strings.Join(col, " "), err)
		}
	}
	return nil
}

// addCall takes the columns call, from, answer, then, action.
func (t *tables) addCall(col []string) error {
	row := callRow{from: "," + col[1] + ","}
	for name := range strings.SplitSeq(col[1], ",") {
		if _, known := t.states[name]; !known && name != "*" && name != "@active" && name != "@failure" {
			return fmt.Errorf("unknown state %q", name)
		}
	}
	if col[2] != "ok" {
		row.refusal = col[2]
	}
	var err error
	if row.then, row.to, err = t.parseThen(col[3]); err != nil {
		return err
	}
	if col[4] != "-" {
		if row.action, err = strconv.Atoi(col[4]); err != nil {
			return fmt.Errorf("action: %w", err)
		}
	}
	t.calls[col[0]] = append(t.calls[col[0]], row)
	return nil
}

// parseThen reads the column "then" of calls.tsv.
func (t *tables) parseThen(text string) (effect, state, error) {
	plain := map[string]effect{"-": doNothing, "done": doDone, "ok": doSucceed, "failed": doFail,
		"again": doAgain, "retry": doRetry, "resched": doResched, "unresched": doUnresched, "deploy": doDeploy}
	if e, ok := plain[text]; ok {
		return e, state{}, nil
	}
	e, name := doEnter, text
	if rest, ok := strings.CutPrefix(text, "move "); ok {
		e, name = doMove, rest
	} else if rest, ok := strings.CutPrefix(text, "resume "); ok {
		e, name = doResume, rest
	}
	to, err := t.state(name)
	return e, to, err
}

// addDriver takes the columns state, success, failure, driver, fails.
func (t *tables) addDriver(col []string) error {
	at, err := t.state(col[0])
	if err != nil {
		return err
	}
	row := driverRow{driver: col[3]}
	success, powered, both := strings.Cut(col[1], "/")
	if !both {
		powered = success
	}
	failure, revert := strings.CutPrefix(col[2], "revert ")
	failure, _, _ = strings.Cut(failure, "/")
	row.revert = revert
	for _, c := range []struct {
		name string
		to   *state
	}{{success, &row.success}, {powered, &row.powered}, {failure, &row.failure}} {
		if *c.to, err = t.state(c.name); err != nil {
			return err
		}
	}
	for why := range strings.SplitSeq(col[4], ",") {
		switch why {
		case "-":
		case "dead":
			row.dead = true
		case "prolog":
			row.prolog = true
		case "boot":
			row.boot = true
		case "unshared":
			row.unshared = true
		default:
			return fmt.Errorf("unknown reason to fail %q", why)
		}
	}
	t.drivers[at] = row
	return nil
}

// state finds a state by name.
func (t *tables) state(name string) (state, error) {
	if s, ok := t.states[name]; ok {
		return s, nil
	}
	return state{}, fmt.Errorf("unknown state %q", name)
}

// call finds what the family does with a call for a VM in state s. known is
// false when the family has no such call in any state.
func (t *tables) call(name string, s state) (row callRow, known bool) {
	rows, known := t.calls[name]
	for _, row := range rows {
		if row.matches(s) {
			return row, true
		}
	}
	return callRow{}, known
}

// matches reports whether a row is for state s.
func (r callRow) matches(s state) bool {
	switch {
	case strings.Contains(r.from, ",*,"), strings.Contains(r.from, ","+s.String()+","):
		return true
	case s.vm != one.Active:
		return false
	case strings.Contains(r.from, ",@failure,"):
		return strings.HasSuffix(s.String(), "_FAILURE")
	default:
		return strings.Contains(r.from, ",@active,")
	}
}
