package probe

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// defaultTimeout is for a Network without Timeout: two retransmissions of a TCP SYN on Linux
// fall into it (after 1 s and after 3 s).
const defaultTimeout = 3 * time.Second

// Network runs probes from this host. Its methods may be called at the same time. A probe
// of an address of this host itself is Unknown, since it says nothing about the network;
// only loopback addresses are probed when they are asked for.
type Network struct {
	// Names remembers the addresses of names; nil to remember nothing.
	Names *Names
	// Timeout is the most time for each probe, with the search for addresses; 3 s when 0.
	// When the context of a probe ends earlier, silence until then is Unknown.
	Timeout time.Duration
	// Proc and Sys are where the kernel shows routes and interfaces: /proc and /sys when "".
	Proc, Sys string

	// What tests replace.
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	ping func(ctx context.Context, host netip.Addr) outcome
	self func() identity
}

// TCP finds out whether something listens at address (host:port). All addresses of a
// name are tried at the same time, and the best answer wins. A connection is closed at
// once.
func (n *Network) TCP(ctx context.Context, target, address string) Result {
	return n.run(ctx, target, func(ctx context.Context) outcome {
		host, port, err := splitAddress(address, 0)
		if err != nil {
			return unknown("%v", err)
		}
		return n.each(ctx, host, func(ctx context.Context, a netip.Addr) outcome {
			to := netip.AddrPortFrom(a, port)
			return n.connect(ctx, to, to)
		})
	})
}

// connect connects to one address; where stands for it in the detail of a failure.
func (n *Network) connect(ctx context.Context, to netip.AddrPort, where any) outcome {
	dial := n.dial
	if dial == nil {
		dial = (&net.Dialer{KeepAlive: -1}).DialContext
	}
	conn, err := dial(ctx, "tcp", to.String())
	if err != nil {
		return failed(where, err)
	}
	_ = conn.Close()
	return outcome{reach: Reachable, detail: fmt.Sprintf("%v accepts connections", to)}
}

// run runs one probe within its time.
func (n *Network) run(ctx context.Context, target string, probe try) Result {
	begin := time.Now()
	result := func(o outcome) Result {
		return Result{Target: target, Reach: o.reach, Detail: printable(o.detail), Took: time.Since(begin)}
	}
	if ctx.Err() != nil {
		return result(unknown(stopped))
	}
	timeout := n.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	end := begin.Add(timeout)
	limited, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	o := probe(limited)
	// Silence only counts when the probe had all of its time.
	if outer, ok := ctx.Deadline(); ok && outer.Before(end) && o.reach == Unreachable && !time.Now().Before(outer) {
		o = unknown(stopped)
	}
	return result(o)
}

// each probes all addresses of a host at the same time.
func (n *Network) each(ctx context.Context, host string, probe func(context.Context, netip.Addr) outcome) outcome {
	names := n.Names
	if names == nil {
		names = NewNames(nil)
	}
	addrs, err := names.Lookup(ctx, host)
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
		tries[i] = func(ctx context.Context) outcome {
			if err := checkAddress(a); err != nil {
				return unknown("%v", err)
			}
			return probe(ctx, a)
		}
	}
	return race(ctx, tries)
}

// checkAddress refuses what the kernel would take for something else, or refuse with an error
// that it also has for a route that is cut.
func checkAddress(a netip.Addr) error {
	switch zone := a.Zone(); {
	case a.Is6() && a.IsLinkLocalUnicast() && zone == "":
		return fmt.Errorf("%v needs the interface behind it, such as %v%%eth0", a, a)
	case !usable(a):
		return fmt.Errorf("%v is not the address of one machine", a)
	case zone != "" && zoneIndex(zone) == 0:
		return fmt.Errorf("%v: this host has no interface %s", a, zone)
	}
	return nil
}

// zoneIndex is the number of the interface that an IPv6 zone names; 0 when there is none.
func zoneIndex(zone string) int {
	if i, err := net.InterfaceByName(zone); err == nil {
		return i.Index
	}
	if number, err := strconv.Atoi(zone); err == nil {
		if i, err := net.InterfaceByIndex(number); err == nil {
			return i.Index
		}
	}
	return 0
}

// splitAddress splits host:port; port is used when there is none, if it is not 0.
func splitAddress(address string, port uint16) (string, uint16, error) {
	bare := strings.TrimSuffix(strings.TrimPrefix(address, "["), "]")
	if _, err := netip.ParseAddr(bare); port != 0 && (err == nil || !strings.Contains(address, ":")) {
		return bare, port, nil
	}
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("%s is not HOST:PORT", printable(address))
	}
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil || number == 0 {
		return "", 0, fmt.Errorf("port %s: allowed is a number from 1 to 65535", printable(text))
	}
	return host, uint16(number), nil
}
