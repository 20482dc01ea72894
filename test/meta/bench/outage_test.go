package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
	"one-ft/test/sim/lab"
)

// outage is a host that has lost its power, with VMs on it, in a cloud whose drivers work over ssh.
type outage struct {
	vms     int
	network cloud.Network
	hang    string // the share of clean-ups that never end, as in lab.Config
	shipped bool   // the scheduler is as the release comes
}

func (o outage) String() string {
	return fmt.Sprintf("%s, %d VMs, clean-ups that hang: %s", o.network, o.vms, o.share())
}

// share names the share of clean-ups that hang.
func (o outage) share() string {
	if o.hang == "" {
		return "as measured"
	}
	return o.hang
}

// The cloud of an outage. Each of the hosts that are left has room for 8 VMs. With the scheduler that
// is not the shipped one, what is measured is not the scheduler.
const (
	outageRelease = "6.10.0"
	outageHosts   = 41
	outageStep    = 100 * time.Millisecond
	outageSched   = 100 * time.Millisecond
	outageCycle   = 20 * time.Second
)

// course is how an outage went.
type course struct {
	// last is from the proof that the host is off, without one from the first call, until the last of the VMs that
	// ran by then did.
	last    time.Duration
	running int
	// lost VMs wait for a driver whose thread has died.
	lost int
	// watched is how long that was watched; all VMs run earlier.
	watched time.Duration
}

// cell is a course in a table.
func (c course) cell(of int) string {
	if c.running == of {
		return fmt.Sprintf("%.1f s", c.last.Seconds())
	}
	return fmt.Sprintf("> %.0f s (%d of %d, %d lost)", c.watched.Seconds(), c.running, of, c.lost)
}

// doer is what recovers the VMs.
type doer struct {
	bin  string // of the executables, or of the bare client
	bare bool
	ssh  bool // it knows the key ssh
}

// run has a host die, and watches until all its VMs run elsewhere, for limit at most.
func (o outage) run(ctx context.Context, d doer, limit time.Duration) (course, error) {
	dir, err := os.MkdirTemp("", "outage") // short: there is a socket in it
	if err != nil {
		return course{}, err
	}
	defer os.RemoveAll(dir)
	cfg := lab.Config{
		Version: outageRelease, Hosts: outageHosts, Dir: filepath.Join(dir, "lab"), Stdin: true, HookTimeout: time.Hour,
		Step: outageStep, Sched: outageSched, Interval: outageCycle, ShippedScheduler: o.shipped, Network: o.network, CleanUpsHang: o.hang,
	}
	if !d.bare {
		cfg.HostHook = filepath.Join(d.bin, "host_error") + " $TEMPLATE -r n"
	}
	l, err := lab.Start(cfg)
	if err != nil {
		return course{}, err
	}
	watch, err := o.prepare(l, d, dir)
	if err == nil {
		err = errors.Join(l.Cloud().PowerOff(0), l.Cloud().SetHostState(0, one.HostError)) // oned would notice later
	}
	var result course
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, limit)
		result, err = watch.follow(ctx, l, d, filepath.Join(dir, "proof"))
		cancel()
	}
	return result, errors.Join(err, l.Close())
}

// prepare adds the VMs to a lab, and what proves that the host is off: it answers at once.
func (o outage) prepare(l *lab.Lab, d doer, dir string) (*watch, error) {
	for _, v := range o.all() {
		if err := l.Cloud().AddVM(v); err != nil {
			return nil, err
		}
	}
	fence, yaml := filepath.Join(dir, "fence"), filepath.Join(l.Dir(), "etc", "one-ft.yaml")
	text := fmt.Sprintf("survey: {settle: 0s}\nfence:\n  - hosts: [\"node*\"]\n    levels:\n      - devices:\n          - command: [%q]\n", fence)
	if d.ssh {
		known, err := os.ReadFile(yaml) // where the lab says which ssh its drivers use
		if err != nil {
			return nil, err
		}
		text = string(known) + text
	}
	w := &watch{vms: o.vms, all: make(chan struct{}), ran: map[int]time.Time{}}
	l.Cloud().OnVMState(w.moved)
	return w, errors.Join(os.WriteFile(fence, fmt.Appendf(nil, "#!/bin/sh\n: >%s/proof\n", dir), 0o700), os.WriteFile(yaml, []byte(text), 0o600))
}

// all are the VMs of host 0, as oned has them 0.1 s after it found the host dead.
func (o outage) all() (list []cloud.VM) {
	for id := range o.vms {
		list = append(list, cloud.VM{ID: id, Name: fmt.Sprintf("vm%d", id), State: one.Active, LCM: one.Unknown, History: []cloud.Record{{STime: 1, PSTime: 1, PETime: 1, RSTime: 1}}})
	}
	return list
}

// watch sees VMs run again.
type watch struct {
	vms   int
	begun time.Time
	all   chan struct{} // closed when all run

	mu  sync.Mutex
	ran map[int]time.Time
}

func (w *watch) moved(e cloud.VMEvent) {
	if e.State != one.Active || e.LCM != one.Running || e.VM.History[len(e.VM.History)-1].HostID == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ran[e.VM.ID] = time.Now(); len(w.ran) == w.vms {
		close(w.all)
	}
}

// follow recovers the VMs, each minute with the timer of oneft resume, until all run or the context ends.
func (w *watch) follow(ctx context.Context, l *lab.Lab, d doer, proof string) (course, error) {
	w.begun = time.Now()
	var problem error
	if d.bare {
		problem = bareCalls(ctx, d.bin, l.Endpoint(), w.vms)
	}
	timer := time.NewTicker(time.Minute)
	defer timer.Stop()
	for over := problem != nil; !over; {
		select {
		case <-w.all:
			over = true
		case <-ctx.Done():
			over = true
		case <-timer.C:
			if !d.bare {
				problem = errors.Join(problem, resume(ctx, l, d.bin))
			}
		}
	}
	since := w.begun
	if info, err := os.Stat(proof); err == nil {
		since = info.ModTime()
	} else if !d.bare {
		problem = errors.Join(problem, err, hooksOf(l))
	}
	return w.course(since, len(l.Cloud().Unanswered())), problem
}

// course is how it went until now, since a moment.
func (w *watch) course(since time.Time, lost int) course {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := course{running: len(w.ran), lost: lost, watched: time.Since(since)}
	for _, at := range w.ran {
		c.last = max(c.last, at.Sub(since))
	}
	return c
}

// hooksOf is what the hooks said that ended.
func hooksOf(l *lab.Lab) (err error) {
	for _, r := range l.Runs() {
		err = errors.Join(err, fmt.Errorf("%s: exit %d: %s%s%s", r.What, r.Exit, r.Stdout, r.Stderr, r.Problem))
	}
	return err
}

// resume is the timer of oneft resume. Its exit code tells of VMs that are left, which is no problem here.
func resume(ctx context.Context, l *lab.Lab, bin string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "oneft"), "resume")
	cmd.Env = []string{"ONE_LOCATION=" + l.Dir(), "HOME=" + l.Dir(), "PATH=" + os.Getenv("PATH")}
	var exit *exec.ExitError
	if out, err := cmd.CombinedOutput(); err != nil && !errors.As(err, &exit) && ctx.Err() == nil {
		return fmt.Errorf("oneft resume: %w\n%s", err, out)
	}
	return nil
}
