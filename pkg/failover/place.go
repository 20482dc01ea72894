package failover

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"one-ft/pkg/drill"
	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

// Placer finds hosts for VMs that wait for one; drill.Placer does.
type Placer interface {
	Place(ctx context.Context, ids []int, not map[int]bool) ([]drill.Placement, error)
}

// placeEvery is the time between two attempts to place the same VMs: reading the cloud for it costs more than a look, and
// the scheduler may place some of them, too.
const placeEvery = 5 * time.Second

// place deploys the VMs that wait for a host, those of the highest priority first, where a host was found by everything
// that matters for the VM. The others are left to the scheduler.
func (r *permit) place(ctx context.Context, gone []*task) {
	if r.opt.Placer == nil {
		return
	}
	var waiting []*task
	fresh := false
	for _, t := range gone {
		if t.out.Result == "" && t.step.VM.State == one.Pending && starts(t.step.Verb) {
			waiting, fresh = append(waiting, t), fresh || !t.tried
			t.tried = true
		}
	}
	if len(waiting) == 0 || !fresh && time.Since(r.placed) < placeEvery {
		return
	}
	r.placed = time.Now()
	slices.SortStableFunc(waiting, func(a, b *task) int {
		return cmp.Or(b.out.Priority-a.out.Priority, a.out.VM-b.out.VM)
	})
	ids := make([]int, len(waiting))
	for i, t := range waiting {
		ids[i] = t.out.VM
	}
	found, err := r.opt.Placer.Place(ctx, ids, map[int]bool{r.hostID: true})
	if err != nil {
		r.say(-1, wording.PlaceFailed, err)
		return
	}
	for _, p := range found {
		if !p.Placed() {
			continue
		}
		err := r.cloud.Deploy(ctx, p.VM, p.Host, p.Datastore)
		switch {
		case err == nil:
			r.say(p.VM, wording.Placed, p.Host)
		case !errors.Is(err, one.ErrWrongState): // the scheduler was faster
			r.say(p.VM, wording.DeployFailed, err)
		}
	}
}
