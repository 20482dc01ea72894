package failfast

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"
)

const (
	// grace is how long a process has after SIGTERM, and again after SIGKILL. ssh that is connecting dies of SIGTERM
	// at once; one with a session first says goodbye to a host that does not answer.
	grace   = time.Second
	endPoll = 20 * time.Millisecond
)

// ErrStays is a process that did not end.
var ErrStays = errors.New("it did not end")

// EndMaster ends the persistent master of a name, which has the socket controlPath as Resolve gave it: by ssh -O
// exit, then, should one stay, by its process. Without a master it does nothing. It gives the processes that were
// there.
func (c Client) EndMaster(ctx context.Context, name, controlPath string) ([]Process, error) {
	if controlPath == "" {
		return nil, nil
	}
	if err := CheckName(name); err != nil {
		return nil, err
	}
	masters, err := c.Masters(controlPath)
	if err != nil || len(masters) == 0 {
		return nil, err
	}
	// An answer says nothing: ssh -O check calls a master of a dead host running. What counts is that no process is
	// left.
	escaped := strings.ReplaceAll(controlPath, "%", "%%")
	_ = c.Machine.Run(ctx, exitLimit, c.program("-o", `ControlPath="`+escaped+`"`, "-O", "exit", "--", name))
	return masters, c.End(ctx, masters)
}

// Masters gives the persistent masters of a socket, as Resolve gave it.
func (c Client) Masters(controlPath string) ([]Process, error) {
	all, err := c.Machine.Processes(c.User.UID)
	return mastersAt(all, controlPath), err
}

// Connecting gives the ssh processes of the drivers' user to a host of one of the names, whether they are still
// connecting or have a session: to a host that is off both lead nowhere.
func (c Client) Connecting(names []string) ([]Process, error) {
	all, err := c.Machine.Processes(c.User.UID)
	return connectingTo(all, names), err
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
		all = left
		select {
		case <-ctx.Done():
			return left, errors.Join(append(failed, context.Cause(ctx))...)
		case <-time.After(endPoll):
		}
	}
}
