// Package lab runs a simulated OpenNebula (package cloud) for people and for
// scripts: over real HTTP on the loopback interface, with hooks that it runs as
// oned of that version does, and a socket over which hosts can be made to fail.
// Command onelab is this package as a program.
//
// Everything that a lab writes is in one directory, which is ONE_LOCATION for the
// hooks: credentials and endpoint where OpenNebula's clients look for them,
// var/hooks.log, and the logs and locks of one-ft.
//
// The hooks are those of the command line, and those that oned has: up to 5.8 of etc/oned.conf, as it was when the lab
// started or was told to restart oned; later those of the pool, at once. So the hooks that "oneft hooks install" installs are
// called. Only who can read the files of the lab can make some: each lab has a password of its own.
//
// Not imitated: the hooks' low priority on 4.4 (nice 19), and hooks that run on other hosts (REMOTE).
package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// Lab is a running lab.
type Lab struct {
	cloud    *cloud.Cloud
	version  one.Version
	dir      string
	endpoint string
	hooks    []hook // of the command line
	password string
	runner   *runner
	log      *hooksLog
	server   *http.Server
	control  net.Listener

	ctx     context.Context // ends when the lab stops
	cancel  context.CancelFunc
	tasks   sync.WaitGroup // all that runs until then
	stop    chan struct{}  // closed when somebody asked for the end
	stopped chan struct{}  // closed at the end
	once    sync.Once

	mu      sync.Mutex
	changed chan struct{} // closed and replaced whenever anything has changed
	conf    []hook        // of oned.conf
}

// Start starts a lab. Close ends it.
func Start(cfg Config) (*Lab, error) {
	version, err := cfg.check()
	if err != nil {
		return nil, err
	}
	hooks, err := cfg.hooks(version)
	if err != nil {
		return nil, err
	}
	l := &Lab{version: version, hooks: hooks, password: rand.Text(), stop: make(chan struct{}), stopped: make(chan struct{}), changed: make(chan struct{})}
	if l.dir, err = makeDir(cfg.Dir); err != nil {
		return nil, err
	}
	if l.log, err = openHooksLog(l.dir); err != nil {
		return nil, err
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.runner = &runner{
		old: version.Before(5, 10), dir: l.dir, env: hookEnv(l.dir),
		timeout: cfg.HookTimeout, log: l.log, ended: l.wake, ctx: l.ctx, over: map[int]bool{},
	}
	if err := l.open(cfg); err != nil {
		err = errors.Join(err, l.Close())
		if cfg.Dir == "" {
			err = errors.Join(err, os.RemoveAll(l.dir))
		}
		return nil, err
	}
	return l, nil
}

// hookEnv is the environment of hooks: nothing tells them where oned is but the
// files in their HOME.
func hookEnv(dir string) []string {
	path := os.Getenv("PATH")
	if path == "" {
		path = "/usr/local/bin:/usr/bin:/bin"
	}
	return []string{"ONE_LOCATION=" + dir, "HOME=" + dir, "PATH=" + path}
}

// open builds the cloud and listens.
func (l *Lab) open(cfg Config) error {
	var err error
	if l.cloud, err = cloud.New(cfg.simulated(l.password)); err != nil {
		return err
	}
	// Only the loopback interface: who has the password can have the lab run programs.
	web, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(cfg.Port)))
	if err != nil {
		return fmt.Errorf("listen for the API: %w", err)
	}
	l.server = &http.Server{Handler: l.cloud, ReadHeaderTimeout: 10 * time.Second}
	l.tasks.Go(func() {
		// It ends when Close closes it, or no client reaches it any more.
		_ = l.server.Serve(web)
	})
	l.endpoint = "http://" + web.Addr().String() + "/RPC2"
	if err := l.writeFiles(cfg.Interval); err != nil {
		return err
	}
	if err := l.readConf(); err != nil {
		return err
	}
	l.cloud.OnHostState(l.hostChanged)
	l.cloud.OnVMState(l.vmChanged)
	if l.control, err = net.Listen("unix", socketFile(l.dir)); err != nil {
		return fmt.Errorf("listen for commands: %w", err)
	}
	l.tasks.Go(l.serveControl)
	if cfg.Network != "" {
		if err := writeSSH(l.dir); err != nil {
			return err
		}
		l.cloud.SetFailFast(l.marked)
		l.tasks.Go(l.endMarked)
	}
	return nil
}

// Dir is the directory of the lab, its ONE_LOCATION.
func (l *Lab) Dir() string { return l.dir }

// Endpoint is the URL of the API.
func (l *Lab) Endpoint() string { return l.endpoint }

// Where says in lines where the lab is and with which credentials.
func (l *Lab) Where() string {
	return fmt.Sprintf("endpoint     %s\ncredentials  %s:%s, in %s\ndirectory    %s",
		l.endpoint, user, l.password, authFile(l.dir), l.dir)
}

// Cloud is the simulated cloud.
func (l *Lab) Cloud() *cloud.Cloud { return l.cloud }

// Runs gives the hooks that have ended, in the order in which they ended; of very
// many only the last.
func (l *Lab) Runs() []HookRun {
	l.runner.mu.Lock()
	defer l.runner.mu.Unlock()
	return append([]HookRun(nil), l.runner.runs...)
}

// StopAsked is closed when a command asked the lab to stop.
func (l *Lab) StopAsked() <-chan struct{} { return l.stop }

// askStop closes StopAsked.
func (l *Lab) askStop() {
	l.once.Do(func() { close(l.stop) })
}

// Close ends everything, kills the hooks that still run, and waits for all of it.
// The directory stays. Close may be called once.
func (l *Lab) Close() error {
	l.askStop()
	l.cancel()
	var errs []error
	if l.control != nil {
		errs = append(errs, l.control.Close())
	}
	if l.cloud != nil {
		l.cloud.Close()
	}
	if l.server != nil {
		errs = append(errs, l.server.Close())
	}
	l.runner.finish()
	close(l.stopped)
	l.tasks.Wait()
	return errors.Join(append(errs, l.log.close())...)
}

// wake tells all that wait that something has changed.
func (l *Lab) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
}

// change is closed by the next wake.
func (l *Lab) change() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// hostChanged starts the hooks for a host that came into their state. Up to 5.8 each failed
// monitoring cycle starts those for ERROR again; later ones only the first.
func (l *Lab) hostChanged(e cloud.HostEvent) {
	defer l.wake()
	same := func(s one.HostState) bool {
		return s == e.State || s.Back() && e.State.Back() || s.Failed() && e.State.Failed()
	}
	if same(e.Prev) && (e.State != one.HostError || !l.runner.old) {
		return
	}
	xml := l.cloud.HostXML(e.Host.ID)
	if !l.runner.old {
		xml = setNumber(xml, "PREV_STATE", int(e.Prev))
	}
	for _, h := range l.due(func(h hook) bool {
		return h.host && same(h.hostState) && (!e.State.Failed() || e.State == one.HostError)
	}) {
		l.runner.submit(event{hook: h, id: e.Host.ID, xml: xml,
			what: fmt.Sprintf("host %d (%s) is %s", e.Host.ID, e.Host.Name, e.State)})
	}
}

// vmChanged starts the hooks for a VM that came into their state.
func (l *Lab) vmChanged(e cloud.VMEvent) {
	defer l.wake()
	if e.PrevState == e.State && e.PrevLCM == e.LCM {
		return
	}
	for _, h := range l.due(func(h hook) bool { return !h.host && h.vm == e.State && (h.vm != one.Active || h.lcm == e.LCM) }) {
		xml := l.cloud.VMXML(e.VM.ID)
		if !l.runner.old {
			xml = setNumber(setNumber(xml, "PREV_STATE", int(e.PrevState)), "PREV_LCM_STATE", int(e.PrevLCM))
		}
		l.runner.submit(event{
			hook: h, id: e.VM.ID, xml: xml, prevState: e.PrevState.String(), prevLCM: e.PrevLCM.String(),
			what: fmt.Sprintf("VM %d (%s) is %s", e.VM.ID, e.VM.Name, stateName(e.State, e.LCM)),
		})
	}
}
