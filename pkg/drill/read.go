package drill

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"sync"
	"unique"

	"one-ft/pkg/one"
)

// How VMs are read: pages that take little memory, as many at once as the cores of a small front-end.
const (
	pageSize = 200 // VMs of about 2 kB
	readers  = 3
)

// Read reads a cloud: all hosts, the VMs on them and those that wait for a host, system datastores,
// clusters and, if any VM is in one, VM groups. It fails when hosts or VMs cannot be read; a single VM
// that cannot be read is in Unread, and what else is missing is in Notes.
func Read(ctx context.Context, client *one.Client) (Cloud, error) {
	r := newReader(client)
	if err := r.hosts(ctx); err != nil {
		return Cloud{}, fmt.Errorf("read the hosts: %w", err)
	}
	if err := r.vms(ctx); err != nil {
		return Cloud{}, fmt.Errorf("read the VMs: %w", err)
	}
	r.migrating(ctx)
	r.clusters(ctx)
	r.datastores(ctx)
	r.groups(ctx)
	r.sort()
	if r.cloud.HypervisorMemory > 0 {
		r.note("the scheduler of OpenNebula %s keeps HYPERVISOR_MEM of sched.conf free on each host; its default of 0.1 is assumed",
			client.Version())
	}
	return r.cloud, ctx.Err()
}

type reader struct {
	client *one.Client
	mu     sync.Mutex // over cloud while pages are read
	cloud  Cloud
}

func newReader(client *one.Client) *reader {
	r := &reader{client: client}
	if client.Version().Before(4, 5) {
		r.cloud.HypervisorMemory = 0.1 // HYPERVISOR_MEM of the sched.conf that 4.4 ships
	}
	return r
}

func (r *reader) note(format string, args ...any) {
	r.cloud.Notes = append(r.cloud.Notes, fmt.Sprintf(format, args...))
}

func (r *reader) hosts(ctx context.Context) (err error) {
	r.cloud.Hosts, err = one.ReadPool(ctx, r.client, "HOST", parseHost, "one.hostpool.info")
	// sort.Slice, here and below: slices.SortFunc costs 13 kB of the executable for each type (measured).
	sort.Slice(r.cloud.Hosts, func(i, j int) bool { return r.cloud.Hosts[i].ID < r.cloud.Hosts[j].ID })
	return err
}

// vms reads the VMs that the hosts list, in pages, and those that wait for a host.
func (r *reader) vms(ctx context.Context) error {
	var ids []int
	for _, h := range r.cloud.Hosts {
		ids = append(ids, h.VMs...)
	}
	if err := r.pages(ctx, ids); err != nil {
		return err
	}
	err := r.pending(ctx)
	switch {
	case err != nil && (ctx.Err() != nil || one.Temporary(err)):
		return err
	case err != nil:
		r.note("VMs that wait for a host were not counted: %v", err)
	}
	return nil
}

// pages reads VMs in pages, several at once.
func (r *reader) pages(ctx context.Context, ids []int) error {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	pages := make(chan []int, len(ids)/pageSize+1)
	for page := range slices.Chunk(ids, pageSize) {
		pages <- page
	}
	close(pages)
	errs := make(chan error, readers)
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			for page := range pages {
				vms, unread, err := one.ReadVMs(ctx, r.client, page, parseVM)
				if err != nil {
					errs <- err
					for range pages { // the others are not read
					}
					return
				}
				r.add(vms, unread)
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

func (r *reader) pending(ctx context.Context) error {
	vms, err := one.ReadPending(ctx, r.client, parseVM)
	r.add(vms, nil)
	return err
}

// add keeps VMs, with one copy of each text that many of them have.
func (r *reader) add(vms []VM, unread []int) {
	share := func(text *string) { *text = unique.Make(*text).Value() }
	for i := range vms {
		v := &vms[i]
		share(&v.Owner)
		for j := range v.Requirements {
			share(&v.Requirements[j])
		}
		for j := range v.DatastoreRequirements {
			share(&v.DatastoreRequirements[j])
		}
		for j := range v.History {
			share(&v.History[j].Host)
			share(&v.History[j].Driver)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cloud.VMs = append(r.cloud.VMs, vms...)
	r.cloud.Unread = append(r.cloud.Unread, unread...)
}

func (r *reader) sort() {
	sort.Slice(r.cloud.VMs, func(i, j int) bool { return r.cloud.VMs[i].ID < r.cloud.VMs[j].ID })
	r.cloud.VMs = slices.CompactFunc(r.cloud.VMs, func(a, b VM) bool { return a.ID == b.ID })
	slices.Sort(r.cloud.Unread)
}

// maxHistories is how many VMs are read one by one. So many never migrate at the same moment.
const maxHistories = 200

// migrating reads the histories of VMs that are migrating: pools hold the last record only, which does not
// say where they come from.
func (r *reader) migrating(ctx context.Context) {
	read := 0
	for i := range r.cloud.VMs {
		v := &r.cloud.VMs[i]
		if !v.Migrating() {
			continue
		}
		if read++; read > maxHistories {
			r.note("more than %d VMs are migrating; where the others come from was not read", maxHistories)
			return
		}
		now, err := r.client.VM(ctx, v.ID)
		if err != nil {
			r.note("VM %d is migrating, and where it comes from could not be read: %v", v.ID, err)
		} else if now.State == v.State && now.LCM == v.LCM {
			v.History = now.History
		}
	}
}

// clusters adds the templates of clusters to the attributes of their hosts.
func (r *reader) clusters(ctx context.Context) {
	clusters := map[int]Attributes{}
	err := r.client.Each(ctx, "CLUSTER", func(e *one.Element) error {
		a := Attributes{}
		a.add(e.Child("TEMPLATE"))
		clusters[int(e.Number("ID"))] = a
		return e.Once("TEMPLATE")
	}, "one.clusterpool.info")
	if err != nil {
		r.note("attributes of clusters were not evaluated: %v", err)
		return
	}
	for _, h := range r.cloud.Hosts {
		for name, values := range clusters[h.ClusterID] {
			h.Attributes[name] = append(h.Attributes[name], values...)
		}
	}
}

func (r *reader) datastores(ctx context.Context) {
	err := r.client.Each(ctx, "DATASTORE", func(e *one.Element) error {
		const system = 1
		if e.Number("TYPE") != system {
			return nil
		}
		d, err := parseDatastore(e)
		r.cloud.Datastores = append(r.cloud.Datastores, d)
		return err
	}, "one.datastorepool.info")
	if err != nil {
		r.cloud.Datastores = nil
		r.note("datastores were not evaluated: %v", err)
	}
	sort.Slice(r.cloud.Datastores, func(i, j int) bool { return r.cloud.Datastores[i].ID < r.cloud.Datastores[j].ID })
}

// groups reads the VM groups, if any VM is in one.
func (r *reader) groups(ctx context.Context) {
	grouped := func(v VM) bool { return v.GroupID >= 0 }
	if !slices.ContainsFunc(r.cloud.VMs, grouped) {
		return
	}
	const allGroups, allIDs = -2, -1
	groups, err := one.ReadPool(ctx, r.client, "VM_GROUP", parseGroup, "one.vmgrouppool.info", allGroups, allIDs, allIDs)
	if r.cloud.Groups = groups; err == nil {
		return
	}
	r.note("VM groups were not evaluated: %v", err)
	for i, v := range r.cloud.VMs {
		r.cloud.VMs[i].Unchecked = append(v.Unchecked, VMGroups.when(grouped(v))...)
	}
}

// waiting reads the VMs that wait for a host. When they cannot be read together, only those with these IDs are
// read, in pages.
func (r *reader) waiting(ctx context.Context, ids []int) error {
	err := r.pending(ctx)
	if one.Unreadable(err) {
		err = r.pages(ctx, slices.Clone(ids))
	}
	r.sort()
	return err
}
