package isolation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"one-ft/pkg/isolation/guest"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/statedir"
	"one-ft/pkg/wording"
)

// Roster is which VMs oned counts on this host, by what oned calls their guests: so a guest that was imported is recognised by
// the name that it has kept. It is kept in StateDir, so that it is known after a boot without network, too.
type Roster struct {
	store Store

	mu    sync.Mutex
	known map[int]entry // by ID of the VM
	saved string        // what is on the disk
}

// entry is a VM of the Roster. Without a DeployID it was not asked for, because its guest is recognised without it, or it
// has none yet.
type entry struct {
	deployID string
	again    time.Duration // when it is asked for again, since the boot; 0 for never
}

const (
	rosterFile = "guests.json" // in StateDir
	// rosterAgain is when oned is asked again about a VM without a guest: it may be imported, or be started, meanwhile.
	rosterAgain = time.Minute
)

// OpenRoster reads what was remembered. It can be used also when the error is not nil.
func OpenRoster(store Store) (*Roster, error) {
	r := &Roster{store: store, known: map[int]entry{}}
	text, err := statedir.ReadSmall(filepath.Join(store.StateDir, rosterFile), maxState)
	var list []guest.Known
	if err == nil {
		list, err = parseRoster(text)
	}
	for _, k := range list {
		r.known[k.ID] = entry{deployID: k.DeployID}
	}
	r.saved = string(text)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	return r, fmt.Errorf("the VMs that oned counts on this host cannot be read; until oned is asked, imported ones are not recognised: %w", err)
}

func parseRoster(text []byte) (list []guest.Known, err error) {
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	for _, k := range list {
		if k.ID < 0 || k.DeployID == "" {
			return nil, errors.New("a VM without an ID or a name")
		}
	}
	return list, nil
}

// Known are the VMs of the Roster whose guests have a name, by ID.
func (r *Roster) Known() (list []guest.Known) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(r.known)) {
		if e := r.known[id]; e.deployID != "" {
			list = append(list, guest.Known{ID: id, DeployID: e.deployID})
		}
	}
	return list
}

// update drops the VMs that oned does not count on this host any more, and returns those that it has to be asked about.
func (r *Roster) update(vms []int, now time.Duration) (ask []int, dropped bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := len(r.known)
	maps.DeleteFunc(r.known, func(id int, _ entry) bool { return !slices.Contains(vms, id) })
	dropped = len(r.known) < before
	for _, id := range vms {
		if e, known := r.known[id]; !known || e.again > 0 && e.again <= now {
			ask = append(ask, id)
		}
	}
	return ask, dropped
}

// set notes what a VM is called, and reports whether it is a new one.
func (r *Roster) set(id int, e entry) (added bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known := r.known[id]
	r.known[id] = e
	return !known
}

// keep notes that the guest of a VM is recognised, by whatever name.
func (r *Roster) keep(id int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[id] = entry{deployID: r.known[id].deployID}
}

// save keeps it for the next boot. It is called by one at a time.
func (r *Roster) save() error {
	list := r.Known()
	text, err := json.Marshal(list)
	if string(text)+"\n" == r.saved || len(list) == 0 && r.saved == "" {
		return nil
	}
	if err == nil {
		err = replace(filepath.Join(r.store.StateDir, rosterFile), append(text, '\n'), statedir.File{})
	}
	if err != nil {
		return fmt.Errorf("save the VMs that oned counts on this host: %w", err)
	}
	r.saved = string(text) + "\n"
	return nil
}

// learn brings the Roster up to date, beside the rounds, when oned counts other VMs on this host than before. Oned is not
// asked about those whose guest is recognised: where no guest was imported, it is only asked about VMs that do not run.
func (w *Watcher) learn(ctx context.Context) {
	if w.Roster == nil || w.Oned == nil || w.learning.Load() {
		return
	}
	ask, dropped := w.Roster.update(w.Oned.Host().VMs, w.Uptime())
	if len(ask) == 0 && !dropped {
		return
	}
	w.learning.Store(true)
	w.learners.Go(func() {
		defer w.learning.Store(false)
		ctx, cancel := context.WithTimeoutCause(ctx, w.compareLimit, errSlow)
		defer cancel()
		w.ask(ctx, ask)
		if w.Drill {
			return
		}
		if _, err := process.Bounded(ctx, func() (any, error) { return nil, w.Roster.save() }); err != nil {
			w.Log.Say(wording.Of(wording.NotRemembered, err))
		}
	})
}

// ask finds out what the guests of VMs are called. One that fails is asked again.
func (w *Watcher) ask(ctx context.Context, ids []int) {
	here, err := w.Guests.Guests(ctx)
	if err != nil {
		w.Log.Say(wording.Of(wording.GuestsUnclear, err))
	}
	process.Each(len(ids), compareParallel, func(i int) {
		id, again := ids[i], w.Uptime()+rosterAgain
		if slices.ContainsFunc(here, func(g guest.Guest) bool { return g.ID == id }) {
			w.Roster.keep(id)
			return
		}
		vm, err := w.Oned.VM(ctx, id)
		switch {
		case err == nil && vm.DeployID != "":
			w.Roster.set(id, entry{deployID: vm.DeployID})
		case err == nil || errors.Is(err, one.ErrNotFound):
			w.Roster.set(id, entry{again: again})
		case w.Roster.set(id, entry{again: again}):
			w.Log.Say(wording.Of(wording.GuestNameUnknown, id, err))
		}
	})
}
