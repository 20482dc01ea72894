package guest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// lxc installs a lxc-stop that kills the process in DIR/containers/NAME, hangs or fails.
func (s *site) lxc(how string) {
	s.t.Helper()
	text := map[string]string{
		"":     `[ "$1 $2" = "--kill -n" ] && kill -9 "$(cat "containers/$3")"`,
		"hang": "sleep 1000", "fail": "echo 'Failed to connect to the monitor' >&2; exit 1", "lie": "exit 0",
	}[how]
	if err := os.MkdirAll(filepath.Join(s.dir, "containers"), 0o755); err != nil {
		s.t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\ncd '%s' || exit 9\necho \"$3\" >>stops\n%s\n", s.dir, text)
	if err := os.WriteFile(s.lxcStop, []byte(script), 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.write("stops", "")
	s.mountinfo()
}

// mountinfo is the list of mounts.
func (s *site) mountinfo(points ...string) {
	s.t.Helper()
	text := "22 1 254:0 / / rw - ext4 /dev/vda rw\n"
	for i, point := range points {
		text += fmt.Sprintf("%d 22 7:%d / %s rw,relatime shared:3 - ext4 /dev/loop%d rw\n", 30+i, i, point, 900+i)
	}
	if err := os.MkdirAll(filepath.Join(s.proc, "self"), 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.write("proc/self/mountinfo", text)
}

// inContainer starts a process in control groups, and shows it as the kernel does.
func (s *site) inContainer(mode, name, group, nspid string) *qemu {
	s.t.Helper()
	q := startQEMU(s.t, mode, "/sbin/init")
	dir := filepath.Join(s.proc, strconv.Itoa(q.pid))
	if err := os.Mkdir(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	for _, file := range []string{"stat", "cmdline", "task"} {
		if err := os.Symlink(fmt.Sprintf("/proc/%d/%s", q.pid, file), filepath.Join(dir, file)); err != nil {
			s.t.Fatal(err)
		}
	}
	s.write(fmt.Sprintf("proc/%d/cgroup", q.pid), group+"\n")
	s.write(fmt.Sprintf("proc/%d/status", q.pid), fmt.Sprintf("Name:\tinit\nNSpid:\t%d%s\nVmPeak:\t1 kB\n", q.pid, nspid))
	s.write("containers/"+name, strconv.Itoa(q.pid))
	return q
}

// TestContainers: containers are stopped whatever LXC does, and no other is touched.
func TestContainers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		how  string // of lxc-stop
		said []string
	}{
		{"", []string{"on this host: one-5, one-7, one-8, one-9", "lxc-stop --kill -n one-7: done"}},
		{"fail", []string{"lxc-stop --kill -n one-7: exit code 1: Failed to connect", "one-7: SIGKILL"}},
		{"lie", []string{"lxc-stop --kill -n one-7: done", "one-7: SIGKILL", "one-8: SIGKILL"}},
		{"hang", []string{"lxc-stop --kill -n one-7: timed out", "one-7: SIGKILL"}},
	} {
		t.Run(c.how, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.lxc(c.how)
			if c.how == "hang" {
				s.host.Settings.DestroyLimit = 2 * time.Second
			}
			ours := []*qemu{
				s.inContainer("", "one-7", "0::/lxc.payload.one-7", "\t1"),
				s.inContainer(ignoring, "one-8", "9:name=systemd:/lxc.payload/one-8/init.scope\n4:memory:/x/lxc.payload/one-8", "\t1"),
				s.inContainer("", "one-9", "1:cpu:/lxc/one-9", ""), // in the PID namespace of the host
				s.domain("", "one-5"),
			}
			var others []*qemu
			for name, group := range map[string]string{
				"web": "0::/lxc.payload.web", "one-7x": "0::/lxc.payload.one-7x", "one-07": "0::/lxc.payload.one-07",
				"one-6-1": "0::/lxc.payload.one-6-1", "nested": "0::/lxc.payload.web/lxc.payload.one-7", "monitor": "0::/lxc.monitor.one-7",
				"docker": "0::/system.slice/docker-one-7.scope",
			} {
				others = append(others, s.inContainer("", name, group, "\t1"))
			}
			s.write("domains/web", strconv.Itoa(others[0].pid))
			o := s.stop(Destroy)
			if !o.Gone || len(o.Found) != 4 || o.Found[1].Name != "one-7" || !o.Found[1].Container || o.Found[0].Container || s.powers() != "" {
				t.Errorf("outcome %+v", o)
			}
			for _, text := range c.said {
				said(t, o, text)
			}
			for _, q := range ours {
				q.ended("a container of OpenNebula")
			}
			for _, q := range others {
				q.alive("another container")
			}
			for _, name := range strings.Fields(s.read("stops")) {
				if !slices.Contains([]string{"one-7", "one-8", "one-9"}, name) {
					t.Errorf("lxc-stop of %q", name)
				}
			}
		})
	}
}

// TestOnlyInit: of a container that has an init only that is killed; the kernel ends the others with it.
func TestOnlyInit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.lxc("fail")
	first := s.inContainer("", "one-7", "0::/lxc.payload.one-7", "\t1")
	inside := s.inContainer("", "one-7", "0::/lxc.payload.one-7/user.slice", "\t12")
	o := make(chan outcome)
	s.host.KillLimit = 3 * time.Second
	go func() { o <- s.stop(Destroy) }()
	first.ended("its init")
	inside.ended("what is left without an init")
	if got := <-o; !got.Gone || strings.Count(strings.Join(got.steps, "\n"), "SIGKILL") != 2 {
		t.Errorf("outcome %+v", got)
	}
}

// TestMonitor: the monitor of a container that hangs is killed after its init.
func TestMonitor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.lxc("fail")
	monitor := s.qemu("", "[lxc monitor] /var/lib/lxc one-7")
	other := s.qemu("", "[lxc monitor] /var/lib/lxc web")
	for q, group := range map[*qemu]string{monitor: "one-7", other: "web"} {
		dir := filepath.Join(s.proc, strconv.Itoa(q.pid))
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{"stat", "cmdline", "task"} {
			if err := os.Symlink(fmt.Sprintf("/proc/%d/%s", q.pid, file), filepath.Join(dir, file)); err != nil {
				t.Fatal(err)
			}
		}
		s.write(fmt.Sprintf("proc/%d/cgroup", q.pid), "0::/lxc.monitor."+group+"\n")
	}
	first := s.inContainer("", "one-7", "0::/lxc.payload.one-7", "\t1")
	o := s.stop(Destroy)
	if !o.Gone || len(o.Found) != 1 {
		t.Errorf("outcome %+v", o)
	}
	first.ended("its init")
	monitor.ended("its monitor")
	other.alive("another monitor")
	steps := strings.Join(o.steps, "\n")
	if a, b := strings.Index(steps, fmt.Sprint("process ", first.pid)), strings.Index(steps, fmt.Sprint("process ", monitor.pid)); a < 0 || b < a {
		t.Errorf("%q", o.steps)
	}
}

// TestSuffix: LXC appends a number to the control group when something was left of the one before; the title of the monitor
// says what the container is called.
func TestSuffix(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.lxc("fail")
	q := s.inContainer("", "one-7", "0::/lxc.payload.one-7-1", "\t1")
	if got, err := s.host.Guests(t.Context()); len(got) != 0 || err != nil {
		t.Errorf("without a monitor: %+v, %v", got, err)
	}
	s.vanish(os.Getpid()) // the parent of the process, whose title is shown
	s.fake(os.Getpid(), statLine(os.Getpid(), "lxc-start", "S", 0, 1, 5), "[lxc monitor] /var/lib/lxc one-7")
	if o := s.stop(Destroy); !o.Gone || len(o.Found) != 1 || o.Found[0].ID != 7 {
		t.Errorf("outcome %+v", o)
	}
	q.ended("one-7")
}

// TestNotInstalled: without LXC nobody looks for containers.
func TestNotInstalled(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.lxc("")
	q := s.inContainer("", "one-7", "0::/lxc.payload.one-7", "\t1")
	if got := s.host.Covers(t.Context()); got != "libvirt lxc" {
		t.Errorf("it covers %q", got)
	}
	if ways := s.host.Ways(t.Context(), nil); !slices.Contains(ways, "containers (lxc): by "+s.lxcStop) {
		t.Errorf("%q", ways)
	}
	_, found, err := s.host.Look(t.Context())
	if told := s.host.Ways(t.Context(), &found); err != nil || found.Containers != 1 || !slices.Contains(told, "containers (lxc): by "+s.lxcStop+": 1 VM") {
		t.Errorf("%+v, %q, %v", found, told, err)
	}
	s.lxcStop = filepath.Join(s.dir, "missing")
	if got := s.host.Covers(t.Context()); got != "libvirt" {
		t.Errorf("it covers %q", got)
	}
	if o := s.stop(Destroy); !o.Gone || o.Found != nil {
		t.Errorf("outcome %+v", o)
	}
	q.alive("a process")
}

// TestDisks: a container without processes is there until its disks are unmounted, the last one first, and until they are
// detached; what cannot be unmounted forces the host off.
func TestDisks(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"", "busy at first", "stuck", "fails", "not detached"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.lxc("")
			q := s.inContainer("", "one-7", "0::/lxc.payload.one-7", "\t1")
			points := []string{"/var/lib/one/datastores/0/7/mapper/disk.0", "/var/lib/lxc-one/7/disk.0", "/var/lib/lxc-one/7/disk.0/media/one-disk.2"}
			foreign := []string{"/var/lib/lxc-one/x/disk.0", "/srv/7/mapper/data", "/srv/7/disk.0", "/var/lib/lxc/web/rootfs"}
			s.mountinfo(append(slices.Clone(points), foreign...)...)
			if how == "not detached" {
				if err := os.MkdirAll(filepath.Join(s.dir, "sys/block/loop900/loop"), 0o755); err != nil {
					t.Fatal(err)
				}
				s.write("sys/block/loop900/loop/backing_file", "/x\n")
			}
			var order []string
			var tries atomic.Int32
			released := make(chan struct{})
			t.Cleanup(func() { close(released) })
			s.unmount = func(point string) error {
				select {
				case <-q.done:
				case <-time.After(5 * time.Second): // until it was waited for, on a busy machine
					t.Error("unmounted while it runs")
				}
				switch n := tries.Add(1); {
				case how == "stuck":
					<-released
					return unix.EIO
				case how == "fails", how == "busy at first" && n < 4:
					return unix.EBUSY
				}
				order = append(order, point)
				s.mountinfo(append(slices.Clone(points[:len(points)-len(order)]), foreign...)...)
				return nil
			}
			good := how == "" || how == "busy at first"
			if !good {
				s.quick()
			}
			o := s.stop(Destroy)
			q.ended("its init")
			if o.Gone != good || good != (s.powers() == "") {
				t.Fatalf("outcome %+v, power %q", o, s.powers())
			}
			if !good {
				if !errors.Is(o.Err, ErrLeft) || o.Left[0].Name != "one-7" || o.Left[0].PID != 0 {
					t.Errorf("outcome %+v", o)
				}
				return
			}
			slices.Reverse(order)
			if !slices.Equal(order, points) || s.powers() != "" {
				t.Errorf("unmounted %q", order)
			}
			said(t, o, "one-7: its disks are unmounted")
			if n := strings.Count(strings.Join(o.steps, "\n"), "device or resource busy"); n > 1 {
				t.Errorf("%d times busy: %q", n, o.steps)
			}
		})
	}
}

// FuzzGroups: whatever the control groups of a process are, a container's name is a part of them.
func FuzzGroups(f *testing.F) {
	for _, text := range []string{"0::/lxc.payload.one-7\n", "9:name=systemd:/lxc.payload/one-8/init.scope\n1:cpu:/x", "1:cpu:/lxc/one-9 (deleted)\n", "::lxc", "0::/lxc.payload.", "1:x:/lxc"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if name := payload(text); strings.Contains(name, "/") || !strings.Contains(text, name) || name != "" && !strings.Contains(text, "lxc") {
			t.Errorf("%q of %q", name, text)
		}
		if name := monitored(text); !strings.Contains(text, name) || strings.Contains(name, " ") {
			t.Errorf("monitor of %q", name)
		}
		_ = isInit(text)
	})
}

// FuzzMounts: whatever the list of mounts is, a disk of a container is below a directory with the ID of its VM.
func FuzzMounts(f *testing.F) {
	f.Add("70 68 7:0 / /var/lib/lxc-one/7/disk.0 rw,relatime - ext4 /dev/loop0 rw\n69 44 7:0 / /ds/0/7/mapper/disk.0 rw - ext4 /dev/loop0 rw\n")
	f.Add("1 2 3:4 / /var/lib/lxc-one/07/a\\040b rw - fuse bindfs rw")
	f.Add("/ - /")
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range containerMounts(text) {
			if m.id < 0 || !strings.Contains(m.point+"/", fmt.Sprintf("/%d/", m.id)) {
				t.Errorf("%+v of %q", m, text)
			}
		}
	})
}
