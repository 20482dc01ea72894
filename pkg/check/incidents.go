package check

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// Incidents is what the journal tells.
type Incidents struct {
	// Err is why the journal could not be read; nil also when there is none yet.
	Err  error
	Open []Incident // number ascending
	// GaveUp are incidents that ended lately, the last of their host or VM, with VMs that were on their way for too
	// long: their IDs are in Waiting.
	GaveUp []Incident
	// Undone are those that ended lately, the last of their host or VM, with something undone or without a proof; number ascending.
	Undone  []Incident
	Damaged []string // names of files
	// Past are the incidents of a host, the newest first, without their events; by host ID.
	Past map[int][]incident.Record
}

// Incident is an open incident, or one that gave VMs up.
type Incident struct {
	incident.Record
	// Held: a process works on it. HeldKnown is false when that cannot be seen.
	Held, HeldKnown bool
	// Waiting are VMs that are on their way, or were when they were given up, by what they wait for.
	Waiting map[wording.Wait][]int
}

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
	in := Incidents{Past: map[int][]incident.Record{}}
	entries, err := os.ReadDir(state.Incidents())
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // else nothing has happened yet
		in.Err = err
		return in
	}
	held, known := incident.HeldLocks(procLocks)
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
			lately := r.Ended != nil && now.Sub(*r.Ended) < gaveUpFor
			switch {
			case r.Status.Unfinished():
				i.Held, i.HeldKnown = isHeld(held, state.Locks(), r.Kind, r.ID), known
				in.Open = append(in.Open, i)
			case newer[object]: // it tells nothing of today
			case r.Status == incident.Incomplete && lately && len(i.Waiting) > 0:
				in.GaveUp = append(in.GaveUp, i)
			case lately && (r.Status.Undone() || r.Status == incident.Unproven):
				in.Undone = append(in.Undone, i)
			}
			newer[object] = true
			if r.Kind == "host" {
				r.Events, r.Sight = nil, nil
				in.Past[r.ID] = append(in.Past[r.ID], r)
			}
		}
	}
	slices.Reverse(in.Open)
	slices.Reverse(in.GaveUp)
	slices.Reverse(in.Undone)
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
func waiting(r incident.Record) map[wording.Wait][]int {
	all := map[wording.Wait][]int{}
	for _, v := range r.VMs {
		n := len(v.Path)
		if n == 0 {
			continue
		}
		if w := v.Path[n-1].Waits; v.Result == "starting" || v.Result == "incomplete" && w != wording.WaitNothing {
			all[w] = append(all[w], v.ID)
		}
	}
	return all
}

// isHeld reports whether a process works on the object of an incident.
func isHeld(held incident.Held, dir, kind string, id int) bool {
	names := []string{"host"}
	if kind == "VM" {
		names = []string{"incident-of-VM", "recovery-of-VM", "VM"}
	}
	return slices.ContainsFunc(names, func(name string) bool {
		return held.Has(filepath.Join(dir, fmt.Sprintf("%s-%d.lock", name, id)))
	})
}

func (e *evaluation) incidents() {
	in := e.Incidents
	if e.Closed != nil {
		e.skip("which incidents are open: %v", e.Closed)
		return
	}
	if in.Err != nil {
		e.warn(asOneadmin, "the journal cannot be read: %v", in.Err)
	}
	for _, name := range in.Damaged {
		e.warn("oneft incidents", "%s in the journal is damaged", name)
	}
	for _, i := range in.Open {
		f := Finding{Severity: Warning, Fix: fmt.Sprintf("oneft resume %d", i.Number), Hosts: i.hosts(),
			What: fmt.Sprintf("%s is open since %s", i.name(), i.Began.Format(time.DateTime)+text.Ahead(i.Began, e.Now))}
		switch {
		case !i.HeldKnown:
			f.What += "; whether anybody works on it cannot be seen"
		case i.Held:
			f.Severity, f.Fix = OK, ""
			f.What += ", and a process works on it"
		case i.Status == incident.Following:
			f.What += i.followed()
		default:
			f.Severity = Problem
			f.What += ", and nobody works on it"
		}
		e.add(f)
	}
	for _, i := range in.GaveUp {
		e.gaveUp(i)
	}
	unwell := 0
	for _, i := range in.Undone {
		if !e.unwell(i) {
			continue
		}
		if unwell++; !e.failedWith(i) { // else it is named with its host
			e.add(Finding{Severity: Warning, Hosts: i.hosts(), Fix: fmt.Sprintf("oneft incidents show %d", i.Number),
				What: fmt.Sprintf("%s is %s: %s", i.name(), i.Status, i.Summary)})
		}
	}
	if in.Err == nil && len(in.Open)+unwell == 0 {
		e.ok("none is open")
	}
}

// failedWith reports whether an incident is about a host in ERROR with VMs on it.
func (e *evaluation) failedWith(i Incident) bool {
	return i.Kind == "host" && e.VMs.Active[i.ID] > 0 && slices.ContainsFunc(e.Hosts, func(h Host) bool { return h.ID == i.ID && h.State.Failed() })
}

// unwell reports whether what an incident left undone, or unproven, is still so: its host is not in service again, or its VMs
// do not run. Of a VM that its owner has stopped or deleted since nobody has to hear.
func (e *evaluation) unwell(i Incident) bool {
	waits := func(id int) bool {
		_, on := e.VMs.OnTheWay[id]
		return on || slices.Contains(e.VMs.Rested, id) || slices.Contains(e.VMs.RestedLeft, id) ||
			slices.ContainsFunc(e.VMs.Failed, func(f FailedVM) bool { return f.ID == id })
	}
	if i.Kind != "host" {
		return waits(i.ID)
	}
	serves := slices.ContainsFunc(e.Hosts, func(h Host) bool {
		return h.ID == i.ID && h.State.Back()
	})
	return !serves || slices.ContainsFunc(i.VMs, func(v incident.VM) bool { return v.Result == string(incident.Incomplete) && waits(v.ID) })
}

func (i Incident) name() string {
	return fmt.Sprintf("incident %d (%s %d, %s)", i.Number, i.Kind, i.ID, i.Name)
}

func (i Incident) hosts() []int {
	if i.Kind == "host" {
		return []int{i.ID}
	}
	return nil
}

// followed says what the VMs of an incident wait for of which all that there was to do is done.
func (i Incident) followed() string {
	words := map[wording.Wait]string{
		wording.WaitCleanup: "for the end of their clean-up", wording.WaitScheduler: "for the scheduler", wording.WaitRoom: "for a host with room",
		wording.WaitDisks: "for their disks", wording.WaitBoot: "to boot", wording.WaitOwner: "on hold, for their owner",
	}
	line := "; oneft resume follows its VMs until they run"
	for _, w := range slices.Sorted(maps.Keys(i.Waiting)) {
		line += fmt.Sprintf("; waiting %s: VM %s", cmp.Or(words[w], "on their way"), listed(i.Waiting[w]))
	}
	return line
}

// gaveUp is about an incident that ended with VMs on their way: of those that still are nobody else speaks.
func (e *evaluation) gaveUp(i Incident) {
	left := map[string][]int{} // by state
	for _, ids := range i.Waiting {
		for _, id := range ids {
			if state, on := e.VMs.OnTheWay[id]; on {
				left[state] = append(left[state], id)
			}
		}
	}
	var parts []string
	for _, state := range slices.Sorted(maps.Keys(left)) {
		slices.Sort(left[state])
		parts = append(parts, fmt.Sprintf("VM %s (%s)", listed(left[state]), state))
	}
	if len(parts) > 0 {
		e.add(Finding{Severity: Warning, Fix: fmt.Sprintf("oneft incidents show %d", i.Number), Hosts: i.hosts(),
			What: fmt.Sprintf("%s has ended, and these VMs do not run yet: %s", i.name(), strings.Join(parts, ", "))})
	}
}
