package rigs_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"one-ft/test/process/rigs"
)

const (
	webPort  = 2633
	sshPort  = 22
	shutPort = 2634
)

// serve accepts connections on a node until the test ends.
func serve(t *testing.T, n *rigs.Node, port int) {
	t.Helper()
	l := n.Listen(t, port)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
}

// view is what a node sees of another's port.
type view string

const (
	open    view = "open"
	refused view = "refused"
	silent  view = "silent" // a time-out, or no answer to ARP
)

func look(t *testing.T, from, to *rigs.Node, port int) view {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	conn, err := from.Dial(ctx, "tcp", fmt.Sprintf("%s:%d", to.IP, port))
	var late net.Error
	switch {
	case err == nil:
		conn.Close()
		return open
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused
	case errors.As(err, &late) && late.Timeout(), errors.Is(err, syscall.EHOSTUNREACH):
		return silent
	}
	t.Fatalf("%s to %s: %v", from.Name, to.Name, err)
	return ""
}

// expect waits until a node sees what it should: a busy machine may be late once.
func expect(t *testing.T, from, to *rigs.Node, port int, want view) {
	t.Helper()
	var got view
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if got = look(t, from, to, port); got == want {
			return
		}
	}
	t.Fatalf("%s to %s: %s, not %s", from.Name, to.Name, got, want)
}

func carrier(t *testing.T, n *rigs.Node) string {
	t.Helper()
	out, err := n.Command(t.Context(), "cat", "/sys/class/net/eth0/carrier").CombinedOutput()
	if err != nil {
		t.Fatalf("carrier: %v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// arrived is how many of n datagrams arrive.
func arrived(t *testing.T, from, to *rigs.Node, n int) int {
	t.Helper()
	c := to.ListenUDP(t, 0)
	defer c.Close()
	conn, err := from.Dial(t.Context(), "udp", c.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	got, buf := 0, make([]byte, 10)
	for range n {
		if _, err := conn.Write([]byte("x")); err != nil && !errors.Is(err, syscall.EHOSTUNREACH) {
			t.Fatalf("%s to %s: %v", from.Name, to.Name, err)
		}
		// One that arrives has arrived: a veth has no queue.
		_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, _, err := c.ReadFrom(buf); err == nil {
			got++
		}
	}
	_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	for {
		if _, _, err := c.ReadFrom(buf); err != nil {
			return got
		}
		got++
	}
}

func TestNet(t *testing.T) {
	t.Parallel()
	n := rigs.StartNet(t, 2)
	h1, h2 := n.Hosts[0], n.Hosts[1]
	for _, node := range []*rigs.Node{n.FE, n.GW, h2} {
		serve(t, node, webPort)
	}
	fine := func(t *testing.T) {
		t.Helper()
		for _, to := range []*rigs.Node{n.FE, n.GW, h2} {
			expect(t, h1, to, webPort, open)
		}
	}
	t.Run("nothing is cut", func(t *testing.T) {
		fine(t)
		expect(t, h1, n.FE, shutPort, refused)
	})
	all := []*rigs.Node{n.FE, n.GW, h2}
	for _, c := range []struct {
		name    string
		cut     func() func()
		silent  []*rigs.Node
		carrier string
	}{
		{"cable", func() func() { return n.CutCable(h1) }, all, "0"},
		{"silent port", func() func() { return n.SilentPort(h1) }, all, "1"},
		{"isolate", func() func() { return n.Isolate(h1) }, all, "1"},
		{"one direction", func() func() { return n.Drop(h1, n.FE) }, all[:1], "1"},
		{"the other direction", func() func() { return n.Drop(n.FE, h1) }, all[:1], "1"},
		{"output", func() func() { return n.DropOutput(h1, n.FE) }, all[:1], "1"},
		{"all is lost", func() func() { return n.Loss(h1, n.FE, 100) }, all[:1], "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			heal := c.cut()
			defer heal()
			for i, to := range all {
				want := open
				if i < len(c.silent) {
					want = silent
				}
				expect(t, h1, to, webPort, want)
			}
			expect(t, h2, n.FE, webPort, open)
			if got := carrier(t, h1); got != c.carrier {
				t.Errorf("carrier %s", got)
			}
			heal()
			heal() // again, and nothing happens
			fine(t)
		})
	}
	t.Run("reject", func(t *testing.T) {
		heal := n.Reject(n.FE, webPort)
		defer heal()
		expect(t, h1, n.FE, webPort, refused)
		expect(t, h1, n.GW, webPort, open)
		serve(t, n.FE, sshPort)
		expect(t, h1, n.FE, sshPort, open)
		heal()
		fine(t)
	})
}

// What TCP cannot tell: which way is cut, and how many packets are lost.
func TestOneWay(t *testing.T) {
	t.Parallel()
	n := rigs.StartNet(t, 1)
	h1 := n.Hosts[0]
	t.Run("drop", func(t *testing.T) {
		defer n.Drop(h1, n.FE)()
		if there, back := arrived(t, h1, n.FE, 20), arrived(t, n.FE, h1, 20); there != 0 || back != 20 {
			t.Errorf("%d of 20 there, %d of 20 back", there, back)
		}
	})
	t.Run("loss", func(t *testing.T) {
		defer n.Loss(h1, n.FE, 50)()
		// Ten standard deviations to each side.
		if there := arrived(t, h1, n.FE, 400); there < 100 || there > 300 {
			t.Errorf("%d of 400 there", there)
		}
		if back := arrived(t, n.FE, h1, 100); back != 100 {
			t.Errorf("%d of 100 back", back)
		}
	})
	t.Run("isolate", func(t *testing.T) {
		defer n.Isolate(h1)()
		if there, back := arrived(t, h1, n.FE, 20), arrived(t, n.FE, h1, 20); there != 0 || back != 0 {
			t.Errorf("%d of 20 there, %d of 20 back", there, back)
		}
	})
	t.Run("output", func(t *testing.T) {
		defer n.DropOutput(h1, n.FE)()
		conn, err := h1.Dial(t.Context(), "udp", n.FE.IP+":99")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("x")); !errors.Is(err, syscall.EPERM) {
			t.Errorf("write: %v", err)
		}
	})
}

func TestFlap(t *testing.T) {
	t.Parallel()
	n := rigs.StartNet(t, 1)
	stop := n.Flap(n.Hosts[0], 400*time.Millisecond)
	last := ""
	for changes := 0; changes < 4; {
		if now := carrier(t, n.Hosts[0]); now != last {
			last, changes = now, changes+1
		}
	}
	stop()
	serve(t, n.FE, webPort)
	expect(t, n.Hosts[0], n.FE, webPort, open)
	if carrier(t, n.Hosts[0]) != "1" {
		t.Error("no carrier after the end")
	}
}

// The same addresses, and no way from one to the other.
func TestTwoNets(t *testing.T) {
	t.Parallel()
	a, b := rigs.StartNet(t, 1), rigs.StartNet(t, 1)
	serve(t, a.FE, webPort)
	expect(t, a.Hosts[0], a.FE, webPort, open)
	expect(t, b.Hosts[0], b.FE, webPort, refused)
}

// What runs in this process afterwards is in its own namespace. Not in parallel: others
// have threads elsewhere for a while.
func TestThreadsComeBack(t *testing.T) {
	n := rigs.StartNet(t, 1)
	serve(t, n.FE, webPort)
	n.FE.ListenUDP(t, webPort)
	expect(t, n.Hosts[0], n.FE, webPort, open)
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	threads, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil || len(threads) == 0 {
		t.Fatal(threads, err)
	}
	for _, thread := range threads {
		// One that cannot be read has ended.
		if now, err := os.Readlink(thread); err == nil && now != own {
			t.Errorf("%s is %s, not %s", thread, now, own)
		}
	}
}

// A program runs inside, is killed with its children, and nothing is left behind a test.
func TestNetEnds(t *testing.T) {
	t.Parallel()
	prefix, left := "", 0
	t.Run("inner", func(t *testing.T) {
		n := rigs.StartNet(t, 1)
		out, err := n.Hosts[0].Command(t.Context(), "sh", "-c", `ip netns identify $$; ip -4 -o addr show eth0; ip route`).CombinedOutput()
		name, rest, _ := strings.Cut(string(out), "\n")
		if err != nil || !strings.HasSuffix(name, "-h1") || !strings.Contains(rest, "10.77.0.11/24") || !strings.Contains(rest, "default via 10.77.0.254") {
			t.Fatalf("%v: %s", err, out)
		}
		prefix = strings.TrimSuffix(name, "h1")
		n.CutCable(n.Hosts[0]) // and nobody heals it
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		killed := withChild(t, n.Hosts[0].Command(ctx, "sh", "-c", "sleep 1000 & echo $!; wait"))
		cancel()
		awaitDeath(t, killed)
		left = withChild(t, n.FE.Command(context.Background(), "sh", "-c", "sleep 1000 & echo $!; wait"))
	})
	if t.Skipped() || prefix == "" {
		return
	}
	awaitDeath(t, left)
	for _, node := range []string{"sw", "fe", "gw", "h1"} {
		if _, err := os.Stat(filepath.Join("/run/netns", prefix+node)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", prefix+node, err)
		}
	}
}

// withChild starts a program that prints the process ID of its child, and returns it.
func withChild(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	if _, err := fmt.Fscanln(pipe, &pid); err != nil {
		t.Fatal(err)
	}
	// It is killed; how it ended does not matter.
	go func() { _ = cmd.Wait() }()
	if !rigs.Alive(pid) {
		t.Fatalf("process %d does not run", pid)
	}
	return pid
}

// awaitDeath waits until a process is dead.
func awaitDeath(t *testing.T, pid int) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); rigs.Alive(pid); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("process %d runs", pid)
		}
	}
}
