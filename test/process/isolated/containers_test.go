package isolated_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"one-ft/test/process/rigs"
)

// TestContainers: on a host with VMs of libvirt and containers of LXC both are gone within the published bound, with the disks
// of the containers, whatever has become of LXC; a domain and a container of somebody else go on.
func TestContainers(t *testing.T) {
	t.Parallel()
	need(t)
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, c := range []struct {
		name string
		harm func(*rigs.Containers)
		said string
	}{
		{"LXC answers", func(*rigs.Containers) {}, "lxc-stop --kill -n one-1: done"},
		{"its monitors hang", (*rigs.Containers).FreezeMonitors, "lxc-stop --kill -n one-1: timed out"},
		{"its monitors are dead", (*rigs.Containers).KillMonitors, ""},
	} {
		wg.Go(func() {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, "6.10.0", 1, nil)
				h, dir := rigs.StartHypervisor(t, s.net.Hosts[0]), t.TempDir()
				lxc := rigs.StartLXC(t, h.Machine)
				h.Start("one-0")
				h.Start("other")
				for id, name := range map[string]string{"1": "one-1", "2": "one-2", "": "web"} {
					lxc.Start(name, id)
				}
				if len(lxc.Disks()) < 4 {
					t.Fatalf("disks %q", lxc.Disks())
				}
				file := s.settings(dir)
				patience, reaction := s.bound(file, "--watch")
				out, err := exec.Command(filepath.Join(s.bin, "host_isolated"), "--watch", "--print-bound", "--config", file).Output()
				if err != nil || !strings.Contains(string(out), `FT_LEASE_COVERS="libvirt lxc"`) {
					t.Errorf("%s, %v", out, err)
				}
				i := s.start(h.Command, dir, file)
				s.ready()
				c.harm(lxc)
				cut := time.Now()
				s.net.CutCable(s.net.Hosts[0])
				s.await("the end of the guests", func() bool {
					if time.Since(cut) > patience+reaction {
						t.Fatalf("left are %v, %v, %v\n%s", h.Guests(), lxc.Running(), lxc.Disks(), i.said())
					}
					return slices.Equal(h.Guests(), []string{"other"}) && slices.Equal(lxc.Running(), []string{"web"}) && len(lxc.Disks()) == 0
				})
				if took := time.Since(cut); took < patience-2*time.Second {
					t.Errorf("gone after %s; the host keeps them for %s\n%s", took, patience, i.said())
				}
				s.await("the last word of host_isolated", func() bool { return strings.Contains(i.said(), "are stopped, verified") })
				if !strings.Contains(i.said(), c.said) || !strings.Contains(i.said(), "one-1: its disks are unmounted") {
					t.Errorf("it does not say %q:\n%s", c.said, i.said())
				}
				if left := lxc.Running(); !slices.Equal(left, []string{"web"}) || !slices.Equal(h.Guests(), []string{"other"}) {
					t.Errorf("left are %v and %v", left, h.Guests())
				}
				if calls := h.PowerCommands(); len(calls) > 0 {
					t.Errorf("the host was told to power off: %v\n%s", calls, i.said())
				}
			})
		})
	}
}
