package drill_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/process/programs"
	"one-ft/test/sim/cloud"
)

// The limits of a survey of 1,000 hosts with 20,000 VMs, as the README names them.
const (
	maxMemory = 300 << 20 // bytes, peak of the process
	maxTime   = 5 * time.Second
)

// hosts and vms are the size of the cloud. The race detector needs many times the time and
// memory, and finds as much in a small one.
func size() (hosts, vms int) {
	if raceEnabled() {
		return 40, 2000
	}
	return 1000, 20_000
}

// bigCloud has hosts that are nearly full: 4.4 keeps a tenth of their memory.
func bigCloud(version string) cloud.Config {
	cfg := cloud.Config{Version: version}
	hosts, vms := size()
	for id := range hosts {
		cluster := id / 100
		if version == "4.4.1" {
			cluster = -1 // where its datastore is
		}
		cfg.Hosts = append(cfg.Hosts, cloud.Host{ID: id, Name: fmt.Sprintf("node%04d", id), CPU: 2400, MemMB: 57344, State: one.HostMonitored, Cluster: cluster})
	}
	for id := range vms {
		cfg.VMs = append(cfg.VMs, cloud.VM{
			ID: 100_000 + 7*id, Name: fmt.Sprintf("vm%d", id), State: one.Active, LCM: one.Running, CPU: 1, MemMB: 2048,
			History:      []cloud.Record{{HostID: id % hosts, STime: 1, PSTime: 1, PETime: 2, RSTime: 2}},
			Requirements: fmt.Sprintf(`NAME != "none%d"`, id%500),
			Disks:        []map[string]string{{"SIZE": "16", "CLONE": "YES", "CLONE_TARGET": "SYSTEM", "DATASTORE_ID": "1", "DISK_ID": "0"}},
		})
	}
	return cfg
}

// TestScale measures oneft drill --all as a process of its own, against a server in this one.
// The peak of its memory is held always, its time with four times the limit: other tests run
// at the same moment.
func TestScale(t *testing.T) {
	dir := t.TempDir()
	oneft := filepath.Join(programs.Dir(t), "oneft")
	if err := os.WriteFile(filepath.Join(dir, "auth"), []byte("oneadmin:opennebula\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"4.4.1", "6.10.0"} {
		c, err := cloud.New(bigCloud(version))
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(http.HandlerFunc(c.ServeHTTP))
		cmd := exec.CommandContext(t.Context(), oneft, "drill", "--all", "--json")
		cmd.Env = []string{"ONE_LOCATION=" + dir, "ONE_AUTH=" + filepath.Join(dir, "auth"), "ONE_XMLRPC=" + server.URL + "/RPC2"}
		start := time.Now()
		out, err := cmd.Output()
		took := time.Since(start)
		server.Close()
		c.Close()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() > 1 { // 1: the small cloud has no room
			t.Fatalf("%v\n%.500s", err, out)
		}
		var survey struct {
			Losses []struct {
				VMs int `json:"vms"`
			} `json:"hosts"`
		}
		if err := json.Unmarshal(out, &survey); err != nil {
			t.Fatalf("%v: %.500s", err, out)
		}
		hosts, vms := size()
		counted := 0
		for _, l := range survey.Losses {
			counted += l.VMs
		}
		if len(survey.Losses) != hosts || counted != vms {
			t.Errorf("%s: %d hosts with %d VMs", version, len(survey.Losses), counted)
		}
		usage, _ := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		memory := usage.Maxrss << 10
		t.Logf("%s: %d hosts, %d VMs: %.1f s, %d MB", version, hosts, vms, took.Seconds(), memory>>20)
		if memory > maxMemory {
			t.Errorf("%s: %d MB; allowed are %d MB", version, memory>>20, maxMemory>>20)
		}
	}
}
