package isolation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"one-ft/pkg/isolation/guest"
	"one-ft/pkg/one"
)

const (
	// checkLimit bounds the comparison of the VMs here with what oned knows. It goes on
	// beside the rounds; what was not compared is compared after the next round.
	checkLimit = time.Minute
	// checkParallel is how many VMs are asked for at the same time: oned serves about 15
	// connections, and many hosts may come back together.
	checkParallel = 4
)

// startCheck compares beside the rounds, which must go on. settled says that oned has
// monitored the host again: before that, others are still dealing with its VMs.
func (w *Watcher) startCheck(ctx context.Context, settled bool) {
	done := make(chan struct{})
	w.checking, w.settled = done, settled
	var stopped []int
	if settled {
		stopped = slices.Clone(w.state.Stopped)
	}
	result := make(chan error, 1)
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(ctx, w.checkLimit)
		defer cancel()
		result <- w.check(ctx, stopped)
	}()
	w.checked = result
}

// endCheck takes the result of a comparison that has ended.
func (w *Watcher) endCheck() {
	if w.checking == nil {
		return
	}
	select {
	case <-w.checking:
	default:
		return
	}
	w.checking = nil
	if err := <-w.checked; err != nil {
		w.Log.Warn("the VMs here could not all be compared with what oned knows, which is tried again: %v", err)
		return
	}
	w.state.History.Unchecked = false
	if w.settled {
		w.state.Stopped = nil
	}
}

// check destroys the stale copies on this host, and tells of VMs that were stopped here and
// run nowhere. An error means that something is left to compare.
func (w *Watcher) check(ctx context.Context, stopped []int) error {
	running, err := w.Guests.Guests(ctx)
	if err != nil {
		w.Log.Warn("looking for VMs here: %v", err)
	}
	if w.Oned == nil {
		if len(running) > 0 {
			w.Log.Warn("the network is back, and VMs %s run here; without a token (auth_file) oned cannot be asked whether they were started elsewhere meanwhile; compare with onevm list", idsOf(running))
		}
		return nil
	}
	errs, notes := make([]error, len(running)+len(stopped)), make([]string, len(stopped))
	slots := make(chan struct{}, checkParallel)
	var wg sync.WaitGroup
	ask := func(i int, f func() error) {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs[i] = f()
		})
	}
	for i, g := range running {
		ask(i, func() error { return w.compare(ctx, g) })
	}
	for i, id := range stopped {
		if !slices.ContainsFunc(running, func(g guest.Guest) bool { return g.ID == id }) {
			ask(len(running)+i, func() (err error) { notes[i], err = w.mention(ctx, id); return err })
		}
	}
	wg.Wait()
	for _, note := range notes {
		if note != "" {
			w.Log.Warn("%s", note)
		}
	}
	return errors.Join(errs...)
}

// compare asks oned about one VM that runs here, and destroys it if it is a stale copy.
func (w *Watcher) compare(ctx context.Context, g guest.Guest) error {
	vm, err := w.Oned.VM(ctx, g.ID)
	switch {
	case errors.Is(err, one.ErrNotFound):
		w.Log.Warn("VM %d runs here, and oned does not know it; look at it, and destroy it with virsh destroy %s if nobody needs it", g.ID, g.Name)
		return nil
	case errors.Is(err, one.ErrAuthorization):
		w.Log.Problem("VM %d runs here, and whether it is still wanted here cannot be asked: %v; give the user of the token USE rights on VMs", g.ID, err)
		return nil
	case err != nil:
		return err
	}
	host := w.Oned.HostID()
	if host < 0 {
		return ErrHost
	}
	why, stale := Stale(vm, host)
	switch {
	case !stale:
		return nil
	case w.Drill:
		w.Log.Problem("drill: would destroy the stale copy of VM %d: %s", g.ID, why)
		return nil
	}
	w.Log.Problem("destroying the stale copy of VM %d: %s", g.ID, why)
	if err := w.Log.Sync(); err != nil {
		w.Log.Problem("%v; it is destroyed all the same", err)
	}
	if err := w.Guests.Destroy(ctx, g); err != nil {
		return fmt.Errorf("destroy the stale copy of VM %d: %w", g.ID, err)
	}
	w.Log.Problem("the stale copy of VM %d is gone", g.ID)
	return nil
}

// mention is for an admin: a VM that was stopped here and that nobody has started since.
func (w *Watcher) mention(ctx context.Context, id int) (note string, err error) {
	vm, err := w.Oned.VM(ctx, id)
	switch {
	case errors.Is(err, one.ErrNotFound) || errors.Is(err, one.ErrAuthorization):
		return "", nil
	case err != nil:
		return "", err
	}
	last, placed := vm.Last()
	if placed && last.HostID == w.Oned.HostID() && (vm.State == one.Poweroff || vm.Is(one.Unknown, one.Running)) {
		note = fmt.Sprintf("VM %d was stopped here and runs nowhere else (oned says %s): onevm resume %d on the front-end starts it when oned has noticed", id, vm.Status(), id)
	}
	return note, nil
}
