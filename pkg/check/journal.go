package check

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
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
func readIncidents(dir, locks, procLocks string, now time.Time) Incidents {
	in := Incidents{Back: map[int]time.Time{}}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return in // nothing has happened yet
	}
	if err != nil {
		in.Err = err
		return in
	}
	held, known := heldLocks(procLocks)
	n, newer := 0, map[string]bool{}
	for _, e := range slices.Backward(entries) { // by name, so by number
		switch {
		case strings.HasSuffix(e.Name(), ".damaged"):
			in.Damaged = append(in.Damaged, e.Name())
		case !strings.HasPrefix(e.Name(), "incident-") || !strings.HasSuffix(e.Name(), ".json") || n == maxRecords:
		default:
			n++
			var r incident.Record
			switch err := readJSON(filepath.Join(dir, e.Name()), &r); {
			case errors.Is(err, fs.ErrNotExist): // another process has just removed it
			case errors.Is(err, fs.ErrPermission):
				in.Err = err
			case err != nil || r.Number < 1:
				in.Damaged = append(in.Damaged, e.Name())
			default:
				object := fmt.Sprintf("%s %d", r.Kind, r.ID)
				i := Incident{
					Number: r.Number, Kind: r.Kind, ID: r.ID, Name: one.Printable(r.Name), FrontEnd: one.Printable(r.FrontEnd), Began: r.Began,
					Following: r.Status == incident.Following, Waiting: waiting(r),
				}
				switch {
				case r.Status.Unfinished():
					i.Held, i.HeldKnown = isHeld(held, locks, r.Kind, r.ID), known
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
	}
	slices.Reverse(in.Open)
	slices.Reverse(in.GaveUp)
	slices.Sort(in.Damaged)
	return in
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

func readJSON(path string, v any) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Size() > maxRecord:
		return fmt.Errorf("%s is no record", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

// heldLocks are the inodes of files that a process holds a lock on, as the kernel lists them
// (proc_locks(5)): the inode is the last part of the sixth field.
func heldLocks(path string) (inodes map[uint64]bool, known bool) {
	f, err := os.Open(path)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	inodes = map[uint64]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 6 || fields[1] != "FLOCK" {
			continue // a lock that is waited for has "->" there
		}
		parts := strings.Split(fields[5], ":")
		if n, err := strconv.ParseUint(parts[len(parts)-1], 10, 64); err == nil {
			inodes[n] = true
		}
	}
	return inodes, true
}

// isHeld reports whether a process works on the object of an incident.
func isHeld(held map[uint64]bool, dir, kind string, id int) bool {
	names := []string{"host"}
	if kind == "VM" {
		names = []string{"incident-of-VM", "recovery-of-VM", "VM"}
	}
	return slices.ContainsFunc(names, func(name string) bool {
		info, err := os.Stat(filepath.Join(dir, fmt.Sprintf("%s-%d.lock", name, id)))
		if err != nil {
			return false
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		return ok && held[stat.Ino]
	})
}

// loadedHooks reads the hooks for hosts and VMs of a running oned out of one.system.config. They
// are nil when it has no hook manager in it: then it does not tell all.
func loadedHooks(document string) ([]HookLine, error) {
	type hookXML struct {
		Name      string `xml:"NAME"`
		On        string `xml:"ON"`
		Command   string `xml:"COMMAND"`
		Arguments string `xml:"ARGUMENTS"`
	}
	var x struct {
		Manager []struct{} `xml:"HM_MAD"`
		Host    []hookXML  `xml:"HOST_HOOK"`
		VM      []hookXML  `xml:"VM_HOOK"`
	}
	if err := xml.Unmarshal([]byte(document), &x); err != nil {
		return nil, fmt.Errorf("read the configuration of oned: %w", err)
	}
	if len(x.Manager) == 0 {
		return nil, nil
	}
	hooks := []HookLine{}
	for _, h := range x.Host {
		hooks = append(hooks, HookLine{"HOST", h.Name, h.On, h.Command, h.Arguments})
	}
	for _, h := range x.VM {
		hooks = append(hooks, HookLine{"VM", h.Name, h.On, h.Command, h.Arguments})
	}
	return hooks, nil
}
