package play

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	exec "one-ft/pkg/process"
	"one-ft/test/sim/cloud"
)

// machine is a host as its own programs see it, which is the guest.System of host_isolated: what the kernel, libvirt and LXC show of
// what really runs there, and what ends it. Who ends what is in the log.
type machine struct{ *node }

// machineSpec is what runs on a host besides the VMs of OpenNebula.
type machineSpec struct {
	daemons             []string // of libvirt that serve; nil: libvirtd
	domains, containers []string // of somebody else, by name
}

// running is a guest with its processes: a QEMU, or the first process of a container and, with the next number, its monitor.
type running struct {
	vm         int // foreign: nobody's
	name, uuid string
	pid        int
	container  bool
	ended      bool     // only its disks are left
	mounts     []string // of a container
}

const (
	foreign = -1
	// How long things take on a host: virsh and lxc-stop, the end of a process after SIGTERM and SIGKILL, and until libvirt sends
	// SIGKILL itself (virProcessKillPainfully: 10 s). They never end together with a look of host_isolated.
	listTime    = 23*time.Millisecond + 100*time.Microsecond
	stopTime    = 143*time.Millisecond + 100*time.Microsecond
	termTime    = 187*time.Millisecond + 300*time.Microsecond
	killTime    = 3*time.Millisecond + 700*time.Microsecond
	destroyTime = 10*time.Second + 300*time.Microsecond
)

// sockets are those of the daemons of libvirt.
func sockets() map[string]string {
	return map[string]string{"virtqemud": "/run/libvirt/virtqemud-sock", "libvirtd": "/run/libvirt/libvirt-sock"}
}

// hasLXC reports whether LXC is installed: what host_isolated publishes says so.
func (n *node) hasLXC() bool {
	return strings.Contains(n.world.spec.cloud.Hosts[n.id].Template["FT_LEASE_COVERS"], "lxc")
}

// driverOf is the driver of the guest of a VM on the host.
func (n *node) driverOf(v cloud.VM) (driver string) {
	for _, r := range v.History {
		if r.HostID == n.id {
			driver = r.Driver
		}
	}
	return cmp.Or(driver, n.world.spec.cloud.Hosts[n.id].Driver, "kvm")
}

// guests are what runs on the host, but for guests of drivers that have neither QEMU nor LXC.
func (m machine) guests() (all []running) {
	for _, id := range m.world.cloud.Guests(m.id) {
		v, _ := m.world.cloud.VM(id)
		g := running{vm: id, name: fmt.Sprintf("one-%d", id), uuid: cloud.GuestUUID(id), pid: 10_000 + 10*id}
		if v.Imported() {
			g.name = v.Name
		}
		switch m.driverOf(v) {
		case "kvm":
			all = append(all, g)
		case "lxc":
			all = append(all, m.contained(g))
		}
	}
	spec := m.world.spec.machines[m.id]
	for i, name := range slices.Concat(spec.domains, spec.containers) {
		g := running{vm: foreign, name: name, uuid: cloud.GuestUUID(1_000_000 + i), pid: 5_000 + 10*i}
		if i >= len(spec.domains) {
			g.container, g.mounts = true, []string{"/var/lib/lxc/" + name + "/rootfs"}
		}
		if m.powered() {
			all = append(all, g)
		}
	}
	return all
}

// contained is a guest as a container: with the disk that the driver mounts, twice.
func (m machine) contained(g running) running {
	g.container = true
	m.mu.Lock()
	defer m.mu.Unlock()
	if g.mounts, g.ended = m.disks[g.vm]; !g.ended {
		g.mounts = []string{fmt.Sprintf("/var/lib/one/datastores/0/%d/mapper/disk.0", g.vm), fmt.Sprintf("/var/lib/lxc-one/%d/disk.0", g.vm)}
	}
	return g
}

// device is the one that the disks of a guest are on.
func (g running) device() string { return fmt.Sprintf("loop%d", g.pid) }

// find finds a guest; ok is false when it has ended.
func (m machine) find(is func(g running) bool) (g running, ok bool) {
	all := m.guests()
	i := slices.IndexFunc(all, is)
	if i < 0 {
		return g, false
	}
	return all[i], true
}

// files are what the kernel shows.
func (m machine) files() map[string]string {
	proc := path.Join(m.world.dir, m.name(), "proc")
	m.mu.Lock()
	boots := m.boots
	m.mu.Unlock()
	files := map[string]string{}
	show := func(pid, parent int, comm, argv, group, nspid string) {
		dir := fmt.Sprintf("%s/%d/", proc, pid)
		files[dir+"stat"] = fmt.Sprintf("%d (%s) S %d 2 3 0 -1 0 0 0 0 0 0 0 0 0 20 0 4 0 %d 0 0\n", pid, comm, parent, boots)
		files[dir+"cmdline"] = argv + "\x00"
		files[dir+"cgroup"] = "0::/" + group + "\n"
		files[dir+"status"] = fmt.Sprintf("Name:\t%s\nNSpid:\t%d%s\n", comm, pid, nspid)
	}
	show(1, 0, "systemd", "/sbin/init", "init.scope", "")
	mounts := "22 1 254:0 / / rw - ext4 /dev/vda rw\n"
	for _, g := range m.guests() {
		for i, point := range g.mounts {
			mounts += fmt.Sprintf("%d 22 7:1 / %s rw,relatime - ext4 /dev/%s rw\n", 30+i, point, g.device())
		}
		if !g.container {
			show(g.pid, 1, "qemu-system-x86", "/usr/bin/qemu-system-x86_64\x00-name\x00guest="+g.name+",debug-threads=on\x00-uuid\x00"+g.uuid, "machine.slice/"+g.name, "")
			continue
		}
		files["/sys/block/"+g.device()+"/loop/backing_file"] = "/disk\n"
		if !g.ended {
			show(g.pid, g.pid+1, "systemd", "/sbin/init", "lxc.payload."+g.name+"/init.scope", "\t1")
			show(g.pid+1, 1, "lxc-start", "[lxc monitor] /var/lib/lxc "+g.name, "lxc.monitor."+g.name, "")
		}
	}
	files[proc+"/self/mountinfo"] = mounts
	return files
}

// Read implements guest.System.
func (m machine) Read(path string, _ int64) ([]byte, error) {
	if text, shown := m.files()[path]; shown {
		return []byte(text), nil
	}
	return nil, os.ErrNotExist
}

// List implements guest.System.
func (m machine) List(dir string) (names []string, err error) {
	for path := range m.files() {
		if below, is := strings.CutPrefix(path, dir+"/"); is {
			name, _, _ := strings.Cut(below, "/")
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Find implements guest.System.
func (m machine) Find(program string) string {
	if program == "lxc-stop" && !m.hasLXC() {
		return ""
	}
	return "/usr/bin/" + program
}

// Connect implements guest.System. A daemon that has ended leaves its socket behind.
func (m machine) Connect(_ context.Context, socket string) error {
	for daemon, path := range sockets() {
		if path == socket && m.serves(daemon) {
			return nil
		}
	}
	return syscall.ECONNREFUSED
}

// serves reports whether somebody listens where a program or daemon does.
func (m machine) serves(program string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.programs[program] != programEnded
}

// How a program of a host is.
const (
	programWorks = "works"
	programHangs = "hangs" // it takes what it is asked, and answers nothing
	programEnded = ""
)

// newPrograms are the programs of a host, by how each is.
func newPrograms(spec machineSpec) map[string]string {
	all := map[string]string{"lxc-stop": programWorks}
	for _, daemon := range spec.daemons {
		all[daemon] = programWorks
	}
	if spec.daemons == nil {
		all["libvirtd"] = programWorks
	}
	return all
}

// set changes how a program of the host is; libvirt is all of its daemons that run.
func (m machine) set(program, how string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, was := range m.programs {
		_, daemon := sockets()[name]
		if name == program || program == "libvirt" && daemon && was != programEnded {
			m.programs[name] = how
		}
	}
}

// Run implements guest.System.
func (m machine) Run(ctx context.Context, p exec.Program) exec.Result {
	switch name := path.Base(p.Path); {
	case name == "virsh" && len(p.Args) == 4: // -c URI list --name, or -c URI destroy DOMAIN
		return m.virsh(ctx, p.Args[1], p.Args[2], p.Args[3])
	case name == "lxc-stop" && len(p.Args) == 3: // --kill -n NAME
		return m.lxcStop(ctx, p.Args[2])
	case name == "systemctl":
		m.powerOff("host_isolated")
		return exec.Result{}
	}
	return exec.Result{Code: 127, Output: "what is " + p.Path + "?"}
}

// answers waits for as long as an answer of a program takes. It is false when there is none until ctx ends.
func (m machine) answers(ctx context.Context, program string, after time.Duration) bool {
	m.mu.Lock()
	hangs := m.programs[program] == programHangs
	m.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return false
	}
	return sleep(ctx, after)
}

// virsh asks the daemon whose socket is in the URI; the default one of a URI without is where no daemon listens.
func (m machine) virsh(ctx context.Context, uri, command, name string) exec.Result {
	for daemon, socket := range sockets() {
		switch {
		case !strings.HasSuffix(uri, "?socket="+socket) || !m.serves(daemon):
		case command == "destroy":
			return m.destroy(ctx, daemon, name)
		case !m.answers(ctx, daemon, listTime):
			return exec.Result{Code: -1, Err: context.Cause(ctx)}
		default:
			names := ""
			for _, g := range m.guests() {
				if !g.container {
					names += g.name + "\n"
				}
			}
			return exec.Result{Output: names + "\n"}
		}
	}
	return exec.Result{Code: 1, Output: "error: failed to connect to the hypervisor"}
}

// destroy has libvirt destroy a domain, by its name or UUID.
func (m machine) destroy(ctx context.Context, daemon, name string) exec.Result {
	g, found := m.find(func(g running) bool { return !g.container && (g.name == name || g.uuid == name) })
	if !found {
		return exec.Result{Code: 1, Output: "error: failed to get domain " + name}
	}
	m.says(g, daemon+" is told to destroy it")
	took := destroyTime
	switch {
	case m.obeys(syscall.SIGTERM):
		took = termTime
	case !m.obeys(syscall.SIGKILL):
		took = 4 * destroyTime
	}
	if !m.answers(ctx, daemon, took) {
		return exec.Result{Code: -1, Err: context.Cause(ctx)}
	}
	m.end(g)
	return exec.Result{}
}

// lxcStop is lxc-stop --kill -n NAME.
func (m machine) lxcStop(ctx context.Context, name string) exec.Result {
	g, found := m.find(func(g running) bool { return g.container && g.name == name && !g.ended })
	if !found {
		return exec.Result{Code: 2, Output: name + " is not running"}
	}
	m.says(g, "lxc-stop is told to kill it")
	if !m.answers(ctx, "lxc-stop", stopTime) {
		return exec.Result{Code: -1, Err: context.Cause(ctx)}
	}
	if m.obeys(syscall.SIGKILL) {
		m.end(g)
	}
	return exec.Result{}
}

// says logs what is done to a guest. What is done to one of somebody else is a broken promise.
func (m machine) says(g running, what string) {
	if g.vm == foreign {
		m.world.problem("promise 2: %s of %s on %s, which is no VM of OpenNebula", what, g.name, m.name())
	}
	m.world.log.add(rankHost, m.name(), g.vm, "%s", what)
}

// obeys reports whether guests of the host end by a signal.
func (m machine) obeys(sig syscall.Signal) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.stuck && (sig == syscall.SIGKILL || !m.deaf)
}

// Signal implements guest.System.
func (m machine) Signal(pid int, sig syscall.Signal, same func() bool) (sent bool, err error) {
	g, found := m.find(func(g running) bool { return !g.ended && (g.pid == pid || g.container && g.pid+1 == pid) })
	switch {
	case !same():
		return false, nil
	case !found:
		return true, nil
	}
	m.says(g, unix.SignalName(sig))
	took := map[syscall.Signal]time.Duration{syscall.SIGTERM: termTime, syscall.SIGKILL: killTime}[sig]
	if m.obeys(sig) && took > 0 && g.pid == pid {
		m.world.wait.Go(func() {
			time.Sleep(took)
			m.end(g)
		})
	}
	return true, nil
}

// end ends the processes of a guest; of a container the disks are left.
func (m machine) end(g running) {
	if g.container {
		m.mu.Lock()
		if _, before := m.disks[g.vm]; !before {
			m.disks[g.vm] = g.mounts
		}
		m.mu.Unlock()
		return
	}
	m.world.must(m.world.cloud.StopGuest(m.id, g.vm))
}

// errBusy is what the kernel says of a file system that is in use.
var errBusy = errors.New("device or resource busy")

// Unmount implements guest.System. Without its disks nothing is left of a container.
func (m machine) Unmount(point string) error {
	g, found := m.find(func(g running) bool { return slices.Contains(g.mounts, point) })
	switch {
	case !found:
		return os.ErrNotExist
	case !g.ended:
		return errBusy
	}
	m.mu.Lock()
	left := slices.DeleteFunc(slices.Clone(g.mounts), func(p string) bool { return p == point })
	m.disks[g.vm] = left
	gone := len(left) == 0 && m.detach[g.device()]
	if gone {
		delete(m.disks, g.vm)
	}
	m.mu.Unlock()
	if gone {
		m.says(g, "disks unmounted")
		m.world.must(m.world.cloud.StopGuest(m.id, g.vm))
	}
	return nil
}

// Control implements guest.System: a device that was told so is detached with its last file system.
func (m machine) Control(device string, request uint) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.detach[path.Base(device)] = request == unix.LOOP_CLR_FD
	return nil
}
