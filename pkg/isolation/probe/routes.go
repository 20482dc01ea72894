package probe

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"one-ft/pkg/process"
	"one-ft/pkg/text"
)

const (
	// maxRoutes bounds what is read of a table: 60,000 routes with 130 bytes each.
	maxRoutes = 8 << 20
	// maxGateways bounds how many are probed at the same time.
	maxGateways = 8
	// Flags of routes (linux/route.h).
	routeUp      = 0x1
	routeRejects = 0x200
)

// Link is a default route of this host and the state of its interface.
type Link struct {
	Interface string     // as the kernel names it; printable
	Gateway   netip.Addr // with its zone; not valid for a route without one, as into a tunnel
	// Carrier is "up", "down" or "unknown". A bridge has a carrier as long as any of its ports has one, also that of a
	// VM.
	Carrier string
}

// errDamaged is a table of routes that nothing can be concluded from.
var errDamaged = errors.New("its lines are malformed")

// routes reads the default routes of both families from the main table. An error means that it is not known whether
// there are any.
func (n *Network) routes() ([]Link, error) {
	v4, err4 := readRoutes(filepath.Join(n.Proc, "net", "route"), parseRoute4)
	v6, err6 := readRoutes(filepath.Join(n.Proc, "net", "ipv6_route"), parseRoute6)
	if errors.Is(err6, fs.ErrNotExist) && err4 == nil {
		err6 = nil // IPv6 is switched off
	}
	if errors.Is(err4, fs.ErrNotExist) && err6 == nil {
		err4 = nil
	}
	var all []Link
	for _, r := range slices.Concat(v4, v6) {
		if !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	return nil, errors.Join(err4, err6)
}

// readRoutes reads one table. parse returns the default route of a line, nil for another route, or an error for a
// line that is not one.
func readRoutes(path string, parse func([]string) (*Link, error)) ([]Link, error) {
	table, err := process.ReadStart(path, maxRoutes)
	if err != nil {
		return nil, fmt.Errorf("read the routes: %w", err)
	}
	found, damaged := parseRoutes(table, parse)
	if len(found) == 0 && (damaged || len(table) == maxRoutes) {
		return nil, fmt.Errorf("read the routes in %s: %w", path, errDamaged)
	}
	return found, nil
}

// parseRoutes returns the default routes of a table, and whether there were lines that are no routes.
func parseRoutes(table []byte, parse func([]string) (*Link, error)) (found []Link, damaged bool) {
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "Iface" { // the heading of /proc/net/route
			continue
		}
		r, err := parse(fields)
		if err != nil {
			damaged = true
		} else if r != nil {
			found = append(found, *r)
		}
	}
	return found, damaged
}

// parseRoute4 reads a line of /proc/net/route: interface, destination, gateway, flags, three counters, mask, ...
// Addresses are numbers in the byte order of the machine (fib_route_seq_show in net/ipv4/fib_trie.c).
func parseRoute4(fields []string) (*Link, error) {
	if len(fields) < 8 {
		return nil, errDamaged
	}
	var numbers [4]uint64
	for i, field := range []string{fields[1], fields[2], fields[3], fields[7]} {
		var err error
		if numbers[i], err = strconv.ParseUint(field, 16, 32); err != nil {
			return nil, errDamaged
		}
	}
	var gateway [4]byte
	binary.NativeEndian.PutUint32(gateway[:], uint32(numbers[1]))
	return defaultRoute(fields[0], numbers[0] == 0 && numbers[3] == 0, numbers[2], netip.AddrFrom4(gateway))
}

// parseRoute6 reads a line of /proc/net/ipv6_route: destination and its length, source and its length, gateway,
// metric, two counters, flags, interface (rt6_info_route in net/ipv6/route.c).
func parseRoute6(fields []string) (*Link, error) {
	if len(fields) != 10 {
		return nil, errDamaged
	}
	to, err1 := hex.DecodeString(fields[0])
	gateway, err2 := hex.DecodeString(fields[4])
	length, err3 := strconv.ParseUint(fields[1], 16, 8)
	flags, err4 := strconv.ParseUint(fields[8], 16, 32)
	if err := errors.Join(err1, err2, err3, err4); err != nil || len(to) != 16 || len(gateway) != 16 {
		return nil, errDamaged
	}
	all := length == 0 && netip.AddrFrom16([16]byte(to)).IsUnspecified()
	address := netip.AddrFrom16([16]byte(gateway))
	if address.IsLinkLocalUnicast() {
		address = address.WithZone(fields[9])
	}
	return defaultRoute(fields[9], all, flags, address)
}

// defaultRoute returns a route if it goes everywhere and is in use. Routes that reject packets have the name of an
// interface that does not matter.
func defaultRoute(device string, everywhere bool, flags uint64, gateway netip.Addr) (*Link, error) {
	if !everywhere || flags&routeUp == 0 || flags&routeRejects != 0 {
		return nil, nil
	}
	// As dev_valid_name in net/core/dev.c, and fit for a path.
	if device == "" || len(device) > 15 || strings.ContainsAny(device, "/:") || strings.HasPrefix(device, ".") || text.Printable(device) != device {
		return nil, errDamaged
	}
	if !usable(gateway) {
		gateway = netip.Addr{}
	}
	return &Link{Interface: device, Gateway: gateway}, nil
}

// Links returns the default routes of the main table, none when there is none. An error means that the routes cannot
// be read.
func (n *Network) Links() ([]Link, error) {
	links, err := n.routes()
	for i, l := range links {
		state, err := process.ReadStart(filepath.Join(n.Sys, "class", "net", l.Interface, "carrier"), 16)
		links[i].Carrier = carrier(string(state), err)
	}
	return links, err
}

// carrier says what the file of the kernel means. It cannot be read from an interface that is down (carrier_show in
// net/core/net-sysfs.c).
func carrier(state string, err error) string {
	switch state = strings.TrimSpace(state); {
	case errors.Is(err, syscall.EINVAL), err == nil && state == "0":
		return "down"
	case err == nil && state == "1":
		return "up"
	}
	return "unknown"
}
