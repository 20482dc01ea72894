// Package wire puts faults on the wire between the real executables and a simulated
// OpenNebula, over real sockets on loopback: what latency, resets, truncation, black holes,
// half-open connections and TLS do to a recovery, whenever they begin. What the client
// library makes of each single fault is tested beside it; here it is the promises that count.
package wire

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/test/process/programs"
	"one-ft/test/sim/cloud"
)

// bin has the executables.
var bin string

func TestMain(m *testing.M) { os.Exit(testAll(m)) }

func testAll(m *testing.M) int {
	flag.Parse()
	// The tests wait for time-outs more than they need the processor: more of them run at the same
	// time than there are processors, but not so many that one keeps another from its own time.
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
	if !asked {
		if err := flag.Set("test.parallel", "16"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	var err error
	if bin, err = programs.Build(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// The limits of runs that are to end by them, and what they add up to. A machine that does
// other things may take longer, by grace; without its limits a run would take longer still.
const (
	onedWait = time.Second
	timeout  = 3 * time.Second
	watching = 1500 * time.Millisecond // --wait

	lastAttempt = 5 * time.Second  // least time of the last attempt of a call
	lastWord    = 5 * time.Second  // to tell oned that the incident has ended
	lookTwice   = 10 * time.Second // between the looks of oneft resume
	grace       = 20 * time.Second
	// patience is for runs that are to get through, however busy the machine is.
	patience = 30 * time.Second
)

// The host that failed, and those of its VMs.
const (
	failed = 0
	onHost = 8
)

// config lets nobody wait for minutes, and proves that the failed host is off. There is no ssh client, so that no
// connection of whoever runs the tests is taken for one of a driver. The hosts have names only, so none of them is waited for.
const config = `survey: {settle: 0s}
storm: {cool_down: 0s, give_up: 2s}
budget: {back_off: 1s}
ssh: /nonexistent/ssh
fence:
  - hosts: ["*"]
    levels:
      - devices:
          - command: [/bin/true]
`

// site is a cloud with a failed host, and a front-end with everything that is its own.
type site struct {
	*oned
	home         string
	mostRequests int // that may be under way at the same time
}

// newSite makes a site with whatever else a test needs. The VMs on the failed host are UNKNOWN.
func newSite(t *testing.T, version string, more ...func(*cloud.Config)) *site {
	t.Helper()
	cfg := cloud.Config{Version: version, Step: 10 * time.Millisecond, SchedInterval: 50 * time.Millisecond}
	for id := range 4 {
		cfg.Hosts = append(cfg.Hosts, cloud.Host{ID: id, Name: fmt.Sprintf("node%d", id), CPU: 20000, MemMB: 1 << 20})
	}
	cfg.Hosts[failed].State = one.HostError
	for id := range onHost {
		cfg.VMs = append(cfg.VMs, vmOn(failed, id, one.Active, one.Unknown))
	}
	for _, change := range more {
		change(&cfg)
	}
	s := &site{oned: serve(t, cfg), home: t.TempDir(), mostRequests: mostAtOnce}
	s.write(t, "auth", "oneadmin:opennebula")
	s.write(t, "etc/one-ft.yaml", config)
	if err := os.MkdirAll(filepath.Join(s.home, "var"), 0o755); err != nil {
		t.Fatal(err)
	}
	return s
}

func vmOn(host, id int, state one.VMState, lcm one.LCMState) cloud.VM {
	return cloud.VM{ID: id, Name: fmt.Sprintf("vm%d", id), State: state, LCM: lcm, History: []cloud.Record{{HostID: host, STime: 1, PSTime: 1, PETime: 1, RSTime: 1}}}
}

// write makes a file below the front-end's directory and gives its path.
func (s *site) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(s.home, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

// run is what a program that has ended leaves behind.
type run struct {
	code                int
	stdout, stderr, log string
	took                time.Duration
	hook                bool // oned runs it, and would read its standard output as messages of a driver
}

// loud reports whether a hook has written to its standard output.
func (r run) loud() bool { return r.hook && r.stdout != "" }

// runTool runs a program as a hook does: no terminal, no standard input, a bare environment.
func (s *site) runTool(t *testing.T, endpoint, tool string, args ...string) run {
	t.Helper()
	return s.runUntil(t, nil, endpoint, tool, args...)
}

// runUntil is runTool for a program that is told to stop, with SIGTERM, when a channel is closed.
func (s *site) runUntil(t *testing.T, stopped <-chan struct{}, endpoint, tool string, args ...string) run {
	t.Helper()
	// A log of its own for each run: a file is there when it begins, and nobody else writes it.
	log, err := os.CreateTemp(s.home, "log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, filepath.Join(bin, tool), append(args, "--log-file", log.Name())...)
	cmd.Env = []string{"ONE_XMLRPC=" + endpoint, "ONE_AUTH=" + filepath.Join(s.home, "auth"), "ONE_LOCATION=" + s.home, "PATH=" + os.Getenv("PATH")}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &stdout, &stderr, time.Second
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	var told sync.WaitGroup
	told.Go(func() {
		select {
		case <-stopped:
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Errorf("it ended before it was told to: %v", err)
			}
		case <-ended:
		}
	})
	err = cmd.Wait()
	close(ended)
	told.Wait()
	r := run{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String(), took: time.Since(start), hook: tool != "oneft"}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	text, err := io.ReadAll(log)
	if err != nil {
		t.Fatal(err)
	}
	r.log = string(text)
	return r
}

// recover runs host_error for the failed host.
func (s *site) recover(t *testing.T, endpoint string, options ...string) run {
	t.Helper()
	return s.runTool(t, endpoint, "host_error", append([]string{strconv.Itoa(failed), "-r", "n"}, options...)...)
}

// briefly is for a run that is to end by its limits, and patiently for one that is to get
// through.
func briefly(more ...string) []string {
	return append([]string{"--oned-wait", onedWait.String(), "--timeout", timeout.String()}, more...)
}

func patiently(more ...string) []string {
	return append([]string{"--oned-wait", patience.String(), "--timeout", patience.String()}, more...)
}

// incidents reads the journal, the newest incident last.
func (s *site) incidents(t *testing.T) []incident.Record {
	t.Helper()
	dir := filepath.Join(s.home, "var", "one-ft", "incidents")
	if _, err := os.Stat(dir); err != nil {
		return nil
	}
	journal, err := incident.OpenJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	records, problems := journal.List(0)
	if len(problems) > 0 {
		t.Errorf("journal: %v", problems)
	}
	return records
}

// goOn does on a wire that is well again what a person does after a run that did not
// complete: oneft resume, or the hook once more when there is no incident yet.
func (s *site) goOn(t *testing.T) {
	t.Helper()
	var r run
	all := s.incidents(t)
	if len(all) > 0 && all[0].Status == incident.Done {
		return
	}
	if len(all) > 0 {
		r = s.runTool(t, s.endpoint(), "oneft", append([]string{"resume", strconv.Itoa(all[0].Number)}, patiently()...)...)
	} else {
		r = s.recover(t, s.endpoint(), patiently()...)
	}
	if r.code != 0 || r.loud() {
		t.Errorf("going on: %s", r)
	}
}

// String shows a run for whoever looks for what went wrong.
func (r run) String() string {
	return strings.TrimSpace(fmt.Sprintf("exit code %d after %s\nstdout: %s\nstderr: %s\nlog:\n%s", r.code, r.took, r.stdout, r.stderr, r.log))
}
