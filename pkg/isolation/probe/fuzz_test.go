package probe

import (
	"strings"
	"testing"
	"unicode"

	"one-ft/pkg/text"
)

// FuzzRoutes: whatever is in a table, what comes out can be used in paths and shown.
func FuzzRoutes(f *testing.F) {
	f.Add([]byte(heading + default4("br0", "192.0.2.1") + line4("wg0", "0.0.0.0", "0.0.0.0", "0.0.0.0", 1)))
	f.Add([]byte(net6 + default6("br0", "fe80::1") + default6("br0", "2001:db8::1") + null6))
	f.Add([]byte("br0 0 0 1 0 0 0 0\n"))
	f.Fuzz(func(t *testing.T, table []byte) {
		lines := strings.Count(string(table), "\n") + 1
		for _, parse := range []func([]string) (*Link, error){parseRoute4, parseRoute6} {
			found, _ := parseRoutes(table, parse)
			if len(found) > lines {
				t.Errorf("%d routes in %d lines", len(found), lines)
			}
			for _, r := range found {
				if r.Interface == "" || len(r.Interface) > 15 || r.Interface[0] == '.' || strings.ContainsAny(r.Interface, "/: \n") || text.Printable(r.Interface) != r.Interface {
					t.Errorf("interface %q", r.Interface)
				}
				if r.Gateway.IsValid() && (!usable(r.Gateway) || r.Gateway.Zone() != "" && r.Gateway.Zone() != r.Interface) {
					t.Errorf("gateway %v", r.Gateway)
				}
			}
		}
	})
}

// FuzzAnswers: only what begins like an answer to our own query counts.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte{0x12, 0x34, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0}, uint16(0x1234))
	f.Add(rootQuery(7), uint16(7))
	f.Add(newEcho(false).request(1), uint16(0))
	f.Fuzz(func(t *testing.T, m []byte, id uint16) {
		good := len(m) >= 12 && m[0] == byte(id>>8) && m[1] == byte(id) && m[2] >= 0x80
		if isAnswer(m, id) != good {
			t.Errorf("%x with ID %x", m, id)
		}
		for _, v6 := range []bool{false, true} {
			e := newEcho(v6)
			e.request(2)
			if e.isReply(m) {
				t.Errorf("%x has a token that nobody knows", m)
			}
		}
	})
}

// FuzzAddress: a host that is taken can be looked up, and the rest is refused in words fit
// for a log.
func FuzzAddress(f *testing.F) {
	for _, address := range []string{"192.0.2.1:22", "[fe80::1%lo]:53", "::1", "ns.test", "[x]", "a\x1b:1", ":"} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		host, port, err := splitAddress(address)
		if err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q", err)
		}
		if err == nil && (port == 0 || !strings.Contains(address, host)) {
			t.Errorf("%q became %q and %d", address, host, port)
		}
		if isName(host) && (len(host) > maxName || text.Printable(host) != host) {
			t.Errorf("name %q", host)
		}
	})
}
