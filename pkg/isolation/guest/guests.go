package guest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"one-ft/pkg/process"
)

// Guest is a VM of OpenNebula on this host.
type Guest struct {
	ID   int    // of the VM
	Name string // of its domain, "one-<ID>"
	// PID is its QEMU process; 0 when only libvirt knows the VM. A VM with two processes
	// is in a list twice.
	PID int
	// Source is who knows it: SourceLibvirt, SourceProcess or SourceBoth.
	Source string
}

// Values of Guest.Source.
const (
	SourceLibvirt = "libvirt"
	SourceProcess = "process"
	SourceBoth    = "libvirt and process"
)

// sighting is a Guest with what tells its process from a later one with the same PID.
type sighting struct {
	Guest
	start uint64
}

// picture is what one look at the VMs has shown.
type picture struct {
	left []sighting
	err  error // there may be more of them
}

// none reports whether it is certain that there are no VMs.
func (p picture) none() bool { return len(p.left) == 0 && p.err == nil }

// guests are the VMs of a picture.
func (p picture) guests() []Guest {
	var list []Guest
	for _, s := range p.left {
		list = append(list, s.Guest)
	}
	return list
}

// Guests returns the VMs on this host, by ID: those that libvirt lists and those that
// have a QEMU process. The two are asked at the same time, libvirt for half of
// Limits.Destroy at most, the kernel for 2 s. An error comes together with the VMs that
// were found all the same: a *LibvirtError when libvirt cannot be asked or does not
// answer, and another one when the processes cannot be read, so that there may be more.
func (h Host) Guests(ctx context.Context) ([]Guest, error) {
	s := newStopper(h, "")
	defer s.steps.end()
	pic, err := s.find(ctx)
	return pic.guests(), errors.Join(err, pic.err)
}

// find looks at libvirt and at the processes for the first time, for half of
// Limits.Destroy. The error is a *LibvirtError.
func (s *stopper) find(ctx context.Context) (picture, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.host.Limits.Destroy/2, process.ErrTimeout)
	defer cancel()
	type answer struct {
		names []string
		err   error
	}
	asked := make(chan answer, 1)
	go func() {
		names, err := s.host.domains(ctx)
		asked <- answer{names, err}
	}()
	pic := s.scan(ctx)
	if pic.none() {
		pause(ctx)
		pic = s.scan(ctx) // one that was just being started
	}
	for len(pic.left) == 0 && pic.err != nil && ctx.Err() == nil {
		pause(ctx)
		if again := s.scan(ctx); ctx.Err() == nil {
			pic = again // one that was just ending
		}
	}
	libvirt := <-asked // ends with ctx
	if libvirt.err != nil {
		s.mute()
		return pic, libvirt.err
	}
	pic.left = s.merge(pic.left, libvirt.names)
	s.saw(pic)
	return pic, nil
}

// look looks again. It is none only when two looks at the processes saw none, and
// libvirt, as long as it answers, lists none between them.
func (s *stopper) look(ctx context.Context) picture {
	pic := s.scan(ctx)
	if !pic.none() {
		return pic
	}
	if s.answers() {
		limit, enough := s.askLimit(ctx)
		if !enough {
			pic.err = errNotAsked
			return pic
		}
		asking, cancel := context.WithTimeoutCause(ctx, limit, process.ErrTimeout)
		names, err := s.host.domains(asking)
		cancel()
		if err != nil {
			s.mute()
			s.steps.warn("%v; from here on only the processes say what runs", err)
		}
		if left := s.merge(nil, names); len(left) > 0 {
			pic.left = left
			s.saw(pic)
			return pic
		}
	} else {
		pause(ctx)
	}
	return s.scan(ctx)
}

// errNotAsked is why a look at the end of a stage is not complete.
var errNotAsked = errors.New("there was no time to ask libvirt")

// askLimit is the time for libvirt in a look: half of what is left, because the processes
// are looked at again after it. When that is not enough for a sound libvirt, it must not
// be taken for one that hangs.
func (s *stopper) askLimit(ctx context.Context) (limit time.Duration, enough bool) {
	limit = s.host.Limits.Destroy / 2
	fair := min(fairAsk, limit)
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end)/2)
	}
	return limit, limit >= fair
}

// scan looks at the processes only.
func (s *stopper) scan(ctx context.Context) picture {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	verdicts, err := s.procs.scan(ctx)
	pic := picture{err: err}
	for _, v := range verdicts {
		if s.only == "" || s.only == v.name {
			id, _ := ParseName(v.name)
			g := Guest{ID: id, Name: v.name, PID: v.id.pid, Source: SourceProcess}
			pic.left = append(pic.left, sighting{g, v.id.start})
		}
	}
	sortSightings(pic.left)
	s.saw(pic)
	return pic
}

// merge adds the names that libvirt lists.
func (s *stopper) merge(list []sighting, names []string) []sighting {
	for _, name := range names {
		known := false
		for i := range list {
			if list[i].Name == name {
				list[i].Source, known = SourceBoth, true
			}
		}
		if id, ours := ParseName(name); ours && !known && (s.only == "" || s.only == name) {
			list = append(list, sighting{Guest: Guest{ID: id, Name: name, Source: SourceLibvirt}})
		}
	}
	sortSightings(list)
	return list
}

func sortSightings(list []sighting) {
	slices.SortFunc(list, func(a, b sighting) int { return cmp.Or(a.ID-b.ID, a.PID-b.PID) })
}
