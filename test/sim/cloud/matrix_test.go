package cloud

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/one"
)

// matrixRow is one call that was tried on a real OpenNebula.
type matrixRow struct {
	hostFailed  bool
	state, call string
	accepted    bool
	message     string
	settled     string
	stayed      bool // settled on the host where it was
	origin      int
}

// readMatrix reads the recorded matrix of a version.
func readMatrix(t *testing.T, version string) []matrixRow {
	t.Helper()
	data, err := os.ReadFile("testdata/matrix/" + version + ".tsv")
	if err != nil {
		t.Fatal(err)
	}
	var rows []matrixRow
	for line := range strings.Lines(string(data)) {
		col := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if col[0] == "host_state" {
			continue
		}
		r := matrixRow{hostFailed: col[0] == "error", state: col[1], call: col[2], accepted: col[3] == "yes",
			message: col[5], settled: col[7]}
		if r.state == "CLEANUP_RESUB" { // cut short in the recording
			r.state = "CLEANUP_RESUBMIT"
		}
		if r.hostFailed && (version == "4.4" || version == "5.10") {
			r.origin = 1
		}
		r.stayed = col[8] == fmt.Sprintf("host%02d", r.origin+1)
		rows = append(rows, r)
	}
	return rows
}

// matrixCall turns the name of a call in a matrix into method and arguments.
func matrixCall(name string, vmID, destID int) (string, []any) {
	kind, how, both := strings.Cut(name, ":")
	migrate := map[string][]any{
		"cold": {false}, "live": {true}, "poff": {false, false, -1, 1}, "poff-hard": {false, false, -1, 2},
		"save": {false}, "poweroff": {false, false, -1, 1}, "poweroff-hard": {false, false, -1, 2},
	}
	recover := map[string]int{"failure": 0, "success": 1, "retry": 2, "delete": 3, "recreate": 4, "deletedb": 5}
	switch {
	case kind == "DEPLOY", name == "deploy":
		return "one.vm.deploy", []any{vmID, destID}
	case kind == "MIGRATE":
		return "one.vm.migrate", append([]any{vmID, destID}, migrate[how]...)
	case strings.HasPrefix(name, "migrate-"):
		return "one.vm.migrate", append([]any{vmID, destID}, migrate[strings.TrimPrefix(name, "migrate-")]...)
	case strings.HasPrefix(name, "recover-"):
		return "one.vm.recover", []any{vmID, recover[strings.TrimPrefix(name, "recover-")]}
	case both && (how == "true" || how == "false"):
		return "one.vm.recover", []any{vmID, how == "true"}
	case both:
		op := 0
		fmt.Sscan(how, &op)
		return "one.vm.recover", []any{vmID, op}
	default:
		return "one.vm.action", []any{name, vmID}
	}
}

// noise lists rows that say more about the moment of the recording than about
// OpenNebula, as "version state call"; call * is every call.
func noise() map[string]string {
	return map[string]string{
		"4.4 BOOT RECOVER:true":              "no guest was there, and monitoring found out in time",
		"4.4 MIGRATE RECOVER:true":           "the same on the destination",
		"4.4 UNKNOWN boot":                   "the guest crashed again",
		"4.4 UNKNOWN delete-recreate":        "the new guest crashed as well",
		"4.4 UNKNOWN RECOVER:true":           "the next failed cycle made it UNKNOWN again",
		"4.4 UNKNOWN RECOVER:false":          "the same",
		"5.10 UNKNOWN RECOVER:0":             "monitoring reported the dead guest again",
		"5.10 UNKNOWN RECOVER:1":             "the same",
		"6.10 CLEANUP_RESUBMIT *":            "the clean-up under way ended by itself",
		"7.4 CLEANUP_RESUBMIT *":             "the same",
		"4.4 CLEANUP_RESUBMIT RECOVER:false": "the scheduler chose the same host",
		// The VM had gone on to BOOT when the call came.
		"6.10 PROLOG migrate-poweroff-hard": "answer",
		"7.4 PROLOG migrate-poweroff-hard":  "answer",
	}
}

// TestMatrix tries every recorded call from every recorded state: the same
// calls are accepted, refused with the same words, and end in the same state.
func TestMatrix(t *testing.T) {
	for _, version := range append(families(), "7.5") {
		t.Run(version, func(t *testing.T) {
			for _, row := range readMatrix(t, version) {
				t.Run(fmt.Sprintf("%v/%s/%s", row.hostFailed, row.state, row.call), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { checkRow(t, version, row) })
				})
			}
		})
	}
}

// checkRow tries one call.
func checkRow(t *testing.T, version string, row matrixRow) {
	const vmID, destID = 7, 3
	c := newCloud(t, version, func(cfg *Config) {
		v := vmIn(t, vmID, row.origin, row.state)
		if row.state == "PENDING" {
			v.Requirements = `NAME = "nohost"`
		}
		// The scheduler has reason to put the VM elsewhere.
		load := runningOn(99, row.origin)
		load.CPU = 4
		cfg.VMs = []VM{v, load}
		cfg.MonitorInterval = time.Hour
		if row.hostFailed {
			cfg.Hosts[row.origin].State = one.HostError
		}
	})
	odd := noise()[version+" "+row.state+" "+row.call] + noise()[version+" "+row.state+" *"]
	method, args := matrixCall(row.call, vmID, destID)
	g, err := try(c, method, args...)
	if err != nil {
		t.Fatal(err)
	}
	number := regexp.MustCompile(`VM \d+|virtual machine \[\d+\]`)
	text := ""
	if !g.ok() {
		text = number.ReplaceAllString(g.text(), "VM N")
	}
	if want := number.ReplaceAllString(row.message, "VM N"); g.ok() != row.accepted || text != want && odd != "answer" {
		t.Fatalf("answer %v %q, want %v %q", g.ok(), text, row.accepted, want)
	}
	if !row.accepted && g.code() != "2048" {
		t.Errorf("code %s, want 2048", g.code())
	}
	pass(5 * time.Second)
	if odd != "" {
		return
	}
	v, _ := c.VM(vmID)
	settled := v.state().String()
	stayed := v.last() != nil && v.last().HostID == row.origin
	if settled != row.settled || v.last() != nil && row.settled != "DONE" && stayed != row.stayed {
		t.Errorf("settled %s (stayed %v), want %s (stayed %v)", settled, stayed, row.settled, row.stayed)
	}
}
