package guest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/process"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

const (
	// pollPause is the time between two looks.
	pollPause = 50 * time.Millisecond
	// maxVirsh is how many virsh destroy VMs at the same time; libvirtd serves 20 clients at once in its default
	// configuration (max_workers).
	maxVirsh = 16
	// endLimit is how long a QEMU has to end after SIGTERM, before libvirt has to destroy it. 40 of them end within 0.2 s, and
	// libvirt has seen it after 0.5 s (2 cores that did other things).
	endLimit = 500 * time.Millisecond
)

// Stop stops all VMs of OpenNebula on this host, within Bound whatever hangs. Without VMs it does nothing. What is
// left in the end, or cannot be told, is a reason to force the host off, which is done when ctx has not ended before:
//
//   - destroy: SIGTERM to all QEMU processes at once, before libvirt has answered; libvirt destroys what is left until DestroyLimit
//     is over; SIGKILL at once where libvirt does not answer or has not done it; KillLimit until they are gone.
//   - shutdown: Settings.Shutdown, and ShutdownLimit until the VMs are gone.
//   - command: Settings.Command with the IDs in FT_VMS ("1 2 3"), KillLimit until the VMs are gone; those that are not
//     are destroyed as above.
func (h Host) Stop(ctx context.Context) Outcome {
	s := newStopper(h, "")
	defer s.end()
	begin, action := time.Now(), h.Settings.Action
	if h.Bound() == 0 {
		return Outcome{Err: fmt.Errorf("action %q is not known", action)}
	}
	s.atOnce = action == config.ActionDestroy
	snap, err := s.find(ctx)
	if err != nil {
		s.warn("%v", err)
	}
	if snap.none() && ctx.Err() == nil {
		s.did("no VMs of OpenNebula on this host; nothing is stopped")
	}
	if snap.none() || ctx.Err() != nil {
		return s.outcome(ctx, snap)
	}
	if len(snap.left) > 0 {
		s.did("VMs of OpenNebula on this host: %s", listed(snap.names()))
	}
	if snap.err != nil {
		s.warn("%v", snap.err)
	}
	switch action {
	case config.ActionDestroy:
		snap = s.destroy(ctx, snap, begin.Add(s.host.Settings.DestroyLimit))
	case config.ActionCommand:
		snap = s.command(ctx, snap)
	case config.ActionShutdown:
		snap = s.shutDown(ctx, snap)
	}
	if !snap.none() && (ctx.Err() == nil || action == config.ActionShutdown) {
		s.warn("%s", snap)
		snap = s.powerOff(ctx, snap)
	}
	if snap.none() {
		s.did("verified: no VM of OpenNebula is left")
	}
	return s.outcome(ctx, snap)
}

// stopper stops the VMs of a host once.
type stopper struct {
	host Host
	only string // the domain that it is about; "": all
	// atOnce: what is found by its process is to be destroyed, and gets SIGTERM while libvirt is still asked.
	atOnce bool
	procs  *procs

	slots        chan struct{} // one for each virsh or lxc-stop that may run
	uri          string        // of libvirt
	lxcStop      string        // the program; "" when LXC is not installed
	libvirt, lxc manager
	seen         Found // by find

	mu         sync.Mutex
	unmounting map[int]bool           // by ID: its disks are being detached
	unmountErr map[int]string         // why that failed, as it was reported
	found      map[int]Guest          // all that were seen, by ID
	killed     map[identity]bool      // true: SIGKILL was sent; false: that failed, and was reported
	ending     map[identity]time.Time // when SIGTERM was sent

	notifying sync.Mutex
	ended     bool // what was left behind reports nothing any more
}

// manager is what runs guests.
type manager struct {
	muted  atomic.Bool     // it is not asked any more: it has failed or hung once
	orders map[string]bool // by guest that it was told to destroy; true: at work
}

func newStopper(h Host, only string) *stopper {
	return &stopper{
		host: h, only: only, procs: newProcs(h), slots: make(chan struct{}, maxVirsh),
		libvirt: manager{orders: map[string]bool{}}, lxc: manager{orders: map[string]bool{}},
		unmounting: map[int]bool{}, unmountErr: map[int]string{}, found: map[int]Guest{}, killed: map[identity]bool{}, ending: map[identity]time.Time{},
	}
}

// did is for a step that went as it should.
func (s *stopper) did(format string, args ...any) { s.notify(wording.GuestStep, format, args...) }

// warn is for a step that went wrong, or that is stronger than usual.
func (s *stopper) warn(format string, args ...any) { s.notify(wording.GuestTrouble, format, args...) }

func (s *stopper) notify(kind wording.Kind, format string, args ...any) {
	s.notifying.Lock()
	defer s.notifying.Unlock()
	if !s.ended && s.host.Notify != nil {
		s.host.Notify(wording.Of(kind, text.Printable(fmt.Sprintf(format, args...))))
	}
}

func (s *stopper) end() {
	s.notifying.Lock()
	defer s.notifying.Unlock()
	s.ended = true
}

// outcome is the result when snap was seen last.
func (s *stopper) outcome(ctx context.Context, snap snapshot) Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := slices.SortedFunc(maps.Values(s.found), func(a, b Guest) int { return cmp.Compare(a.ID, b.ID) })
	return Outcome{Found: found, Gone: snap.none(), Left: snap.left, Err: left(ctx, snap)}
}

// left is the error for what is left; nil when nothing is.
func left(ctx context.Context, snap snapshot) error {
	switch {
	case snap.none():
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %s; given up: %w", ErrLeft, snap, context.Cause(ctx))
	}
	return fmt.Errorf("%w: %s", ErrLeft, snap)
}

// command runs the program of the site, and destroys what it has left.
func (s *stopper) command(ctx context.Context, snap snapshot) snapshot {
	name := strings.Join(s.host.Settings.Command, " ")
	s.did("run %s", name)
	var ids []string
	for _, g := range snap.left {
		ids = append(ids, strconv.Itoa(g.ID))
	}
	running, cancel := context.WithTimeoutCause(ctx, s.host.Settings.CommandLimit, process.ErrTimeout)
	defer cancel()
	if _, err := s.host.run(running, append(os.Environ(), "FT_VMS="+strings.Join(slices.Compact(ids), " ")), s.host.Settings.Command...); err != nil {
		s.warn("run %s: %v", name, err)
	} else {
		s.did("run %s: exit code 0", name)
	}
	verifying, stop := context.WithTimeout(ctx, s.host.KillLimit)
	defer stop()
	snap = s.watch(verifying, snap)
	if snap.none() || ctx.Err() != nil {
		return snap
	}
	s.warn("%s; they are destroyed", snap)
	return s.destroy(ctx, snap, time.Now().Add(s.host.Settings.DestroyLimit))
}

// errChanged means that Host.Destroy was called for a VM that was restarted.
var errChanged = errors.New("its process has changed; nothing was done")

// Destroy destroys one VM, and returns nil when it is verified gone. It takes DestroyLimit + KillLimit + Margin at
// most and never touches the host. A VM that runs in another process than g.PID (unless that is 0) is left alone: it
// is not the one that the caller has decided about.
func (h Host) Destroy(ctx context.Context, g Guest) error {
	begin := time.Now()
	if id, ours := h.identify(&domain{g.Name, g.uuid}); !ours || id != g.ID {
		return fmt.Errorf("destroy VM %d: %q is not the name of its guest", g.ID, g.Name)
	}
	s := newStopper(h, g.Name)
	defer s.end()
	snap, err := s.find(ctx)
	if err != nil {
		s.warn("%v", err)
	}
	same := func(seen Guest) bool { return seen.PID == g.PID }
	if len(snap.left) > 0 && g.PID != 0 && !slices.ContainsFunc(snap.left, same) {
		return fmt.Errorf("destroy %s: %w", g.Name, errChanged)
	}
	if err := left(ctx, s.destroy(ctx, snap, begin.Add(h.Settings.DestroyLimit))); err != nil {
		return fmt.Errorf("destroy %s: %w", g.Name, err)
	}
	return nil
}

// destroy destroys all VMs, those that come while it works, too: through libvirt until then, and with SIGKILL where
// libvirt does not answer or has not done it. It ends KillLimit after the last order to libvirt has ended, which is
// not after until + KillLimit, and a last look.
func (s *stopper) destroy(ctx context.Context, snap snapshot, until time.Time) snapshot {
	orders, cancel := context.WithDeadlineCause(ctx, until, process.ErrTimeout)
	defer cancel()
	end := time.Now().Add(s.host.KillLimit)
	for ctx.Err() == nil {
		if snap.none() {
			return snap
		}
		acting, acted := context.WithDeadline(ctx, end)
		s.act(acting, orders, snap)
		acted()
		if s.waiting(orders) {
			end = time.Now().Add(s.host.KillLimit)
		}
		if !time.Now().Before(end) {
			break
		}
		process.Pause(ctx, pollPause)
		looking, looked := context.WithDeadline(ctx, end)
		snap = s.look(looking)
		looked()
	}
	return s.lastLook(ctx)
}

// lastLook is a look that does not depend on the time that is left, nor on ctx.
func (s *stopper) lastLook(ctx context.Context) snapshot {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLimit)
	defer cancel()
	return s.look(ctx)
}

// act does the next thing about each VM: libvirt or LXC is told until orders ends, unless it has failed before; then the
// process is killed, or the disks are unmounted that a container has left.
func (s *stopper) act(ctx, orders context.Context, snap snapshot) {
	var kill []Guest
	for _, g := range snap.left {
		switch {
		case g.PID == 0 && g.Container:
			s.unmount(ctx, g)
		case !s.order(orders, g) && g.PID != 0:
			kill = append(kill, g)
		}
	}
	process.Each(len(kill), readers, func(i int) { s.kill(ctx, kill[i]) })
}

// order tells libvirt or LXC to destroy a guest, once. It reports whether that is at it.
func (s *stopper) order(ctx context.Context, g Guest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.managerOf(g)
	if m.muted.Load() || ctx.Err() != nil || g.uuid == "" && !isOurs(g.Name) {
		return false // a name that somebody else gave may mean another domain to virsh: a number is taken for its ID
	}
	open, given := m.orders[g.Name]
	if !given {
		m.orders[g.Name], open = true, true
		go func() {
			s.tell(ctx, g)
			s.mu.Lock()
			defer s.mu.Unlock()
			m.orders[g.Name] = false
		}()
	}
	return open
}

func (s *stopper) managerOf(g Guest) *manager {
	if g.Container {
		return &s.lxc
	}
	return &s.libvirt
}

// waiting reports whether there is an order that libvirt or LXC has not answered.
func (s *stopper) waiting(ctx context.Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return ctx.Err() == nil && slices.ContainsFunc([]*manager{&s.libvirt, &s.lxc}, func(m *manager) bool {
		return !m.muted.Load() && slices.Contains(slices.Collect(maps.Values(m.orders)), true)
	})
}

// terminate sends SIGTERM to the QEMU of a guest, once, and returns when that was. libvirt begins a destroy in the same way: but it
// looks for the end only each 0.2 s, and destroys few at a time (max_client_requests). What fails or has no effect is left to libvirt.
func (s *stopper) terminate(ctx context.Context, g Guest) (sent time.Time) {
	if g.PID == 0 || g.Container {
		return time.Time{}
	}
	s.mu.Lock()
	sent, known := s.ending[g.process()]
	if !known {
		s.ending[g.process()] = time.Now()
	}
	s.mu.Unlock()
	if known {
		return sent
	}
	if done, err := s.procs.signal(ctx, g, syscall.SIGTERM); err != nil || !done {
		return time.Time{}
	}
	s.did("%s: SIGTERM to process %d", g.Name, g.PID)
	return time.Now()
}

// tell runs virsh or lxc-stop until ctx ends. That it fails is no more than told: the guest may have ended meanwhile.
func (s *stopper) tell(ctx context.Context, g Guest) {
	process.Pause(ctx, time.Until(s.terminate(ctx, g).Add(endLimit)))
	var err error
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
		if g.Container {
			_, err = s.host.run(ctx, environment(), s.lxcStop, "--kill", "-n", g.Name)
		} else {
			_, err = s.virsh(ctx, "destroy", cmp.Or(g.uuid, g.Name))
		}
	case <-ctx.Done():
	}
	switch {
	case errors.Is(context.Cause(ctx), process.ErrTimeout):
		// Asking it again would only cost time.
		s.managerOf(g).muted.Store(true)
		s.warn("%s: timed out", g.StopCommand())
	case ctx.Err() != nil:
	case err != nil:
		s.did("%s: %v", g.StopCommand(), err)
	default:
		s.did("%s: done", g.StopCommand())
	}
}

// kill kills the process of a VM, once, and says so.
func (s *stopper) kill(ctx context.Context, g Guest) {
	s.mu.Lock()
	sent, told := s.killed[g.process()]
	s.mu.Unlock()
	if sent {
		return
	}
	sent, err := s.procs.signal(ctx, g, syscall.SIGKILL)
	switch {
	case told && !sent:
		return
	case err != nil:
		s.warn("%s: process %d: %v", g.Name, g.PID, err)
	case sent:
		s.warn("%s: SIGKILL to process %d", g.Name, g.PID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.killed[g.process()] = sent
}

// signal sends a signal to a process if it is the one that was seen, and runs the domain. It reports whether it was sent; one
// that has ended needs none.
func (p *procs) signal(ctx context.Context, g Guest, sig syscall.Signal) (bool, error) {
	if g.PID <= 1 || g.PID == os.Getpid() {
		return false, errors.New("this process is not killed")
	}
	return p.system.Signal(g.PID, sig, func() bool {
		seen, unclear := p.judge(ctx, g.PID)
		return !unclear && seen.ours && seen.Guest == g
	})
}
