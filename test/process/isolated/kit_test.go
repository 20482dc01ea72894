package isolated_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"one-ft/test/process/programs"
	"one-ft/test/process/rigs"
	"one-ft/test/sim/cloud"
)

// starting is how many sites start at the same time: a test has dozens of them, and what
// they start needs more time than what they wait for.
const starting = 4

var slots = make(chan struct{}, starting)

// executables are built once for all tests of the package.
var executables = sync.OnceValues(programs.Build)

// site is a network with a front-end and hosts: all of a test's rigs.
type site struct {
	t     *testing.T
	net   *rigs.Net
	cloud *cloud.Cloud
	bin   string
	// ready lets others start; it may be called again.
	ready func()
}

// onedPort is where oned listens in the front-end.
const onedPort = 2633

// newSite makes a network with hosts, of which host 1 of oned is the first, host 2 the second
// and so on (host 0 is none of them), and VMs 0 to 3 on host 1.
func newSite(t *testing.T, version string, hosts int, attributes map[string]string) *site {
	t.Helper()
	bin, err := executables()
	if err != nil {
		t.Fatal(err)
	}
	slots <- struct{}{}
	s := &site{t: t, bin: bin, ready: sync.OnceFunc(func() { <-slots })}
	t.Cleanup(s.ready)
	s.net = rigs.StartNet(t, hosts)
	cfg := cloud.Config{Version: version, Step: 10 * time.Millisecond, MonitorInterval: 4 * time.Second}
	for id := range hosts + 3 { // enough to recover to, and for three of them to be no storm
		h := cloud.Host{ID: id, Name: fmt.Sprintf("node%d", id), Driver: "kvm", Template: attributes}
		if id > 0 && id <= hosts {
			h.Name = s.net.Hosts[id-1].Name
		}
		cfg.Hosts = append(cfg.Hosts, h)
	}
	for id := range 4 {
		cfg.VMs = append(cfg.VMs, running(id, 1))
	}
	if s.cloud, err = cloud.New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.cloud.Close)
	server := &http.Server{Handler: s.cloud}
	listener := s.net.FE.Listen(t, onedPort)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return s
}

// machine is a host: a machine in which host_isolated runs, with a guest that is no real
// one.
type machine struct {
	*rigs.Machine
	site *site
	node *rigs.Node
	// gone is closed when the guest has ended, and ended is when.
	gone  chan struct{}
	ended time.Time
}

// newMachine makes a host with a process that looks like the QEMU of VM 7.
func (s *site) newMachine(node *rigs.Node) *machine {
	s.t.Helper()
	m := &machine{Machine: rigs.StartMachine(s.t, node.Name, node), site: s, node: node, gone: make(chan struct{})}
	cmd := m.Command(context.Background(), "bash", "-c", `exec -a /usr/bin/qemu-system-x86_64 sh -c 'trap "" TERM; while :; do sleep 1; done' -name guest=one-7,debug-threads=on`)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(m.gone)
		_ = cmd.Wait()
		m.ended = time.Now()
	}()
	return m
}

// settings is the configuration of host_isolated on a host of this site.
func (s *site) settings(dir string, lines ...string) string {
	s.t.Helper()
	token := filepath.Join(dir, "token")
	text := fmt.Sprintf("front_ends: [%s]\nauth_file: %s\nstate_dir: %s\nrun_dir: %s\nquiet: 0s\ninterval: 1s\ntimeout: 1s\nafter: 12s\nlease: 12s\ndestroy_limit: 4s\n",
		s.net.FE.IP, token, filepath.Join(dir, "state"), filepath.Join(dir, "run"))
	file := filepath.Join(dir, "host_isolated.yaml")
	for name, content := range map[string]string{token: "oneadmin:opennebula\n", file: text + strings.Join(lines, "\n") + "\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	return file
}

// isolated is a running host_isolated.
type isolated struct {
	t    *testing.T
	stop context.CancelFunc
	done chan error
	out  string // file
}

// start starts host_isolated --watch by a command such as Machine.Command, and waits until it
// has made a good round.
func (s *site) start(command func(context.Context, ...string) *exec.Cmd, dir, file string, before ...string) *isolated {
	s.t.Helper()
	i := s.launch(command, dir, file, before...)
	s.await("a round of host_isolated", func() bool { return strings.Contains(read(dir, "run/host_isolated.json"), `"phase":"fine"`) })
	return i
}

// launch is start without the round.
func (s *site) launch(command func(context.Context, ...string) *exec.Cmd, dir, file string, before ...string) *isolated {
	s.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	i := &isolated{t: s.t, stop: stop, done: make(chan error, 1), out: filepath.Join(dir, "out")}
	out, err := os.Create(i.out)
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := command(ctx, append(before, filepath.Join(s.bin, "host_isolated"), "--watch", "--config", file)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "JOURNAL_STREAM=1"}, out, out
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		i.done <- cmd.Wait()
		out.Close()
	}()
	s.t.Cleanup(i.end)
	return i
}

// end ends it and waits for it.
func (i *isolated) end() {
	i.stop()
	select {
	case err := <-i.done:
		i.done <- err
	case <-time.After(time.Minute):
		i.t.Error("host_isolated does not end")
	}
}

// said is what it logged.
func (i *isolated) said() string {
	text, _ := os.ReadFile(i.out)
	return string(text)
}

// bound is what host_isolated says of itself: its lease, or what it waits for, and its
// reaction.
func (s *site) bound(file string, flags ...string) (patience, reaction time.Duration) {
	s.t.Helper()
	out, err := exec.Command(filepath.Join(s.bin, "host_isolated"), append(flags, "--print-bound", "--config", file)...).Output()
	if err != nil {
		s.t.Fatalf("host_isolated --print-bound: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		seconds, _ := strconv.Atoi(value)
		switch name {
		case "FT_LEASE", "FT_ISOLATED_AFTER":
			patience = time.Duration(seconds) * time.Second
		case "FT_LEASE_REACTION", "FT_ISOLATED_REACTION":
			reaction = time.Duration(seconds) * time.Second
		}
	}
	if patience == 0 || reaction == 0 {
		s.t.Fatalf("host_isolated --print-bound: %q", out)
	}
	return patience, reaction
}

// await looks at a condition for two minutes, not so often that looking through all processes for
// the guests of several sites takes the time that they need.
func (s *site) await(what string, holds func() bool) {
	s.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(2 * time.Minute); !holds(); <-tick.C {
		if time.Now().After(end) {
			s.t.Fatalf("%s: not within two minutes", what)
		}
	}
}

// hostError runs host_error for host 1 on the front-end, as a hook would, and returns its
// exit code and what it logged.
func (s *site) hostError(t *testing.T, args ...string) (int, string) {
	t.Helper()
	home := t.TempDir()
	for _, dir := range []string{"var", "etc", ".one"} {
		if err := os.MkdirAll(filepath.Join(home, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(home, ".one/one_auth"), []byte("oneadmin:opennebula\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	argv := append([]string{filepath.Join(s.bin, "host_error"), "1", "-r", "n", "--fencing", "required", "--log-file", "-"}, args...)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := s.net.FE.Command(ctx, argv...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + home, "ONE_LOCATION=" + home, fmt.Sprintf("ONE_XMLRPC=http://%s:%d/RPC2", s.net.FE.IP, onedPort)}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, string(out)
	case errors.As(err, &exit):
		return exit.ExitCode(), string(out)
	}
	t.Fatalf("host_error: %v", err)
	return 0, ""
}
