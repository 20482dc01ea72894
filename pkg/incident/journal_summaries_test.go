package incident

import (
	"slices"
	"testing"
)

// TestHeads: heads are all incidents as they ended, without their events; one journal answers for
// what other processes write.
func TestHeads(t *testing.T) {
	dir := t.TempDir()
	j, other := openJournal(t, dir), openJournal(t, dir)
	for id := range 3 {
		c := begin(t, j, id)
		c.Event(StepAct, 7, "info", said("recreate"))
		c.VMs([]VM{{ID: 7, Result: "done"}})
		c.End(Incomplete, "why not")
	}
	put(t, j, "incident-000009.json", "damaged")
	heads, failed := j.Summaries()
	var numbers []int
	for _, r := range heads {
		numbers = append(numbers, r.Number)
		if len(r.Events) > 0 || r.Status != Incomplete || r.Summary != "why not" || r.Ended == nil || r.ID != r.Number-1 {
			t.Errorf("%+v", r)
		}
	}
	if !slices.Equal(numbers, []int{3, 2, 1}) || len(failed) != 1 {
		t.Errorf("%d, %v", numbers, failed)
	}
	for id := range 4 { // what each is about is known from here on
		if _, open, err := j.OpenOf("VM", id); open || err != nil {
			t.Errorf("VM %d: %t, %v", id, open, err)
		}
	}
	r, found, err := j.LastOf("VM", 1)
	if !found || err != nil || r.Number != 2 || len(r.Events) != 1 || len(r.VMs) != 1 {
		t.Errorf("%+v, %t, %v", r, found, err)
	}
	if _, err := other.Reopen(2, Record{Tool: "oneft"}); err != nil {
		t.Fatal(err)
	}
	if r, open, err := j.OpenOf("VM", 1); !open || err != nil || r.Number != 2 {
		t.Errorf("reopened by another process: %+v, %t, %v", r, open, err)
	}
	begin(t, other, 3)
	if r, open, err := j.OpenOf("VM", 3); !open || err != nil || r.Kind != "VM" {
		t.Errorf("begun by another process: %+v, %t, %v", r, open, err)
	}
}
