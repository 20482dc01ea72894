// Package coordinator_test runs whole front-ends against the simulated cloud in virtual time:
// hooks as oned starts them, several at a time, and oneft resume; what is handed over, gone
// on with, swept up and told.
package coordinator_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/coordinator"
	"one-ft/pkg/failfast"
	"one-ft/pkg/hook"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/reconcile"
	"one-ft/test/sim/cloud"
)

// versions are those that were measured live.
var versions = []string{"4.4.1", "4.14.2", "5.4.16", "5.10.6", "5.12.0.5", "6.10.0", "7.4.1"}

// onEach runs a test on each version in a bubble of virtual time.
func onEach(t *testing.T, f func(t *testing.T, version string)) {
	for _, v := range versions {
		t.Run(v, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { f(t, v) })
		})
	}
}

// hosts is a cloud of so many hosts, with VMs running on some of them.
func hosts(version string, n int, vms ...cloud.VM) cloud.Config {
	cfg := cloud.Config{Version: version, VMs: vms}
	for id := range n {
		cfg.Hosts = append(cfg.Hosts, cloud.Host{ID: id, Name: fmt.Sprintf("node%02d", id), CPU: 100_000, MemMB: 1 << 20})
	}
	return cfg
}

// running is a VM on a host; priority 0 is the default.
func running(id, host, priority int) cloud.VM {
	v := cloud.VM{ID: id, Name: fmt.Sprintf("vm%d", id), State: one.Active, LCM: one.Running}
	if priority > 0 {
		v.UserTemplate = map[string]string{"FT_PRIORITY": strconv.Itoa(priority)}
	}
	v.History = []cloud.Record{{HostID: host, STime: 1, PSTime: 1, PETime: 2, RSTime: 2}}
	return v
}

// world is a simulated cloud.
type world struct {
	t     *testing.T
	cloud *cloud.Cloud
}

func newWorld(t *testing.T, cfg cloud.Config) *world {
	t.Helper()
	c, err := cloud.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &world{t: t, cloud: c}
}

// fail powers hosts off and waits until oned has noticed all of them.
func (w *world) fail(ids ...int) {
	w.t.Helper()
	w.each(ids, w.cloud.PowerOff)
}

// cut takes the network from hosts, whose VMs run on, and waits in the same way.
func (w *world) cut(ids ...int) {
	w.t.Helper()
	w.each(ids, w.cloud.FailHost)
}

func (w *world) each(ids []int, do func(int) error) {
	w.t.Helper()
	for _, id := range ids {
		if err := do(id); err != nil {
			w.t.Fatal(err)
		}
	}
	for range 1000 {
		time.Sleep(time.Second)
		if !slices.ContainsFunc(ids, func(id int) bool { h, _ := w.cloud.Host(id); return !h.State.Failed() }) {
			time.Sleep(500 * time.Millisecond)
			w.cloud.ResetCalls()
			return
		}
	}
	w.t.Fatal("the hosts never became ERROR")
}

// recreates are the IDs of the VMs that were recreated, in the order of the calls, with the
// time of the last one.
func (w *world) recreates() (ids []int, last time.Time) {
	for _, c := range w.cloud.Calls() {
		switch {
		case !c.OK:
		case c.Method == "one.vm.action" && len(c.Args) > 1 && c.Args[0] == "delete-recreate":
			ids, last = append(ids, c.Args[1].(int)), c.At
		case c.Method == "one.vm.recover" && len(c.Args) > 1 && c.Args[1] == 4:
			ids, last = append(ids, c.Args[0].(int)), c.At
		}
	}
	return ids, last
}

// once fails the test unless exactly these VMs were recreated, each once.
func (w *world) once(want ...int) {
	w.t.Helper()
	got, _ := w.recreates()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Errorf("recreated %v, want %v", got, want)
	}
	if w.cloud.Deadlocked() {
		w.t.Error("oned is deadlocked")
	}
}

// frontEnd is a machine with a state directory of its own.
type frontEnd struct {
	w    *world
	root string
	oned http.RoundTripper
}

func (w *world) frontEnd() *frontEnd {
	w.t.Helper()
	f := &frontEnd{w: w, root: w.t.TempDir(), oned: w.cloud.Transport()}
	for _, dir := range []string{"var", "etc", "auth"} {
		if err := os.Mkdir(filepath.Join(f.root, dir), 0o755); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(f.root, "auth", "one"), []byte("oneadmin:opennebula\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return f
}

// config writes the configuration file.
func (f *frontEnd) config(text string) {
	f.w.t.Helper()
	if err := os.WriteFile(filepath.Join(f.root, "etc", "one-ft.yaml"), []byte(text), 0o640); err != nil {
		f.w.t.Fatal(err)
	}
}

// fences is the configuration of a site whose hosts are proven off before anything is done: fail powers them off.
const fences = "fence:\n  - hosts: [\"*\"]\n    levels:\n      - devices:\n          - command: [/bin/true]\n"

// ran is how a process ended.
type ran struct {
	code           int
	stdout, stderr string
	took           time.Duration
}

// noSSH is a machine on which drivers run no ssh: whoever runs the tests keeps theirs, also to a host named node01.
type noSSH struct{}

func (noSSH) SSH() (string, error) { return "", failfast.ErrNoSSH }
func (noSSH) Run(context.Context, time.Duration, process.Program) process.Result {
	return process.Result{}
}
func (noSSH) Processes(int) ([]failfast.Process, error)     { return nil, nil }
func (noSSH) Signal(failfast.Process, syscall.Signal) error { return nil }

// env is the world of a process: a hook unless attended.
func (f *frontEnd) env(stdout, stderr *bytes.Buffer, words ...string) app.Env {
	null, err := os.Open(os.DevNull)
	if err != nil {
		f.w.t.Fatal(err)
	}
	f.w.t.Cleanup(func() { null.Close() })
	vars := map[string]string{"ONE_LOCATION": f.root, "ONE_AUTH": filepath.Join(f.root, "auth", "one"), "ONE_XMLRPC": "http://cloud/RPC2"}
	return app.Env{Args: words, Stdin: null, Stdout: stdout, Stderr: stderr, Transport: f.oned, Machine: noSSH{}, Dial: f.w.cloud.Dial, Getenv: func(name string) string { return vars[name] }}
}

// hostError runs host_error -r n for a host; change says what else it is asked for.
func (f *frontEnd) hostError(ctx context.Context, host int, change func(*incident.Request), words ...string) ran {
	tool := app.Tool{
		Name: "host_error", Object: hook.Host,
		Check: func(*cli.Context, hook.YesNo) error { return nil },
		Act: func(ctx context.Context, s app.Session) (app.Answer, error) {
			q := incident.Request{Action: "recreate"}
			if change != nil {
				change(&q)
			}
			return coordinator.ForHost(ctx, s, q)
		},
	}
	return f.run(func(env app.Env) int { return app.Run(ctx, env, tool) }, append([]string{"host_error", strconv.Itoa(host)}, words...)...)
}

// vmFailure runs vm_failure -r for a VM.
func (f *frontEnd) vmFailure(ctx context.Context, id int) ran {
	tool := app.Tool{
		Name: "vm_failure", Object: hook.VM,
		Check: func(*cli.Context, hook.YesNo) error { return nil },
		Act: func(ctx context.Context, s app.Session) (app.Answer, error) {
			return coordinator.ForVM(ctx, s, incident.Request{Action: "recreate"})
		},
	}
	return f.run(func(env app.Env) int { return app.Run(ctx, env, tool) }, "vm_failure", strconv.Itoa(id))
}

// resume runs oneft resume.
func (f *frontEnd) resume(ctx context.Context, act func(context.Context, app.Session) (app.Answer, error)) ran {
	return f.run(func(env app.Env) int {
		program := &cli.Command{Name: "oneft", Subcommands: []*cli.Command{{
			Name: "resume", Flags: app.CommonFlags(), Action: func(c *cli.Context) error {
				return app.Command(c, env, act)
			},
		}}}
		return app.Execute(ctx, env, program)
	}, "oneft", "resume", "--verbose")
}

// sweep is resume without a number; the hosts are watched for so long.
func (f *frontEnd) sweep(ctx context.Context, opt reconcile.Resuming) ran {
	return f.resume(ctx, func(ctx context.Context, s app.Session) (app.Answer, error) { return reconcile.Sweep(ctx, s, opt) })
}

func (f *frontEnd) run(main func(app.Env) int, words ...string) ran {
	var stdout, stderr bytes.Buffer
	began := time.Now()
	code := main(f.env(&stdout, &stderr, words...))
	return ran{code: code, stdout: stdout.String(), stderr: stderr.String(), took: time.Since(began)}
}

// log is the log of a tool.
func (f *frontEnd) log(tool string) string {
	text, _ := os.ReadFile(filepath.Join(f.root, "var", tool+".log"))
	return string(text)
}

// incidents are those of the journal with their events, the oldest first.
func (f *frontEnd) incidents() []incident.Record {
	f.w.t.Helper()
	j, err := incident.OpenJournal(filepath.Join(f.root, "var", "one-ft", "incidents"))
	if err != nil {
		f.w.t.Fatal(err)
	}
	heads, failed := j.List(0)
	if len(failed) > 0 {
		f.w.t.Error(failed)
	}
	slices.Reverse(heads)
	for i, h := range heads {
		if heads[i], err = j.Load(h.Number); err != nil {
			f.w.t.Error(err)
		}
	}
	return heads
}

// statuses are the incidents in short, such as "host 3: done".
func (f *frontEnd) statuses() (all []string) {
	for _, r := range f.incidents() {
		all = append(all, fmt.Sprintf("%s %d: %s", r.Kind, r.ID, r.Status))
	}
	return all
}

// wants fails the test when the journal says something else.
func (f *frontEnd) wants(want ...string) {
	f.w.t.Helper()
	got := f.statuses()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		f.w.t.Errorf("journal: %v, want %v\n%s\n%s", got, want, f.log("host_error"), f.log("oneft"))
	}
}

// hooks starts processes as a hook manager with so many slots does: the rest wait.
type hooks struct {
	slots chan struct{}
	wg    sync.WaitGroup
	mu    sync.Mutex
	ended []ran
}

func newHooks(slots int) *hooks { return &hooks{slots: make(chan struct{}, slots)} }

func (h *hooks) start(f func() ran) {
	h.wg.Go(func() {
		h.slots <- struct{}{}
		defer func() { <-h.slots }()
		r := f()
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ended = append(h.ended, r)
	})
}

func (h *hooks) wait() []ran {
	h.wg.Wait()
	slices.SortFunc(h.ended, func(a, b ran) int { return int(a.took - b.took) })
	return h.ended
}

func has(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is missing in:\n%s", p, text)
		}
	}
}
