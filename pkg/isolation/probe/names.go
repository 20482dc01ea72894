package probe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"one-ft/pkg/text"
)

const (
	// maxNames and maxAddresses bound what is remembered: far more than the front-ends and witnesses of a cloud, and
	// still a small file.
	maxNames     = 100
	maxAddresses = 8
	// maxName is the longest name in DNS (RFC 1035, 2.3.4), written with a final dot.
	maxName = 254
	// maxLookup is the most time that the resolver gets; one that is reachable needs milliseconds.
	maxLookup = time.Second
)

// Names finds the addresses of names and remembers them, since a resolver may be behind the cut. It is safe for
// concurrent use. Names are looked up in /etc/hosts and in DNS, not in other sources of nsswitch.conf.
type Names struct {
	resolver *net.Resolver
	earlier  map[string][]netip.Addr // what an earlier process knew

	mu   sync.Mutex
	used map[string][]netip.Addr // what this one has used, for the next
}

// NewNames makes the memory of names from what an earlier process knew (what Known returned); nil for nothing. Names
// and addresses that cannot be right are dropped.
func NewNames(known map[string][]string) *Names {
	n := &Names{
		// The resolver of the C library would leave threads behind that wait for a nameserver.
		resolver: &net.Resolver{PreferGo: true, Dial: dialNameserver},
		earlier:  map[string][]netip.Addr{}, used: map[string][]netip.Addr{},
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		var addrs []netip.Addr
		for _, text := range known[name] {
			if a, err := netip.ParseAddr(text); err == nil {
				addrs = append(addrs, a)
			}
		}
		if addrs = clean(addrs); len(addrs) > 0 && isName(name) && len(n.earlier) < maxNames {
			n.earlier[name] = addrs
		}
	}
	return n
}

// Known returns the addresses of all names that were looked up, for the next process: at most 100 names with 8
// addresses each.
func (n *Names) Known() map[string][]string {
	n.mu.Lock()
	defer n.mu.Unlock()
	known := make(map[string][]string, len(n.used))
	for name, addrs := range n.used {
		for _, a := range addrs {
			known[name] = append(known[name], a.String())
		}
	}
	return known
}

// Lookup returns the addresses of a host: at least one when there is no error. An IP address is itself. For a name
// the resolver is asked for at most a third of the time that ctx has left, and at most for 1 s; when that fails, the
// addresses that are known are returned, and an error only when there are none.
func (n *Names) Lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	if !isName(host) {
		return nil, fmt.Errorf("%s is neither an IP address nor the name of a host", text.Short(host, maxDetail))
	}
	addrs, err := n.ask(ctx, host)
	n.mu.Lock()
	defer n.mu.Unlock()
	before, known := n.used[host]
	if !known {
		before = n.earlier[host]
	}
	if err != nil {
		addrs = before
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("find the address of %s: %w", host, err)
	}
	if known || len(n.used) < maxNames {
		n.used[host] = slices.Clone(addrs)
	}
	return slices.Clone(addrs), nil
}

func (n *Names) ask(ctx context.Context, name string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime(ctx))
	defer cancel()
	addrs, err := n.resolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil, err
	}
	if addrs = clean(addrs); len(addrs) == 0 {
		return nil, errors.New("it has no address of a machine")
	}
	return addrs, nil
}

func lookupTime(ctx context.Context) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return min(maxLookup, time.Until(end)/3)
	}
	return maxLookup
}

// dialNameserver connects to a nameserver for the resolver of Go, which waits for a silent one for seconds after its
// context has ended, unless the connection is closed.
func dialNameserver(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{KeepAlive: -1}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	return conn, nil
}

// clean returns the usable addresses, each once, at most maxAddresses.
func clean(addrs []netip.Addr) (good []netip.Addr) {
	for _, a := range addrs {
		if a = a.Unmap(); usable(a) && !slices.Contains(good, a) && len(good) < maxAddresses {
			good = append(good, a)
		}
	}
	return good
}

// isName reports whether a word may be the name of a host.
func isName(word string) bool {
	return word != "" && len(word) <= maxName && !strings.ContainsFunc(word, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`/:@[]%\"'`, r)
	})
}

// usable reports whether an address can be that of one machine.
func usable(a netip.Addr) bool {
	return (a.IsGlobalUnicast() || a.IsLinkLocalUnicast() || a.IsLoopback()) && !needsZone(a)
}

func needsZone(a netip.Addr) bool { return a.Is6() && a.IsLinkLocalUnicast() && a.Zone() == "" }

// checkAddress refuses what the kernel would take for something else, or refuse with an error that it also has for a
// route that is cut.
func checkAddress(a netip.Addr) error {
	switch zone := a.Zone(); {
	case needsZone(a):
		return fmt.Errorf("%v needs the interface behind it, such as %v%%eth0", a, a)
	case !usable(a):
		return fmt.Errorf("%v is not the address of one machine", a)
	case zone != "" && !isInterface(zone):
		return fmt.Errorf("%v: this host has no interface %s", a, zone)
	}
	return nil
}

// isInterface reports whether an IPv6 zone names an interface, or has the number of one.
func isInterface(zone string) bool {
	_, err := net.InterfaceByName(zone)
	if number, atoi := strconv.Atoi(zone); err != nil && atoi == nil {
		_, err = net.InterfaceByIndex(number)
	}
	return err == nil
}

// identity is what this host itself is called in the network.
type identity struct {
	name  string
	addrs []netip.Addr
}

// thisHost asks the kernel. What it cannot say is not known.
func thisHost() (me identity) {
	me.name, _ = os.Hostname()
	found, _ := net.InterfaceAddrs()
	for _, f := range found {
		if ip, ok := f.(*net.IPNet); ok {
			if a, ok := netip.AddrFromSlice(ip.IP); ok {
				me.addrs = append(me.addrs, a.Unmap())
			}
		}
	}
	return me
}

// is reports whether an address of a host is that of this host itself, which answers however the network is cut: one
// list of witnesses for all hosts may well name each of them. A loopback address is only meant when it is not that of
// this host's own name (Debian puts that at 127.0.1.1 in /etc/hosts).
func (me identity) is(host string, a netip.Addr) bool {
	if a.IsLoopback() {
		return short(host) == short(me.name)
	}
	return slices.Contains(me.addrs, a.WithZone(""))
}

func short(name string) string {
	name, _, _ = strings.Cut(strings.ToLower(name), ".")
	return name
}
