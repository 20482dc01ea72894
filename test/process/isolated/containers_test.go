package isolated_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

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
				g := s.guarded(0)
				lxc := rigs.StartLXC(t, g.Machine)
				g.spared = []string{"other"}
				g.Start("one-0")
				g.Start("other")
				for id, name := range map[string]string{"1": "one-1", "2": "one-2", "": "web"} {
					lxc.Start(name, id)
				}
				if len(lxc.Disks()) < 4 {
					t.Fatalf("disks %q", lxc.Disks())
				}
				out, err := exec.Command(filepath.Join(s.bin, "host_isolated"), "--watch", "--print-bound", "--config", g.file).Output()
				if err != nil || !strings.Contains(string(out), `FT_LEASE_COVERS="libvirt lxc"`) {
					t.Errorf("%s, %v", out, err)
				}
				g.guard()
				s.ready()
				c.harm(lxc)
				g.stopped(s.cutOff(g), func() bool { return slices.Equal(lxc.Running(), []string{"web"}) && len(lxc.Disks()) == 0 })
				g.says(c.said, "one-1: its disks are unmounted")
				if left := lxc.Running(); !slices.Equal(left, []string{"web"}) {
					t.Errorf("left are %v", left)
				}
			})
		})
	}
}
