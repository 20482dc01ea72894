// Package probe answers whether something is reachable over the network from this host: a TCP server, a machine, a
// DNS server, the gateways of the host. Every probe is bounded in time, and nothing of it is left when it has
// returned.
//
// Somebody decides about stopping VMs by the answers. So a probe that could not be run says Unknown, never
// Unreachable; and what this host can answer itself, without any network, is no answer.
package probe

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/text"
)

// Reach is what a probe found out.
type Reach int

// The values of Reach.
const (
	Unknown     Reach = iota // the probe could not be run (no permission, bad name): says nothing
	Unreachable              // it was run, and nothing answered
	Refused                  // the machine answers, but nothing listens there (TCP reset, ICMP port unreachable)
	Reachable                // it answers
)

// String returns unknown, unreachable, refused or reachable.
func (r Reach) String() string {
	return cmp.Or(map[Reach]string{Unreachable: "unreachable", Refused: "refused", Reachable: "reachable"}[r], "unknown")
}

// Result is the answer of one probe, and inside of it of each way to the target.
type Result struct {
	Target string        // as the caller named it
	Reach  Reach         // what was found out
	Detail string        // why: one printable line of at most 400 characters
	Took   time.Duration // the whole probe

	// minor: this way was not to be expected to work on this host, such as IPv6 where that is switched off: any other
	// says more.
	minor bool
}

// maxDetail is the most characters of a detail: enough for the errors of a handful of addresses.
const maxDetail = 400

// Network runs probes from this host. Its methods may be called at the same time. A probe of an address of this host
// itself is Unknown, since it says nothing about the network; only loopback addresses are probed when the caller
// names them.
type Network struct {
	Names *Names // finds the addresses of names; without it only addresses can be probed
	// Timeout is the most time for each probe, with the search for addresses. When the context of a probe ends
	// earlier, silence until then is Unknown.
	Timeout   time.Duration
	Proc, Sys string // where the kernel shows routes and interfaces: /proc and /sys

	// What tests replace.
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	ping func(ctx context.Context, host netip.Addr) Result
	self func() identity
}

// TCP finds out whether something listens at address (host:port). All addresses of a name are tried at the same time,
// and the best answer wins. A connection is closed at once.
func (n *Network) TCP(ctx context.Context, target, address string) Result {
	return n.run(ctx, target, func(ctx context.Context) Result {
		return n.at(ctx, address, func(ctx context.Context, to netip.AddrPort) Result { return n.connect(ctx, to, to) })
	})
}

// connect connects to one address; where stands for it in the detail of a failure.
func (n *Network) connect(ctx context.Context, to netip.AddrPort, where any) Result {
	dial := n.dial
	if dial == nil {
		dial = (&net.Dialer{KeepAlive: -1}).DialContext
	}
	conn, err := dial(ctx, "tcp", to.String())
	if err != nil {
		return failed(where, err)
	}
	_ = conn.Close()
	return reachable("%v accepts connections", to)
}

func (n *Network) run(ctx context.Context, target string, probe try) Result {
	begin := time.Now()
	end := begin.Add(n.Timeout)
	o := unknown(stopped)
	if ctx.Err() == nil {
		limited, cancel := context.WithDeadline(ctx, end)
		defer cancel()
		o = probe(limited)
		// Silence only counts when the probe had all of its time.
		if outer, ok := ctx.Deadline(); ok && outer.Before(end) && o.Reach == Unreachable && !time.Now().Before(outer) {
			o = unknown(stopped)
		}
	}
	o.Target, o.Detail, o.Took = target, text.Short(o.Detail, maxDetail-1), time.Since(begin)
	return o
}

// at probes host:port at all addresses of the host.
func (n *Network) at(ctx context.Context, address string, probe func(context.Context, netip.AddrPort) Result) Result {
	host, port, err := splitAddress(address)
	if err != nil {
		return unknown("%v", err)
	}
	return n.each(ctx, host, func(ctx context.Context, a netip.Addr) Result { return probe(ctx, netip.AddrPortFrom(a, port)) })
}

// each probes all addresses of a host at the same time.
func (n *Network) each(ctx context.Context, host string, probe func(context.Context, netip.Addr) Result) Result {
	addrs, err := n.Names.Lookup(ctx, host)
	if err != nil {
		return unknown("%v", err)
	}
	self := n.self
	if self == nil {
		self = thisHost
	}
	me := self()
	addrs = slices.DeleteFunc(addrs, func(a netip.Addr) bool { return me.is(host, a) })
	if len(addrs) == 0 {
		return unknown("%s is this host itself, which says nothing about the network; name another machine", host)
	}
	tries := make([]try, len(addrs))
	for i, a := range addrs {
		tries[i] = func(ctx context.Context) Result {
			if err := checkAddress(a); err != nil {
				return unknown("%v", err)
			}
			return probe(ctx, a)
		}
	}
	return race(ctx, tries)
}

// splitAddress splits host:port.
func splitAddress(address string) (string, uint16, error) {
	host, digits, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("%s is not HOST:PORT", text.Short(address, maxDetail))
	}
	number, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || number == 0 {
		return "", 0, fmt.Errorf("port %s: want a number from 1 to 65535", text.Short(digits, maxDetail))
	}
	return host, uint16(number), nil
}

// Gateway finds out whether a gateway of this host answers: any gateway of any default route of the main table, over
// ICMP, or when that gives nothing within a third of the time, over TCP, where a refused connection is an answer,
// too. Without a default route it is Unreachable; when the routes cannot be read, or have no gateway, Unknown.
func (n *Network) Gateway(ctx context.Context) Result {
	return n.run(ctx, "gateway", func(ctx context.Context) Result {
		routes, err := n.routes()
		if err != nil {
			return unknown("%v", err)
		}
		if len(routes) == 0 {
			return Result{Reach: Unreachable, Detail: "this host has no default route"}
		}
		var tries []try
		var without []string
		for _, r := range routes {
			switch {
			case !r.Gateway.IsValid():
				without = append(without, r.Interface)
			case len(tries) < maxGateways:
				tries = append(tries, func(ctx context.Context) Result { return n.gateway(ctx, r.Gateway) })
			}
		}
		if len(tries) == 0 {
			return unknown("the default route has no gateway that could be asked (interface %s)", strings.Join(without, ", "))
		}
		return race(ctx, tries)
	})
}

func (n *Network) gateway(ctx context.Context, a netip.Addr) Result {
	if err := checkAddress(a); err != nil {
		return unknown("%v", err)
	}
	end, _ := ctx.Deadline()
	without := make(chan struct{})
	icmp := func(ctx context.Context) Result {
		o := n.icmp(ctx, a)
		if o.Reach != Reachable {
			close(without)
		}
		// A process that may not use ICMP still has TCP.
		o.minor = o.Reach == Unknown
		return o
	}
	tcp := func(ctx context.Context) Result {
		wait := time.NewTimer(time.Until(end) / 3)
		defer wait.Stop()
		select {
		case <-ctx.Done():
		case <-without:
		case <-wait.C:
		}
		if err := ctx.Err(); err != nil { // another gateway has answered, or the time is over
			return failed(a, err)
		}
		return n.anyPort(ctx, a)
	}
	return race(ctx, []try{icmp, tcp})
}

func (n *Network) anyPort(ctx context.Context, a netip.Addr) Result {
	var tries []try
	for _, port := range []uint16{53, 22, 80, 179} { // where routers listen, or refuse: DNS, SSH, HTTP, BGP
		tries = append(tries, func(ctx context.Context) Result {
			to := netip.AddrPortFrom(a, port)
			// Most ports fail alike: then the detail says it once.
			o := n.connect(ctx, to, fmt.Sprintf("TCP to %v", a))
			if o.Reach == Refused {
				o = reachable("%v answers: it refuses connections", to)
			}
			return o
		})
	}
	return race(ctx, tries)
}
