package isolated_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

// TestTrouble: guests of a real libvirt, those that OpenNebula did not name and those in trouble, are gone within the published
// bound when the host is cut off, whatever has become of libvirt, and nobody else is touched. libvirt starts none of them again,
// and what it keeps of them stays.
func TestTrouble(t *testing.T) {
	t.Parallel()
	need(t)
	var wg sync.WaitGroup
	defer wg.Wait()
	nothing := func(*rigs.Hypervisor) {}
	for _, c := range []struct {
		name   string
		guests func(*guarded) (other *guarded)
		harm   func(*rigs.Hypervisor)
		said   []string
	}{
		{"states, libvirtd", inStates, nothing, []string{"one-2: SIGTERM", "virsh destroy one-0: timed out", "one-0: SIGKILL"}},
		{"states, virtqemud", inStates, (*rigs.Hypervisor).SplitDaemon, []string{"one-2: SIGTERM", "virsh destroy one-0: timed out", "one-0: SIGKILL"}},
		{"states, libvirt is dead", inStates, (*rigs.Hypervisor).StopLibvirtd, []string{"one-2: SIGTERM", "one-0: SIGKILL"}},
		{"jobs, libvirtd", atWork, nothing, []string{"one-5: SIGTERM"}},
		{"jobs, libvirt hangs", atWork, (*rigs.Hypervisor).FreezeLibvirtd, []string{"one-5: SIGTERM"}},
	} {
		wg.Go(func() {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, "6.10.0", 2, nil)
				g := s.guarded(0)
				g.spared = []string{"one-x1", "web"}
				g.StartWith("web", "", "define", "autostart", "start")
				g.Start("one-x1")
				g.Start("one-0")
				hosts := []*guarded{g}
				if other := c.guests(g); other != nil {
					hosts = append(hosts, other)
				}
				for _, host := range hosts {
					host.guard()
				}
				s.ready()
				for _, host := range hosts {
					c.harm(host.Hypervisor)
				}
				g.FreezeGuest("one-0") // later: libvirt would wait for it when it starts
				cut := s.cutOff(hosts...)
				for _, host := range hosts {
					host.stopped(cut, nil)
					host.says(c.said...)
				}
			})
		})
	}
	wg.Go(func() { t.Run("boot in isolation", bootInIsolation) })
}

// inStates starts guests that are in the states that a guest can be in.
func inStates(g *guarded) *guarded {
	g.StartWith("12", metadata(1), "create") // virsh takes a number for another name
	g.StartWith("one-2", "", "define", "start", "autostart", "suspend")
	g.StartWith("one-3", "<on_crash>preserve</on_crash>", "create", "shutdown") // nothing in it listens
	g.FillDisk("one-4")
	g.Crash("one-6")
	return nil
}

// atWork starts guests that libvirt is at work with, one of them on two hosts.
func atWork(g *guarded) *guarded {
	other := g.site.guarded(1)
	g.Restore("one-4")
	g.StartWith("one-7", "", "define", "start")
	g.Virsh("managedsave", "one-7")
	g.kept = filepath.Join(g.Dir, "var/lib/libvirt/qemu/save/one-7.save")
	g.Migrate("one-5", other.Hypervisor)
	return other
}

// bootInIsolation: a host that boots without network stops the guests that libvirt starts, by what was known of them before.
func bootInIsolation(t *testing.T) {
	s := newSite(t, "6.10.0", 1, nil)
	g := s.guarded(0, "strict: true")
	g.spared = []string{"web"}
	imported := "<uuid>00000000-0000-4000-8000-000000000003</uuid>" // what oned calls VM 3
	for name, more := range map[string]string{"one-2": "", "12": metadata(1), "db": imported, "web": ""} {
		g.StartWith(name, more, "define", "autostart", "start")
	}
	g.Virsh("managedsave", "one-2")
	g.guard()
	s.await("what oned calls the guests", func() bool { return strings.Contains(read(g.dir, "state/guests.json"), imported[len("<uuid>"):40]) })
	g.end()
	s.cutOff(g)
	// The machine has the boot of the real one: what is remembered is made that of another boot.
	if err := errors.Join(os.WriteFile(filepath.Join(g.dir, "state/armed"), []byte("an earlier boot\n"), 0o600), os.RemoveAll(filepath.Join(g.dir, "run"))); err != nil {
		t.Fatal(err)
	}
	g.isolated = s.launch(g.Command, g.dir, g.file)
	g.Reboot()
	s.ready()
	booted := time.Now()
	s.await("the guests to be stopped", func() bool {
		return !slices.ContainsFunc([]string{"12: SIG", "db: SIG", "one-2: SIG"}, func(text string) bool { return !strings.Contains(g.said(), text) })
	})
	g.stopped(booted.Add(-g.patience), nil) // the lease was that of the boot before
}
