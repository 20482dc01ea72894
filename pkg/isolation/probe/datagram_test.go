package probe

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// dnsAnswer is an answer to a query with a code and a change of its ID.
func dnsAnswer(query []byte, code byte, change uint16) []byte {
	m := append([]byte(nil), query...)
	binary.BigEndian.PutUint16(m, binary.BigEndian.Uint16(m)+change)
	m[2] |= 0x80
	m[3] |= code
	return m
}

func TestDNS(t *testing.T) {
	noLeak(t)
	n := &Network{Timeout: ample}
	for code := range byte(6) {
		server, count := serveUDP(t, func(_ int, query []byte) []byte { return dnsAnswer(query, code, 0) })
		expect(t, n.DNS(t.Context(), "x", server), Reachable, server+" answers DNS")
		if count.Load() != 1 {
			t.Errorf("%d queries for one answer", count.Load())
		}
	}
	closed := n.DNS(t.Context(), "x", closedPort(t))
	expect(t, closed, Refused, "connection refused")
	bounded(t, closed, 0)
}

func TestDNSThatLies(t *testing.T) {
	noLeak(t)
	const timeout = 10 * brief // the last query has a third of it, also on a busy machine
	var all sync.WaitGroup
	defer all.Wait()
	for name, reply := range map[string]func(int, []byte) []byte{
		"silent":   func(int, []byte) []byte { return nil },
		"wrong ID": func(_ int, query []byte) []byte { return dnsAnswer(query, 0, 1) },
		"query":    func(_ int, query []byte) []byte { return query },
		"short":    func(_ int, query []byte) []byte { return dnsAnswer(query, 0, 0)[:11] },
		"empty":    func(int, []byte) []byte { return []byte{} },
	} {
		server, count := serveUDP(t, reply)
		all.Go(func() {
			n := &Network{Timeout: timeout}
			got := n.DNS(t.Context(), name, server)
			expect(t, got, Unreachable, server+": "+silent)
			bounded(t, got, timeout)
			if got.Took < timeout*9/10 || count.Load() != attempts {
				t.Errorf("%s: %d queries in %v", name, count.Load(), got.Took)
			}
		})
	}
}

func TestDNSAnswersLate(t *testing.T) {
	noLeak(t)
	var first []byte
	server, _ := serveUDP(t, func(number int, query []byte) []byte {
		switch number {
		case 1:
			first = append(first, query...)
			return nil
		case 2:
			return dnsAnswer(query, 0, 77) // of somebody else
		}
		return dnsAnswer(first, 0, 0)
	})
	n := &Network{Timeout: 3 * time.Second} // the last query has a third of it
	expect(t, n.DNS(t.Context(), "x", server), Reachable, server)
}

func TestAddresses(t *testing.T) {
	for address, expected := range map[string]string{
		"192.0.2.1": "", "192.0.2.1:5353": "192.0.2.1 5353", "::1": "", "[::1]": "", "[::1]:5353": "::1 5353",
		"ns.test": "", "ns.test:54": "ns.test 54", "fe80::1%lo": "", "[fe80::1%lo]:53": "fe80::1%lo 53", "ns.test:x": "", "a:b:c": "", "": "",
	} {
		host, port, err := splitAddress(address)
		if got := fmt.Sprint(host, " ", port); err == nil && got != expected || (err != nil) != (expected == "") {
			t.Errorf("%q is %q, %v", address, got, err)
		}
	}
	n := &Network{Timeout: brief}
	expect(t, n.DNS(t.Context(), "x", ":53"), Unknown, "neither an IP address nor the name")
	expect(t, n.DNS(t.Context(), "x", "1.1.1.1:0"), Unknown, "from 1 to 65535")
}

func TestStoppedWhileWaiting(t *testing.T) {
	noLeak(t)
	ctx, cancel := context.WithCancel(t.Context())
	server, _ := serveUDP(t, func(int, []byte) []byte { cancel(); return nil })
	n := &Network{Timeout: time.Hour}
	got := n.DNS(ctx, "x", server)
	expect(t, got, Unknown, stopped)
	bounded(t, got, 0)
}

func TestICMP(t *testing.T) {
	noLeak(t)
	for _, host := range []string{"127.0.0.1", "127.0.0.2", "::1"} {
		a := netip.MustParseAddr(host)
		if a.Is6() && !hasIPv6() {
			continue
		}
		n := &Network{Timeout: ample}
		got := n.ICMP(t.Context(), host, host)
		if c, err := net.Dial("ip4:1", "127.0.0.1"); err == nil {
			_ = c.Close()
			expect(t, got, Reachable, host+" answers ICMP")
		} else {
			expect(t, got, Unknown, "socket: ")
		}
	}
	n := &Network{Timeout: ample, Names: noNames(nil)}
	expect(t, n.ICMP(t.Context(), "x", "unheard.test"), Unknown, "find the address")
	expect(t, n.ICMP(t.Context(), "x", "0.0.0.0"), Unknown, "not the address of one machine")
}

// hasIPv6 reports whether the loopback interface has an IPv6 address.
func hasIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err == nil {
		_ = l.Close()
	}
	return err == nil
}

func TestEcho(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		e, other := newEcho(v6), newEcho(v6)
		if e.token == other.token {
			t.Error("two series with the same token")
		}
		ours, echoes := byte(echoRequest4), byte(echoReply4)
		if v6 {
			ours, echoes = echoRequest6, echoReply6
		}
		var replies [][]byte
		for i := range attempts {
			m := e.request(i)
			if len(m) != 24 || m[0] != ours || m[1] != 0 || !v6 && checksum(m) != 0 || e.isReply(m) {
				t.Errorf("request %d is %x", i, m)
			}
			m[0] = echoes
			replies = append(replies, m)
		}
		for i, m := range replies {
			if !e.isReply(m) || other.isReply(m) {
				t.Errorf("reply %d of %x", i, m)
			}
			for _, position := range []int{0, 1, 4, 5, 6, 7, 8, 23} {
				bad := append([]byte(nil), m...)
				bad[position] ^= 0x80
				if e.isReply(bad) {
					t.Errorf("%x is taken for %x", bad, m)
				}
			}
			if e.isReply(m[:23]) || e.isReply(append(m[:24:24], 0)) {
				t.Error("a reply of another length is taken")
			}
		}
		// A number that was not sent.
		fresh := *e
		fresh.sent = 2
		if fresh.isReply(replies[2]) || !fresh.isReply(replies[1]) {
			t.Error("a reply to a request that was not sent")
		}
	}
	if got := checksum([]byte{8, 0, 0, 0, 0x12, 0x34, 0, 1}); got != ^uint16(0x1a35) {
		t.Errorf("checksum %x", got)
	}
}

// broken is a socket that only has errors.
type broken struct {
	*net.UDPConn
	write, read error
	reads       int
}

func (b *broken) Write(p []byte) (int, error) { return len(p), b.write }

func (b *broken) ReadFrom([]byte) (int, net.Addr, error) {
	b.reads++
	return 0, nil, b.read
}

func TestSocketWithErrors(t *testing.T) {
	noLeak(t)
	perm, down := failure("write", "sendto", syscall.EPERM), failure("read", "recvfrom", syscall.ENETDOWN)
	for _, c := range []struct {
		name        string
		write, read error
		expected    error
		reads       int
	}{
		{"cannot be read", nil, down, down, attempts * maxErrors},
		{"filtered", perm, os.ErrDeadlineExceeded, perm, attempts},
		{"filtered, then down", perm, down, down, attempts * maxErrors},
		{"no memory to send", failure("write", "sendto", syscall.ENOBUFS), nil, failure("write", "sendto", syscall.ENOBUFS), 0},
		{"refused", nil, failure("read", "recvfrom", syscall.ECONNREFUSED), failure("read", "recvfrom", syscall.ECONNREFUSED), 1},
		{"silent", nil, os.ErrDeadlineExceeded, os.ErrDeadlineExceeded, attempts},
	} {
		conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		s := &broken{UDPConn: conn, write: c.write, read: c.read}
		ctx, cancel := context.WithTimeout(t.Context(), ample)
		err = exchange(ctx, s, func(int) []byte { return nil }, func([]byte) bool { return false })
		cancel()
		if err == nil || err.Error() != c.expected.Error() || s.reads != c.reads {
			t.Errorf("%s: %v after %d reads", c.name, err, s.reads)
		}
		if err := conn.Close(); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("%s: the socket was left open", c.name)
		}
	}
}
