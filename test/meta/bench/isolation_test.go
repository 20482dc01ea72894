package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"one-ft/pkg/isolation"
	"one-ft/pkg/one"
	"one-ft/test/process/rigs"
	"one-ft/test/sim/cloud"
)

const (
	// buildOfVirsh is a commit whose host_isolated has libvirt end all guests, and acts a round after the end of the lease.
	buildOfVirsh = "7ff5a54"
	isolatedVMs  = 40
	isolatedRuns = 3
	// goneTime is how long after the end of its lease the guests of a host may run, with the shipped times of a round.
	goneTime = 1500 * time.Millisecond
	// shortLease is three rounds and a time-out: the least that is allowed.
	shortLease = 18 * time.Second
)

// TestScaleOfIsolation measures how long after the end of the lease of a host that lost its network its guests are gone, real
// ones of a real libvirt. make test has it with a few guests, in test/process/isolated.
func TestScaleOfIsolation(t *testing.T) {
	if !*full {
		return
	}
	rigs.Need(t, rigs.NetPackages, "ip", "nft")
	rigs.Need(t, rigs.HypervisorPackages, "qemu-system-x86_64", "libvirtd", "virsh", "systemctl")
	rigs.NeedRoot(t)
	now, old := build(t), before(t, buildOfVirsh, "./cmd/host_isolated")
	s := newCutHost(t)
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "guests\tbuild\tgone after the end of the lease, s\tpeak MB\t")
	for _, b := range []struct {
		name, bin string
		held      bool
	}{{"before", old, false}, {"now", now, true}} {
		var late []string
		var memory int64
		for range isolatedRuns {
			took, peak := s.run(b.bin)
			late, memory = append(late, fmt.Sprintf("%.2f", took.Seconds())), max(memory, peak)
			if b.held && (took > goneTime || peak > maxMemory) {
				t.Errorf("%d guests: gone %s after the end of the lease, %d MB; want at most %s and %d MB", isolatedVMs, took, peak>>20, goneTime, maxMemory>>20)
			}
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%.1f\t\n", isolatedVMs, b.name, strings.Join(late, ", "), float64(memory)/(1<<20))
	}
	_ = w.Flush()
	t.Log("\n" + table.String())
}

// cutHost is a hypervisor that loses its network again and again.
type cutHost struct {
	*rigs.Hypervisor
	t    *testing.T
	net  *rigs.Net
	next int // ID of a guest
}

func newCutHost(t *testing.T) *cutHost {
	t.Helper()
	s := &cutHost{t: t, net: rigs.StartNet(t, 1)}
	c, err := cloud.New(cloud.Config{Version: "6.10.0", Step: 10 * time.Millisecond, MonitorInterval: 4 * time.Second, Hosts: []cloud.Host{{Name: s.net.Hosts[0].Name, State: one.HostMonitored}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	server := &http.Server{Handler: c}
	listener := s.net.FE.Listen(t, 2633)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	s.Hypervisor = rigs.StartHypervisor(t, s.net.Hosts[0])
	return s
}

// run cuts the host off while host_isolated of a build runs there, and returns how long after the end of the lease the last guest
// was gone, and the most memory that it took.
func (s *cutHost) run(bin string) (late time.Duration, peak int64) {
	s.t.Helper()
	for range isolatedVMs {
		s.Start(fmt.Sprintf("one-%d", s.next)) // libvirt may not have seen yet that one of the run before is gone
		s.next++
	}
	dir := s.t.TempDir()
	token, file := filepath.Join(dir, "token"), filepath.Join(dir, "host_isolated.yaml")
	for path, text := range map[string]string{
		token: "oneadmin:opennebula\n",
		file:  fmt.Sprintf("front_ends: [%s]\nauth_file: %s\nstate_dir: %s\nrun_dir: %s\nquiet: 0s\nstrict: true\nlease: %s\n", s.net.FE.IP, token, dir, dir, shortLease),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	ctx, stop := context.WithTimeout(s.t.Context(), 10*time.Minute)
	defer stop()
	program := filepath.Join(bin, "host_isolated")
	cmd := s.Command(ctx, program, "--watch", "--config", file)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "JOURNAL_STREAM=1"}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	defer func() { stop(); _ = cmd.Wait() }()
	state := filepath.Join(dir, "host_isolated.json")
	s.await(ctx, "a round", func() bool { _, armed := renewed(state); return armed })
	heal := s.net.CutCable(s.net.Hosts[0])
	defer heal()
	s.await(ctx, "the end of the guests", func() bool { return len(s.Guests()) == 0 })
	gone := isolation.Uptime()
	last, _ := renewed(state)
	return gone - last - shortLease, memoryOf(pidOf(program, file))
}

// await looks at a condition until it holds.
func (s *cutHost) await(ctx context.Context, what string, holds func() bool) {
	s.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Fatalf("%s: %v", what, ctx.Err())
		}
	}
}

// renewed is when the lease began, since the boot, as host_isolated remembers it.
func renewed(file string) (at time.Duration, armed bool) {
	var state struct {
		History struct {
			Armed   bool          `json:"armed"`
			Renewed time.Duration `json:"renewed"`
		} `json:"history"`
	}
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &state)
	}
	return state.History.Renewed, err == nil && state.History.Armed
}

// pidOf finds a program by one of its arguments; 0 when it does not run.
func pidOf(program, argument string) int {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is right
	for _, file := range files {
		text, _ := os.ReadFile(file) // a process that has just ended has none
		argv := strings.Split(string(text), "\x00")
		if argv[0] == program && slices.Contains(argv, argument) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			return pid
		}
	}
	return 0
}
