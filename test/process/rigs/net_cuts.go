package rigs

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// CutCable pulls the cable of a node: its eth0 has no carrier, and everything times out.
// This and the other cuts return a function that heals, which may be called again; the end of
// the test heals, too. Where a node has no answer to ARP for 3 s, it sees "no route to
// host" (EHOSTUNREACH) instead of a time-out.
func (n *Net) CutCable(h *Node) func() {
	n.t.Helper()
	return n.cut("cable of "+h.Name,
		func() error { return n.port(h, "down") },
		func() error { return n.port(h, "up") })
}

// SilentPort makes the switch forward nothing from and to a node; the carrier stays.
func (n *Net) SilentPort(h *Node) func() {
	n.t.Helper()
	return n.cut("port of "+h.Name,
		func() error { return n.port(h, "nomaster") },
		func() error { return n.port(h, "master", "br0") })
}

// Drop makes the switch drop what goes from one node to another; the way back works, as do
// all others.
func (n *Net) Drop(from, to *Node) func() {
	n.t.Helper()
	return n.forward("drop", fmt.Sprintf("iifname %q oifname %q drop", from.Name, to.Name))
}

// Loss makes the switch drop a part of what goes from one node to another, at random: 0
// to 100 percent.
func (n *Net) Loss(from, to *Node, percent int) func() {
	n.t.Helper()
	lost := fmt.Sprintf("numgen random mod 100 < %d", percent)
	if percent == 100 {
		lost = "" // nft does not compare with what is always true
	}
	return n.forward("loss", fmt.Sprintf("iifname %q oifname %q %s drop", from.Name, to.Name, lost))
}

// Isolate makes the switch drop everything from and to a node; the carrier stays.
func (n *Net) Isolate(h *Node) func() {
	n.t.Helper()
	return n.forward("isolate", fmt.Sprintf("iifname %q drop", h.Name), fmt.Sprintf("oifname %q drop", h.Name))
}

// DropOutput makes a firewall on a node drop what it sends to another: TCP times out, UDP
// gets EPERM at once.
func (n *Net) DropOutput(h, to *Node) func() {
	n.t.Helper()
	return n.table("output of "+h.Name, h.namespace, "inet", "output", fmt.Sprintf("ip daddr %s drop", to.IP))
}

// Reject makes a firewall on a node refuse connections to one of its TCP ports.
func (n *Net) Reject(node *Node, port int) func() {
	n.t.Helper()
	return n.table("reject on "+node.Name, node.namespace, "inet", "input", fmt.Sprintf("tcp dport %d reject with tcp reset", port))
}

// Flap pulls the cable of a node and plugs it in again, each for half a period, until it
// is healed.
func (n *Net) Flap(h *Node, period time.Duration) func() {
	n.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	return n.cut("flapping cable of "+h.Name,
		func() error {
			go func() { ended <- n.flap(ctx, h, period/2) }()
			return nil
		},
		func() error {
			cancel()
			if err := <-ended; err != nil {
				return err
			}
			return n.port(h, "up")
		})
}

func (n *Net) flap(ctx context.Context, h *Node, half time.Duration) error {
	tick := time.NewTicker(half)
	defer tick.Stop()
	for down := true; ; down = !down {
		state := "up"
		if down {
			state = "down"
		}
		if err := n.port(h, state); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// cut does something that is undone once: by the function that it returns, or at the end
// of the test.
func (n *Net) cut(what string, do, undo func() error) func() {
	n.t.Helper()
	heal := sync.OnceFunc(func() {
		if err := undo(); err != nil {
			n.t.Errorf("heal: %s: %v", what, err)
		}
	})
	if err := do(); err != nil {
		n.t.Fatalf("cut: %s: %v", what, err)
	}
	n.t.Cleanup(heal)
	return heal
}

// port changes the port of a node on the switch.
func (n *Net) port(h *Node, change ...string) error {
	return runIP("", append([]string{"-n", n.prefix + "sw", "link", "set", h.Name}, change...)...)
}

// forward gives rules to the switch.
func (n *Net) forward(what string, rules ...string) func() {
	n.t.Helper()
	return n.table(what, n.prefix+"sw", "bridge", "forward", rules...)
}

// table makes a table of nft with one chain; healing removes it.
func (n *Net) table(what, namespace, family, hook string, rules ...string) func() {
	n.t.Helper()
	name := fmt.Sprintf("%s cut%d", family, n.tables.Add(1))
	text := fmt.Sprintf("table %s {\nchain c {\ntype filter hook %s priority 0;\n%s\n}\n}\n", name, hook, strings.Join(rules, "\n"))
	return n.cut(what,
		func() error { return nft(namespace, text) },
		func() error { return nft(namespace, "delete table "+name+"\n") })
}

// nft gives a text to nft in a namespace.
func nft(namespace, text string) error {
	return runIP(text, "netns", "exec", namespace, "nft", "-f", "-")
}
