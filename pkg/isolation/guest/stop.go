package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/process"
)

// Stop stops all VMs of OpenNebula on this host, within Bound of the action whatever
// hangs. Without VMs it does nothing. What is left in the end, or cannot be told, is a
// reason to force the host off, which is done when ctx has not ended before:
//
//   - Destroy: libvirt destroys the VMs until Limits.Destroy is over; SIGKILL at once
//     where libvirt does not answer or has not done it; Limits.Kill until they are gone.
//   - Shutdown: Host.Shutdown, and Limits.Shutdown until the VMs are gone.
//   - Command: Host.Command with the IDs in FT_VMS ("1 2 3"), Limits.Kill until the VMs
//     are gone; those that are not are destroyed as above.
func (h Host) Stop(ctx context.Context, action Action) Outcome {
	s := newStopper(h, "")
	o := s.stop(ctx, action)
	o.Steps = s.steps.end()
	return o
}

// stop is Stop without Outcome.Steps.
func (s *stopper) stop(ctx context.Context, action Action) Outcome {
	begin := time.Now()
	if s.host.Bound(action) == 0 {
		return Outcome{Err: fmt.Errorf("action %q: allowed are %s, %s and %s", string(action), Destroy, Shutdown, Command)}
	}
	pic, err := s.find(ctx)
	if err != nil {
		s.steps.warn("%v", err)
	}
	switch {
	case ctx.Err() != nil:
		return s.outcome(ctx, pic, false)
	case pic.none():
		s.steps.did("no VMs of OpenNebula on this host; nothing is stopped")
		return s.outcome(ctx, pic, false)
	}
	if len(pic.left) > 0 {
		s.steps.did("VMs of OpenNebula on this host: %s", listed(names(pic.left)))
	}
	if pic.err != nil {
		s.steps.warn("%v", pic.err)
	}
	told := false
	switch action {
	case Destroy:
		pic = s.destroy(ctx, pic, begin.Add(s.host.Limits.Destroy))
	case Command:
		pic = s.command(ctx, pic)
	case Shutdown:
		pic, told = s.shutDown(ctx)
	}
	if !pic.none() && (ctx.Err() == nil || action == Shutdown) {
		s.steps.warn("%s", remains(pic))
		forced := false
		pic, forced = s.powerOff(ctx, pic)
		told = told || forced
	}
	if pic.none() {
		s.steps.did("verified: no VM of OpenNebula is left")
	}
	return s.outcome(ctx, pic, told)
}

// outcome is the result when pic was seen last.
func (s *stopper) outcome(ctx context.Context, pic picture, told bool) Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := Outcome{Found: picture{left: s.found}.guests(), Gone: pic.none(), Left: pic.guests(), PoweredOff: told}
	if !o.Gone {
		o.Err = fmt.Errorf("%w: %s", ErrLeft, remains(pic))
		if ctx.Err() != nil {
			o.Err = fmt.Errorf("%w; given up: %w", o.Err, context.Cause(ctx))
		}
	}
	return o
}

// command runs the program of the site, and destroys what it has left.
func (s *stopper) command(ctx context.Context, pic picture) picture {
	name := strings.Join(s.host.Command, " ")
	s.steps.did("run %s", name)
	running, cancel := context.WithTimeoutCause(ctx, s.host.Limits.Command, process.ErrTimeout)
	defer cancel()
	env := append(os.Environ(), "FT_VMS="+strings.Join(ids(pic.left), " "))
	r := run(running, env, s.host.Command...)
	s.steps.add(r.Err != nil || r.Code != 0, "run %s: %s", name, ending(r))
	verifying, stop := context.WithTimeout(ctx, s.host.Limits.Kill)
	defer stop()
	pic = s.watch(verifying, pic)
	if pic.none() || ctx.Err() != nil {
		return pic
	}
	s.steps.warn("%s; they are destroyed", remains(pic))
	return s.destroy(ctx, pic, time.Now().Add(s.host.Limits.Destroy))
}

// errChanged means that Host.Destroy was asked for a VM that was started anew.
var errChanged = errors.New("it is not the same process any more; nothing was done")

// Destroy destroys one VM, and returns nil when it is verified gone. It takes
// Limits.Destroy + Limits.Kill + Margin at most and never touches the host. A VM that
// runs in another process than g.PID (unless that is 0) is left alone: it is not the one
// that the caller has decided about.
func (h Host) Destroy(ctx context.Context, g Guest) error {
	begin := time.Now()
	if id, ours := ParseName(g.Name); !ours || id != g.ID {
		return fmt.Errorf("destroy VM %d: %q is not the name of its domain", g.ID, g.Name)
	}
	s := newStopper(h, g.Name)
	defer s.steps.end()
	pic, err := s.find(ctx)
	if err != nil {
		s.steps.warn("%v", err)
	}
	if len(pic.left) > 0 && g.PID != 0 && !runs(pic, g.PID) {
		return fmt.Errorf("destroy %s: %w", g.Name, errChanged)
	}
	if pic = s.destroy(ctx, pic, begin.Add(h.Limits.Destroy)); pic.none() {
		return nil
	}
	err = fmt.Errorf("%w: %s", ErrLeft, remains(pic))
	if ctx.Err() != nil {
		err = fmt.Errorf("%w; given up: %w", err, context.Cause(ctx))
	}
	return fmt.Errorf("destroy %s: %w", g.Name, err)
}

// runs reports whether a process is in a picture.
func runs(pic picture, pid int) bool {
	return slices.ContainsFunc(pic.left, func(g sighting) bool { return g.PID == pid })
}

// remains says what is left.
func remains(pic picture) string {
	var parts []string
	if len(pic.left) > 0 {
		parts = append(parts, "left: "+listed(names(pic.left)))
	}
	if pic.err != nil {
		parts = append(parts, pic.err.Error())
	}
	return strings.Join(parts, "; ")
}

// names are the domains of a list, each once.
func names(list []sighting) []string {
	var all []string
	for _, id := range ids(list) {
		all = append(all, namePrefix+id)
	}
	return all
}

// ids are the VMs of a sorted list, each once.
func ids(list []sighting) []string {
	var all []string
	for i, g := range list {
		if i == 0 || list[i-1].ID != g.ID {
			all = append(all, strconv.Itoa(g.ID))
		}
	}
	return all
}
