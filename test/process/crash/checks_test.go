package crash_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
)

// once says what is wrong with how the VMs were recovered: each of them was recreated by
// exactly one call, and runs on exactly one other host.
func (w *world) once(ctx context.Context) (wrong []string) {
	if w.cloud.Deadlocked() {
		return []string{"oned is deadlocked"}
	}
	if !eventually(ctx, func() bool { return len(w.running()) == *vmCount }) {
		wrong = append(wrong, fmt.Sprintf("only %d VMs run elsewhere: %v", len(w.running()), w.running()))
	}
	calls := map[int]int{}
	for _, c := range w.cloud.Calls() {
		if !c.OK || len(c.Args) != 2 {
			continue
		}
		switch id, isID := c.Args[0].(int); {
		case c.Method == "one.vm.recover" && isID && c.Args[1] == 4: // VM_RECOVER_DELETE_RECREATE
			calls[id]++
		case c.Method == "one.vm.action" && c.Args[0] == "delete-recreate":
			id, _ = c.Args[1].(int)
			calls[id]++
		}
	}
	guests := map[int]int{}
	for _, h := range w.cloud.Hosts() {
		if h.ID == failedHost {
			continue // it is dead: what was there before stays there
		}
		for _, id := range w.cloud.Guests(h.ID) {
			guests[id]++
		}
	}
	for _, v := range w.cloud.VMs() {
		if calls[v.ID] != 1 || len(v.History) != 2 || guests[v.ID] != 1 {
			wrong = append(wrong, fmt.Sprintf("VM %d was recreated by %d calls, was on %d hosts, and runs on %d others", v.ID, calls[v.ID], len(v.History), guests[v.ID]))
		}
	}
	return wrong
}

// running are the VMs that oned shows as running on another host.
func (w *world) running() (ids []int) {
	for _, v := range w.cloud.VMs() {
		if v.State == one.Active && v.LCM == one.Running && v.History[len(v.History)-1].HostID != failedHost {
			ids = append(ids, v.ID)
		}
	}
	return ids
}

// incidents reads the journal, if there is one.
func (f frontEnd) incidents() ([]incident.Record, error) {
	dir := filepath.Join(f.state(), "incidents")
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	j, err := incident.OpenJournal(dir)
	if err != nil {
		return nil, err
	}
	records, failed := j.List(0)
	return records, errors.Join(failed...)
}

// kept says which incidents and events that were on the disk before are not there any more.
func kept(before, after []incident.Record) (wrong []string) {
	for _, old := range before {
		i := slices.IndexFunc(after, func(r incident.Record) bool { return r.Number == old.Number })
		if i < 0 {
			wrong = append(wrong, fmt.Sprintf("incident %d is lost", old.Number))
			continue
		}
		same := func(a, b incident.Event) bool {
			return a.At.Equal(b.At) && a.Step == b.Step && a.VM == b.VM && a.Level == b.Level && a.Text == b.Text
		}
		if now := after[i].Events; len(now) < len(old.Events) || !slices.EqualFunc(old.Events, now[:len(old.Events)], same) {
			wrong = append(wrong, fmt.Sprintf("incident %d had %d events, which are not the first of the %d that it has now", old.Number, len(old.Events), len(now)))
		}
		if !old.Began.Equal(after[i].Began) {
			wrong = append(wrong, fmt.Sprintf("incident %d began at %s, and now at %s", old.Number, old.Began, after[i].Began))
		}
	}
	return wrong
}

// recorded says what is missing in the record: there is one incident of the host, which has
// ended, and it says of each VM that it was handled.
func recorded(records []incident.Record) (wrong []string) {
	if len(records) != 1 {
		return []string{fmt.Sprintf("the journal has %d incidents, not 1", len(records))}
	}
	r := records[0]
	if r.Kind != "host" || r.ID != failedHost {
		wrong = append(wrong, fmt.Sprintf("the incident is about %s %d", r.Kind, r.ID))
	}
	if r.Status != incident.Done || r.Ended == nil {
		wrong = append(wrong, fmt.Sprintf("the incident is %s", r.Status))
	}
	if r.Proof == "" {
		wrong = append(wrong, "the record does not say how the host was proven off, or why not")
	}
	var ids []int
	for _, vm := range r.VMs {
		ids = append(ids, vm.ID)
		if vm.Result != "done" && vm.Result != "already" {
			wrong = append(wrong, fmt.Sprintf("the record has VM %d as %q: %s", vm.ID, vm.Result, vm.Detail))
		}
		if want := fmt.Sprintf("vm%d", vm.ID); vm.Name != want {
			wrong = append(wrong, fmt.Sprintf("the record has VM %d with the name %q", vm.ID, vm.Name))
		}
	}
	slices.Sort(ids)
	for id := firstVM; id < firstVM+*vmCount; id++ {
		if n := len(ids); len(slices.DeleteFunc(slices.Clone(ids), func(i int) bool { return i == id })) != n-1 {
			wrong = append(wrong, fmt.Sprintf("the record does not have VM %d once: %v", id, ids))
			break
		}
	}
	return wrong
}

// tidy says which files are left that nobody needs and nothing removes. What a killed process
// leaves while it writes may stay until the journal is pruned hours later.
func (f frontEnd) tidy(records []incident.Record) (wrong []string) {
	journal, err := incident.OpenJournal(filepath.Join(f.state(), "incidents"))
	if err != nil {
		return []string{err.Error()}
	}
	later := time.Now().Add(2 * time.Hour)
	if err := journal.Prune(len(records), 24*time.Hour, later); err != nil {
		wrong = append(wrong, err.Error())
	}
	incident.RemoveLeftovers(f.state(), later)
	expected := map[string]bool{filepath.Join("locks", fmt.Sprintf("host-%d.lock", failedHost)): true}
	for i := range *vmCount {
		expected[filepath.Join("locks", fmt.Sprintf("VM-%d.lock", firstVM+i))] = true
	}
	for _, r := range records {
		expected[filepath.Join("incidents", fmt.Sprintf("incident-%06d.json", r.Number))] = true
	}
	err = filepath.WalkDir(f.state(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(f.state(), path)
		// What the front-end keeps anyway, whether a process was killed or not.
		for _, pattern := range []string{"front-end", filepath.Join("commands", "[0-9a-f]*.json"), "metrics.json", "metrics.json.lock", ".metrics.json-*", filepath.Join("locks", "coordinator-*.lock"), filepath.Join("spool", "*", "alive")} {
			kept, err := filepath.Match(pattern, name)
			expected[name] = expected[name] || kept && err == nil
		}
		if err == nil && !expected[name] {
			wrong = append(wrong, "left behind: "+name)
		}
		return err
	})
	if err != nil {
		wrong = append(wrong, err.Error())
	}
	return wrong
}
