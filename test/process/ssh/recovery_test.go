package ssh

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/process/programs"
	"one-ft/test/sim/cloud"
)

// vms are more than a driver has threads.
const vms = 20

// front is an OpenNebula whose drivers use the ssh of a site, and whose host that dies has VMs.
type front struct {
	*cloud.Cloud
	drivers *drivers
	url     string
}

func (site *site) front(t *testing.T) *front {
	t.Helper()
	d := &drivers{client: site.ssh.Client, dead: site.dies}
	cfg := cloud.Config{Version: "6.10.0", Network: cloud.Routed, CleanUpsHang: cloud.NoHang, Command: d.run, SchedInterval: 100 * time.Millisecond}
	for id, name := range []string{site.dies, site.lives} {
		cfg.Hosts = append(cfg.Hosts, cloud.Host{ID: id, Name: name, CPU: 100 * vms, MemMB: 1024 * vms})
	}
	for id := range vms {
		cfg.VMs = append(cfg.VMs, cloud.VM{ID: id, Name: fmt.Sprintf("vm%d", id), State: one.Active, LCM: one.Unknown, History: []cloud.Record{{STime: 1, PSTime: 1, PETime: 1, RSTime: 1}}})
	}
	c, err := cloud.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(c)
	t.Cleanup(func() { server.CloseClientConnections(); c.Close(); server.Close() })
	if err := c.PowerOff(0); err != nil {
		t.Fatal(err)
	}
	if err := c.SetHostState(0, one.HostError); err != nil {
		t.Fatal(err)
	}
	return &front{Cloud: c, drivers: d, url: server.URL + "/RPC2"}
}

// running counts the VMs that run on the host that lives.
func (s *front) running() (n int) {
	for _, v := range s.VMs() {
		if v.State == one.Active && v.LCM == one.Running && v.History[len(v.History)-1].HostID == 1 {
			n++
		}
	}
	return n
}

// TestRecoveryOverSSH: the drivers clean up on a host that drops everything. Bare calls leave them to time-outs, each
// of which a VM may stay behind for ever; with host_error every VM runs, and no ssh waits for the host once it is
// proven off.
func TestRecoveryOverSSH(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.net.FE.Sysctl(t, "net.ipv4.tcp_syn_retries", "2")
	c.net.Drop(c.net.FE, c.net.Hosts[0])
	bare, bareTook := c.bareCalls(t)
	now, nowTook := c.hostError(t)

	shortest := limit
	for _, d := range bare.drivers.done() {
		if shortest = min(shortest, d.took); d.killed || d.ended == cloud.Succeeded || strings.Contains(d.output, said) {
			t.Errorf("bare calls: %+v", d)
		}
	}
	for _, d := range now.drivers.done() {
		if !d.killed && !strings.Contains(d.output, said) {
			t.Errorf("with host_error: an ssh to the dead host was left to itself: %+v", d)
		}
	}
	// A SYN is sent again after 1 s at the earliest.
	if shortest < time.Second {
		t.Errorf("an ssh to a host that drops everything took %s", shortest)
	}
	// Each thread that writes to an ssh that has ended dies of it, as with the real drivers.
	if len(bare.Unanswered()) == 0 {
		t.Errorf("bare calls: no VM stays behind, %d run", bare.running())
	}
	// They settle when the last of their ssh has timed out: so much longer that a busy machine does not matter.
	if 3*nowTook > bareTook {
		t.Errorf("all VMs run after %s with host_error, and bare calls have settled after %s", nowTook, bareTook)
	}
	t.Logf("%d VMs, an ssh to the dead host takes %.1f s here, 134.5 s as shipped: bare calls: %d run after %.1f s, %d never; host_error: %d run after %.1f s",
		vms, shortest.Seconds(), bare.running(), bareTook.Seconds(), len(bare.Unanswered()), now.running(), nowTook.Seconds())
}

// bareCalls recreates all VMs, and waits until nothing happens any more.
func (c *site) bareCalls(t *testing.T) (*front, time.Duration) {
	t.Helper()
	s := c.front(t)
	client, err := one.New(one.Options{Endpoint: s.url, Credentials: "oneadmin:opennebula"})
	if err == nil {
		_, _, err = client.Connect(t.Context())
	}
	begun := time.Now()
	for id := range vms {
		if err == nil {
			err = client.Do(t.Context(), one.Recreate, id)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	for s.running()+len(s.Unanswered()) < vms {
		if time.Since(begun) > 2*limit {
			t.Fatalf("bare calls: %d run, %d wait for ever; under way: %+v; ended: %+v", s.running(), len(s.Unanswered()), s.SSHs(""), s.drivers.done())
		}
		time.Sleep(20 * time.Millisecond)
	}
	return s, time.Since(begun)
}

// hostError has the executable recover the host, which a command proves off, and waits until all VMs run.
func (c *site) hostError(t *testing.T) (*front, time.Duration) {
	t.Helper()
	s := c.front(t)
	home, state := t.TempDir(), filepath.Dir(filepath.Dir(c.marks.Path("x")))
	config := fmt.Sprintf("survey: {settle: 0s}\nssh: %q\nstate_dir: %q\nfence:\n  - hosts: [\"*\"]\n    levels:\n      - devices:\n          - command: [/bin/true]\n", c.ssh.Client, state)
	for path, text := range map[string]string{"etc/one-ft.yaml": config, ".one/one_auth": "oneadmin:opennebula\n"} {
		path = filepath.Join(home, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(home, "var"), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(programs.Dir(t), "host_error"), "0", "-r", "n")
	cmd.Env = []string{"ONE_LOCATION=" + home, "HOME=" + home, "ONE_XMLRPC=" + s.url, "PATH=" + os.Getenv("PATH")}
	begun := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(begun)
	log, _ := os.ReadFile(filepath.Join(home, "var", "host_error.log")) // for the error only
	if err != nil || s.running() != vms {
		t.Fatalf("%v; %d VMs run\n%s%s", err, s.running(), out, log)
	}
	return s, took
}
