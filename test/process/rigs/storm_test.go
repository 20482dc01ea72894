package rigs_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/process/programs"
	"one-ft/test/process/rigs"
	"one-ft/test/sim/cloud"
)

// TestFrontEndsOwnCable: four hosts with a real sshd each, a front-end with oned on it, each in a network of its own. The
// cable of the front-end is pulled, and the hosts become ERROR one after the other: host_error as OpenNebula's hook was called
// (-r n, no watching, no fencing) touches no VM. When the cable is plugged in again a host whose monitoring alone is broken is
// not touched either, and the VMs of one that is really dead run elsewhere.
func TestFrontEndsOwnCable(t *testing.T) {
	for _, version := range []string{"4.4.1", "6.10.0", "7.4.1"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			f := newWiredFrontEnd(t, version)
			heal := f.net.CutCable(f.net.FE)
			var codes sync.Map
			var hooks sync.WaitGroup
			for id := range f.net.Hosts {
				f.fails(t, id)
				hooks.Go(func() {
					code, out := f.hostError(t, id)
					codes.Store(id, code)
					t.Logf("host %d: exit %d: %s", id, code, out)
				})
				time.Sleep(700 * time.Millisecond)
			}
			hooks.Wait()
			if n := f.actions(); n != 0 {
				t.Errorf("the front-end's own cable was pulled, and %d VMs were touched", n)
			}
			if refused := count(&codes, 3); refused == 0 {
				t.Error("nobody was told that it was refused")
			}
			heal()
			f.well(t)

			f.fails(t, 1) // its sshd answers
			if code, out := f.hostError(t, 1); code != 3 || f.actions() != 0 {
				t.Errorf("a host that answers: exit %d, %d VMs touched: %s", code, f.actions(), out)
			}
			f.well(t)

			f.net.SilentPort(f.net.Hosts[0])
			if err := f.PowerOff(0); err != nil {
				t.Fatal(err)
			}
			f.fails(t, 0)
			begun := time.Now()
			code, out := f.hostError(t, 0)
			if code != 0 || f.elsewhere(0) != perHost {
				log, _ := os.ReadFile(filepath.Join(f.home, "var", "host_error.log")) // for the error only
				t.Errorf("a dead host: exit %d, %d VMs run elsewhere\n%s%s", code, f.elsewhere(0), out, log)
			}
			t.Logf("%s: a dead host, which nothing proves off: its VMs run elsewhere after %.1f s", version, time.Since(begun).Seconds())
		})
	}
}

// perHost are the VMs of each host.
const perHost = 3

// wiredFrontEnd is a front-end in a namespace of its own, with a simulated oned.
type wiredFrontEnd struct {
	*cloud.Cloud
	net     *rigs.Net
	home    string
	url     string
	program string
}

func newWiredFrontEnd(t *testing.T, version string) *wiredFrontEnd {
	t.Helper()
	program := filepath.Join(programs.Dir(t), "host_error")
	f := &wiredFrontEnd{net: rigs.StartNet(t, 4), home: t.TempDir(), program: program}
	ssh := rigs.StartSSH(t, f.net)
	cfg := cloud.Config{Version: version, Step: 10 * time.Millisecond, SchedInterval: 100 * time.Millisecond, CleanUpsHang: cloud.NoHang}
	for id, h := range f.net.Hosts {
		cfg.Hosts = append(cfg.Hosts, cloud.Host{ID: id, Name: ssh.Name(h), CPU: 1000, MemMB: 1 << 20})
		for i := range perHost {
			cfg.VMs = append(cfg.VMs, cloud.VM{ID: id*perHost + i, Name: "vm", State: one.Active, LCM: one.Running, CPU: 0.1, MemMB: 64,
				History: []cloud.Record{{HostID: id, STime: 1, PSTime: 1, PETime: 1, RSTime: 1}}})
		}
	}
	var err error
	if f.Cloud, err = cloud.New(cfg); err != nil {
		t.Fatal(err)
	}
	listener := f.net.FE.Listen(t, 0)
	server := &http.Server{Handler: f.Cloud, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // ends with Close
	t.Cleanup(func() { server.Close(); f.Cloud.Close() })
	f.url = "http://" + listener.Addr().String() + "/RPC2"
	for _, dir := range []string{"var", "etc", ".one"} {
		if err := os.MkdirAll(filepath.Join(f.home, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(f.home, ".one/one_auth"), "oneadmin:opennebula")
	write(t, filepath.Join(f.home, "etc/one-ft.yaml"), fmt.Sprintf("ssh: %q\nstorm: {give_up: 8s, cool_down: 2s, quiet: 0s}\nsurvey: {alive: 3s}\n", ssh.Client))
	return f
}

// fails makes a host ERROR, and its VMs UNKNOWN.
func (f *wiredFrontEnd) fails(t *testing.T, id int) {
	t.Helper()
	if err := f.SetHostState(id, one.HostError); err != nil {
		t.Fatal(err)
	}
	f.vms(t, id, one.Unknown)
}

// well makes all hosts MONITORED, with their VMs, and forgets what was.
func (f *wiredFrontEnd) well(t *testing.T) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(f.home, "var", "one-ft")); err != nil { // 4.4 tells of one outage again and again
		t.Fatal(err)
	}
	for id := range f.net.Hosts {
		if err := f.SetHostState(id, one.HostMonitored); err != nil {
			t.Fatal(err)
		}
		f.vms(t, id, one.Running)
	}
}

func (f *wiredFrontEnd) vms(t *testing.T, host int, state one.LCMState) {
	t.Helper()
	for i := range perHost {
		if err := f.UpdateVM(host*perHost+i, func(v *cloud.VM) { v.LCM = state }); err != nil {
			t.Fatal(err)
		}
	}
}

// hostError runs the executable on the front-end as the hook of a host that became ERROR.
func (f *wiredFrontEnd) hostError(t *testing.T, id int) (code int, out string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := f.net.FE.Command(ctx, f.program, fmt.Sprint(id), "-r", "n")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + f.home, "ONE_LOCATION=" + f.home, "ONE_XMLRPC=" + f.url}
	text, _ := cmd.CombinedOutput() // its exit code says it
	return cmd.ProcessState.ExitCode(), string(text)
}

// actions counts the calls that touch a VM or take a host out of scheduling.
func (f *wiredFrontEnd) actions() (n int) {
	for _, c := range f.Calls() {
		if c.Method == "one.vm.recover" || c.Method == "one.vm.action" || strings.HasPrefix(c.Method, "one.vm.migrate") || c.Method == "one.host.status" {
			n++
		}
	}
	return n
}

// elsewhere counts the VMs of a host that run on another one.
func (f *wiredFrontEnd) elsewhere(host int) (n int) {
	for _, v := range f.VMs() {
		if v.ID/perHost == host && v.State == one.Active && v.LCM == one.Running && v.History[len(v.History)-1].HostID != host {
			n++
		}
	}
	return n
}

func count(codes *sync.Map, code int) (n int) {
	codes.Range(func(_, value any) bool {
		if value == code {
			n++
		}
		return true
	})
	return n
}
