package guest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"one-ft/pkg/process"
)

func TestGuests(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	both := s.domain("", "one-12")
	process7 := s.qemu("", "/usr/libexec/qemu-kvm", "-name", "one-7,process=qemu:one-7")
	again7 := s.qemu("", "/usr/libexec/qemu-kvm", "-S", "--name", "debug-threads=on,guest=one-7")
	s.write("domains/one-3", "")
	s.write("domains/windows", "")
	want := []Guest{{ID: 3, Name: "one-3"}, {ID: 7, Name: "one-7", PID: process7.pid}, {ID: 7, Name: "one-7", PID: again7.pid}, {ID: 12, Name: "one-12", PID: both.pid}}
	slices.SortFunc(want[1:3], func(a, b Guest) int { return a.PID - b.PID })
	if got, err := s.host.Guests(t.Context()); err != nil || !reflect.DeepEqual(plain(got), want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	// counted compares what one look found, and how it is told.
	counted := func(want Found, ways ...string) {
		t.Helper()
		_, found, _ := s.host.Look(t.Context())
		told := s.host.Ways(t.Context(), &found)
		for _, way := range ways {
			if !slices.ContainsFunc(told, func(line string) bool { return strings.HasSuffix(line, way) }) {
				t.Errorf("%q says nothing of %q", told, way)
			}
		}
		if found != want {
			t.Errorf("%+v; want %+v", found, want)
		}
	}
	counted(Found{Domains: 2, Answered: true, Processes: 3}, ": 2 VMs", "in their arguments: 3 VMs", "(no lxc-stop)")
	s.write("list", "fail")
	counted(Found{Processes: 3}, ": it gave no list", "in their arguments: 3 VMs")
	s.write("list", "")
	want = want[1:]
	for _, c := range []struct {
		change func(h *Host)
		list   string
		cause  error
	}{
		{list: "fail"},
		{list: "hang", cause: process.ErrTimeout},
		{change: func(h *Host) { h.System = &system{virsh: filepath.Join(s.dir, "missing")} }, cause: os.ErrNotExist},
		{change: func(h *Host) { h.Settings.Libvirt = "" }},
	} {
		h := s.host
		if c.change != nil {
			c.change(&h)
		}
		if c.list == "hang" {
			h.Settings.DestroyLimit = 4 * time.Second
		}
		s.write("list", c.list)
		got, err := h.Guests(t.Context())
		if err == nil || !strings.Contains(err.Error(), "failed to list the domains") || c.cause != nil && !errors.Is(err, c.cause) || !reflect.DeepEqual(plain(got), want) {
			t.Errorf("%q: %+v, %v; want %+v", c.list, got, err, want)
		}
	}
	s.write("list", "")
	h := s.host
	h.Proc = filepath.Join(s.dir, "domains")
	h.Settings.DestroyLimit = time.Second
	if got, err := h.Guests(t.Context()); !errors.Is(err, errNoProcesses) || len(got) != 2 {
		t.Errorf("nothing in /proc: %+v, %v", got, err)
	}
}

// The real /proc can be read: every process of this machine is known.
func TestRealProc(t *testing.T) {
	t.Parallel()
	q := startQEMU(t, "", "qemu", "-name", "guest=one-77")
	s := newSite(t)
	s.host.Proc = "/proc"
	got, err := s.host.Guests(t.Context())
	if err != nil || !slices.Contains(plain(got), Guest{ID: 77, Name: "one-77", PID: q.pid}) {
		t.Errorf("%+v, %v", got, err)
	}
}

// A PID that is used again does not die for the VM that had it.
func TestReusedPID(t *testing.T) {
	t.Parallel()
	q := startQEMU(t, "", "/bin/innocent")
	s := newSite(t)
	stat := func(start int) string { return statLine(q.pid, "qemu", "S", 0, 1, start) }
	s.fake(q.pid, stat(5), "qemu", "-name", "one-7")
	seen := newProcs(s.host)
	verdicts, err := seen.scan(t.Context())
	if err != nil || len(verdicts) != 1 || verdicts[0].Name != "one-7" {
		t.Fatalf("%+v, %v", verdicts, err)
	}
	vm := verdicts[0]
	kill := func(what string, g Guest) {
		t.Helper()
		if sent, _ := seen.signal(t.Context(), g, syscall.SIGKILL); sent {
			t.Errorf("%s: it was killed", what)
		}
	}
	kill("another VM was meant", Guest{ID: 8, Name: "one-8", PID: vm.PID, start: vm.start})
	s.fake(q.pid, stat(5), "/bin/innocent", "-name", "one-7")
	kill("another program", vm)
	s.fake(q.pid, stat(5), "qemu", "-name", "one-8")
	kill("another VM", vm)
	s.fake(q.pid, stat(6), "qemu", "-name", "one-7")
	kill("a later process", vm)
	s.fake(q.pid, stat(6))
	kill("a later process without arguments", vm)
	s.fake(q.pid, statLine(q.pid, "qemu", "Z", 0, 1, 5), "qemu", "-name", "one-7")
	kill("a zombie", vm)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	s.fake(q.pid, stat(5), "qemu", "-name", "one-7")
	if sent, _ := seen.signal(ended, vm, syscall.SIGKILL); sent {
		t.Error("killed after the end of the context")
	}
	q.alive("the other process")
	s.vanish(os.Getpid()) // a link to the real one
	s.fake(os.Getpid(), stat(5), "qemu", "-name", "one-7")
	kill("this process", Guest{ID: 7, Name: "one-7", PID: os.Getpid(), start: 5})
	kill("process 1", Guest{ID: 7, Name: "one-7", PID: 1, start: 5})

	if sent, err := seen.signal(t.Context(), vm, syscall.SIGKILL); !sent || err != nil {
		t.Errorf("the same process: %v, %v", sent, err)
	}
	q.ended("one-7")
}

// What the kernel shows of a process that is ending or stuck.
func TestJudge(t *testing.T) {
	t.Parallel()
	const pid = noSuchPID
	const other, vm, unclear = "other", "VM", "unclear"
	args := []string{"qemu", "-name", "guest=one-7"}
	for _, c := range []struct {
		name     string
		before   []string // arguments at an earlier look; nil: there was none
		stat     string
		argv     []string
		kind     string
		keepName string
	}{
		{"runs", nil, statLine(pid, "qemu", "S", 0, 3, 9), args, vm, "one-7"},
		{"name with a parenthesis", nil, statLine(pid, "qemu) Z 1 (", "S", 0, 3, 9), args, vm, "one-7"},
		{"waits for a disk", args, statLine(pid, "qemu", "D", 0, 3, 9), args, vm, "one-7"},
		{"ends", args, statLine(pid, "qemu", "D", 0, 1, 9), nil, vm, "one-7"},
		{"ends, threads are left", args, statLine(pid, "qemu", "Z", 0, 2, 9), nil, vm, "one-7"},
		{"ended", args, statLine(pid, "qemu", "Z", 0, 1, 9), nil, other, ""},
		{"ended, without threads", args, statLine(pid, "qemu", "Z", 0, 0, 9), nil, other, ""},
		{"ended, not seen before", nil, statLine(pid, "qemu", "X", 0, 1, 9), nil, other, ""},
		{"ends, and nobody knows what it was", nil, statLine(pid, "qemu-system-x86", "D", 0, 1, 9), nil, unclear, ""},
		{"the same called kvm", nil, statLine(pid, "kvm", "R", 0, 1, 9), nil, unclear, ""},
		{"started again", args, statLine(pid, "qemu", "D", 0, 1, 10), nil, unclear, ""},
		{"another VM ends", []string{"qemu", "-name", "win"}, statLine(pid, "qemu", "D", 0, 1, 9), nil, other, "win"},
		{"was no QEMU when it was seen", []string{"libvirtd"}, statLine(pid, "qemu", "R", 0, 1, 9), nil, unclear, ""},
		{"kernel thread", nil, statLine(pid, "kvm", "S", 0x208040, 1, 9), nil, other, ""},
		{"another program ends", nil, statLine(pid, "kvm-pit", "D", 0, 1, 9), nil, other, ""},
		{"no numbers", nil, "1 (qemu) S", args, vm, "one-7"},
		{"not a line", nil, "nonsense", args, vm, "one-7"},
	} {
		s := newSite(t)
		p := newProcs(s.host)
		if c.before != nil {
			s.fake(pid, statLine(pid, "qemu", "S", 0, 3, 9), c.before...)
			p.judge(t.Context(), pid)
		}
		s.fake(pid, c.stat, c.argv...)
		if c.argv == nil {
			s.write(fmt.Sprintf("proc/%d/cmdline", pid), "")
		}
		g, perhaps := p.judge(t.Context(), pid)
		kind := other
		if perhaps {
			kind = unclear
		} else if g.ours {
			kind = vm
		}
		if kind != c.kind || g.Name != c.keepName {
			t.Errorf("%s: %s %+v", c.name, kind, g)
		}
	}
}

// The kernel does not show the arguments of a process: nobody waits for it twice.
func TestStuckProcess(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	stuck := func(pid int, comm string) {
		s.fake(pid, statLine(pid, comm, "D", 0, 4, 100))
		path := filepath.Join(s.proc, strconv.Itoa(pid), "cmdline")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			for range 3 { // one for each that may wait
				if f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0); err == nil {
					defer f.Close()
				}
			}
		})
	}
	s.unkillable(noSuchPID, "one-7")
	p := newProcs(s.host)
	if got, err := p.scan(t.Context()); err != nil || len(got) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	stuck(noSuchPID, "qemu")
	for i := range readers + 10 {
		stuck(noSuchPID+1+i, "backup")
	}
	var waits map[int]*reading
	for i := range 3 {
		if got, err := p.scan(t.Context()); err != nil || len(got) != 1 || got[0].Name != "one-7" {
			t.Fatalf("%+v, %v", got, err)
		}
		if i == 0 {
			waits = maps.Clone(p.stuck)
		}
	}
	if !maps.Equal(waits, p.stuck) || len(waits) != readers+11 {
		t.Errorf("%d wait, at first %d", len(p.stuck), len(waits))
	}
	if sent, err := p.signal(t.Context(), Guest{ID: 7, Name: "one-7", PID: noSuchPID, start: 9}, syscall.SIGKILL); sent || err != nil {
		t.Errorf("started at another time: %v, %v", sent, err)
	}
	stuck(noSuchPID+1000, "qemu")
	if _, err := p.scan(t.Context()); err == nil || !strings.Contains(err.Error(), "5001000") {
		t.Errorf("one that nobody knows: %v", err)
	}
	s.quick()
	if o := s.stop(Destroy); o.Gone {
		t.Errorf("not gone as long as nobody can tell: %+v", o)
	}
}

func TestDestroyOne(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a, b := s.domain("", "one-7"), s.domain("", "one-8")
	for _, g := range []Guest{{ID: 7, Name: "one-8"}, {ID: 7, Name: "one-7 "}, {ID: 7}, {Name: "windows"}} {
		if err := s.host.Destroy(t.Context(), g); err == nil {
			t.Errorf("%+v was destroyed", g)
		}
	}
	if err := s.host.Destroy(t.Context(), Guest{ID: 7, Name: "one-7", PID: b.pid}); !errors.Is(err, errChanged) {
		t.Errorf("another process: %v", err)
	}
	a.alive("one-7")
	if err := s.host.Destroy(t.Context(), Guest{ID: 7, Name: "one-7", PID: a.pid}); err != nil {
		t.Error(err)
	}
	a.ended("one-7")
	b.alive("one-8")
	if err := s.host.Destroy(t.Context(), Guest{ID: 7, Name: "one-7", PID: a.pid}); err != nil {
		t.Errorf("again: %v", err)
	}
	s.write("list", "fail")
	if err := s.host.Destroy(t.Context(), Guest{ID: 8, Name: "one-8"}); err != nil {
		t.Error(err)
	}
	b.ended("one-8")
	s.unkillable(noSuchPID, "one-9")
	s.quick()
	if err := s.host.Destroy(t.Context(), Guest{ID: 9, Name: "one-9", PID: noSuchPID}); !errors.Is(err, ErrLeft) {
		t.Error(err)
	}
	if s.powers() != "" || s.read("sysrq") != "" {
		t.Errorf("power %q", s.powers())
	}
}
