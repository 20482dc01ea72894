package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/statedir"
)

const (
	// maxRecords is how many of the newest incidents are read; older ones that are open were
	// seen by every check and every oneft resume before.
	maxRecords = 500
	// maxRecord bounds one record in bytes: some kB for each VM of a host.
	maxRecord = 16 << 20
	// gaveUpFor is how long after its end VMs are looked for that an incident gave up on their way. As oneft resume, a choice.
	gaveUpFor = 24 * time.Hour
)

// readIncidents reads the journal as it is. incident.Journal would set damaged files aside, and
// taking a lock, be it for an instant, could make a hook give up.
func readIncidents(state statedir.Dir, procLocks string, now time.Time) Incidents {
	in := Incidents{Back: map[int]time.Time{}}
	entries, err := os.ReadDir(state.Incidents())
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // else nothing has happened yet
		in.Err = err
		return in
	}
	held, known := heldLocks(procLocks)
	n, newer := 0, map[string]bool{}
	for _, e := range slices.Backward(entries) { // by name, so by number
		name := e.Name()
		if strings.HasSuffix(name, ".damaged") {
			in.Damaged = append(in.Damaged, name)
		}
		if !strings.HasPrefix(name, "incident-") || !strings.HasSuffix(name, ".json") || n == maxRecords {
			continue
		}
		n++
		r, err := readRecord(filepath.Join(state.Incidents(), name))
		switch {
		case errors.Is(err, fs.ErrNotExist): // another process has just removed it
		case errors.Is(err, fs.ErrPermission):
			in.Err = err
		case err != nil:
			in.Damaged = append(in.Damaged, name)
		default:
			object := fmt.Sprintf("%s %d", r.Kind, r.ID)
			i := Incident{Record: r, Waiting: waiting(r)}
			switch {
			case r.Status.Unfinished():
				i.Held, i.HeldKnown = isHeld(held, state.Locks(), r.Kind, r.ID), known
				in.Open = append(in.Open, i)
			case newer[object]: // it tells nothing of today
			case r.Status == incident.Incomplete && r.Ended != nil && now.Sub(*r.Ended) < gaveUpFor && len(i.Waiting) > 0:
				in.GaveUp = append(in.GaveUp, i)
			case r.Status == incident.CameBack && r.Kind == "host":
				in.Back[r.ID] = r.Began
			}
			newer[object] = true
		}
	}
	slices.Reverse(in.Open)
	slices.Reverse(in.GaveUp)
	slices.Sort(in.Damaged)
	return in
}

func readRecord(path string) (r incident.Record, err error) {
	record, err := statedir.ReadSmall(path, maxRecord)
	if err == nil {
		err = json.Unmarshal(record, &r)
	}
	if err == nil && r.Number < 1 {
		err = fmt.Errorf("%s is no record", path)
	}
	return r, err
}

// waiting are the VMs of an incident that are on their way, or were when they were given up, by what they wait for.
func waiting(r incident.Record) map[incident.Wait][]int {
	all := map[incident.Wait][]int{}
	for _, v := range r.VMs {
		n := len(v.Path)
		if n == 0 {
			continue
		}
		if w := v.Path[n-1].Waits; v.Result == "starting" || v.Result == "incomplete" && w != incident.WaitNothing {
			all[w] = append(all[w], v.ID)
		}
	}
	return all
}

// heldLocks are the inodes of files that a process holds a lock on, as the kernel lists them
// (proc_locks(5)): the inode is the last part of the sixth field.
func heldLocks(path string) (inodes map[string]bool, known bool) {
	locks, err := os.ReadFile(path)
	if err != nil {
		return nil, false
	}
	inodes = map[string]bool{}
	for line := range strings.Lines(string(locks)) {
		fields := strings.Fields(line)
		if len(fields) >= 6 && fields[1] == "FLOCK" { // a lock that is waited for has "->" there
			inodes[fields[5][strings.LastIndexByte(fields[5], ':')+1:]] = true
		}
	}
	return inodes, true
}

// isHeld reports whether a process works on the object of an incident.
func isHeld(held map[string]bool, dir, kind string, id int) bool {
	names := []string{"host"}
	if kind == "VM" {
		names = []string{"incident-of-VM", "recovery-of-VM", "VM"}
	}
	return slices.ContainsFunc(names, func(name string) bool {
		var stat syscall.Stat_t
		err := syscall.Stat(filepath.Join(dir, fmt.Sprintf("%s-%d.lock", name, id)), &stat)
		return err == nil && held[fmt.Sprint(stat.Ino)]
	})
}

// loadedHooks reads the hooks for hosts and VMs of a running oned out of one.system.config. They
// are nil when it has no hook manager in it: then it does not tell all.
func loadedHooks(conf *one.Element) []HookLine {
	if conf.Child("HM_MAD") == nil {
		return nil
	}
	hooks := []HookLine{}
	for _, resource := range []string{"HOST", "VM"} {
		for _, h := range conf.All(resource + "_HOOK") {
			hooks = append(hooks, HookLine{resource, h.Value("NAME"), h.Value("ON"), h.Value("COMMAND"), h.Value("ARGUMENTS")})
		}
	}
	return hooks
}
