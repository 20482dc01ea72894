package probe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// maxNames and maxAddresses bound what is remembered: far more than the front-ends
	// and witnesses of a cloud, and still a small file.
	maxNames     = 100
	maxAddresses = 8
	// maxName is the longest name in DNS (RFC 1035, 2.3.4), written with a final dot.
	maxName = 254
	// maxLookup is the most time that the resolver gets; one that is reachable needs
	// milliseconds.
	maxLookup = time.Second
)

// Names finds the addresses of names and remembers them, since a resolver may be
// behind the cut. It is safe for concurrent use. Names are looked up in /etc/hosts and
// in DNS, not in other sources of nsswitch.conf.
type Names struct {
	resolver *net.Resolver

	mu    sync.Mutex
	names map[string]memory
	uses  uint64
}

// memory is what is known of one name.
type memory struct {
	addrs []netip.Addr
	used  uint64 // when it was last used, counted in uses; 0 for what an earlier process knew
}

// NewNames makes the memory of names from what an earlier process knew (what Known returned);
// nil for nothing. Names and addresses that cannot be right are dropped.
func NewNames(known map[string][]string) *Names {
	n := &Names{
		// The resolver of the C library would leave threads behind that wait for a
		// nameserver.
		resolver: &net.Resolver{PreferGo: true, Dial: dialNameserver},
		names:    map[string]memory{},
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		var addrs []netip.Addr
		for _, text := range known[name] {
			if a, err := netip.ParseAddr(text); err == nil {
				addrs = append(addrs, a)
			}
		}
		if addrs = clean(addrs); len(addrs) > 0 && isName(name) && len(n.names) < maxNames {
			n.names[name] = memory{addrs: addrs}
		}
	}
	return n
}

// Known returns the addresses of all names that are remembered, for the next process: at most
// 100 names with 8 addresses each.
func (n *Names) Known() map[string][]string {
	n.mu.Lock()
	defer n.mu.Unlock()
	known := make(map[string][]string, len(n.names))
	for name, m := range n.names {
		for _, a := range m.addrs {
			known[name] = append(known[name], a.String())
		}
	}
	return known
}

// Lookup returns the addresses of a host: at least one when there is no error. An IP
// address is itself. For a name the resolver is asked for at most a third of the time
// that ctx has left, and at most for 1 s; when that fails, the addresses that are known
// are returned, and an error only when there are none.
func (n *Names) Lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	if !isName(host) {
		return nil, fmt.Errorf("%s is neither an IP address nor the name of a host", printable(host))
	}
	addrs, err := n.ask(ctx, host)
	if err == nil {
		n.learn(host, addrs)
		return addrs, nil
	}
	if addrs := n.recall(host); len(addrs) > 0 {
		return addrs, nil
	}
	return nil, fmt.Errorf("find the address of %s: %w", printable(host), err)
}

// ask asks the resolver.
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

// lookupTime is how long the resolver may take.
func lookupTime(ctx context.Context) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return min(maxLookup, time.Until(end)/3)
	}
	return maxLookup
}

// learn remembers the addresses of a name, in place of the name that was not used for the
// longest time when there are too many.
func (n *Names) learn(name string, addrs []netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, known := n.names[name]; !known && len(n.names) >= maxNames {
		oldest := slices.MinFunc(slices.Collect(maps.Keys(n.names)), func(a, b string) int {
			return int(n.names[a].used) - int(n.names[b].used)
		})
		delete(n.names, oldest)
	}
	n.uses++
	n.names[name] = memory{addrs: slices.Clone(addrs), used: n.uses}
}

// recall returns the addresses that are remembered; none for a name that is not known.
func (n *Names) recall(name string) []netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	m, known := n.names[name]
	if !known {
		return nil
	}
	n.uses++
	m.used = n.uses
	n.names[name] = m
	return slices.Clone(m.addrs)
}

// clean returns the usable addresses, each once, at most maxAddresses.
func clean(addrs []netip.Addr) []netip.Addr {
	var good []netip.Addr
	for _, a := range addrs {
		if a = a.Unmap(); usable(a) && !slices.Contains(good, a) && len(good) < maxAddresses {
			good = append(good, a)
		}
	}
	return good
}

// isName reports whether text may be the name of a host.
func isName(text string) bool {
	return text != "" && len(text) <= maxName && !strings.ContainsFunc(text, func(r rune) bool {
		return r <= ' ' || r == 0x7f || r > 0x7f || strings.ContainsRune(`/:@[]%\"'`, r)
	})
}

// dialNameserver connects to a nameserver for the resolver of Go, which waits for a silent
// one for seconds after its context has ended, unless the connection is closed.
func dialNameserver(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{KeepAlive: -1}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	return conn, nil
}
