// Package ssh tries package failfast with real ssh clients and servers, in a network whose hosts
// die as real ones do.
package ssh

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/failfast"
	"one-ft/test/process/rigs"
)

// limit bounds what should be over at once; the machine may be busy.
const limit = time.Minute

// site is a network with ssh, into whose configuration the block was written.
type site struct {
	net *rigs.Net
	ssh *rigs.SSH
	// dies and lives are the names of its two hosts: the first is the one that dies.
	dies, lives string
	marks       failfast.Marks
	client      failfast.Client
}

func start(t *testing.T) *site {
	t.Helper()
	n := rigs.StartNet(t, 2)
	// A connection attempt takes 1 + 2 + 4 s then, instead of 127.
	n.FE.Sysctl(t, "net.ipv4.tcp_syn_retries", "2")
	s := rigs.StartSSH(t, n)
	state := filepath.Join(t.TempDir(), "st ate 100%")
	if err := os.Mkdir(state, 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	if text, err = failfast.Install(text, failfast.Block{StateDir: state}, false); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.Config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := failfast.NewClient(failfast.OS{Proc: "/proc"}, state)
	if err != nil {
		t.Fatal(err)
	}
	c.Path = s.Client
	return &site{net: n, ssh: s, dies: s.Name(n.Hosts[0]), lives: s.Name(n.Hosts[1]), marks: failfast.Open(state), client: c}
}

// engage does it as host_error would.
func (c *site) engage(t *testing.T, name string, ahead time.Duration) failfast.Engaged {
	t.Helper()
	done, err := c.client.Engage(t.Context(), c.marks, []string{name}, failfast.Hold{Host: 1, Until: time.Now().Add(ahead)})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// drivers are the calls of OpenNebula's drivers to a host, by what they are for.
func (c *site) drivers(host string) map[string][]string {
	forward := []string{"-o", "ForwardAgent=yes", "-o", "ControlMaster=no", "-o", "ControlPath=none"}
	return map[string][]string{
		"command":          {c.ssh.Client, "-n", host, "true"},
		"agent forwarding": append(append([]string{c.ssh.Client}, forward...), host, "true"),
		"persistent":       {c.ssh.Client, "-o", "ControlMaster=auto", host, "true"},
		"user and port":    {c.ssh.Client, "-p", "22", "-l", "root", host, "true"},
		"user@host":        {c.ssh.Client, "root@" + host, "true"},
		"uri":              {c.ssh.Client, "ssh://root@" + host + ":22", "true"},
		"scp":              {"scp", "-S", c.ssh.Client, "-rp", "/etc/hostname", host + ":/dev/null"},
		"scp, old":         {"scp", "-O", "-S", c.ssh.Client, "-rp", "/etc/hostname", host + ":/dev/null"},
		"rsync":            {"rsync", "-e", c.ssh.Client, "-LRaz", "--dry-run", "/etc/hostname", host + ":/"},
		"sftp":             {"sftp", "-S", c.ssh.Client, "-b", "/dev/null", host},
	}
}

// run runs a command to its end, and gives what it printed.
func run(t *testing.T, argv []string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = time.Second // a master in the background holds the output
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	return string(out), errors.Join(err, ctx.Err())
}

// said is what ssh says where a mark made it fail.
const said = "one-ft: this host is proven off"

// TestDeaths: whatever a dead host does to connections, with a mark ssh does not even try, and
// without one it does. A living host is not touched.
func TestDeaths(t *testing.T) {
	t.Parallel()
	for name, die := range map[string]func(*testing.T, *site){
		"no answer to ARP": func(_ *testing.T, c *site) { c.net.SilentPort(c.net.Hosts[0]) },
		"packets dropped":  func(_ *testing.T, c *site) { c.net.Drop(c.net.FE, c.net.Hosts[0]) },
		"refused":          func(t *testing.T, c *site) { c.ssh.Stop(t, c.net.Hosts[0]) },
		"frozen":           func(t *testing.T, c *site) { c.ssh.Freeze(t, c.net.Hosts[0]) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t)
			die(t, c)
			waits := name != "refused"
			if ended, out := c.within(t, time.Second, c.dies); ended == waits || strings.Contains(out, said) {
				t.Errorf("without a mark ssh ended: %v, %s", ended, out)
			}
			c.engage(t, c.dies, failfast.MaxHold)
			for what, argv := range c.drivers(c.dies) {
				if out, err := run(t, argv); err == nil || !strings.Contains(out, said) {
					t.Errorf("%s: %v: %s", what, err, out)
				}
			}
			for what, argv := range c.drivers(c.lives) {
				if out, err := run(t, argv); err != nil {
					t.Errorf("%s to a host that lives: %v: %s", what, err, out)
				}
			}
			if err := c.marks.Clear(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			if ended, out := c.within(t, time.Second, c.dies); ended == waits || strings.Contains(out, said) {
				t.Errorf("without the mark again: %v, %s", ended, out)
			}
		})
	}
}

// TestFrozenTimeout: ConnectTimeout also ends the wait for a host whose kernel accepts connections while
// nobody answers, which never ends without.
func TestFrozenTimeout(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.ssh.Freeze(t, c.net.Hosts[0])
	if out, err := run(t, []string{c.ssh.Client, "-o", "ControlPath=none", "-o", "ConnectTimeout=1", c.dies, "true"}); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v: %s", err, out)
	}
}

// within reports whether an ssh to the host ends within a time.
func (c *site) within(t *testing.T, limit time.Duration, host string) (bool, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	out, _ := c.ssh.Command(ctx, "-o", "ControlPath=none", host, "true").CombinedOutput()
	return ctx.Err() == nil, string(out)
}

// TestStaleMaster: a master of a dead host keeps every ssh that names its socket, whatever the
// configuration says, so it is ended.
func TestStaleMaster(t *testing.T) {
	t.Parallel()
	c := start(t)
	for _, host := range []string{c.dies, c.lives} {
		if out, err := run(t, []string{c.ssh.Client, "-o", "ControlMaster=auto", host, "true"}); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	before, err := c.client.Resolve(t.Context(), c.dies)
	if err != nil || before.ControlPath == "" {
		t.Fatalf("%+v, %v", before, err)
	}
	c.net.SilentPort(c.net.Hosts[0])
	if out, err := run(t, []string{c.ssh.Client, "-O", "check", c.dies}); err != nil {
		t.Errorf("ssh says that the master of a dead host is gone, which it did not know before: %v: %s", err, out)
	}
	done := c.engage(t, c.dies, failfast.MaxHold)
	if len(done.Masters) != 1 {
		t.Errorf("%+v", done)
	}
	if _, err := os.Stat(before.ControlPath); err == nil {
		t.Error("the socket is left")
	}
	out, err := run(t, []string{c.ssh.Client, "-o", "ControlPath=" + before.ControlPath, c.dies, "true"})
	if err == nil || !strings.Contains(out, "Connection closed") { // with ControlPersist ssh drops what a ProxyCommand says
		t.Errorf("with the socket of the master: %v: %s", err, out)
	}
	if out, err := run(t, []string{c.ssh.Client, "-O", "check", c.lives}); err != nil {
		t.Errorf("the master of a host that lives was ended: %v: %s", err, out)
	}
}

// TestStuckMaster: a master that does not answer is ended by its process.
func TestStuckMaster(t *testing.T) {
	t.Parallel()
	c := start(t)
	if out, err := run(t, []string{c.ssh.Client, "-o", "ControlMaster=auto", c.dies, "true"}); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s, err := c.client.Resolve(t.Context(), c.dies)
	if err != nil {
		t.Fatal(err)
	}
	masters, err := c.client.Masters(s.ControlPath)
	if err != nil || len(masters) != 1 {
		t.Fatalf("%v, %v", masters, err)
	}
	if out, err := exec.Command("kill", "-STOP", itoa(masters[0].PID)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if done := c.engage(t, c.dies, failfast.MaxHold); len(done.Masters) != 1 {
		t.Errorf("%+v", done)
	}
	if left, err := c.client.Masters(s.ControlPath); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestConnecting: an ssh that is on its way to the host when the mark is set is ended, one to
// another host is not.
func TestConnecting(t *testing.T) {
	t.Parallel()
	c := start(t)
	ends := make(chan error, 3)
	session := c.ssh.Command(t.Context(), c.dies, "echo begun; cat")
	silent, err := session.StdinPipe() // open, or the session would end
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	said, err := session.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := said.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	go func() { ends <- session.Wait() }()
	c.ssh.Freeze(t, c.net.Hosts[0])
	for _, argv := range [][]string{{c.dies, "true"}, {"-o", "ControlMaster=auto", c.dies, "true"}} {
		cmd := c.ssh.Command(t.Context(), argv...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func() { ends <- cmd.Wait() }()
	}
	other := c.ssh.Command(t.Context(), c.lives, "cat")
	input, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		found, err := c.client.Connecting([]string{c.dies})
		if err != nil || time.Since(begin) > limit {
			t.Fatalf("%v, %v", found, err)
		}
		if len(found) == 3 {
			break
		}
	}
	if done := c.engage(t, c.dies, failfast.MaxHold); len(done.Connections) != 3 {
		t.Errorf("%+v", done)
	}
	for range 3 {
		select {
		case <-ends:
		case <-time.After(limit):
			t.Fatal("an ssh to the dead host goes on")
		}
	}
	if err := errors.Join(input.Close(), other.Wait()); err != nil {
		t.Errorf("the ssh to a host that lives: %v", err)
	}
}

// TestExpiry: a mark that nobody renews ends by itself.
func TestExpiry(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.engage(t, c.dies, 2*time.Second)
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		out, err := run(t, []string{c.ssh.Client, c.dies, "true"})
		if err == nil {
			break
		}
		if !strings.Contains(out, said) || time.Since(begin) > limit {
			t.Fatalf("%v: %s", err, out)
		}
	}
	marks, err := c.marks.List()
	if err != nil || len(marks) == 0 || marks[0].State != failfast.MarkExpired {
		t.Errorf("%v, %v", marks, err)
	}
}

// TestInForce: ssh itself says whether the block works.
func TestInForce(t *testing.T) {
	t.Parallel()
	c := start(t)
	if f := c.client.InForce(t.Context(), c.marks); f.State != failfast.InForce || f.Err != nil {
		t.Errorf("%+v", f)
	}
	text, err := os.ReadFile(c.ssh.Config)
	if err != nil {
		t.Fatal(err)
	}
	rest, _, err := failfast.Remove(text)
	if err != nil {
		t.Fatal(err)
	}
	for name, config := range map[failfast.ForceState]string{
		failfast.NotInstalled: string(rest), failfast.Unknown: "Match nonsense\n" + string(text),
		failfast.AlwaysFails: strings.ReplaceAll(string(text), " -a -e /proc/self", " -o -e /proc/self"),
	} {
		if err := os.WriteFile(c.ssh.Config, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		if f := c.client.InForce(t.Context(), c.marks); f.State != name {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
