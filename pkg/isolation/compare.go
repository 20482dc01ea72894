package isolation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/isolation/guest"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/wording"
)

const (
	// compareLimit bounds the comparison of the VMs here with what oned knows. It runs beside the rounds; what was
	// not compared is compared after the next round.
	compareLimit = time.Minute
	// compareParallel is how many VMs are asked about at the same time: oned serves about 15 connections, and many
	// hosts may come back together.
	compareParallel = 4
)

// startCompare compares beside the rounds, which must go on. settled says that oned has monitored the host again:
// before that, others are still dealing with its VMs.
func (w *Watcher) startCompare(ctx context.Context, settled bool) {
	result := make(chan error, 1)
	w.comparing, w.settled = result, settled
	var stopped []int
	if settled {
		stopped = slices.Clone(w.state.Stopped)
	}
	go func() {
		ctx, cancel := context.WithTimeout(ctx, w.compareLimit)
		defer cancel()
		result <- w.compareAll(ctx, stopped)
	}()
}

// awaitCompare waits for a comparison that is under way, which is bounded, and remembers its result.
func (w *Watcher) awaitCompare() error {
	if w.comparing == nil {
		return nil
	}
	w.compared(<-w.comparing)
	if w.Drill {
		return nil
	}
	return w.Store.Save(w.state)
}

func (w *Watcher) compared(err error) {
	w.comparing = nil
	if err != nil {
		w.Log.Say(wording.Of(wording.CompareFailed, err))
		return
	}
	w.state.History.Unchecked = false
	if w.settled {
		w.state.Stopped = nil
	}
}

// compareAll destroys the stale copies on this host, and names VMs that were stopped here and run nowhere. An error
// means that something is left to compare.
func (w *Watcher) compareAll(ctx context.Context, stopped []int) error {
	running, err := w.Guests.Guests(ctx)
	if err != nil {
		w.Log.Say(wording.Of(wording.GuestsUnclear, err))
	}
	if w.Oned == nil {
		if len(running) > 0 {
			w.Log.Say(wording.Of(wording.CompareByHand, idsOf(running)))
		}
		return nil
	}
	stopped = slices.DeleteFunc(stopped, func(id int) bool {
		return slices.ContainsFunc(running, func(g guest.Guest) bool { return g.ID == id })
	})
	errs, notes := make([]error, len(running)+len(stopped)), make([]wording.Message, len(stopped))
	process.Each(len(errs), compareParallel, func(i int) {
		if i < len(running) {
			errs[i] = w.compare(ctx, running[i])
		} else {
			notes[i-len(running)], errs[i] = w.mention(ctx, stopped[i-len(running)])
		}
	})
	for _, note := range notes {
		if !note.IsZero() {
			w.Log.Say(note)
		}
	}
	return errors.Join(errs...)
}

// compare asks oned about one VM that runs here, and destroys it if it is a stale copy.
func (w *Watcher) compare(ctx context.Context, g guest.Guest) error {
	vm, err := w.Oned.VM(ctx, g.ID)
	switch {
	case errors.Is(err, one.ErrNotFound):
		w.Log.Say(wording.Of(wording.GuestStray, g.ID, g.StopCommand()))
		return nil
	case errors.Is(err, one.ErrAuthorization):
		w.Log.Say(wording.Of(wording.CompareForbidden, g.ID, err))
		return nil
	case err != nil:
		return err
	}
	host := w.Oned.Host().ID
	if host < 0 {
		return ErrHost
	}
	why, stale := Stale(vm, host)
	switch {
	case !stale:
		return nil
	case g.Name != fmt.Sprintf("one-%d", g.ID): // a copy of a domain has its metadata, too
		w.Log.Say(wording.Of(wording.StaleByMetadata, g.Name, g.ID, why, g.StopCommand()))
		return nil
	case w.Drill:
		w.Log.Say(wording.Of(wording.StaleDrill, g.ID, why))
		return nil
	}
	w.record(wording.Of(wording.StaleDestroying, g.ID, why))
	if err := w.Guests.Destroy(ctx, g); err != nil {
		return fmt.Errorf("destroy the stale copy of VM %d: %w", g.ID, err)
	}
	w.Log.Say(wording.Of(wording.StaleDestroyed, g.ID))
	return nil
}

// record logs what is about to be done, and waits until that is on the disk. A disk that does not take it holds
// nothing up.
func (w *Watcher) record(m wording.Message) {
	w.Log.Say(m)
	if err := w.Log.Sync(); err != nil {
		w.Log.Say(wording.Of(wording.LogUnwritten, err))
	}
}

// mention is for an admin: a VM that was stopped here and that nobody has started since.
func (w *Watcher) mention(ctx context.Context, id int) (note wording.Message, err error) {
	vm, err := w.Oned.VM(ctx, id)
	switch {
	case errors.Is(err, one.ErrNotFound) || errors.Is(err, one.ErrAuthorization):
		return note, nil
	case err != nil:
		return note, err
	}
	last, placed := vm.Last()
	if placed && last.HostID == w.Oned.Host().ID && (vm.State == one.Poweroff || vm.Is(one.Unknown, one.Running)) {
		note = wording.Of(wording.GuestNotResumed, id, vm.Status())
	}
	return note, nil
}
