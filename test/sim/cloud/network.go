package cloud

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/one"
)

// Network is how the front-end and the hosts are connected, which decides what an ssh of a
// driver to a dead host takes. The zero value is the world without ssh: drivers answer after
// Config.Step, also about dead hosts, as those of the recorded clouds did.
type Network string

// The networks with ssh; tables/ssh.tsv has their times.
const (
	Local  Network = "local"  // nobody answers ARP for a dead host: 3 s
	Routed Network = "routed" // packets to a dead host are dropped: 135 s
)

// Death is how a host is lost; tables/ssh.tsv says what that is for ssh and for the monitoring.
type Death string

// The ways to die.
const (
	Cut         Death = "cut"         // no answer: its power or its network is gone
	Unreachable Death = "unreachable" // a router says so, at once
	Refused     Death = "refused"     // the machine answers, and has no sshd
	Frozen      Death = "frozen"      // user space stands still: connections are taken, and nothing answers
	Unmonitored Death = "unmonitored" // it lives, guests and all, and only its monitoring fails: libvirtd is dead, or a probe cannot run
)

// Further rows of tables/ssh.tsv.
const (
	rowAlive       Death = "alive"
	rowLost        Death = "lost"         // the host died under a connected command
	rowFailFast    Death = "fail-fast"    // the configuration of ssh says that the host is off
	rowStaleMaster Death = "stale-master" // a persistent master of it is left
	rowPeerLost    Death = "peer-lost"    // the host where the guest of a live migration was arriving died
	// rowHang has the share of clean-ups that never end instead of a time.
	rowHang = "hang"
)

// Times of ssh that are no matter of the network.
const (
	// controlPersist is how long a master stays after the last command (share/ssh/etc/config,
	// ControlPersist), since 5.12: 4.4 and 5.10 have none.
	controlPersist = 70 * time.Second
	// peerReset is how long a live migration that has lost its other host goes on once that is back: QEMU's connection
	// is reset when it sends the next time, which late on is every two minutes.
	peerReset = time.Minute
	// vmsApart is how far apart actions end that began at the same moment for different VMs.
	vmsApart = time.Microsecond
)

// retransmissions are when a connecting ssh tries again: the SYN of Linux, tcp_syn_retries = 6.
// A host that is reachable again is connected to at the next of them: after 83 to 97 s in one trial.
func (c *Cloud) retransmissions() []time.Duration {
	list := make([]time.Duration, 7)
	for i := range list {
		list[i] = c.faster(time.Second * time.Duration(1<<(i+1)-1))
	}
	return list
}

// faster is a time of ssh with Config.Faster. Never stays negative.
func (c *Cloud) faster(d time.Duration) time.Duration {
	return time.Duration(float64(d) / c.cfg.Faster)
}

// NoHang is Config.CleanUpsHang of a cloud where nothing hangs for ever.
const NoHang = -1

// ParseShare reads Config.CleanUpsHang from "83%", "never" or "always"; "" is the default.
func ParseShare(text string) (float64, error) {
	switch text {
	case "":
		return 0, nil
	case "never":
		return NoHang, nil
	case "always":
		return 1, nil
	}
	percent, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil || !(percent > 0 && percent <= 100) || !strings.HasSuffix(text, "%") {
		return 0, errors.New("give a share such as 83%, never or always")
	}
	return percent / 100, nil
}

// sshRow is one row of ssh.tsv. A negative time is never.
type sshRow struct{ ssh, failed time.Duration }

const never = -time.Second

// addSSH takes the columns host, ssh, error, source.
func (t *tables) addSSH(col []string) (err error) {
	if col[0] == rowHang {
		t.hang, err = ParseShare(col[1])
		return err
	}
	row := sshRow{}
	for i, to := range map[int]*time.Duration{1: &row.ssh, 2: &row.failed} {
		switch col[i] {
		case "-":
		case "never":
			*to = never
		default:
			seconds, err := strconv.ParseFloat(col[i], 64)
			if err != nil {
				return err
			}
			*to = time.Duration(seconds * float64(time.Second))
		}
	}
	t.ssh[Death(col[0])] = row
	return nil
}

// loadNetwork reads what has a row for a network instead of a version.
func (t *tables) loadNetwork(n Network) error {
	switch n {
	case "", Local, Routed:
	default:
		return fmt.Errorf("unknown network %q", n)
	}
	lines, err := rowsOf("tables/ssh.tsv", 5)
	for _, col := range lines {
		if err == nil && (col[0] == "*" || col[0] == string(n)) {
			err = t.addSSH(col[1:])
		}
	}
	return err
}

// sshTime says what a command to a host takes that begins now, and the restart of its monitoring; a
// negative time is never.
func (c *Cloud) sshTime(h *host) sshRow {
	if !h.dead {
		return c.tables.ssh[rowAlive]
	}
	row, limit := c.tables.ssh[h.death], c.cfg.ConnectTimeout
	row.ssh, row.failed = c.faster(row.ssh), c.faster(row.failed)
	if limit > 0 && (row.ssh < 0 || row.ssh > limit) {
		// Two commands in a row time out (opennebula.md): 33 to 45 s with 5 s, and an interval of 20 s.
		row = sshRow{ssh: limit, failed: c.faster(c.tables.ssh[Refused].failed) + 2*limit}
	}
	return row
}

// masters reports whether drivers of this release leave persistent connections.
func (c *Cloud) masters() bool { return c.cfg.Network != "" && c.fam >= f64 }

// losesThreads reports whether a thread that dies is never counted as free again, and its host stays taken, until oned
// is restarted or cancels the action: ActionManager.rb has no ensure before 5.4 (source).
func (c *Cloud) losesThreads() bool {
	major, minor, err := majorMinor(c.cfg.Version)
	return err == nil && (major < 5 || major == 5 && minor < 4)
}

// breaks draws whether the thread of an action dies; the same seed, VM and attempt always
// give the same.
func (c *Cloud) breaks(vmID, attempt int) bool {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d %d %d", c.cfg.Seed, vmID, attempt) // never fails
	// FNV spreads the last bytes over the low bits only.
	return float64((h.Sum64()*0x9e3779b97f4a7c15)>>11)/(1<<53) < c.cfg.CleanUpsHang
}

// shippedScheduler is a row of sched.tsv.
type shippedScheduler struct {
	interval        time.Duration
	perHost, atOnce int
	busy            bool
}

// addScheduler takes the columns interval, per_host, at_once, busy.
func (t *tables) addScheduler(col []string) error {
	var n [3]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(col[i]); err != nil {
			return err
		}
	}
	t.shipped = shippedScheduler{time.Duration(n[0]) * time.Second, n[1], n[2], col[3] == "yes"}
	return nil
}

// deployed reports whether a VM is on its way from its host's prolog to RUNNING.
func (v *vm) deployed() bool {
	switch v.state() {
	case active(one.Prolog), active(one.Boot), active(one.PrologResume), active(one.PrologUndeploy), active(one.BootStopped), active(one.BootUndeploy):
		return true
	}
	return false
}

// hypervisor is the driver of VMs of a host: dummy in the recorded clouds, kvm with real drivers.
func (c *Cloud) hypervisor(h *host) string {
	switch {
	case h.Driver != "":
		return h.Driver
	case c.cfg.Network == "":
		return "dummy"
	}
	return "kvm"
}

// driverOf is the driver of a VM in a stay.
func (c *Cloud) driverOf(r Record) string { return cmp.Or(r.Driver, c.hypervisor(c.hosts[r.HostID])) }

// guestID is what a driver says that the guest of a VM is called, its DEPLOY_ID: since 5.12 that of libvirt is a UUID
// (src/vmm_mad/remotes/kvm/deploy), and that of an imported guest since there are any.
func (c *Cloud) guestID(v *vm) string {
	if c.driverOf(*v.last()) == "kvm" && c.fam >= f512 || v.Imported() {
		return GuestUUID(v.ID)
	}
	return fmt.Sprintf("one-%d", v.ID)
}

// GuestUUID is the UUID of the domain of a VM.
func GuestUUID(vmID int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", vmID) }

// Imported reports whether OpenNebula has only imported the guest of a VM.
func (v VM) Imported() bool { return v.Template["IMPORTED"] == "YES" }
