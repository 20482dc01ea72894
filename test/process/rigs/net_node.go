package rigs

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// Node is a machine in a Net: a network namespace with the interface eth0.
type Node struct {
	Name string // such as "h1"
	IP   string

	net       *Net
	namespace string
}

// Command is a program that is to run inside the node's network namespace, with that
// namespace in its /sys; the program is looked up in this process's PATH. It has a process
// group of its own, which is killed when the context ends. The caller sets its environment
// and directory.
func (n *Node) Command(ctx context.Context, argv ...string) *exec.Cmd {
	return grouped(ctx, append([]string{"ip", "netns", "exec", n.namespace}, argv...)...)
}

// Listen listens on a TCP port of the node, 0 for any, in this process. It ends with the
// test.
func (n *Node) Listen(t testing.TB, port int) net.Listener {
	t.Helper()
	var l net.Listener
	err := n.inside(func() (err error) {
		l, err = net.Listen("tcp", net.JoinHostPort(n.IP, strconv.Itoa(port)))
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", n.Name, err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// ListenUDP receives on a UDP port of the node, 0 for any, in this process. It ends with
// the test.
func (n *Node) ListenUDP(t testing.TB, port int) net.PacketConn {
	t.Helper()
	var c net.PacketConn
	err := n.inside(func() (err error) {
		c, err = net.ListenPacket("udp", net.JoinHostPort(n.IP, strconv.Itoa(port)))
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", n.Name, err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Dial connects from the node, in this process; it can be the DialContext of an
// http.Transport. The address is a numeric IP:port.
func (n *Node) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	// A name would be looked up by other threads, in another namespace.
	if _, err := netip.ParseAddrPort(addr); err != nil {
		return nil, fmt.Errorf("dial from %s: %w", n.Name, err)
	}
	var c net.Conn
	err := n.inside(func() (err error) {
		c, err = new(net.Dialer).DialContext(ctx, network, addr)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("dial from %s: %w", n.Name, err)
	}
	return c, nil
}

// inside runs f on a thread that is in the node's network namespace. Sockets stay in the
// namespace in which they were made; f makes them itself, not in goroutines.
func (n *Node) inside(f func() error) error {
	errs := make(chan error, 1)
	go func() { errs <- onThread(filepath.Join(namespaces, n.namespace), f) }()
	return <-errs
}

// onThread runs f on the thread of this goroutine, in a network namespace. A thread that
// cannot go back stays locked, and ends with the goroutine.
func onThread(path string, f func() error) error {
	runtime.LockOSThread()
	own, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open own network namespace: %w", err)
	}
	defer unix.Close(own)
	other, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open network namespace %s: %w", path, err)
	}
	defer unix.Close(other)
	if err := unix.Setns(other, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter network namespace %s: %w", path, err)
	}
	err = f()
	if back := unix.Setns(own, unix.CLONE_NEWNET); back != nil {
		return fmt.Errorf("leave network namespace %s: %w", path, back)
	}
	runtime.UnlockOSThread()
	return err
}
