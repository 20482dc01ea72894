package probe

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

const (
	heading = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	zero6   = "00000000000000000000000000000000"
	null6   = zero6 + " 00 " + zero6 + " 00 " + zero6 + " ffffffff 00000001 00000000 00200200       lo\n"
	net6    = "fd000000000000000000000000000000 40 " + zero6 + " 00 " + zero6 + " 00000100 00000001 00000000 00000001     eth0\n"
)

// line4 is a line of /proc/net/route.
func line4(device, to, gateway, mask string, flags int) string {
	hex := func(a string) uint32 {
		b := netip.MustParseAddr(a).As4()
		return binary.NativeEndian.Uint32(b[:])
	}
	return fmt.Sprintf("%s\t%08X\t%08X\t%04X\t0\t0\t100\t%08X\t0\t0\t0 \n", device, hex(to), hex(gateway), flags, hex(mask))
}

// default4 is a default route.
func default4(device, gateway string) string { return line4(device, "0.0.0.0", gateway, "0.0.0.0", 3) }

// default6 is a default route of /proc/net/ipv6_route.
func default6(device, gateway string) string {
	return fmt.Sprintf("%s 00 %s 00 %x 00000400 00000003 00000000 00450003 %8s\n", zero6, zero6, netip.MustParseAddr(gateway).As16(), device)
}

// proc makes a directory like /proc with tables of routes; "-" for a table that is missing.
func proc(t testing.TB, v4, v6 string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"route": v4, "ipv6_route": v6} {
		if text != "-" {
			write(t, filepath.Join(dir, "net", name), text)
		}
	}
	return dir
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRoutes(t *testing.T) {
	many := strings.Repeat(line4("eth0", "198.51.100.0", "0.0.0.0", "255.255.255.0", 1), 5000)
	for _, c := range []struct {
		name     string
		v4, v6   string
		expected string // interface and gateway of each route, or an error
	}{
		{"one", heading + default4("br0", "192.0.2.1") + line4("br0", "192.0.2.0", "0.0.0.0", "255.255.255.0", 1), null6, "br0 192.0.2.1"},
		{"behind many", heading + many + default4("br0", "192.0.2.1"), null6, "br0 192.0.2.1"},
		{"two and one of IPv6", heading + default4("br0", "192.0.2.1") + default4("eth1", "198.51.100.1"), net6 + default6("br0", "2001:db8::1") + null6,
			"br0 192.0.2.1, eth1 198.51.100.1, br0 2001:db8::1"},
		{"link-local", heading, default6("br0", "fe80::1") + default6("eth1", "fe80::1"), "br0 fe80::1%br0, eth1 fe80::1%eth1"},
		{"the same twice", heading + default4("br0", "192.0.2.1") + default4("br0", "192.0.2.1"), "", "br0 192.0.2.1"},
		{"the same behind two", heading + default4("br0", "192.0.2.1") + default4("br1", "192.0.2.1"), "", "br0 192.0.2.1, br1 192.0.2.1"},
		{"tunnel", heading + line4("wg0", "0.0.0.0", "0.0.0.0", "0.0.0.0", 1), default6("wg1", "::"), "wg0 invalid IP, wg1 invalid IP"},
		{"none", heading + line4("br0", "192.0.2.0", "0.0.0.0", "255.255.255.0", 1), net6 + null6, ""},
		{"half of everything", heading + line4("br0", "0.0.0.0", "192.0.2.1", "128.0.0.0", 3), "", ""},
		{"to 0.0.0.1", heading + line4("br0", "0.0.0.1", "192.0.2.1", "0.0.0.0", 3), "", ""},
		{"not up", heading + line4("br0", "0.0.0.0", "192.0.2.1", "0.0.0.0", 2), "", ""},
		{"rejecting", heading + line4("*", "0.0.0.0", "0.0.0.0", "0.0.0.0", 0x201), strings.ReplaceAll(default6("lo", "fe80::1"), "00450003", "00200201"), ""},
		{"no IPv6", heading + default4("br0", "192.0.2.1"), "-", "br0 192.0.2.1"},
		{"no IPv6, no route", heading, "-", ""},
		{"no IPv4", "-", default6("br0", "2001:db8::1"), "br0 2001:db8::1"},
		{"no IPv4, no route", "-", net6 + null6, ""},
		{"neither", "-", "-", "error: no such file"},
		{"a bad line and a good one", heading + "br0\n" + default4("br0", "192.0.2.1"), "what\n", "br0 192.0.2.1"},
		{"only a bad line", heading + "br0\t00000000\n", null6, "error: malformed"},
		{"no number", heading + strings.Replace(default4("br0", "192.0.2.1"), "0003", "000X", 1), null6, "error: malformed"},
		{"number too long", heading + strings.Replace(default4("br0", "192.0.2.1"), "0003", "100000003", 1), null6, "error: malformed"},
		{"bad IPv6 line", heading, "00 00 00\n", "error: malformed"},
		{"short IPv6 address", heading, strings.Replace(default6("br0", "fe80::1"), zero6, "0000", 1), "error: malformed"},
		{"short IPv6 gateway", heading, strings.Replace(default6("br0", "fe80::1"), "fe800000", "fe80", 1), "error: malformed"},
		{"no number in IPv6", heading, strings.Replace(default6("br0", "fe80::1"), "00450003", "0045000g", 1), "error: malformed"},
		{"an endless line", heading + strings.Repeat("x", 100_000) + "\n" + default4("br0", "192.0.2.1"), "", "br0 192.0.2.1"},
		{"a path for a name", heading + default4("../../x", "192.0.2.1"), "", "error: malformed"},
		{"a path within a name", heading + default4("x/../../y", "192.0.2.1"), "", "error: malformed"},
		{"an alias", heading + default4("br0:1", "192.0.2.1"), "", "error: malformed"},
		{"a colour for a name", heading + default4("br\x1b[0m", "192.0.2.1"), default6("..", "fe80::1"), "error: malformed"},
		{"a long name", heading + default4("abcdefghijklmnop", "192.0.2.1"), "", "error: malformed"},
		{"too long a table", heading + strings.Repeat(many, 40), "", "error: malformed"},
	} {
		n := &Network{Proc: proc(t, c.v4, c.v6)}
		routes, err := n.routes()
		var got []string
		for _, r := range routes {
			got = append(got, r.Interface+" "+r.Gateway.String())
		}
		text := strings.Join(got, ", ")
		if err != nil {
			text += "error: " + err.Error()
		}
		if want, bad := strings.CutPrefix(c.expected, "error: "); text != c.expected && (!bad || !strings.Contains(text, want) || len(routes) > 0) {
			t.Errorf("%s: %q, expected %q", c.name, text, c.expected)
		}
	}
}

func TestRoutesThatCannotBeRead(t *testing.T) {
	dir := proc(t, "-", null6)
	if err := os.Mkdir(filepath.Join(dir, "net", "route"), 0o755); err != nil {
		t.Fatal(err)
	}
	if routes, err := (&Network{Proc: dir}).routes(); err == nil || len(routes) > 0 {
		t.Errorf("%v, %v", routes, err)
	}
	write(t, filepath.Join(dir, "net", "ipv6_route"), default6("br0", "fe80::1"))
	if routes, err := (&Network{Proc: dir}).routes(); err != nil || len(routes) != 1 {
		t.Errorf("%v, %v", routes, err)
	}
}

func TestLinks(t *testing.T) {
	dir := proc(t, heading+default4("br0", "192.0.2.1")+default4("br1", "192.0.2.2")+line4("wg0", "0.0.0.0", "0.0.0.0", "0.0.0.0", 1), default6("br0", "fe80::1"))
	sys := t.TempDir()
	write(t, filepath.Join(sys, "class", "net", "br0", "carrier"), "1\n")
	write(t, filepath.Join(sys, "class", "net", "br1", "carrier"), "0\n")
	n := &Network{Proc: dir, Sys: sys}
	got, err := n.Links()
	expected := []Link{
		{"br0", netip.MustParseAddr("192.0.2.1"), "up"}, {"br1", netip.MustParseAddr("192.0.2.2"), "down"}, {"wg0", netip.Addr{}, "unknown"},
		{"br0", netip.MustParseAddr("fe80::1%br0"), "up"},
	}
	if err != nil || !reflect.DeepEqual(got, expected) {
		t.Errorf("%v, %v", got, err)
	}
	n.Proc = t.TempDir()
	if got, err := n.Links(); err == nil || got != nil {
		t.Errorf("%v, %v", got, err)
	}
	n.Proc = proc(t, heading, null6)
	if got, err := n.Links(); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

// The files of the machine that runs the test can be read, whatever is in them.
func TestLinksOfThisMachine(t *testing.T) {
	links, err := (&Network{Proc: "/proc", Sys: "/sys"}).Links()
	if err != nil {
		t.Error(err)
	}
	for _, l := range links {
		if _, err := os.Stat("/sys/class/net/" + l.Interface); err != nil {
			t.Errorf("%v: %v", l, err)
		}
	}
}

func TestCarrier(t *testing.T) {
	for _, c := range []struct {
		text     string
		err      error
		expected string
	}{
		{"1\n", nil, "up"}, {"0\n", nil, "down"}, {"", nil, "unknown"}, {"2", nil, "unknown"}, {"11", nil, "unknown"},
		{"", &os.PathError{Op: "read", Path: "carrier", Err: syscall.EINVAL}, "down"},
		{"", &os.PathError{Op: "open", Path: "carrier", Err: syscall.ENOENT}, "unknown"},
		{"1", &os.PathError{Op: "read", Path: "carrier", Err: syscall.EIO}, "unknown"},
		{"0", &os.PathError{Op: "read", Path: "carrier", Err: syscall.EIO}, "unknown"},
	} {
		if got := carrier(c.text, c.err); got != c.expected {
			t.Errorf("%q, %v: %s", c.text, c.err, got)
		}
	}
}
