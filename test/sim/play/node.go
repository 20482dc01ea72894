package play

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"one-ft/cmd/host_isolated/hostisolated"
	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/isolation/probe"
	"one-ft/pkg/wording"
	"one-ft/test/sim/cloud"
)

// node is a host as a machine: its power, its network, and host_isolated on it.
type node struct {
	world *world
	id    int

	mu      sync.Mutex
	power   bool
	network bool
	frozen  bool
	boots   int
	booted  time.Time
	stop    context.CancelFunc // of host_isolated
	watched time.Time          // since when it runs; zero when it does not
	stuck   bool               // its guests cannot be stopped
	deaf    bool               // its guests ignore SIGTERM
	// programs are how virtqemud, libvirtd and lxc-stop are.
	programs map[string]string
	disks    map[int][]string // what is mounted of containers that have ended
	detach   map[string]bool  // devices to be detached with their last file system
	cutFrom  map[string]bool  // front-ends that it cannot reach, while the rest of its network is well
	dark     map[string]bool  // its outlets that were switched off; it has power from each of the others
}

func (n *node) name() string { return fmt.Sprintf("host%d", n.id) }

func (n *node) powered() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.power
}

func (n *node) connected() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.power && n.network && !n.frozen
}

// reaches reports whether the host and a front-end can talk to each other.
func (n *node) reaches(f *frontEnd) bool {
	n.mu.Lock()
	cut := n.cutFrom[f.name]
	n.mu.Unlock()
	return !cut && n.connected() && f.reachable()
}

// served reports whether oned reaches the host.
func (n *node) served() bool {
	return slices.ContainsFunc(n.world.frontEnds, func(f *frontEnd) bool {
		return f.role != cloud.Follower && f.stale == nil && n.reaches(f)
	})
}

func (n *node) uptime() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	up := time.Since(n.booted)
	if n.boots == 1 {
		up += time.Hour // it has been up for a while, so there is no quiet time
	}
	return up
}

// watch starts host_isolated --watch with a strict configuration.
func (n *node) watch() {
	world, err := n.isolatedWorld()
	if err != nil {
		n.world.problem("host_isolated on %s: %v", n.name(), err)
		return
	}
	ctx, stop := context.WithCancel(n.world.ctx)
	n.mu.Lock()
	n.stop = stop
	n.mu.Unlock()
	n.world.wait.Go(func() {
		// Rounds of several hosts do not fall together.
		if !sleep(ctx, time.Duration(n.id)*97*time.Millisecond) {
			return
		}
		n.setWatched(time.Now())
		defer n.setWatched(time.Time{})
		if code := hostisolated.Run(ctx, world); code != app.ExitDone {
			n.world.log.add(rankHost, n.name(), -1, "host_isolated: exit %d", code)
		}
	})
}

func (n *node) setWatched(since time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.watched = since
}

// watchedSince is since when host_isolated has run on the host without a gap, or the host was booted; false when it does not.
func (n *node) watchedSince() (time.Time, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.watched.Before(n.booted) {
		return n.booted, !n.watched.IsZero()
	}
	return n.watched, true
}

// isolatedWorld is what host_isolated runs in, with the network, the clock and the machine of the scenario; the
// files that it writes are real.
func (n *node) isolatedWorld() (hostisolated.World, error) {
	var names []string
	for _, f := range n.world.frontEnds {
		names = append(names, strings.ToLower(f.name))
	}
	dir := filepath.Join(n.world.dir, n.name())
	proc, path := filepath.Join(dir, "proc"), filepath.Join(dir, config.IsolationName)
	err := os.MkdirAll(filepath.Join(proc, "sys/kernel/random"), 0o755)
	for file, text := range map[string]string{
		filepath.Join(proc, "sys/kernel/random/boot_id"): fmt.Sprintf("boot%d\n", n.boots),
		filepath.Join(dir, "token"):                      "oneadmin:opennebula\n",
		path: fmt.Sprintf("front_ends: [%s]\nstrict: true\nauth_file: %s/token\nhost_id: %d\nstate_dir: %s/state\nrun_dir: %s/run%d\n",
			strings.Join(names, ", "), dir, n.id, dir, dir, n.boots),
	} {
		err = errors.Join(err, os.WriteFile(file, []byte(text), 0o600))
	}
	return hostisolated.World{
		Env: app.Env{
			Args: []string{"host_isolated", "--watch", "--config", path}, Stdout: io.Discard, Stderr: io.Discard,
			Getenv: func(string) string { return "" }, Transport: hostWire{n},
		},
		Proc: proc, Sys: "/sys", Run: "/run", Uptime: n.uptime, Network: network{n}, System: machine{n}, Journal: journal{n}, Pin: func() {},
	}, err
}

// hostWire carries the questions of a host to the front-ends.
type hostWire struct{ node *node }

// RoundTrip implements http.RoundTripper.
func (h hostWire) RoundTrip(req *http.Request) (*http.Response, error) {
	f := h.node.world.frontEnd(strings.ToUpper(req.URL.Hostname()))
	if !sleep(req.Context(), latency) {
		return nil, req.Context().Err()
	}
	if f == nil || !h.node.reaches(f) {
		<-req.Context().Done() // nothing comes back
		return nil, req.Context().Err()
	}
	body, err := io.ReadAll(req.Body)
	if err = errors.Join(err, req.Body.Close()); err != nil {
		return nil, err
	}
	return f.ask(req, body)
}

// reachable reports whether the machine is there for others.
func (f *frontEnd) reachable() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.dead && f.network
}

// network is what a host can reach.
type network struct{ node *node }

// TCP finds out whether a front-end listens.
func (n network) TCP(ctx context.Context, target, address string) probe.Result {
	host, _, err := net.SplitHostPort(address)
	f := n.node.world.frontEnd(strings.ToUpper(host))
	if err != nil || f == nil {
		return probe.Result{Target: target, Reach: probe.Unknown, Detail: "no such front-end"}
	}
	if !n.node.reaches(f) {
		return n.silence(ctx, target)
	}
	if f.oned.Down() || n.node.world.onedDown() {
		return probe.Result{Target: target, Reach: probe.Refused, Detail: syscall.ECONNREFUSED.Error()}
	}
	return probe.Result{Target: target, Reach: probe.Reachable, Detail: "it accepts connections"}
}

// silence is a probe that nothing answers.
func (n network) silence(ctx context.Context, target string) probe.Result {
	sleep(ctx, 3*time.Second)
	return probe.Result{Target: target, Reach: probe.Unreachable, Detail: "timed out"}
}

// Gateway answers as long as the host has its network.
func (n network) Gateway(ctx context.Context) probe.Result {
	if !n.node.connected() {
		return n.silence(ctx, "gateway")
	}
	return probe.Result{Target: "gateway", Reach: probe.Reachable, Detail: "it answers"}
}

// ICMP and DNS are other witnesses, which are where the gateway is.
func (n network) ICMP(ctx context.Context, target, _ string) probe.Result {
	r := n.Gateway(ctx)
	r.Target = target
	return r
}

// DNS is as ICMP.
func (n network) DNS(ctx context.Context, target, address string) probe.Result {
	return n.ICMP(ctx, target, address)
}

// Links implements isolation.Network; only --check asks for them.
func (n network) Links() ([]probe.Link, error) { return nil, nil }

// leased are the VMs whose guests run on the host and that a lease is about: those of libvirt, and of LXC where it is installed, that
// are told by their names, which imported ones have not.
func (n *node) leased() []int {
	return slices.DeleteFunc(n.world.cloud.Guests(n.id), func(id int) bool {
		v, _ := n.world.cloud.VM(id)
		driver := n.driverOf(v)
		return v.Imported() || driver != "kvm" && (driver != "lxc" || !n.hasLXC())
	})
}

// journal is the log of host_isolated.
type journal struct{ node *node }

// Say implements isolation.Journal. That it begins to watch is in no log, nor are the steps that it makes, which the machine logs; and
// a host that is off says nothing any more.
func (j journal) Say(m wording.Message) {
	level := map[wording.Level]string{wording.Warning: "warning: ", wording.Problem: "problem: "}[m.Level()]
	if m.Kind != wording.WatchingLease && m.Kind != wording.GuestStep && m.Kind != wording.GuestTrouble && j.node.powered() {
		j.node.world.log.add(rankHost, j.node.name(), -1, "host_isolated: %s%s", level, m.Plain())
	}
}

// Sync implements isolation.Journal.
func (j journal) Sync() error { return nil }

// frontEnd finds a front-end by its name; nil when there is none.
func (w *world) frontEnd(name string) *frontEnd {
	i := slices.IndexFunc(w.frontEnds, func(f *frontEnd) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return w.frontEnds[i]
}

// reach brings the hosts' state in oned in line with the network: oned reaches a host that has
// its network, from a front-end that has its own.
func (w *world) reach(nodes ...*node) {
	for i, n := range nodes {
		if i > 0 {
			sleep(w.ctx, 41*time.Millisecond) // nothing happens at the very same moment
		}
		if n.standsStill() {
			continue // it is reached and does not answer, from wherever
		}
		if n.served() {
			w.must(w.cloud.HealHost(n.id))
		} else {
			w.must(w.cloud.FailHost(n.id))
		}
	}
}
