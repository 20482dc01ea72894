package drill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"one-ft/pkg/one"
)

// Source makes a call of oned that only reads and gives its answer, the text of an XML document.
// It is called from several goroutines at once.
type Source interface {
	Raw(ctx context.Context, method string, args ...any) (string, error)
}

// How VMs are read: pages that take little memory, as many at once as the cores of a small front-end.
const (
	pageSize = 500 // VMs of about 2 kB
	readers  = 3
)

// Read reads a cloud: all hosts, the VMs on them and those that wait for a host, system
// datastores, clusters and, if any VM is in one, VM groups. Hosts or VMs that cannot be
// asked for are an error; a single VM that cannot be read is in Unread, and what else is
// missing is in Notes.
func Read(ctx context.Context, src Source, version one.Version, dialect one.Dialect) (Cloud, error) {
	r := &reader{src: src, version: version, dialect: dialect}
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
	if version.Before(4, 5) {
		r.cloud.HypervisorMemory = hypervisorMemory
		r.note("the scheduler of OpenNebula %s keeps HYPERVISOR_MEM of sched.conf free on each host; its default of 0.1 is assumed", version)
	}
	return r.cloud, ctx.Err()
}

// hypervisorMemory is HYPERVISOR_MEM of the sched.conf that 4.4 ships.
const hypervisorMemory = 0.1

// reader is one reading.
type reader struct {
	src     Source
	version one.Version
	dialect one.Dialect
	mu      sync.Mutex // over cloud while pages are read
	cloud   Cloud
	shared  map[string]string // one copy of each text that many VMs have
}

func (r *reader) note(format string, args ...any) {
	r.cloud.Notes = append(r.cloud.Notes, fmt.Sprintf(format, args...))
}

// pool reads a pool and passes each object on.
func (r *reader) pool(ctx context.Context, root, item string, f func(*element) error, method string, args ...any) error {
	text, err := r.src.Raw(ctx, method, args...)
	if err == nil {
		err = eachObject(text, root, item, f)
	}
	if err != nil {
		return fmt.Errorf("[%s] %w", method, err)
	}
	return nil
}

func (r *reader) hosts(ctx context.Context) error {
	err := r.pool(ctx, "HOST_POOL", "HOST", func(e *element) error {
		h, err := parseHost(e)
		if err == nil {
			r.cloud.Hosts = append(r.cloud.Hosts, h)
		}
		return err
	}, "one.hostpool.info")
	slices.SortFunc(r.cloud.Hosts, func(a, b Host) int { return a.ID - b.ID })
	for i := 1; err == nil && i < len(r.cloud.Hosts); i++ {
		if r.cloud.Hosts[i].ID == r.cloud.Hosts[i-1].ID {
			err = fmt.Errorf("%w: two hosts %d", errDamaged, r.cloud.Hosts[i].ID)
		}
	}
	return err
}

// vms reads the VMs that the hosts list, in pages, and those that wait for a host.
func (r *reader) vms(ctx context.Context) error {
	var ids []int
	for _, h := range r.cloud.Hosts {
		ids = append(ids, h.VMs...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	r.shared = map[string]string{}
	pages := make(chan []int)
	errs := make(chan error, readers)
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			for page := range pages {
				if err := r.page(ctx, page); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	err := r.feed(ctx, pages, ids, errs)
	close(pages)
	wg.Wait()
	close(errs)
	if err == nil {
		err = <-errs
	}
	if err == nil {
		err = r.pending(ctx)
	}
	slices.SortFunc(r.cloud.VMs, func(a, b VM) int { return a.ID - b.ID })
	r.cloud.VMs = slices.CompactFunc(r.cloud.VMs, func(a, b VM) bool { return a.ID == b.ID })
	slices.Sort(r.cloud.Unread)
	return err
}

// feed hands out pages until all are taken or something failed.
func (r *reader) feed(ctx context.Context, pages chan<- []int, ids []int, errs <-chan error) error {
	for page := range slices.Chunk(ids, pageSize) {
		select {
		case pages <- page:
		case err := <-errs:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// page reads some VMs. When they cannot be read together, each half is tried: one VM whose text is
// damaged must not hide the others.
func (r *reader) page(ctx context.Context, ids []int) error {
	var vms []VM
	keep := func(e *element) error {
		v, err := parseVM(e)
		if _, wanted := slices.BinarySearch(ids, v.ID); err == nil && wanted {
			vms = append(vms, v)
		}
		return err
	}
	method, args := r.pageCall(ids)
	err := r.pool(ctx, "VM_POOL", "VM", keep, method, args...)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
	case !errors.Is(err, errDamaged) && !errors.Is(err, one.ErrDamaged):
		return err
	case len(ids) == 1:
		r.mu.Lock()
		defer r.mu.Unlock()
		r.cloud.Unread = append(r.cloud.Unread, ids[0])
		return nil
	default:
		if err := r.page(ctx, ids[:len(ids)/2]); err != nil {
			return err
		}
		return r.page(ctx, ids[len(ids)/2:])
	}
	r.add(vms)
	return nil
}

// pageCall is the call for some VMs with full bodies: by their IDs where oned can (5.12.6), else
// by the range that they are in.
func (r *reader) pageCall(ids []int) (string, []any) {
	const allUsers, notDone = -2, -1
	if r.dialect.HasSet {
		words := make([]string, len(ids))
		for i, id := range ids {
			words[i] = strconv.Itoa(id)
		}
		return "one.vmpool.infoset", []any{strings.Join(words, ","), true}
	}
	return r.poolCall(ids[0], ids[len(ids)-1], notDone, allUsers)
}

// poolCall asks for full bodies: those of one.vmpool.info are short since 5.8, and
// leave out what the scheduler looks at.
func (r *reader) poolCall(from, to, state, who int) (string, []any) {
	if r.version.Before(5, 8) {
		return "one.vmpool.info", []any{who, from, to, state}
	}
	return "one.vmpool.infoextended", []any{who, from, to, state, ""}
}

// pending reads the VMs that wait for a host.
func (r *reader) pending(ctx context.Context) error {
	var vms []VM
	method, args := r.poolCall(-1, -1, int(one.Pending), -2)
	err := r.pool(ctx, "VM_POOL", "VM", func(e *element) error {
		v, err := parseVM(e)
		vms = append(vms, v)
		return err
	}, method, args...)
	switch {
	case err != nil && (ctx.Err() != nil || one.Temporary(err)):
		return err
	case err != nil:
		r.note("VMs that wait for a host were not counted: %v", err)
		return nil
	}
	r.add(vms)
	return nil
}

// add keeps VMs, with one copy of each text that many of them have.
func (r *reader) add(vms []VM) {
	r.mu.Lock()
	defer r.mu.Unlock()
	share := func(text *string) {
		if same, known := r.shared[*text]; known {
			*text = same
			return
		}
		*text = strings.Clone(*text)
		r.shared[*text] = *text
	}
	for i := range vms {
		v := &vms[i]
		v.Name = strings.Clone(v.Name)
		share(&v.Owner)
		for j := range v.Requirements {
			share(&v.Requirements[j])
		}
		for j := range v.DatastoreRequirements {
			share(&v.DatastoreRequirements[j])
		}
		for j := range v.History {
			share(&v.History[j].Host)
		}
	}
	r.cloud.VMs = append(r.cloud.VMs, vms...)
}
