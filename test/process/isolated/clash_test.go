package isolated_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"one-ft/test/process/rigs"
	"one-ft/test/sim/cloud"
)

// clash is one way in which a VM could run twice.
type clash struct {
	name string
	cron bool
	// before is put in front of host_isolated.
	before []string
	// heal is when the network of the host comes back, after the host's lease has run out;
	// 0 for never.
	heal time.Duration
	// phase is how long after a round the network breaks.
	phase time.Duration
	// recovered: host_error recreates the VMs; else the host is back before it may.
	recovered bool
}

// TestClash: a real host with real guests is cut off, and goes on running them. oned says
// ERROR, host_error waits for the lease; when its first call that touches a VM leaves, the
// guests are really gone. No VM runs on both sides at any time.
func TestClash(t *testing.T) {
	t.Parallel()
	need(t)
	rigs.Need(t, rigs.CronPackages, "cron", "faketime")
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, c := range []clash{
		{name: "host cut off", recovered: true},
		{name: "its clock is an hour ahead", before: []string{"unshare", "--time", "--boottime", "3600", "--monotonic", "3600", "--fork", "--kill-child"}, phase: 900 * time.Millisecond, recovered: true},
		{name: "cron at its slowest phase", cron: true, phase: 50 * time.Millisecond, recovered: true},
		{name: "back one second before the deadline", heal: -time.Second},
		{name: "back one second after the deadline", heal: time.Second},
	} {
		wg.Go(func() { t.Run(c.name, func(t *testing.T) { c.run(t) }) })
	}
}

// run plays it.
func (c clash) run(t *testing.T) {
	s := newSite(t, "7.4.1", 1, nil)
	node, dir := s.net.Hosts[0], t.TempDir()
	h := rigs.StartHypervisor(t, node)
	for id := range 4 {
		h.Start(fmt.Sprintf("one-%d", id))
	}
	h.Start("other")
	flags, lines := []string{"--watch"}, []string{"strict: true"}
	if c.cron {
		flags, lines = nil, []string{"strict: true", "cron_period: 10s"}
	}
	file := s.settings(dir, lines...)
	if c.cron {
		s.replace(file, "lease: 12s", "lease: 22s")
	}
	lease, reaction := s.bound(file, flags...)
	if c.cron {
		rigs.StartCron(t, h, fmt.Sprintf("* * * * * root %s/host_isolated --config %s", s.bin, file), 6)
		s.await("a run of cron", func() bool { return strings.Contains(read(dir, "run/host_isolated.json"), `"phase":"fine"`) })
	} else {
		s.start(h.Command, dir, file, c.before...)
	}
	s.ready()
	stop := s.neverTwice(t, h)
	defer stop()

	s.afterARound(dir, c.phase)
	heal := s.net.Isolate(node)
	cut := time.Now()
	if err := s.cloud.FailHost(1); err != nil {
		t.Fatal(err)
	}
	if c.heal != 0 {
		time.AfterFunc(time.Until(cut.Add(lease+c.heal)), func() {
			heal()
			_ = s.cloud.HealHost(1)
		})
	}
	s.await("ERROR", func() bool { host, _ := s.cloud.Host(1); return host.State.Failed() })
	code, out := s.hostError(t, s.leaseConfig(t, lease, reaction)...)
	if code != 0 {
		t.Errorf("host_error: exit code %d\n%s", code, out)
	}
	if recreated := strings.Contains(out, "has run out: the host has stopped its VMs"); recreated != c.recovered {
		t.Errorf("recreated %v\n%s", recreated, out)
	}
	if c.recovered {
		if left := h.Guests(); !slices.Equal(left, []string{"other"}) {
			t.Errorf("left on the host: %v", left)
		}
		s.await("the VMs to run elsewhere", func() bool { return s.elsewhere() == 4 })
	} else if s.elsewhere() > 0 {
		t.Errorf("VMs were recreated although the host came back\n%s", out)
	}
}

// leaseConfig makes host_error fence every host by this lease, with the least margin.
func (s *site) leaseConfig(t *testing.T, lease, reaction time.Duration) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "one-ft.yaml")
	text := fmt.Sprintf("storm: {quiet: 0s}\nsurvey: {settle: 0s}\nfence:\n  - hosts: [\"*\"]\n    levels:\n      - devices:\n          - lease: %s\n            reaction: %s\n            margin: 1s\n", lease, reaction)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--config", file}
}

// neverTwice watches both sides: each call that touches a VM is checked against what really
// runs on the host, and a sampler looks for a VM that runs on both sides.
func (s *site) neverTwice(t *testing.T, h *rigs.Hypervisor) (stop func()) {
	check := func(what string, ids []int) {
		guests := h.Guests()
		for _, id := range ids {
			if slices.Contains(guests, fmt.Sprintf("one-%d", id)) {
				t.Errorf("%s although VM %d still runs on the host", what, id)
			}
		}
	}
	s.cloud.Inject(cloud.Rule{Method: "one.vm.recover", ID: -1, Hook: func(call cloud.Call) {
		if id, ok := call.Args[0].(int); ok {
			check(fmt.Sprintf("%s %v", call.Method, call.Args), []int{id})
		}
	}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				for _, host := range s.cloud.Hosts() {
					if ids := s.cloud.Guests(host.ID); host.ID != 1 && len(ids) > 0 {
						check("it runs elsewhere", ids)
					}
				}
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// elsewhere is how many VMs run on other hosts than the first.
func (s *site) elsewhere() (n int) {
	for _, host := range s.cloud.Hosts() {
		if host.ID != 1 {
			n += len(s.cloud.Guests(host.ID))
		}
	}
	return n
}

// afterARound waits until host_isolated has just made a round, and then for a time.
func (s *site) afterARound(dir string, phase time.Duration) {
	s.t.Helper()
	before := read(dir, "run/host_isolated.json")
	s.await("a round", func() bool { return read(dir, "run/host_isolated.json") != before })
	timer := time.NewTimer(phase)
	defer timer.Stop()
	<-timer.C
}

// replace changes a line of a file.
func (s *site) replace(file, old, text string) {
	s.t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(content), old, text, 1)), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// read is a file below a directory, "" when it is not there.
func read(dir, name string) string {
	text, _ := os.ReadFile(filepath.Join(dir, name))
	return string(text)
}
