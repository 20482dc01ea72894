package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/process"
	"one-ft/pkg/wording"
)

// The ways in which libvirt and QEMU misbehave. In each the VMs are gone in the end, and
// the host stays up.
func TestDestroy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		mode          string // of the process
		list, destroy string // of the fake virsh
		limit         time.Duration
		said          []string
		unsaid        string
	}{
		{name: "sound", said: []string{"on this host: one-7, one-12", "one-7: SIGTERM to process", "one-12: SIGTERM", "verified"}, unsaid: "SIGKILL"},
		{name: "SIGTERM is not enough", mode: ignoring, said: []string{"one-7: SIGTERM", "virsh destroy one-7: done", "virsh destroy one-12: done", "verified"}, unsaid: "SIGKILL"},
		{name: "libvirt is dead", list: "fail", said: []string{"one-7: SIGTERM", "one-12: SIGTERM", "failed to connect"}, unsaid: "virsh destroy"},
		{name: "libvirt hangs", list: "hang", limit: 2 * time.Second, said: []string{"one-7: SIGTERM", process.ErrTimeout.Error()}, unsaid: "virsh destroy"},
		{name: "SIGTERM is ignored, and libvirt hangs", mode: ignoring, list: "hang", limit: 2 * time.Second, said: []string{process.ErrTimeout.Error(), "one-7: SIGKILL"}, unsaid: "virsh destroy"},
		{name: "libvirt hangs later", mode: ignoring, destroy: "hang", limit: 3 * time.Second, said: []string{"virsh destroy one-7: timed out", "one-7: SIGKILL", "one-12: SIGKILL"}},
		{name: "libvirt hangs after it destroyed", mode: ignoring, destroy: "then-hang", limit: 4 * time.Second, said: []string{"virsh destroy one-7: done", "only the processes"}, unsaid: "SIGKILL"},
		{name: "libvirt lies", mode: ignoring, destroy: "forget", said: []string{"virsh destroy one-7: done", "one-7: SIGKILL", "one-12: SIGKILL"}},
		{name: "SIGTERM is ignored", mode: ignoring, destroy: "term", said: []string{"Device or resource busy", "one-7: SIGKILL"}},
		{name: "SIGTERM is ignored, and libvirt is dead", mode: ignoring, list: "fail", said: []string{"one-12: SIGKILL"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.write("list", c.list)
			s.write("destroy", c.destroy)
			if c.limit > 0 {
				s.host.Settings.DestroyLimit = c.limit
			}
			a, b := s.domain(c.mode, "one-7"), s.domain(c.mode, "one-12")
			done := make(chan struct{})
			go s.forget(done, a, "one-7")
			go s.forget(done, b, "one-12")
			o := s.stop(Destroy)
			close(done)
			if !o.Gone || s.powers() != "" || s.read("sysrq") != "" {
				t.Errorf("outcome %+v; power %q, sysrq %q", o, s.powers(), s.read("sysrq"))
			}
			if len(o.Found) != 2 || o.Found[0].ID != 7 || o.Found[0].PID != a.pid || o.Found[1].ID != 12 {
				t.Errorf("found %+v", o.Found)
			}
			a.ended("one-7")
			b.ended("one-12")
			// One is enough: on a busy machine libvirt may be faster than the other.
			if <-a.done; c.mode == "" && a.end != syscall.SIGTERM {
				if <-b.done; b.end != syscall.SIGTERM {
					t.Errorf("they ended by %v and %v", a.end, b.end)
				}
			}
			for _, text := range c.said {
				said(t, o, text)
			}
			// On a busy machine a process that was killed ends so late that it is killed again: after libvirt has done it.
			before := strings.Join(o.steps, "\n")
			if i := strings.Index(before, ": done"); i >= 0 {
				before = before[:i]
			}
			if c.unsaid != "" && strings.Contains(before, c.unsaid) {
				t.Errorf("steps have %q: %q", c.unsaid, o.steps)
			}
		})
	}
}

// forget lets libvirt see that the process of a domain has ended.
func (s *site) forget(done <-chan struct{}, q *qemu, name string) {
	select {
	case <-q.done:
		_ = os.Remove(filepath.Join(s.dir, "domains", name))
	case <-done:
	}
}

// Whatever they are called, other domains and processes are not touched.
func TestOthersSurvive(t *testing.T) {
	t.Parallel()
	for _, list := range []string{"", "fail"} {
		s := newSite(t)
		s.write("list", list)
		var others []*qemu
		names := []string{"one-5x", "xone-5", "one-", "one-5 ", " one-5", "one-05", "one--5", "One-5", "one-5,one-6", "one-+5", "windows"}
		for _, name := range names {
			q := s.qemu("", "/usr/libexec/qemu-kvm", "-name", "guest="+strings.ReplaceAll(name, ",", ",,")+",debug-threads=on")
			s.write("domains/"+name, strconv.Itoa(q.pid))
			others = append(others, q)
		}
		for _, argv := range [][]string{
			{"/usr/bin/vim", "-name", "one-5"}, {"/usr/bin/qemu-img", "convert", "one-5"}, {"kvm", "guest=one-5", "-name"},
			{"/usr/bin/virsh", "destroy", "one-5"}, {"kvm_stat", "-name", "guest=one-5"}, {"/qemu/sh", "-name", "guest=one-5"},
			{"/usr/bin/qemu-system-x86_64", "-name", "guest=other", "-append", "-name", "one-5"},
		} {
			others = append(others, s.qemu("", argv...))
			names = append(names, strings.Join(argv, " "))
		}
		if o := s.stop(Destroy); !o.Gone || len(o.Found) != 0 {
			t.Errorf("outcome %+v", o)
		}
		ours := s.qemu("", "kvm", "-name", "one-5")
		if o := s.stop(Destroy); !o.Gone || len(o.Found) != 1 || plain(o.Found)[0] != (Guest{ID: 5, Name: "one-5", PID: ours.pid}) {
			t.Errorf("outcome %+v", o)
		}
		ours.ended("one-5")
		for i, q := range others {
			q.alive(names[i])
		}
		for line := range strings.Lines(s.read("calls")) {
			if line != "list --name\n" && line != "destroy one-5\n" {
				t.Errorf("virsh was told %q", line)
			}
		}
		if s.powers() != "" {
			t.Errorf("power %s", s.powers())
		}
	}
}

// Without VMs nothing is done, whatever the action is and however libvirt is.
func TestNoVMs(t *testing.T) {
	t.Parallel()
	for _, action := range []string{Destroy, Shutdown, Command} {
		for _, list := range []string{"", "fail", "hang"} {
			t.Run(fmt.Sprintf("%s %q", action, list), func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				s.write("list", list)
				if list == "hang" {
					s.host.Settings.DestroyLimit = 3 * time.Second
				}
				// A VM that has ended and was not reaped.
				zombie := startQEMU(t, "", "kvm", "-name", "one-3")
				s.fake(noSuchPID, statLine(noSuchPID, "kvm", "Z", 0, 1, 5))
				s.write("domains/windows", strconv.Itoa(zombie.pid))
				o := s.stop(action)
				if !o.Gone || o.Found != nil || s.powers() != "" || s.read("sysrq") != "" {
					t.Errorf("outcome %+v, power %q", o, s.powers())
				}
				said(t, o, "no VMs of OpenNebula")
				if list != "" {
					said(t, o, "failed to list the domains")
				}
				if strings.Contains(s.read("calls"), "destroy") {
					t.Errorf("virsh was told %q", s.read("calls"))
				}
				zombie.alive("a process that is not shown")
			})
		}
	}
}

// A real zombie is gone, although it can still be seen.
func TestZombie(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p, err := os.StartProcess(self, []string{"kvm", "-name", "one-4"}, &os.ProcAttr{Env: []string{helperMode + "=sleeps"}, Files: []*os.File{in}})
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
	defer p.Wait()
	defer p.Kill()
	s.show(p.Pid)
	if o := s.stop(Destroy); !o.Gone || len(o.Found) != 1 {
		t.Errorf("outcome %+v", o)
	}
	stat, err := process.ReadStat(fmt.Sprintf("/proc/%d", p.Pid))
	if err != nil || !stat.Zombie() {
		t.Errorf("it is no zombie: %+v, %v", stat, err)
	}
}

// The first thread has ended, so the process shows as a zombie without arguments; the
// others may still write to a disk.
func TestFirstThreadEnded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	q := s.qemu("first thread ends", "kvm", "-name", "one-4")
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", q.pid))
	if err != nil || len(text) > 0 {
		t.Fatalf("it is not what it should be: %q, %v", text, err)
	}
	if o := s.stop(Destroy); !o.Gone || len(o.Found) != 1 {
		t.Errorf("outcome %+v", o)
	}
	q.ended("the rest of the process")
}

// Many are destroyed at the same time, by a few virsh.
func TestMany(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for i := range 3 * maxVirsh {
		s.write(fmt.Sprintf("domains/one-%d", i), "")
	}
	if o := s.stop(Destroy); !o.Gone || len(o.Found) != 3*maxVirsh || o.Found[1] != (Guest{ID: 1, Name: "one-1"}) {
		t.Errorf("outcome %+v", o)
	}
	most := 0
	for _, field := range strings.Fields(s.read("busy")) {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, n)
	}
	if most > maxVirsh || most < 2 {
		t.Errorf("%d at the same time", most)
	}
	if n := strings.Count(s.read("calls"), "destroy"); n != 3*maxVirsh {
		t.Errorf("%d orders", n)
	}
}

// A VM that comes while others are being stopped is stopped, too.
func TestLateGuest(t *testing.T) {
	t.Parallel()
	for _, list := range []string{"", "fail"} {
		s := newSite(t)
		s.write("list", list)
		s.unkillable(noSuchPID, "one-1")
		came := make(chan *qemu, 1)
		record := s.host.Notify
		s.host.Notify = func(m wording.Message) {
			record(m)
			if strings.Contains(m.String(), "SIGKILL to process 5000000") {
				late := s.domain(ignoring, "one-2")
				came <- late
				go func() {
					<-late.done
					_ = os.Remove(filepath.Join(s.dir, "domains/one-2"))
					s.vanish(noSuchPID)
				}()
			}
		}
		o := s.stop(Destroy)
		if !o.Gone || len(o.Found) != 2 || o.Found[1].Name != "one-2" {
			t.Errorf("outcome %+v", o)
		}
		select {
		case late := <-came:
			late.ended("one-2")
		default:
			t.Error("nothing came")
		}
		if list == "" {
			if calls := s.read("calls"); !strings.Contains(calls, "destroy one-2\n") { // its answer may come after the end
				t.Errorf("virsh was told %q", calls)
			}
		} else {
			said(t, o, "one-2: SIGKILL")
		}
	}
}

// The end of the context stops the work and forces nothing.
func TestContext(t *testing.T) {
	t.Parallel()
	for _, action := range []string{Destroy, Command} {
		s := newSite(t)
		s.host.Settings.Command = s.script("command", "sleep 1000")
		s.host.Settings.Action, s.host.KillLimit = action, time.Minute
		s.write("destroy", "hang")
		q := s.domain(ignoring, "one-7")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ended := make(chan Outcome, 1)
		go func() { ended <- s.host.Stop(ctx) }()
		waitFor(t, func() bool { return strings.Contains(s.read("calls"), "destroy") || s.powers() != "" })
		cancel()
		var o Outcome
		select {
		case o = <-ended:
		case <-time.After(30 * time.Second): // the limits are a minute
			t.Fatal("it does not end")
		}
		if o.Gone || !errors.Is(o.Err, context.Canceled) || !errors.Is(o.Err, ErrLeft) || len(o.Left) != 1 {
			t.Errorf("outcome %+v", o)
		}
		if strings.Contains(s.powers(), "poweroff") || s.read("sysrq") != "" {
			t.Errorf("power %q", s.powers())
		}
		q.alive("one-7")
		if o := s.host.Stop(ctx); !errors.Is(o.Err, context.Canceled) || o.Gone {
			t.Errorf("a context that has ended: %+v", o)
		}
	}
}

// What is called when an action is unknown, and what a host without anything but a System can do: nothing.
func TestNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.host.Settings.Libvirt = ""
	q := s.domain("", "one-7")
	if o := s.stop("explode"); o.Gone || o.Err == nil {
		t.Errorf("unknown action: %+v", o)
	}
	for _, action := range []string{Destroy, Shutdown, Command} {
		o := Host{Settings: config.Isolation{Action: action}, System: OS{}}.Stop(t.Context())
		if o.Gone || !errors.Is(o.Err, ErrLeft) {
			t.Errorf("%s of nothing: %+v", action, o)
		}
	}
	q.alive("one-7")
	if err := syscall.Kill(q.pid, 0); err != nil {
		t.Error(err)
	}
}

// waitFor polls a condition.
func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !condition(); process.Pause(t.Context(), pollPause) {
		if time.Now().After(end) {
			t.Fatal("it does not come")
		}
	}
}
