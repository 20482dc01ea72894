package rigs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	// namespaces is where iproute2 keeps the names of network namespaces.
	namespaces = "/run/netns"
	// maxHosts is how many addresses there are between the first host and the gateway.
	maxHosts = 200
	// maxNets is how many names are tried; those of a killed test are still taken.
	maxNets = 1000
	// discard is a port on which nobody listens in a new namespace.
	discard = "9"
)

// Net is a network of namespaces around a switch (a bridge in a namespace of its own):
// the front-end FE (10.77.0.1), the gateway GW (10.77.0.254, the default route of the
// others; nothing is behind it) and Hosts h1 (10.77.0.11), h2 (10.77.0.12) and so on. Every
// Net has these addresses; no Net sees another.
type Net struct {
	FE, GW *Node
	Hosts  []*Node

	t      testing.TB
	prefix string       // of the names of its namespaces
	tables atomic.Int64 // how many tables of nft were made
}

// StartNet makes a network with hosts 0 to 200. When it returns, each node reaches FE. It
// ends with the test, together with all processes in its namespaces.
func StartNet(t testing.TB, hosts int) *Net {
	t.Helper()
	Need(t, NetPackages, "ip", "nft")
	NeedRoot(t)
	if hosts < 0 || hosts > maxHosts {
		t.Fatalf("%d hosts: 0 to %d", hosts, maxHosts)
	}
	n := &Net{t: t}
	n.reserve()
	n.FE, n.GW = n.node("fe", 1), n.node("gw", 254)
	for i := range hosts {
		n.Hosts = append(n.Hosts, n.node("h"+strconv.Itoa(i+1), 11+i))
	}
	if err := n.build(); err != nil {
		t.Fatal(err)
	}
	for _, node := range n.nodes() {
		await(t, node.Name+" reaches the front-end", node.reachesFE)
	}
	return n
}

// reserve makes the namespace of the switch, with a name that was free: of several that
// try, iproute2 lets one have it.
func (n *Net) reserve() {
	n.t.Helper()
	for i := 1; ; i++ {
		n.prefix = fmt.Sprintf("oneft-%d-%d-", os.Getpid(), i)
		err := n.add("sw")
		if err == nil {
			return
		}
		if _, gone := os.Stat(filepath.Join(namespaces, n.prefix+"sw")); gone != nil || i == maxNets {
			n.t.Fatal(err)
		}
	}
}

// add makes a namespace, which ends with the test.
func (n *Net) add(name string) error {
	if err := runIP("", "netns", "add", n.prefix+name); err != nil {
		return err
	}
	n.t.Cleanup(func() { n.remove(n.prefix + name) })
	return nil
}

// remove kills what still runs in a namespace, and removes it.
func (n *Net) remove(namespace string) {
	ctx, cancel := context.WithTimeout(context.Background(), toolLimit)
	defer cancel()
	out, err := tool(grouped(ctx, "ip", "netns", "pids", namespace))
	if err != nil {
		n.t.Error(err)
	}
	for _, text := range strings.Fields(out) {
		// The test itself may have a thread in there.
		if pid, err := strconv.Atoi(text); err == nil && pid > 1 && pid != os.Getpid() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	if err := runIP("", "netns", "del", namespace); err != nil {
		n.t.Error(err)
	}
}

// node makes the namespace of a node.
func (n *Net) node(name string, last int) *Node {
	n.t.Helper()
	if err := n.add(name); err != nil {
		n.t.Fatal(err)
	}
	return &Node{Name: name, IP: fmt.Sprintf("10.77.0.%d", last), net: n, namespace: n.prefix + name}
}

func (n *Net) nodes() []*Node {
	return append([]*Node{n.FE, n.GW}, n.Hosts...)
}

// build makes the switch and plugs the nodes in; the port of a node has the node's name.
func (n *Net) build() error {
	var lines strings.Builder
	lines.WriteString("link set lo up\nlink add br0 type bridge stp_state 0 mcast_snooping 0\nlink set br0 up\n")
	for _, node := range n.nodes() {
		fmt.Fprintf(&lines, "link add %s type veth peer name eth0 netns %s\nlink set %s master br0 up\n", node.Name, node.namespace, node.Name)
	}
	if err := runIP(lines.String(), "-n", n.prefix+"sw", "-batch", "-"); err != nil {
		return err
	}
	for _, node := range n.nodes() {
		text := fmt.Sprintf("link set lo up\naddr add %s/24 dev eth0\nlink set eth0 up\n", node.IP)
		if node != n.GW {
			text += "route add default via " + n.GW.IP + "\n"
		}
		if err := runIP(text, "-n", node.namespace, "-batch", "-"); err != nil {
			return err
		}
	}
	return nil
}

// reachesFE reports whether the front-end refuses a connection: then packets travel in
// both directions. A new link needs a moment.
func (n *Node) reachesFE() (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	conn, err := n.Dial(ctx, "tcp", net.JoinHostPort(n.net.FE.IP, discard))
	if err == nil {
		conn.Close()
		return false, errors.New("somebody listens on port " + discard)
	}
	return errors.Is(err, syscall.ECONNREFUSED), nil
}

// runIP runs ip, with the text as its input.
func runIP(text string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), toolLimit)
	defer cancel()
	cmd := grouped(ctx, append([]string{"ip"}, args...)...)
	cmd.Stdin = strings.NewReader(text)
	_, err := tool(cmd)
	return err
}
