package drill_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"one-ft/pkg/drill"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/test/cloud"
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

// serverVariable is the environment variable with the server's URL in the measured process.
const serverVariable = "DRILL_TEST_SERVER"

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

// TestScale measures a survey as a process of its own, against a server in this one. The
// peak of its memory is held always, its time with four times the limit: other tests run at
// the same moment.
func TestScale(t *testing.T) {
	if url := os.Getenv(serverVariable); url != "" {
		survey(t, url)
		return
	}
	for _, version := range []string{"4.4.1", "6.10.0"} {
		c, err := cloud.New(bigCloud(version))
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(http.HandlerFunc(c.ServeHTTP))
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestScale$", "-test.v")
		cmd.Env = append(os.Environ(), serverVariable+"="+server.URL+"/RPC2")
		start := time.Now()
		out, err := cmd.CombinedOutput()
		took := time.Since(start)
		server.Close()
		c.Close()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		usage, _ := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		memory := usage.Maxrss << 10
		t.Logf("%s: %.1f s, %d MB\n%s", version, took.Seconds(), memory>>20, out)
		if !raceEnabled() && (memory > maxMemory || took > 4*maxTime) {
			t.Errorf("%s: %.1f s and %d MB; allowed are %s and %d MB", version, took.Seconds(), memory>>20, maxTime, maxMemory>>20)
		}
	}
}

// survey is what the measured process does.
func survey(t *testing.T, url string) {
	client, err := one.New(one.Options{Endpoint: url, Credentials: "oneadmin:opennebula", Transport: http.DefaultTransport, Patience: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	version, dialect, err := client.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	c, err := drill.Read(t.Context(), source{redirect{url}}, version, dialect)
	if err != nil {
		t.Fatal(err)
	}
	read := time.Since(start)
	s := drill.All(c, "the cloud", drill.WholeCloud, func(host int) recovery.Plan {
		return c.Plan(host, dialect, recovery.Policy{Mode: recovery.Recreate})
	})
	if hosts, vms := size(); len(c.VMs) != vms || len(s.Losses) != hosts {
		t.Errorf("%d VMs, %d hosts", len(c.VMs), len(s.Losses))
	}
	t.Log("read " + read.String() + ", judged " + (time.Since(start) - read).String() + "; VMs " + strconv.Itoa(len(c.VMs)) + "; " + s.Line())
}

// redirect sends every request to one URL.
type redirect struct{ url string }

// RoundTrip is http.RoundTripper.
func (r redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	again, err := http.NewRequestWithContext(req.Context(), req.Method, r.url, req.Body)
	if err != nil {
		return nil, err
	}
	return http.DefaultTransport.RoundTrip(again)
}
