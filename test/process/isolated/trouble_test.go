package isolated_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"one-ft/test/process/rigs"
)

// metadata is what OpenNebula writes into the domain of a VM.
func metadata(id int) string {
	return fmt.Sprintf(`<metadata><one:vm xmlns:one="http://opennebula.org/xmlns/libvirt/1.0">`+
		`<one:system_datastore>/var/lib/one//datastores/0/%d</one:system_datastore></one:vm></metadata>`, id)
}

// TestTrouble: guests that OpenNebula did not name, and guests in trouble, are gone within the published bound, also when libvirt
// is dead or split; libvirt starts none of them again, and what it keeps of them is not touched.
func TestTrouble(t *testing.T) {
	t.Parallel()
	need(t)
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, c := range []struct {
		name string
		harm func(*rigs.Hypervisor)
		said string
	}{
		{"libvirtd", func(*rigs.Hypervisor) {}, "virsh destroy one-2: done"},
		{"virtqemud", (*rigs.Hypervisor).SplitDaemon, "virsh destroy one-2: done"},
		{"libvirt is dead", (*rigs.Hypervisor).StopLibvirtd, "one-2: SIGKILL"},
		{"libvirt starts its guests again", func(h *rigs.Hypervisor) { h.StopLibvirtd(); h.StartLibvirtd() }, "virsh destroy one-2: done"},
	} {
		wg.Go(func() {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, "6.10.0", 1, nil)
				h, dir := rigs.StartHypervisor(t, s.net.Hosts[0]), t.TempDir()
				h.StartWith("12", metadata(1), "create") // virsh takes a number for another name
				h.StartWith("one-2", "", "define", "start", "autostart", "suspend")
				h.StartWith("one-3", "<on_crash>preserve</on_crash>", "create", "shutdown") // nothing in it listens
				h.Start("one-0")
				h.StartWith("web", "", "define", "autostart", "start")
				file := s.settings(dir)
				patience, reaction := s.bound(file, "--watch")
				i := s.start(h.Command, dir, file)
				s.ready()
				c.harm(h)
				h.FreezeGuest("one-0") // later: libvirt would wait for it when it starts
				cut := time.Now()
				s.net.CutCable(s.net.Hosts[0])
				s.await("the end of the guests", func() bool {
					if time.Since(cut) > patience+reaction {
						t.Fatalf("left are %v\n%s", h.Guests(), i.said())
					}
					return slices.Equal(h.Guests(), []string{"web"})
				})
				s.await("the last word of host_isolated", func() bool { return strings.Contains(i.said(), "are stopped, verified") })
				if !strings.Contains(i.said(), c.said) {
					t.Errorf("it does not say %q:\n%s", c.said, i.said())
				}
				if calls := h.PowerCommands(); len(calls) > 0 || !slices.Equal(h.Guests(), []string{"web"}) {
					t.Errorf("left are %v; power %v\n%s", h.Guests(), calls, i.said())
				}
			})
		})
	}
}
