package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// How many hooks run at the same time; the others wait in line
// (opennebula.md: 15 up to 5.8, 10 in the hook manager).
const (
	atOnceFromOned    = 15
	atOnceFromManager = 10
)

// What is kept of a hook's output, and of how many hooks.
const (
	maxOutput = 64 << 10
	maxRuns   = 1000
)

// HookRun is one run of a hook that has ended.
type HookRun struct {
	Number         int
	What           string // why it ran, such as "host 1 (node01) is ERROR"
	Started, Ended time.Time
	Exit           int    // -1 when it was killed or could not be started
	Problem        string // why Exit is -1
	Stdout, Stderr string // the first 64 KiB of each
}

// runner runs hooks.
type runner struct {
	old     bool   // as oned does up to 5.8
	dir     string // of the lab
	env     []string
	timeout time.Duration
	log     *hooksLog
	ended   func() // told after each hook

	ctx  context.Context // ends when the lab stops
	wait sync.WaitGroup

	mu      sync.Mutex
	number  int
	running int
	line    []event
	runs    []HookRun
	over    map[int]bool // numbers of later ones that have ended
	first   int          // all hooks up to this number have ended
}

// submit runs a hook, or puts it in line.
func (r *runner) submit(e event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	limit := atOnceFromManager
	if r.old {
		limit = atOnceFromOned
	}
	r.line = append(r.line, e)
	if r.running < limit && r.ctx.Err() == nil {
		r.running++
		r.wait.Go(r.work)
	}
}

// finish waits for the hooks that the end of ctx has killed.
func (r *runner) finish() {
	r.mu.Lock() // whoever submits later sees the end of ctx
	waiting := len(r.line)
	r.line = nil
	r.mu.Unlock()
	r.wait.Wait()
	if waiting > 0 {
		r.log.line(0, "%d hooks in line never ran: the lab stops", waiting)
	}
}

// work runs what is in line.
func (r *runner) work() {
	for {
		e, number, ok := r.next()
		if !ok {
			return
		}
		r.keep(r.run(number, e))
		r.ended()
	}
}

// next takes the hook that has waited longest.
func (r *runner) next() (e event, number int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.line) == 0 || r.ctx.Err() != nil {
		r.running--
		return event{}, 0, false
	}
	e, r.line = r.line[0], r.line[1:]
	r.number++
	return e, r.number, true
}

// keep remembers a run.
func (r *runner) keep(run HookRun) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over[run.Number] = true
	for r.over[r.first+1] {
		delete(r.over, r.first+1)
		r.first++
	}
	r.runs = append(r.runs, run)
	r.runs = r.runs[max(0, len(r.runs)-maxRuns):]
}

// finished gives the number up to which all hooks have ended.
func (r *runner) finished() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first
}

// run runs one hook to its end.
func (r *runner) run(number int, e event) HookRun {
	p := fromManager(e, e.hook.stdin)
	if r.old {
		p = fromOned(e, r.dir+"/var")
	}
	run := HookRun{Number: number, What: e.what, Started: time.Now()}
	r.log.started(run, e, e.hook.stdin)
	timeout := r.timeout
	if e.hook.timeout > 0 {
		timeout = e.hook.timeout
	}
	ctx, cancel := context.WithTimeout(r.ctx, timeout)
	defer cancel()
	err := r.execute(ctx, p, &run)
	run.Ended = time.Now()
	if err != nil {
		run.Exit, run.Problem = -1, r.explain(ctx, err, timeout)
	}
	r.log.ended(run, r.old)
	return run
}

// explain says why a hook has no exit code.
func (r *runner) explain(ctx context.Context, err error, timeout time.Duration) string {
	switch {
	case r.ctx.Err() != nil:
		return "killed: the lab stops"
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Sprintf("killed after %s", timeout)
	}
	return err.Error()
}

// execute starts the process in a group of its own, reads its output and waits
// for it. The end of ctx kills the group.
func (r *runner) execute(ctx context.Context, p process, run *HookRun) error {
	cmd := exec.CommandContext(ctx, p.argv[0], p.argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin = p.dir, r.env, strings.NewReader(p.stdin)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	outputs, err := openOutputs(cmd)
	if err != nil {
		return err
	}
	defer outputs.close()
	err = cmd.Start()
	outputs.started()
	if err != nil {
		return err
	}
	// Something that left the group may hold the pipes open: it ends with the hook.
	defer context.AfterFunc(ctx, outputs.giveUp)()
	run.Stdout, run.Stderr = outputs.read(r.old)
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && !errors.As(err, &exit):
		return err
	}
	run.Exit = cmd.ProcessState.ExitCode()
	if r.old {
		run.Exit, err = writtenExit(run.Stderr)
		return err
	}
	return nil
}

// writtenExit reads the exit code that the shell wrote on stderr, as oned's
// driver does.
func writtenExit(stderr string) (int, error) {
	lines := regexp.MustCompile(`(?m)^ExitCode: (\d+)$`).FindAllStringSubmatch(stderr, -1)
	if len(lines) == 0 {
		return -1, errors.New("the shell wrote none")
	}
	return strconv.Atoi(lines[len(lines)-1][1])
}

// outputs are the pipes of stdout and stderr: where they are read and, until the
// process has started, where they are written.
type outputs struct{ readers, writers []*os.File }

// openOutputs gives a command its outputs.
func openOutputs(cmd *exec.Cmd) (*outputs, error) {
	o := &outputs{}
	for range 2 {
		reader, writer, err := os.Pipe()
		if err != nil {
			o.close()
			return nil, err
		}
		o.readers, o.writers = append(o.readers, reader), append(o.writers, writer)
	}
	cmd.Stdout, cmd.Stderr = o.writers[0], o.writers[1]
	return o, nil
}

// started closes the ends that belong to the process now.
func (o *outputs) started() {
	for _, f := range o.writers {
		// Nothing was written here.
		_ = f.Close()
	}
	o.writers = nil
}

// close closes what is still open.
func (o *outputs) close() {
	o.started()
	for _, f := range o.readers {
		_ = f.Close()
	}
}

// giveUp ends all reading soon.
func (o *outputs) giveUp() {
	for _, f := range o.readers {
		// A file that is closed is not read any more.
		_ = f.SetReadDeadline(time.Now().Add(time.Second))
	}
}

// read reads both outputs to their ends. The driver of 4.4 reads stderr only after
// stdout, so that a hook which writes much to stderr hangs there.
func (o *outputs) read(oneAfterTheOther bool) (stdout, stderr string) {
	if oneAfterTheOther {
		stdout = readSome(o.readers[0])
		return stdout, readSome(o.readers[1])
	}
	var both sync.WaitGroup
	both.Go(func() { stderr = readSome(o.readers[1]) })
	stdout = readSome(o.readers[0])
	both.Wait()
	return stdout, stderr
}

// readSome keeps the beginning of a stream and, behind what it leaves out, its
// end, where the exit code is; it reads all of it.
func readSome(f io.Reader) string {
	// The end of a stream is reached by any error too.
	first, _ := io.ReadAll(io.LimitReader(f, maxOutput))
	var last tail
	_, _ = io.Copy(&last, f)
	return string(append(first, last...))
}

// tail keeps the last bytes that are written to it.
type tail []byte

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	const most = 1 << 10
	*t = append(*t, p...)
	*t = append(tail(nil), (*t)[max(0, len(*t)-most):]...)
	return len(p), nil
}
