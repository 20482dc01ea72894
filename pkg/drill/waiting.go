package drill

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"one-ft/pkg/one"
)

// Placement is where a VM that waits for a host is to be deployed.
type Placement struct {
	VM int `json:"vm"`
	// Host and Datastore are IDs; both -1 when it is left to the scheduler. Datastore is a system datastore.
	Host      int `json:"host"`
	Datastore int `json:"datastore"`
	// Left is why it is left to the scheduler.
	Left []Aspect `json:"left,omitempty"`
}

// Placed reports whether there is a host for the VM.
func (p Placement) Placed() bool { return p.Host >= 0 }

// Placer finds hosts for VMs that wait for one, instead of the scheduler: place: true. It only reads.
type Placer struct {
	src     Source
	version one.Version
	dialect one.Dialect
}

// NewPlacer makes a Placer that reads from src (one.Client).
func NewPlacer(src Source, version one.Version, dialect one.Dialect) Placer {
	return Placer{src: src, version: version, dialect: dialect}
}

// Place says for each VM, in the order of ids, which is that of their priority, where it is to be deployed
// now. A VM of which not everything that matters was evaluated is left to the scheduler, which knows it.
// Hosts in not are not used. It reads the cloud as it is now: hosts, VMs that wait, datastores, access
// rules; what the scheduler starts meanwhile oned refuses (one.ErrWrongState, or no room).
func (p Placer) Place(ctx context.Context, ids []int, not map[int]bool) ([]Placement, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	r := &reader{src: p.src, version: p.version, dialect: p.dialect, shared: map[string]string{}}
	if err := r.hosts(ctx); err != nil {
		return nil, fmt.Errorf("place VMs: read the hosts: %w", err)
	}
	if err := r.waiting(ctx, ids); err != nil {
		return nil, fmt.Errorf("place VMs: read those that wait: %w", err)
	}
	r.clusters(ctx)
	r.datastores(ctx)
	if r.version.Before(4, 5) {
		r.cloud.HypervisorMemory = hypervisorMemory
	}
	var access Access
	if slices.ContainsFunc(r.cloud.VMs, func(v VM) bool { return !v.trusted() && slices.Contains(ids, v.ID) }) {
		access = r.access(ctx)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("place VMs: %w", err)
	}
	return r.cloud.PlaceWaiting(ids, not, access), nil
}

// waiting reads the VMs that wait for a host. When they cannot be read together, those that are asked for
// are read in halves.
func (r *reader) waiting(ctx context.Context, ids []int) error {
	var vms []VM
	method, args := r.poolCall(-1, -1, int(one.Pending), -2)
	err := r.pool(ctx, "VM_POOL", "VM", func(e *element) error {
		v, err := parseVM(e)
		vms = append(vms, v)
		return err
	}, method, args...)
	switch {
	case errors.Is(err, errDamaged) || errors.Is(err, one.ErrDamaged):
		sorted := slices.Compact(slices.Sorted(slices.Values(ids)))
		for page := range slices.Chunk(sorted, pageSize) {
			if err := r.page(ctx, page); err != nil {
				return err
			}
		}
	case err != nil:
		return err
	default:
		r.add(vms)
	}
	slices.SortFunc(r.cloud.VMs, func(a, b VM) int { return a.ID - b.ID })
	r.cloud.VMs = slices.CompactFunc(r.cloud.VMs, func(a, b VM) bool { return a.ID == b.ID })
	slices.Sort(r.cloud.Unread)
	return nil
}

// PlaceWaiting is the decision of a Placer: pure. Each VM takes the room that those before it left, on the
// host with the fewest VMs (the default policy of all releases).
func (c Cloud) PlaceWaiting(ids []int, not map[int]bool, access Access) []Placement {
	f := bareField(c)
	f.base.placed = map[int]int{}
	placements := make([]Placement, 0, len(ids))
	for _, id := range ids {
		placements = append(placements, f.placeOne(id, not, access))
	}
	return placements
}

// placeOne places one VM, or says why not.
func (f *field) placeOne(id int, not map[int]bool, access Access) Placement {
	p := Placement{VM: id, Host: -1, Datastore: -1}
	i, found := f.cloud.indexOf(id)
	if _, unread := slices.BinarySearch(f.cloud.Unread, id); unread {
		p.Left = []Aspect{Unreadable}
		return p
	}
	if !found || !f.cloud.VMs[i].fresh() || f.base.placed[id] > 0 {
		p.Left = []Aspect{State}
		return p
	}
	v := &f.cloud.VMs[i]
	it := f.item(v, 0)
	if p.Left = it.notEvaluated(v, len(f.cloud.Datastores) > 0); len(p.Left) > 0 {
		return p
	}
	hosts, stores := f.allow(v, not, access)
	if !hosts || !stores {
		p.Left = []Aspect{AccessControl}
		return p
	}
	best, store := f.choose(it, -1, Striping, false, &f.base)
	if best < 0 {
		p.Left = []Aspect{Room}
		return p
	}
	f.take(it, best, store, &f.base)
	p.Host, p.Datastore = f.hosts[best].host.ID, f.cloud.Datastores[store].ID
	return p
}

// Actions after which a VM waits for a host and keeps its disks on the datastore where they are, with their
// numbers in its history (include/History.h, VMActions.h; 4.4 to 7.4).
const (
	actionUndeploy     = 5
	actionUndeployHard = 6
	actionStop         = 9
)

// fresh reports whether the VM waits for a host and has no disks anywhere.
func (v *VM) fresh() bool {
	if v.State != one.Pending {
		return false
	}
	if len(v.History) == 0 {
		return true
	}
	last := v.History[len(v.History)-1].Action
	return !slices.Contains([]int{actionUndeploy, actionUndeployHard, actionStop}, last)
}

// notEvaluated is what matters for a VM and is not evaluated.
func (it *item) notEvaluated(v *VM, datastores bool) []Aspect {
	left := slices.Clone(v.Unchecked)
	unreadable, dynamic := len(it.unknowns()) > 0, false
	for _, r := range slices.Concat(it.rules, it.stores) {
		unreadable, dynamic = unreadable || r.err != nil, dynamic || r.Dynamic
	}
	for _, c := range []struct {
		is     bool
		aspect Aspect
	}{
		{v.GroupID >= 0, VMGroups}, {dynamic, Affinity}, {unreadable, Requirements}, {v.ImageStore, ImageDatastores},
		{!datastores, SystemDatastores}, {v.OwnRank, Preference},
	} {
		if c.is && !slices.Contains(left, c.aspect) {
			left = append(left, c.aspect)
		}
	}
	return left
}

// allow takes the hosts and datastores out that a VM may not use: those in not, those that are not in
// service, those that its owner has no right to, and shared datastores whose size is not known, which the
// scheduler does not use. It reports whether any host, and any datastore, is left to its owner.
func (f *field) allow(v *VM, not map[int]bool, access Access) (hosts, stores bool) {
	for i := range f.hosts {
		t := &f.hosts[i]
		may := access.mayUse(v, t.host.Host)
		hosts = hosts || may
		t.service = t.host.State.Back() && !not[t.host.ID] && may
	}
	for i := range f.cloud.Datastores {
		d := &f.cloud.Datastores[i]
		may := access.mayStore(v, *d)
		stores = stores || may
		f.denied[i] = !may || d.Shared && !d.Monitored
	}
	return hosts, stores
}
