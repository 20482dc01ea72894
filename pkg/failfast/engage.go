package failfast

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"one-ft/pkg/process"
)

const (
	// grace is how long a process has after SIGTERM, and again after SIGKILL. ssh that is connecting dies of SIGTERM
	// at once; one with a session first says goodbye to a host that does not answer.
	grace   = time.Second
	endPoll = 20 * time.Millisecond
)

// ErrStays is a process that did not end.
var ErrStays = errors.New("it did not end")

// Engaged is what Engage did.
type Engaged struct {
	Names []string // that have marks now
	// Masters and Connections are the ssh processes that were ended.
	Masters, Connections []Process
}

// Engage makes ssh to a host fail at once: it marks the host's names until h.Until, ends its persistent masters, and
// ends the ssh processes that are on their way to it. names are those that oned has, its NAME first; those that ssh
// knows it by are found, and those that the incident has marked before: while a mark is in force ssh does not tell
// them any more. The caller has the proof that the host is off, and calls Engage again before h.Until.
//
// Whatever fails, such as a name that no mark can have, the rest is still done; the error joins what failed.
func (c Client) Engage(ctx context.Context, m Marks, names []string, h Hold) (Engaged, error) {
	var done Engaged
	held, err := m.heldBy(h.Host, h.Incident)
	all, sockets, failed := c.aliases(ctx, names)
	all, failed = union(all, held), append(failed, err)
	failed = append(failed, m.Set(ctx, all, h))
	done.Names = all
	// Only now: before the mark a driver would have made a new master.
	for name, socket := range sockets {
		ended, err := c.endMaster(ctx, name, socket)
		done.Masters = append(done.Masters, ended...)
		failed = append(failed, err)
	}
	done.Connections, err = c.endConnections(ctx, all)
	failed = append(failed, err)
	return done, errors.Join(failed...)
}

// aliases gives the names of a host for marks, and the sockets of its masters by name. The name that ssh connects to
// is one when it is the host itself; a name in capital letters also has its small ones, which ssh uses in its second
// pass over the configuration.
func (c Client) aliases(ctx context.Context, names []string) (all []string, sockets map[string]string, failed []error) {
	sockets = map[string]string{}
	for i, a := range c.ResolveAll(ctx, names) {
		name := names[i]
		failed = append(failed, a.Err)
		if errors.Is(a.Err, ErrName) {
			continue
		}
		all = append(all, name, strings.ToLower(name))
		if a.Err == nil && a.Direct() && CheckName(a.HostName) == nil {
			all = append(all, a.HostName)
		}
		if a.ControlPath != "" {
			sockets[name] = a.ControlPath
		}
	}
	return all, sockets, failed
}

// union sorts the names of both.
func union(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}

// endMaster ends the persistent master of a name, which has the socket as Resolve gave it: by ssh -O exit, then,
// should one stay, by its process. Without a master it does nothing. It gives the processes that were there.
func (c Client) endMaster(ctx context.Context, name, socket string) ([]Process, error) {
	masters, err := c.Masters(socket)
	if err != nil || len(masters) == 0 {
		return nil, err
	}
	// An answer says nothing: ssh -O check calls a master of a dead host running. What counts is that no process is
	// left.
	escaped := strings.ReplaceAll(socket, "%", "%%")
	_ = c.Machine.Run(ctx, exitLimit, c.program("-o", `ControlPath="`+escaped+`"`, "-O", "exit", "--", name))
	return masters, c.End(ctx, masters)
}

// endConnections ends what hangs on a host that is off, and gives it: ssh that has a connection to a host which froze
// before waits forever.
func (c Client) endConnections(ctx context.Context, names []string) ([]Process, error) {
	all, err := c.Connecting(names)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all, c.End(ctx, all)
}

// End ends processes: SIGTERM, then SIGKILL for those that stay, 2 s at most. Those that have ended already are fine.
// Errors wrap ErrStays, those of signals, or the end of the context.
func (c Client) End(ctx context.Context, all []Process) error {
	left := all
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		var err error
		if left, err = c.end(ctx, left, s); err != nil || len(left) == 0 {
			return err
		}
	}
	return fmt.Errorf("end process %d (%s): %w", left[0].PID, shortened(strings.Join(left[0].Args, " ")), ErrStays)
}

// end sends a signal to all, and gives those that are there after the grace.
func (c Client) end(ctx context.Context, all []Process, s syscall.Signal) ([]Process, error) {
	var failed []error
	for _, p := range all {
		if err := c.Machine.Signal(p, s); err != nil && !errors.Is(err, ErrGone) {
			failed = append(failed, err)
		}
	}
	for end := time.Now().Add(grace); ; {
		var left []Process
		for _, p := range all {
			if err := c.Machine.Signal(p, 0); !errors.Is(err, ErrGone) {
				left = append(left, p)
			}
		}
		if len(left) == 0 || !time.Now().Before(end) {
			return left, errors.Join(failed...)
		}
		if all = left; !process.Pause(ctx, endPoll) {
			return left, errors.Join(append(failed, context.Cause(ctx))...)
		}
	}
}
