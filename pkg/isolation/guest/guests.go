// Package guest finds the VMs of OpenNebula on this KVM host and stops them in a bounded time, so certainly that a
// wait of that time may be taken for a proof that none of them runs any more.
//
// A VM of OpenNebula is a domain of libvirt with the exact name "one-<ID>", one that oned counts on this host by its own
// name or UUID, or one that carries OpenNebula's metadata; also when only its QEMU process is left. Where LXC is installed, it
// is also a container with the exact name "one-<ID>". Nothing else is touched, except that a host that is powered off takes
// everything with it.
//
// libvirt is asked first, and told to destroy what is left after SIGTERM, but it is not believed: it may be dead, hang, or say
// "destroyed" too early. A VM is gone when no QEMU process of it is left, with all of its threads: one that waits for a
// dead disk can still write to it later, also when the process shows as a zombie. While libvirt answers, its list must
// not have the VM, either.
// A process that looks like QEMU and whose arguments the kernel does not show (it is ending, or its memory is locked)
// is not touched, but as long as it is there nothing counts as gone.
//
// A host without network may have lost its disks, too. So whatever may hang (programs, what the kernel shows of a
// process, the file that the kernel is told through) runs beside the work, and is left behind, a goroutine each, when
// its time is over. A program is read before it is started: starting one whose disk does not answer would hold up all
// of this process.
//
// The end of a context stops the work between two steps, and nothing is forced after it. Only what the end of this
// process may be a part of continues: once the host was told to go down, the signal that comes with it changes
// nothing.
package guest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/process"
	"one-ft/pkg/wording"
)

// Host is this host: where its VMs are found, and what they are stopped with. Nothing has a default here, and a System there must
// be: with nothing else it can neither find nor stop anything. Its methods may be called at the same time.
type Host struct {
	// Settings say how VMs are stopped (Action and what belongs to it), how long each stage may take, and how libvirt
	// is called. What Command leaves running in its process group is killed when it ends.
	Settings config.Isolation
	// Known are the VMs that oned counts on this host. It is called often, and may be nil.
	Known        func() []Known
	System       System // this machine; LXC is installed where lxc-stop is found
	Proc, Sys    string // where the kernel shows processes and devices: "/proc" and "/sys"
	Run          string // where libvirt has its sockets, and keeps the state of its domains: "/run"
	Etc          string // where libvirt keeps which domains start with the machine: "/etc"
	SysrqTrigger string // what the kernel is told through: /proc/sysrq-trigger; "": config.PowerOffSysrq is not available
	// KillLimit is the most time from the SIGKILL until all VMs are gone. The kernel has to free their memory in it.
	KillLimit time.Duration
	// PowerOffLimit is the most time for each way to force the host off; config.PowerOffSysrq, to power off and then
	// to reset, has it twice.
	PowerOffLimit time.Duration
	// Notify gets what is done (wording.GuestStep) and what went wrong (wording.GuestTrouble). It must not block. It is
	// called from several goroutines, by one at a time, and not any more when the method that was called has returned.
	// It may be nil.
	Notify func(wording.Message)
}

const (
	// lookLimit is the most time for one look at all processes. A look takes about 50 ms per 1000 processes
	// (measured, 2 cores); this is for a host with a high load.
	lookLimit = 2 * time.Second
	// fairAsk is less than what libvirt is given for its list; a sound one takes 20 ms.
	fairAsk = 500 * time.Millisecond
	// lastLimit is for a last look at the end of a stage: at the processes, and half of the rest for libvirt, which
	// is not less than fairAsk then.
	lastLimit = lookLimit + 2*fairAsk
	// Margin is what Bound adds to the limits: for a last look before the host is forced off (3 s), and for a machine
	// that is slow to run this process (2 s).
	Margin = lastLimit + 2*time.Second
)

// ErrLeft means that VMs of OpenNebula are left on this host, or that nobody can tell.
var ErrLeft = errors.New("VMs of OpenNebula may still run on this host")

// Outcome is what Stop came to.
type Outcome struct {
	Found []Guest // all VMs that were seen, by ID
	Gone  bool    // it was verified that no VM is left
	Left  []Guest // the VMs that were there at the last look
	Err   error   // why Gone is false: ErrLeft with the reason, or the end of the context
}

// Bound is the most time that Stop takes; 0 for an unknown action. With PowerOff for the sum of all ways
// (config.PowerOffSysrq counts twice) it is
//
//	destroy:  Destroy + Kill + PowerOff + Margin
//	shutdown: Destroy/2 + Shutdown + PowerOff + Margin
//	command:  Destroy/2 + Command + Kill + Destroy + Kill + PowerOff + Margin
func (h Host) Bound() time.Duration {
	c := h.Settings
	var stages time.Duration
	switch c.Action {
	case config.ActionDestroy:
		stages = c.DestroyLimit + h.KillLimit
	case config.ActionShutdown:
		stages = c.DestroyLimit/2 + c.ShutdownLimit
	case config.ActionCommand:
		stages = c.DestroyLimit/2 + c.CommandLimit + h.KillLimit + c.DestroyLimit + h.KillLimit
	default:
		return 0
	}
	for _, way := range c.PowerOff {
		stages += h.PowerOffLimit
		if isSysrq(way) {
			stages += h.PowerOffLimit
		}
	}
	return stages + Margin
}

func isSysrq(way []string) bool { return len(way) == 1 && way[0] == config.PowerOffSysrq }

// Guest is a VM of OpenNebula on this host.
type Guest struct {
	ID   int    // of the VM
	Name string // of its domain or container: "one-<ID>" but for imported domains
	// PID is its QEMU process, or the first process of its container; 0 when only libvirt knows the VM, and when nothing is
	// left of a container but its disks. A VM with two processes is in a list twice.
	PID       int
	Container bool // one of LXC; else a domain of libvirt

	uuid  string // of a domain; "" where its name is enough, or not known
	start uint64 // what tells its process from a later one with the same PID
}

// StopCommand is what stops the guest by hand.
func (g Guest) StopCommand() string {
	if g.Container {
		return "lxc-stop --kill -n " + g.Name
	}
	return "virsh destroy " + cmp.Or(g.uuid, g.Name)
}

type snapshot struct {
	left []Guest
	err  error // there may be more of them
}

// none reports whether it is certain that there are no VMs.
func (s snapshot) none() bool { return len(s.left) == 0 && s.err == nil }

func (s snapshot) names() (all []string) {
	for _, g := range s.left {
		all = append(all, g.Name)
	}
	return slices.Compact(all)
}

// String says what is left.
func (s snapshot) String() string {
	var parts []string
	if len(s.left) > 0 {
		parts = append(parts, "left: "+listed(s.names()))
	}
	if s.err != nil {
		parts = append(parts, s.err.Error())
	}
	return strings.Join(parts, "; ")
}

// Guests returns the VMs on this host, by ID: those that libvirt lists and those that have a QEMU process. Both are
// asked at the same time, libvirt for half of DestroyLimit at most, the kernel for 2 s. An error comes together with
// the VMs that were found all the same: there may be more.
func (h Host) Guests(ctx context.Context) ([]Guest, error) {
	all, _, err := h.Look(ctx)
	return all, err
}

// Look is Guests, and how many of them were found where.
func (h Host) Look(ctx context.Context) ([]Guest, Found, error) {
	s := newStopper(h, "")
	defer s.end()
	snap, err := s.find(ctx)
	return snap.left, s.seen, errors.Join(err, snap.err)
}

// find looks at libvirt and at the processes for the first time, for half of DestroyLimit. The error is that libvirt
// does not answer.
func (s *stopper) find(ctx context.Context) (snapshot, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.host.Settings.DestroyLimit/2, process.ErrTimeout)
	defer cancel()
	var names []string
	var err error
	var asking sync.WaitGroup // ends with ctx
	asking.Go(func() {
		s.uri, _ = s.host.libvirt(ctx)
		names, err = s.domains(ctx)
	})
	s.lxcStop = s.host.lxcStop(ctx)
	s.procs.containers = s.lxcStop != ""
	snap := s.scan(ctx)
	if snap.none() {
		process.Pause(ctx, pollPause)
		snap = s.scan(ctx) // one that was just being started
	}
	if s.atOnce {
		process.Each(len(snap.left), readers, func(i int) { s.terminate(ctx, snap.left[i]) })
	}
	for len(snap.left) == 0 && snap.err != nil && ctx.Err() == nil {
		process.Pause(ctx, pollPause)
		if again := s.scan(ctx); ctx.Err() == nil {
			snap = again // one that was just ending
		}
	}
	for _, g := range snap.left {
		if g.Container {
			s.seen.Containers++
		} else {
			s.seen.Processes++
		}
	}
	if asking.Wait(); err != nil {
		s.libvirt.muted.Store(true)
		return snap, err
	}
	snap.left, s.seen.Answered = s.merge(snap.left, names), true
	for _, name := range names {
		if slices.ContainsFunc(snap.left, func(g Guest) bool { return g.Name == name && !g.Container }) {
			s.seen.Domains++
		}
	}
	return snap, nil
}

// look looks again. It is none only when two looks at the processes saw none, and libvirt, as long as it answers,
// lists none between them.
func (s *stopper) look(ctx context.Context) snapshot {
	snap := s.scan(ctx)
	switch {
	case !snap.none():
		return snap
	case s.libvirt.muted.Load():
		process.Pause(ctx, pollPause)
		return s.scan(ctx)
	}
	// libvirt gets half of what is left, because the processes are looked at again after it. When that is not enough
	// for a sound one, it must not be taken for one that hangs.
	limit := s.host.Settings.DestroyLimit / 2
	fair := min(fairAsk, limit)
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end)/2)
	}
	if limit < fair {
		return snapshot{err: errNotAsked}
	}
	asking, cancel := context.WithTimeoutCause(ctx, limit, process.ErrTimeout)
	names, err := s.domains(asking)
	cancel()
	if err != nil {
		s.libvirt.muted.Store(true)
		s.warn("%v; from here on only the processes say what runs", err)
	}
	if left := s.merge(nil, names); len(left) > 0 {
		return snapshot{left: left}
	}
	return s.scan(ctx)
}

// errNotAsked is why a look at the end of a stage is not complete.
var errNotAsked = errors.New("there was no time to ask libvirt")

// scan looks at the processes only.
func (s *stopper) scan(ctx context.Context) snapshot {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	all, err := s.procs.scan(ctx)
	if s.procs.containers {
		mounted, mountErr := s.mounted(ctx, all)
		all, err = append(all, mounted...), errors.Join(err, mountErr)
	}
	all = slices.DeleteFunc(all, func(g Guest) bool { return !s.concerns(g.Name) })
	s.sortAndRemember(all)
	return snapshot{all, err}
}

// mounted returns the containers without processes whose disks are still mounted, or are being detached.
func (s *stopper) mounted(ctx context.Context, running []Guest) (found []Guest, err error) {
	mounts, err := s.host.mounts(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.unmounting {
		mounts = append(mounts, mount{id: id})
	}
	for _, m := range mounts {
		g := Guest{ID: m.id, Name: fmt.Sprintf("one-%d", m.id), Container: true}
		if !slices.Contains(found, g) && !slices.ContainsFunc(running, func(r Guest) bool { return r.Name == g.Name }) {
			found = append(found, g)
		}
	}
	return found, err
}

func (s *stopper) merge(list []Guest, names []string) []Guest {
	for _, name := range names {
		d := domain{name: name}
		known := slices.ContainsFunc(list, func(g Guest) bool { return g.Name == name && !g.Container })
		if id, ours := s.host.identify(&d); ours && !known && s.concerns(name) {
			list = append(list, Guest{ID: id, Name: name, uuid: d.uuid})
		}
	}
	s.sortAndRemember(list)
	return list
}

// concerns reports whether a domain is one that has to be stopped.
func (s *stopper) concerns(name string) bool { return s.only == "" || s.only == name }

// sortAndRemember sorts a list by ID, and remembers who was there.
func (s *stopper) sortAndRemember(list []Guest) {
	slices.SortFunc(list, func(a, b Guest) int { return cmp.Or(a.ID-b.ID, a.PID-b.PID) })
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range list {
		g.PID = cmp.Or(g.PID, s.found[g.ID].PID)
		s.found[g.ID] = g
	}
}
