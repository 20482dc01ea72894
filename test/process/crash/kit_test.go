// Package crash_test kills the real host_error at every call of the API and at every
// change of a file, lets the next event come, and looks whether each VM was recovered
// once and the record tells everything. It also lets many events come at once.
package crash_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/process/programs"
	"one-ft/test/sim/cloud"
)

// vmCount is how many VMs the failed host has. Each has the same points at which a process can be
// killed, so a few VMs have all kinds of them; with more the same is tried again, and longer.
var vmCount = flag.Int("vms", 5, "VMs of the failed host; with 20 all takes about four times as long")

const (
	// failedHost has the VMs firstVM to firstVM+*vmCount-1.
	failedHost = 1
	firstVM    = 10
	// executable names the host_error under test in the environment. Without it the
	// tests build their own.
	executable = "CRASH_TEST_HOST_ERROR"
	// patience is far more than a run takes on a busy machine.
	patience = 2 * time.Minute
	// look is the time from one look at a condition to the next.
	look = 2 * time.Millisecond
)

// TestMain builds the executable once, and runs all tests at the same time: one of them waits 45 s.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = f.Value.Set("8")
	}
	if os.Getenv(executable) == "" {
		dir, err := programs.Build()
		if err == nil {
			err = os.Setenv(executable, filepath.Join(dir, "host_error"))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// world is a cloud in which a host with VMs has failed, behind a server.
type world struct {
	cloud *cloud.Cloud
	front *front
	url   string
	close func()
}

// newWorld makes a cloud of four hosts that is quicker than any real one. Its server
// listens on this machine. The VMs are UNKNOWN, as oned makes them: one that is RUNNING would say that its host lives.
func newWorld(version string) (*world, error) {
	cfg := cloud.Config{Version: version, Step: 2 * time.Millisecond, SchedInterval: 5 * time.Millisecond}
	for id := range 4 {
		h := cloud.Host{ID: id, Name: fmt.Sprintf("node%d", id)}
		if id == failedHost {
			h.State = one.HostError
		}
		cfg.Hosts = append(cfg.Hosts, h)
	}
	for i := range *vmCount {
		v := cloud.VM{ID: firstVM + i, Name: fmt.Sprintf("vm%d", firstVM+i), CPU: 0.1, MemMB: 64, State: one.Active, LCM: one.Unknown}
		v.History = []cloud.Record{{HostID: failedHost, STime: 1, PSTime: 1, PETime: 2}}
		cfg.VMs = append(cfg.VMs, v)
	}
	c, err := cloud.New(cfg)
	if err != nil {
		return nil, err
	}
	w := &world{cloud: c, front: &front{cloud: c}}
	server := httptest.NewServer(w.front)
	// This machine by an address that does not look local: so host_error does not search all
	// processes for the oned, which takes half of its time here.
	w.url = strings.Replace(server.URL, "127.0.0.1", "0.0.0.0", 1) + "/RPC2"
	w.close = func() { server.CloseClientConnections(); c.Close(); server.Close() }
	return w, nil
}

// config proves that the host is off, so that what was recovered is done. There is no ssh client: no connection of
// whoever runs the tests is taken for one of a driver. The hosts have names only, so none of them is waited for.
const config = `ssh: /nonexistent/ssh
survey: {settle: 0s}
fence:
  - hosts: ["*"]
    levels:
      - devices:
          - command: [/bin/true]
`

// frontEnd is a directory with what host_error finds on a front-end of OpenNebula.
type frontEnd struct{ dir string }

func newFrontEnd(parent string) (frontEnd, error) {
	dir, err := os.MkdirTemp(parent, "fe")
	if err != nil {
		return frontEnd{}, err
	}
	for _, sub := range []string{"var", "etc", ".one"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			return frontEnd{}, err
		}
	}
	return frontEnd{dir}, errors.Join(
		os.WriteFile(filepath.Join(dir, "etc", "one-ft.yaml"), []byte(config), 0o600),
		os.WriteFile(filepath.Join(dir, ".one", "one_auth"), []byte("oneadmin:opennebula\n"), 0o600))
}

// state is the state directory, log the text of the log.
func (f frontEnd) state() string { return filepath.Join(f.dir, "var", "one-ft") }

func (f frontEnd) log() string {
	text, _ := os.ReadFile(filepath.Join(f.dir, "var", "host_error.log"))
	return string(text)
}

// parallel is how many VMs are acted on at the same time: of 20 VMs the 8 of the default, and
// the same share of fewer, so that some wait for others in any case.
func parallel() int { return max(1, min(8, *vmCount*2/5)) }

// event is host_error as oned would start it for the failed host. The process is killed when
// the context ends.
func (f frontEnd) event(ctx context.Context, w *world) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Getenv(executable), fmt.Sprint(failedHost), "-r", "n", "--parallel", fmt.Sprint(parallel()))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + f.dir, "ONE_LOCATION=" + f.dir, "ONE_XMLRPC=" + w.url}
	return cmd
}

// handled lets an event come and says what is wrong with how the process ended.
func (f frontEnd) handled(ctx context.Context, w *world) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := f.event(ctx, w).CombinedOutput()
	if err != nil {
		return fmt.Errorf("host_error: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// killed reports whether the error of a process says that SIGKILL ended it.
func killed(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// eventually looks at a condition until it holds, and reports whether it did in time.
func eventually(ctx context.Context, holds func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}
