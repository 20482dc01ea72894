package play

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	hosterror "one-ft/cmd/host_error/hosterror"
	oneft "one-ft/cmd/oneft/oneftcmd"
	vmfailure "one-ft/cmd/vm_failure/vmfailure"
	vmunknown "one-ft/cmd/vm_unknown/vmunknown"
	"one-ft/pkg/app"
	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// frontEnd is a machine with oned, a hook manager and one-ft.
type frontEnd struct {
	world *world
	name  string // A, B, ...
	role  cloud.Role
	oned  *cloud.FrontEnd

	mu      sync.Mutex
	root    string // ONE_LOCATION; another one after a kill, see kill
	kills   int
	dead    bool                  // the machine is off
	stale   map[int]one.HostState // what it believes of hosts since it was cut off from a new leader; nil if it was not
	network bool
	manager bool          // the hook manager runs
	started time.Time     // since when oned runs and leads here; zero for ever
	slots   chan struct{} // of the hook manager
	next    time.Time     // when the next hook may start
	life    context.Context
	end     context.CancelFunc // of all processes
	running []*process
	// noJournal: its disk took no writes at some time.
	noJournal bool
	same      map[int]int // numbers of incidents, see numbers
}

// How many hooks run at the same time (opennebula.md).
const (
	slotsOfOned    = 15
	slotsOfManager = 10
)

// maxArgument is what Linux allows one word of a command line to have (MAX_ARG_STRLEN).
const maxArgument = 128 << 10

func (w *world) newFrontEnd(i int) (*frontEnd, error) {
	f := &frontEnd{world: w, name: string(rune('A' + i)), network: true, manager: true, slots: make(chan struct{}, slotsOfManager)}
	if w.old() {
		f.slots = make(chan struct{}, slotsOfOned)
	}
	f.role = cloud.Solo
	if w.spec.frontEnds > 1 {
		f.role = cloud.Follower
		if i == 0 {
			f.role = cloud.Leader
		}
	}
	f.oned = w.cloud.FrontEnd(f.role)
	f.root = filepath.Join(w.dir, f.name)
	f.renew()
	for _, dir := range []string{"var/one-ft", "etc", "auth", ".one"} {
		if err := os.MkdirAll(filepath.Join(f.root, dir), 0o755); err != nil {
			return nil, err
		}
	}
	if err := executables(f.root); err != nil {
		return nil, err
	}
	for name, text := range map[string]string{
		"auth/one":             "oneadmin:opennebula\n",
		".one/one_auth":        "oneadmin:opennebula\n",
		"var/one-ft/front-end": f.name + "\n",
		"etc/monitord.conf":    fmt.Sprintf("MONITORING_INTERVAL_HOST = %d\n", int(w.spec.cloud.MonitorInterval.Seconds())),
		"etc/one-ft.yaml":      w.scenario.Config,
	} {
		if err := os.WriteFile(filepath.Join(f.root, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// process is a run of a tool.
type process struct {
	frontEnd *frontEnd
	tool     string
	words    []string
	admin    bool
	began    time.Time
	dead     atomic.Bool // killed: nothing of it is seen any more
	done     chan struct{}
	code     int
	stdout   bytes.Buffer
	stderr   bytes.Buffer
}

// start runs a tool. what is how the log calls it; with an empty one it is only heard of when
// it does not end well.
func (f *frontEnd) start(tool string, words []string, stdin string, admin bool) *process {
	f.mu.Lock()
	defer f.mu.Unlock()
	if slices.Contains(words, "--confirm-off") {
		f.world.confirmed.Store(true)
	}
	p := &process{frontEnd: f, tool: tool, words: words, admin: admin, began: time.Now(), done: make(chan struct{})}
	f.running = append(f.running, p)
	life, root, after := f.life, f.root, time.Duration(f.world.processes.Add(1))*processesApart
	f.world.wait.Go(func() {
		defer close(p.done)
		sleep(life, after)
		p.run(life, root, stdin)
		if !p.dead.Load() {
			f.world.audit.output(p)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.running = slices.DeleteFunc(f.running, func(o *process) bool { return o == p })
	})
	return p
}

// run is the main of the tool in the world of the process.
func (p *process) run(ctx context.Context, root, stdin string) {
	path := filepath.Join(p.frontEnd.world.dir, fmt.Sprintf("stdin-%p", p))
	if err := os.WriteFile(path, []byte(stdin), 0o600); err != nil {
		p.frontEnd.world.problem("%v", err)
		return
	}
	in, err := os.Open(path)
	if err != nil {
		p.frontEnd.world.problem("%v", err)
		return
	}
	defer os.Remove(path)
	defer in.Close()
	vars := map[string]string{"ONE_LOCATION": root, "ONE_AUTH": filepath.Join(root, "auth", "one"), "ONE_XMLRPC": "http://oned/RPC2"}
	if p.frontEnd.world.spec.bare && !p.admin { // neither oned nor its hook manager sets them
		vars = map[string]string{"ONE_LOCATION": root, "HOME": root}
	}
	env := app.Env{
		Args: append([]string{p.tool}, p.words...), Stdin: in, Stdout: &p.stdout, Stderr: &p.stderr, Terminal: p.admin,
		Getenv: func(name string) string { return vars[name] }, Transport: wire{p}, Run: p.program, Machine: sshMachine{p}, Dial: p.dial,
		Started: p.frontEnd.since,
	}
	switch p.tool {
	case "host_error":
		p.code = app.Run(ctx, env, hosterror.Tool())
	case "vm_failure":
		p.code = app.Run(ctx, env, vmfailure.Tool())
	case "vm_unknown":
		p.code = app.Run(ctx, env, vmunknown.Tool())
	case "oneft":
		p.code = oneft.Run(ctx, env)
	default:
		p.frontEnd.world.problem("there is no tool %s", p.tool)
	}
}

// call is how the process was called, without the template of its object.
func (p *process) call() string {
	return strings.TrimSpace(p.tool + " " + shortened(p.words))
}

// shortened writes words without the templates among them.
func shortened(words []string) string {
	words = slices.Clone(words)
	for i, word := range words {
		if len(word) > 100 {
			words[i] = "TEMPLATE"
		}
	}
	return strings.Join(words, " ")
}

// ended logs how the process ended.
func (p *process) ended(rank int, quietly bool) {
	out := ""
	switch {
	case quietly && p.code == 0:
		return
	case p.code == app.ExitUsage: // which is in no log
		out = p.stderr.String()
	case p.admin:
		out = p.stdout.String()
	}
	text := fmt.Sprintf("%s: exit %d", p.call(), p.code)
	p.frontEnd.world.log.add(rank, p.frontEnd.name, -1, "%s", text)
	if out != "" {
		p.frontEnd.world.log.print(rank, p.frontEnd.name, text)
	}
	for line := range strings.Lines(out) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			p.frontEnd.world.log.print(rank, p.frontEnd.name, "| "+line)
		}
	}
}

// kill ends all processes of the front-end as kill -9 does: nothing that they do from now on is
// seen by anybody. What they have written so far stays, in a copy; what holds the files in
// the old place holds nothing.
func (f *frontEnd) kill() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.running {
		p.dead.Store(true)
	}
	f.kills++
	f.slots = make(chan struct{}, cap(f.slots))
	fresh := filepath.Join(f.world.dir, fmt.Sprintf("%s-%d", f.name, f.kills))
	if err := copyTree(f.root, fresh); err != nil {
		f.world.problem("kill %s: %v", f.name, err)
	}
	f.root = fresh
	f.end()
	f.renew()
}

// renew begins the time of the next processes. The lock is held.
func (f *frontEnd) renew() {
	f.life, f.end = context.WithCancel(f.world.ctx)
}

// copyTree copies files with their times.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if d.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(target, text, info.Mode().Perm()); err != nil {
			return err
		}
		return os.Chtimes(target, info.ModTime(), info.ModTime())
	})
}

// since is since when oned runs and leads here.
func (f *frontEnd) since() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.started
}

// begin notes that oned starts, or begins to lead.
func (f *frontEnd) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.started = time.Now()
}

// serves reports whether hooks run here: oned runs, and it is the leader.
func (f *frontEnd) serves() bool {
	return !f.dead && f.stale == nil && (f.role == cloud.Solo || f.role == cloud.Leader)
}

// deliver runs a hook, or puts it in line.
func (f *frontEnd) deliver(tool string, words []string, stdin string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.serves() || !f.manager {
		f.world.log.add(rankHook, f.name, -1, "the hook manager is down: a call of %s is lost", tool)
		return
	}
	// A hook takes a moment to start, and no two start at the same time.
	if slices.ContainsFunc(words, func(word string) bool { return len(word) >= maxArgument }) {
		f.world.log.add(rankHook, f.name, -1, "the hook manager cannot start %s: Argument list too long", tool)
		return
	}
	at := time.Now().Add(3 * time.Millisecond)
	if at.Before(f.next) {
		at = f.next
	}
	f.next = at.Add(11 * time.Millisecond)
	life, slots := f.life, f.slots
	f.world.wait.Go(func() {
		if !sleep(life, time.Until(at)) {
			return
		}
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		case <-life.Done():
			return
		}
		p := f.start(tool, words, stdin, false)
		called := p.call()
		if stdin != "" {
			called += " (stdin: " + shortened(strings.Fields(stdin)) + ")"
		}
		f.world.log.add(rankHook, f.name, -1, "hook: %s", called)
		<-p.done
		if !p.dead.Load() {
			p.ended(rankHook, true)
		}
	})
}

// tick runs oneft resume again and again, as the timer does.
func (f *frontEnd) tick(every time.Duration) {
	// Timers of several front-ends do not fire together.
	pause := every/3 + time.Duration(f.name[0]-'A')*every/5 + 17*time.Millisecond
	f.world.wait.Go(func() {
		for sleep(f.world.ctx, pause) {
			pause = every
			f.mu.Lock()
			off := f.dead
			f.mu.Unlock()
			if off {
				continue
			}
			p := f.start("oneft", []string{"resume"}, "", false)
			select {
			case <-p.done:
				if !p.dead.Load() {
					p.ended(rankHook, true)
				}
			case <-f.world.ctx.Done():
			}
		}
	})
}

// watch runs oneft watch, as systemd does: when it ends it is started again, but not with wrong settings.
func (f *frontEnd) watch() {
	f.world.wait.Go(func() {
		for sleep(f.world.ctx, time.Second+time.Duration(f.name[0]-'A')*127*time.Millisecond) {
			f.mu.Lock()
			off := f.dead
			f.mu.Unlock()
			if off {
				continue
			}
			p := f.start("oneft", []string{"watch"}, "", false)
			if !f.await(p) {
				continue
			}
			if f.world.ctx.Err() == nil {
				p.ended(rankHook, true)
			}
			if p.code == app.ExitUsage {
				return
			}
		}
	})
}

// await waits until a process ends, and reports whether it has: nobody sees the end of one that is killed.
func (f *frontEnd) await(p *process) (ended bool) {
	for !p.dead.Load() {
		select {
		case <-p.done:
			return !p.dead.Load()
		case <-time.After(time.Second):
		}
	}
	return false
}

// stillRunning are the processes that have not ended, but for oneft watch, which never does.
func (f *frontEnd) stillRunning() (calls []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.running {
		if !p.dead.Load() && p.call() != "oneft watch" {
			calls = append(calls, p.call())
		}
	}
	slices.SortFunc(calls, cmp.Compare)
	return calls
}
