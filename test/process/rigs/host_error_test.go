package rigs_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/process/programs"
	"one-ft/test/process/rigs"
	"one-ft/test/sim/cloud"
)

// TestMachineIsDeadBeforeTheFirstRecreate: a host fails in a simulated cloud, the real
// host_error fences it with the real agent through a real BMC, and the machine's
// process is gone before the first call that touches a VM leaves: seen from both sides.
func TestMachineIsDeadBeforeTheFirstRecreate(t *testing.T) {
	rigs.Need(t, rigs.BMCPackages, "ipmi_sim", "ipmitool", "fence_ipmilan")
	program := filepath.Join(programs.Dir(t), "host_error")
	for _, version := range []string{"4.4.1", "7.4.1"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			machineDiesFirst(t, program, version)
		})
	}
}

func machineDiesFirst(t *testing.T, program, version string) {
	bmc := rigs.StartBMC(t)
	machine := bmc.Machine()
	home := t.TempDir()
	for _, dir := range []string{"var", "etc/fence", ".one"} {
		if err := os.MkdirAll(filepath.Join(home, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	attributes := map[string]string{"FENCE_AGENT": "fence_ipmilan"}
	for name, value := range bmc.Params() {
		if name == "password" {
			write(t, filepath.Join(home, "etc/fence/node1"), value)
			attributes["FENCE_PASSWORD_FILE"] = "node1"
			continue
		}
		attributes["FENCE_"+strings.ToUpper(name)] = value
	}
	write(t, filepath.Join(home, ".one/one_auth"), "oneadmin:opennebula")
	c, err := cloud.New(cloudWithFailedHost(version, attributes))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, method := range []string{"one.vm.recover", "one.vm.action"} {
		c.Inject(cloud.Rule{Method: method, ID: -1, Hook: func(call cloud.Call) {
			if rigs.Alive(machine) {
				t.Errorf("%s %v although the machine (process %d) is alive", call.Method, call.Args, machine)
			}
		}})
	}
	server := httptest.NewServer(c)
	defer server.Close()
	died := make(chan time.Time, 1)
	go func() { died <- deathOf(machine) }()
	cmd := exec.CommandContext(t.Context(), program, "1", "-r", "n", "--fencing", "required")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "ONE_LOCATION=" + home, "ONE_XMLRPC=" + server.URL + "/RPC2"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("host_error: %v\n%s", err, out)
	}
	var first time.Time
	for _, call := range c.Calls() {
		if call.Method == "one.vm.recover" || call.Method == "one.vm.action" {
			first = call.At
			break
		}
	}
	if first.IsZero() {
		t.Fatal("no VM was touched")
	}
	if death := <-died; !death.Before(first) {
		t.Errorf("the machine was gone at %s, the first recreate came at %s", death, first)
	}
	log, err := os.ReadFile(filepath.Join(home, "var/host_error.log"))
	if err != nil || strings.Contains(string(log), bmc.Params()["password"]) {
		t.Errorf("log: %v, or it holds the password of the BMC", err)
	}
}

// deathOf waits until a process is gone, for two minutes at most.
func deathOf(pid int) time.Time {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	end := time.After(2 * time.Minute)
	for rigs.Alive(pid) {
		select {
		case <-tick.C:
		case <-end:
			return time.Now()
		}
	}
	return time.Now()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// cloudWithFailedHost has four hosts, of which host 1 is in ERROR with five VMs.
func cloudWithFailedHost(version string, attributes map[string]string) cloud.Config {
	cfg := cloud.Config{Version: version, Step: 10 * time.Millisecond}
	for id := range 4 {
		cfg.Hosts = append(cfg.Hosts, cloud.Host{ID: id, Name: "node" + string(rune('0'+id))})
	}
	cfg.Hosts[1].State, cfg.Hosts[1].Template = one.HostError, attributes
	for id := range 5 {
		cfg.VMs = append(cfg.VMs, cloud.VM{ID: id, Name: "vm", State: one.Active, LCM: one.Unknown, CPU: 0.1, MemMB: 64,
			History: []cloud.Record{{HostID: 1, STime: 1, PSTime: 1, PETime: 1, RSTime: 1}}})
	}
	return cfg
}
