package guest

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"one-ft/pkg/config"
)

// quick sets limits for what never ends.
func (s *site) quick() {
	c := &s.host.Settings
	c.DestroyLimit, c.ShutdownLimit, c.CommandLimit = 2*time.Second, 2*time.Second, 2*time.Second
	s.host.KillLimit, s.host.PowerOffLimit = 500*time.Millisecond, time.Second
}

// A VM that cannot be killed: all ways to force the host off are tried in their order.
func TestUnkillable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		action string
		list   string
		powers string
	}{{Destroy, "", ""}, {Destroy, "hang", ""}, {Shutdown, "fail", "shutdown "}, {Command, "", "command "}} {
		t.Run(c.action+" "+c.list, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.write("list", c.list)
			s.quick()
			s.unkillable(noSuchPID, "one-7")
			s.host.Settings.PowerOff = [][]string{
				{filepath.Join(s.dir, "missing")}, s.script("first", "exit 1"), {}, {"relative"}, s.script("second", "sleep 1000"),
				{PowerOffSysrq}, s.script("third", "exit 0"),
			}
			o := s.stop(c.action)
			if o.Gone || !errors.Is(o.Err, ErrLeft) || len(o.Left) != 1 || o.Left[0].PID != noSuchPID || o.Left[0].ID != 7 {
				t.Errorf("outcome %+v", o)
			}
			if want := c.powers + "first second third"; s.powers() != want || s.read("sysrq") != "ob" {
				t.Errorf("power %q, want %q; sysrq %q", s.powers(), want, s.read("sysrq"))
			}
			order := []int{}
			for _, text := range []string{"missing: ", "first.sh: exit code 1", "relative", "second.sh: no answer", "sysrq o (power off): accepted", "sysrq b (reset): accepted", "third.sh: accepted"} {
				order = append(order, slices.IndexFunc(o.steps, func(step string) bool { return strings.Contains(step, text) }))
			}
			if !slices.IsSorted(order) || order[0] < 0 {
				t.Errorf("steps %q: order %v", o.steps, order)
			}
		})
	}
}

// What libvirt lists is not gone either, also without a process.
func TestLibvirtKeepsIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.quick()
	s.host.Settings.DestroyLimit = time.Minute
	s.write("destroy", "keep")
	q := s.domain("", "one-7")
	o := s.stop(Destroy)
	if o.Gone || s.read("sysrq") != "ob" || len(o.Left) != 1 || o.Left[0] != (Guest{ID: 7, Name: "one-7"}) {
		t.Errorf("outcome %+v", o)
	}
	if len(o.Found) != 1 || plain(o.Found)[0] != (Guest{ID: 7, Name: "one-7", PID: q.pid}) {
		t.Errorf("found %+v", o.Found)
	}
	q.ended("one-7")
}

// Nothing of this package has a default that could power anything off, and a file that
// is missing is not made.
func TestPowerOffNotAvailable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ways [][]string
		file string
		said string
	}{
		{nil, "", "no way to force the host off is configured"},
		{[][]string{{PowerOffSysrq}}, "", "sysrq o (power off): it is not available"},
		{[][]string{{PowerOffSysrq}}, "missing", "no such file"},
		{[][]string{{PowerOffSysrq, "now"}}, "missing", "no program is configured"},
	} {
		s := newSite(t)
		s.quick()
		s.unkillable(noSuchPID, "one-7")
		s.host.Settings.PowerOff, s.host.SysrqTrigger = c.ways, c.file
		if c.file != "" {
			s.host.SysrqTrigger = filepath.Join(s.dir, c.file)
		}
		if o := s.stop(Destroy); o.Gone {
			t.Errorf("%v: %+v", c.ways, o)
		} else {
			said(t, o, c.said)
		}
		if _, err := os.Stat(s.host.SysrqTrigger); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%v: %v", c.ways, err)
		}
	}
}

// The kernel does not take what it is told.
func TestSysrqHangs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.quick()
	s.unkillable(noSuchPID, "one-7")
	s.host.SysrqTrigger = filepath.Join(s.dir, "fifo")
	if err := syscall.Mkfifo(s.host.SysrqTrigger, 0o600); err != nil {
		t.Fatal(err)
	}
	s.host.Settings.PowerOff = [][]string{{PowerOffSysrq}, s.script("last", "exit 1")}
	if o := s.stop(Destroy); o.Gone {
		t.Errorf("outcome %+v", o)
	} else {
		said(t, o, "sysrq o (power off): tell the kernel: no answer in time")
		said(t, o, "sysrq b (reset): tell the kernel: no answer in time")
	}
	if s.powers() != "last" {
		t.Errorf("power %q", s.powers())
	}
	release(t, s.host.SysrqTrigger)
}

// release ends those who wait for somebody to read a FIFO.
func release(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
}

// A host that has shut its VMs down while it goes needs no stronger way.
func TestPowerOffHelps(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.quick()
	s.host.PowerOffLimit = time.Minute
	s.unkillable(noSuchPID, "one-7")
	s.host.Settings.PowerOff = [][]string{s.script("first", "rm -r proc/5000000"), {PowerOffSysrq}}
	if o := s.stop(Destroy); !o.Gone || o.Err != nil || s.read("sysrq") != "" {
		t.Errorf("outcome %+v, sysrq %q", o, s.read("sysrq"))
	}
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, script    string
		limit           time.Duration
		gone            bool
		powers, sysrq   string
		said            string
		libvirtIsBroken bool
	}{
		{name: "in order", script: "rm -r proc/5000000", limit: time.Minute, gone: true, powers: "shutdown", said: "accepted"},
		{name: "quicker than the program", script: "rm -r proc/5000000; sleep 1; echo ended >>power", limit: time.Minute, gone: true, powers: "shutdown ended"},
		{name: "libvirt is broken", script: "rm -r proc/5000000", limit: time.Minute, gone: true, powers: "shutdown", libvirtIsBroken: true},
		{name: "fails at once", script: "exit 5", limit: time.Minute, powers: "shutdown poweroff", sysrq: "ob", said: "exit code 5"},
		{name: "accepted and not done", script: "exit 0", limit: 2 * time.Second, powers: "shutdown poweroff", sysrq: "ob", said: "timed out after 2s"},
		{name: "hangs", script: "sleep 1000", limit: 2 * time.Second, powers: "shutdown poweroff", sysrq: "ob", said: "timed out after 2s"},
		{name: "fails when the VMs are gone", script: "rm -r proc/5000000; exit 5", limit: time.Minute, gone: true, powers: "shutdown", said: "exit code 5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.host.Settings.Shutdown = s.script("shutdown", c.script)
			s.host.Settings.ShutdownLimit = c.limit
			s.unkillable(noSuchPID, "one-7")
			if c.libvirtIsBroken {
				s.write("list", "fail")
			}
			o := s.stop(Shutdown)
			if o.Gone != c.gone || s.powers() != c.powers || s.read("sysrq") != c.sysrq {
				t.Errorf("outcome %+v, power %q, sysrq %q", o, s.powers(), s.read("sysrq"))
			}
			said(t, o, c.said)
			if strings.Contains(s.read("calls"), "destroy") || strings.Contains(strings.Join(o.steps, ""), "SIGKILL") {
				t.Errorf("VMs were destroyed: %q", o.steps)
			}
		})
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	t.Run("it stops them", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		a, b := s.domain("", "one-12"), s.domain("", "one-7")
		s.host.Settings.Command = s.script("command", `echo "$FT_VMS" >>power; for d in domains/*; do kill -9 $(cat $d); rm $d; done; exit 3`)
		o := s.stop(Command)
		if !o.Gone || s.powers() != "command 7 12" || strings.Contains(s.read("calls"), "destroy") {
			t.Errorf("outcome %+v, power %q, virsh %q", o, s.powers(), s.read("calls"))
		}
		said(t, o, "exit code 3")
		a.ended("one-12")
		b.ended("one-7")
	})
	for _, c := range []struct{ name, script, destroy, said string }{
		{"it does nothing", "exit 0", "", "virsh destroy one-7: done"},
		{"it fails", "exit 1", "forget", "one-7: SIGKILL"},
		{"it hangs", "sleep 1000", "", "virsh destroy one-7: done"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			q := s.domain(ignoring, "one-7")
			s.write("destroy", c.destroy)
			s.host.Settings.CommandLimit, s.host.KillLimit = 2*time.Second, time.Second
			s.host.Settings.Command = s.script("command", c.script)
			if o := s.stop(Command); !o.Gone || s.powers() != "command" {
				t.Errorf("outcome %+v, power %q", o, s.powers())
			} else {
				said(t, o, c.said)
				said(t, o, "they are destroyed")
			}
			q.ended("one-7")
		})
	}
}

// Bound is what its comment says.
func TestBound(t *testing.T) {
	t.Parallel()
	h := Host{KillLimit: 200 * time.Second, PowerOffLimit: 500000 * time.Second, Settings: config.Isolation{
		DestroyLimit: 10 * time.Second, ShutdownLimit: 3000 * time.Second, CommandLimit: 40000 * time.Second,
		PowerOff: [][]string{{"/bin/off", "now"}, {PowerOffSysrq}, {"/bin/off"}},
	}}
	for action, want := range map[string]time.Duration{
		Destroy: 2000210 * time.Second, Shutdown: 2003005 * time.Second, Command: 2040415 * time.Second, "": -Margin,
	} {
		h.Settings.Action = action
		if got := h.Bound(); got != want+Margin {
			t.Errorf("%q: %s, want %s", action, got, want+Margin)
		}
	}
}
