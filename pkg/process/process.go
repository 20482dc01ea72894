// Package process runs a program once: bounded, with what it prints, and with the end of everything that it started. It
// also finds the daemons of OpenNebula among the processes of this machine.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// MaxOutput is how much of the output of a program is kept; the rest is read, so that the program does not block.
	MaxOutput = 64 << 10
	// pipeDelay is how long the output of a program that has ended is waited for: only a descendant that left its
	// process group can still hold it open.
	pipeDelay = time.Second
	// killDelay is how long a killed program may stay: one that waits for a dead disk does not go away at all.
	killDelay = 5 * time.Second
	// busyTries and busyPause: a program that somebody is writing, such as configuration management, or that a process
	// started at the same moment still holds open, is retried for about a second.
	busyTries = 50
	busyPause = 20 * time.Millisecond
)

// ErrTimeout is the end of a program that took too long.
var ErrTimeout = errors.New("no answer in time; killed with all that it had started")

// ErrStart is a program that was never started: it is not there, or it cannot be executed.
var ErrStart = errors.New("start")

// Program is what is run once.
type Program struct {
	Path  string // absolute
	Args  []string
	Env   []string // nil: that of this process
	Dir   string   // "": that of this process
	Stdin []byte
	// Script: a file that the kernel cannot run, such as one whose first line is not #!, is run by /bin/sh, as shells,
	// Ruby and execvp(3) do.
	Script bool
	// As is whom it runs as; nil is the user of this process. Only root can change that.
	As *syscall.Credential
}

// Result is how a program ended.
type Result struct {
	Code   int    // exit code; -1 when there is none
	Output string // of both streams, in their order, at most MaxOutput bytes
	CutOff bool   // there was more output
	Err    error  // why there is no exit code
}

// Runner runs a program once, as Run does: what tests put in its place.
type Runner func(ctx context.Context, limit time.Duration, p Program) Result

// Run runs a program in a process group of its own, and kills the group when the time is over, when the context ends, and
// also when the program has ended: nothing that a program started may switch power later. limit is for the program alone;
// one that the kernel holds is given up killDelay after it.
func Run(ctx context.Context, limit time.Duration, p Program) Result {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, ErrTimeout)
	defer cancel()
	out := &capped{}
	if err := ctx.Err(); err != nil {
		return Result{Code: -1, Err: fmt.Errorf("not started: %w", context.Cause(ctx))}
	}
	cmd, err := start(p, out)
	for try := 1; errors.Is(err, syscall.ETXTBSY) && try < busyTries && Pause(ctx, busyPause); try++ {
		cmd, err = start(p, out)
	}
	if p.Script && errors.Is(err, syscall.ENOEXEC) {
		p.Path, p.Args = "/bin/sh", append([]string{p.Path}, p.Args...)
		cmd, err = start(p, out)
	}
	if err != nil {
		return Result{Code: -1, Err: fmt.Errorf("%w: %w", ErrStart, err)}
	}
	g := &group{id: cmd.Process.Pid}
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.reap(cmd)
	}()
	var cause error
	select {
	case <-done:
	case <-ctx.Done():
		cause = context.Cause(ctx)
		g.kill()
		select {
		case <-done:
		case <-time.After(killDelay):
			text, cutOff := out.text()
			err := errors.New("it cannot be killed; the kernel holds it")
			return Result{Code: -1, Output: text, CutOff: cutOff, Err: fmt.Errorf("%w: %w", cause, err)}
		}
	}
	return ended(cmd.ProcessState, out, cause)
}

// start starts a program in a process group of its own.
func start(p Program, out *capped) (*exec.Cmd, error) {
	cmd := exec.Command(p.Path, p.Args...)
	cmd.Env, cmd.Dir, cmd.Stdin = p.Env, p.Dir, bytes.NewReader(p.Stdin)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: p.As}
	cmd.WaitDelay = pipeDelay
	return cmd, cmd.Start()
}

// ended is the result of a program that is gone; cause is why it was killed.
func ended(state *os.ProcessState, out *capped, cause error) Result {
	text, cutOff := out.text()
	r := Result{Code: state.ExitCode(), Output: text, CutOff: cutOff} // -1 also when it is not known
	switch {
	case r.Code >= 0:
	case state == nil:
		r.Err = errors.New("how it ended is not known")
	case cause != nil:
		r.Err = cause
	default:
		status, _ := state.Sys().(syscall.WaitStatus)
		r.Err = fmt.Errorf("ended by signal %d (%s)", status.Signal(), status.Signal())
	}
	return r
}

// group is the process group of a program. Its number is valid only until the program has been reaped; afterwards the
// kernel may give it to others.
type group struct {
	mu     sync.Mutex
	id     int
	reaped bool
}

func (g *group) kill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.reaped {
		// An error means that nobody is left.
		_ = unix.Kill(-g.id, unix.SIGKILL)
	}
}

// reap waits until the program has ended, kills what it left behind while its number is its own, and reads its exit code.
func (g *group) reap(cmd *exec.Cmd) {
	for {
		err := unix.Waitid(unix.P_PID, g.id, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	g.kill()
	g.mu.Lock()
	g.reaped = true
	g.mu.Unlock()
	// The error repeats the exit code, or says that the pipes were closed early.
	_ = cmd.Wait()
}

// capped keeps the beginning of what is written to it.
type capped struct {
	mu   sync.Mutex
	kept bytes.Buffer
	lost bool
}

// Write never fails.
func (c *capped) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := MaxOutput - c.kept.Len()
	if room < len(p) {
		c.lost = true
	}
	c.kept.Write(p[:min(room, len(p))])
	return len(p), nil
}

func (c *capped) text() (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept.String(), c.lost
}

// Runnable reports whether a path is a file that this process may execute.
func Runnable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && unix.Access(path, unix.X_OK) == nil
}

// Pause waits, or returns false when the context ends first.
func Pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// Each calls f for 0 to n-1, so many at the same time, and waits for all.
func Each(n, atOnce int, f func(i int)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			f(i)
		})
	}
	wg.Wait()
}

// Bounded returns what f returns, or the cause of the end of ctx; then f is left behind: a disk or the
// kernel may never answer it.
func Bounded[T any](ctx context.Context, f func() (T, error)) (T, error) {
	var result T
	ended := make(chan error, 1)
	go func() {
		r, err := f()
		result = r
		ended <- err
	}()
	select {
	case err := <-ended:
		return result, err
	case <-ctx.Done():
	}
	select {
	case err := <-ended: // both at once
		return result, err
	default:
		var none T
		return none, context.Cause(ctx)
	}
}
