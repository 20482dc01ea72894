package isolated_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"one-ft/test/process/rigs"
)

// need skips what needs real hypervisors where that cannot be.
func need(t *testing.T) {
	t.Helper()
	rigs.Need(t, rigs.NetPackages, "ip", "nft")
	rigs.Need(t, rigs.HypervisorPackages, "qemu-system-x86_64", "libvirtd", "virsh", "systemctl")
	rigs.NeedRoot(t)
}

// TestRealGuests: the other ways to run host_isolated, with guests of a real libvirt.
func TestRealGuests(t *testing.T) {
	t.Parallel()
	need(t)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { t.Run("shutdown", shutdownOfAHost) })
	wg.Go(func() { t.Run("cron", startedByCron) })
}

// startedByCron: what a run of cron remembers is enough for the next ones to decide; a
// minute of this cron is a second.
func startedByCron(t *testing.T) {
	rigs.Need(t, rigs.CronPackages, "cron", "faketime")
	s := newSite(t, "5.10.6", 1, nil)
	h, dir := rigs.StartHypervisor(t, s.net.Hosts[0]), t.TempDir()
	h.Start("one-0")
	h.Start("other")
	file := s.settings(dir, "cron_period: 10s")
	s.replace(file, "after: 12s", "after: 22s")
	patience, reaction := s.bound(file)
	rigs.StartCron(t, h, "* * * * * root "+s.bin+"/host_isolated --config "+file, 60)
	s.await("a run of cron", func() bool { return strings.Contains(read(dir, "run/host_isolated.json"), `"phase":"fine"`) })
	s.ready()
	cut := time.Now()
	s.net.Isolate(s.net.Hosts[0])
	s.await("the end of the guest", func() bool { return slices.Equal(h.Guests(), []string{"other"}) })
	if took := time.Since(cut); took > patience+reaction || took < patience-2*time.Second {
		t.Errorf("gone after %s; the bound is %s + %s\n%s", took, patience, reaction, read(dir, "state/host_isolated.log"))
	}
}

// shutdownOfAHost: a host that does not go down in time is forced off.
func shutdownOfAHost(t *testing.T) {
	s := newSite(t, "5.10.6", 1, nil)
	g := s.guarded(0, "action: shutdown", "shutdown_limit: 10s")
	g.Start("one-0")
	g.guard()
	s.ready()
	s.net.SilentPort(g.node)
	forced := []string{"systemctl poweroff", "systemctl poweroff --force"}
	s.await("the host to be forced off", func() bool {
		return len(g.PowerCommands()) >= 2 && (!g.HasSysrq() || g.SysrqWritten() != "")
	})
	if calls := g.PowerCommands(); !slices.Equal(calls[:2], forced) {
		t.Errorf("%v, want %v\n%s", calls, forced, g.said())
	}
}
