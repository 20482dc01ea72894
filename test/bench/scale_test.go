// Package bench measures the executables as whole processes and holds them to the
// limits that the README names.
package bench

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/cloud"
)

// The limits. Calls grow with the VMs on the failed host. Nothing grows with the
// cloud but the pool of hosts, which the storm guard reads once.
const (
	affected   = 40              // VMs on the failed host
	maxCalls   = 2*affected + 10 // calls of one recovery
	maxGrowth  = 1.1             // bytes received, 10,000 VMs against 100
	maxMemory  = 40 << 20        // peak, bytes
	maxBinary  = 12 << 20        // bytes
	maxStartUp = 20 * time.Millisecond
)

// build makes the executables as the Makefile does.
func build(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", bin, "one-ft/cmd/...")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// run is one recovery of a host with 40 VMs in a cloud of some size.
type run struct {
	calls  int
	bytes  int64 // received, but for the pool
	pool   int64 // the pool of hosts, which the storm guard has to see
	memory int64
	took   time.Duration
}

// recover runs host_error against a cloud of the size and version.
func recoverHost(t *testing.T, bin, version string, vms int) run {
	t.Helper()
	c, err := cloud.New(bigCloud(version, vms))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var received atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.ServeHTTP(counting{w, &received}, r)
	}))
	defer server.Close()
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, "var"), 0o755); err != nil {
		t.Fatal(err)
	}
	auth := filepath.Join(home, "auth")
	if err := os.WriteFile(auth, []byte("oneadmin:opennebula"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "host_error"), "0", "-r", "n")
	cmd.Env = []string{"ONE_XMLRPC=" + server.URL + "/RPC2", "ONE_AUTH=" + auth, "ONE_LOCATION=" + home, "PATH=" + os.Getenv("PATH")}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	peak := make(chan int64)
	done := make(chan struct{})
	go func() { peak <- peakMemory(cmd.Process.Pid, done) }()
	err = cmd.Wait()
	r := run{took: time.Since(start), bytes: received.Load()}
	close(done)
	if r.memory = <-peak; err != nil {
		t.Fatalf("host_error on %s with %d VMs: %v\n%s", version, vms, err, out.String())
	}
	recreated := 0
	for _, call := range c.Calls() {
		r.calls++
		if call.Method == "one.hostpool.info" {
			r.pool += int64(call.BytesOut)
			r.bytes -= int64(call.BytesOut)
		}
		if call.Method == "one.vm.recover" || call.Method == "one.vm.action" {
			recreated++
		}
	}
	if recreated != affected {
		t.Errorf("%s, %d VMs: %d calls to recreate, want %d", version, vms, recreated, affected)
	}
	return r
}

// peakMemory reads the peak of a process's memory until done is closed. The kernel's
// account of a child that has ended would do, but it starts with what its parent had.
func peakMemory(pid int, done <-chan struct{}) (peak int64) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		peak = max(peak, memoryOf(pid))
		select {
		case <-done:
			return peak
		case <-tick.C:
		}
	}
}

// memoryOf is the most memory that a process has had so far; 0 when it has ended.
func memoryOf(pid int) (peak int64) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		var kb int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kb); n == 1 {
			peak = kb << 10
		}
	}
	return peak
}

// counting counts the bytes of answers.
type counting struct {
	http.ResponseWriter
	bytes *atomic.Int64
}

func (c counting) Write(b []byte) (int, error) {
	c.bytes.Add(int64(len(b)))
	return c.ResponseWriter.Write(b)
}

// Unwrap lets the server take connections over.
func (c counting) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// bigCloud has one host in ERROR with 40 VMs; all others are spread over hosts of
// 100 VMs each.
func bigCloud(version string, vms int) cloud.Config {
	// The drivers are done at once and the scheduler never runs, so that each run meets
	// its 40 VMs in the same state, PENDING, however busy the machine is.
	cfg := cloud.Config{Version: version, Step: time.Nanosecond, SchedInterval: time.Hour}
	for id := range vms/100 + 2 {
		cfg.Hosts = append(cfg.Hosts, cloud.Host{ID: id, Name: fmt.Sprintf("node%d", id), CPU: 20000, MemMB: 1 << 20})
	}
	cfg.Hosts[0].State = one.HostError
	for id := range vms {
		v := cloud.VM{ID: id, Name: fmt.Sprintf("vm%d", id), State: one.Active, LCM: one.Running, CPU: 1, MemMB: 128}
		host := 1 + id/100
		if every := vms / affected; id%every == 0 && id/every < affected {
			host, v.LCM = 0, one.Unknown
		}
		v.History = []cloud.Record{{HostID: host, STime: 1, PSTime: 1, PETime: 1, RSTime: 1}}
		cfg.VMs = append(cfg.VMs, v)
	}
	return cfg
}

// TestScale measures recoveries in a small and in a large cloud, and the
// executables themselves, prints it as a table, and checks the limits.
func TestScale(t *testing.T) {
	bin := build(t)
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "version\tVMs\ton host\tcalls\tbytes received\thost pool\tpeak MB\tseconds\t")
	for _, version := range []string{"4.4.1", "5.10.6", "6.10.0", "7.4.1"} {
		small, large := recoverHost(t, bin, version, 100), recoverHost(t, bin, version, 10_000)
		for vms, r := range map[int]run{100: small, 10_000: large} {
			if r.calls > maxCalls {
				t.Errorf("%s, %d VMs: %d calls, want at most %d", version, vms, r.calls, maxCalls)
			}
			if r.memory > maxMemory {
				t.Errorf("%s, %d VMs: %d bytes of memory, want at most %d", version, vms, r.memory, maxMemory)
			}
		}
		if growth := float64(large.bytes) / float64(small.bytes); growth > maxGrowth {
			t.Errorf("%s: %d bytes received in a cloud of 100 VMs, %d in one of 10,000", version, small.bytes, large.bytes)
		}
		for _, r := range []struct {
			vms int
			run
		}{{100, small}, {10_000, large}} {
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%.1f\t%.2f\t\n", version, r.vms, affected, r.calls, r.bytes, r.pool, float64(r.memory)/(1<<20), r.took.Seconds())
		}
	}
	_ = w.Flush()
	w = tabwriter.NewWriter(&table, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\nexecutable\tMB\tstart-up ms\t")
	for _, name := range []string{"host_error", "vm_failure", "vm_unknown"} {
		size, start := executable(t, filepath.Join(bin, name))
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t\n", name, float64(size)/(1<<20), float64(start)/float64(time.Millisecond))
		if size > maxBinary {
			t.Errorf("%s has %d bytes, want at most %d", name, size, maxBinary)
		}
		if start > maxStartUp {
			t.Errorf("%s --version takes %s, want at most %s", name, start, maxStartUp)
		}
	}
	_ = w.Flush()
	t.Log("\n" + table.String())
}

// executable gives the size of a file and the shortest of ten runs with --version:
// the shortest is what the program needs, the rest is what else the machine does.
func executable(t *testing.T, path string) (int64, time.Duration) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	best := time.Hour
	for range 10 {
		cmd := exec.CommandContext(t.Context(), path, "--version")
		cmd.Stdout = io.Discard
		start := time.Now()
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(start))
	}
	return info.Size(), best
}
