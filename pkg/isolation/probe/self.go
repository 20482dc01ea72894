package probe

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// identity is what this host itself is called in the network.
type identity struct {
	name  string
	addrs []netip.Addr
}

// thisHost asks the kernel. What it cannot say is not known.
func thisHost() identity {
	var me identity
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

// is reports whether an address of a host is that of this host itself, which answers
// however the network is cut: one list of witnesses for all hosts may well name each of
// them. A loopback address is only meant when it is not that of this host's own name
// (Debian puts that at 127.0.1.1 in /etc/hosts).
func (me identity) is(host string, a netip.Addr) bool {
	if a.IsLoopback() {
		return short(host) == short(me.name)
	}
	return slices.Contains(me.addrs, a.WithZone(""))
}

// short is a name without its domain, in lower case.
func short(name string) string {
	name, _, _ = strings.Cut(strings.ToLower(name), ".")
	return name
}
