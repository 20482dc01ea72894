package probe

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
)

const (
	// dnsPort is used when an address has none.
	dnsPort = 53
	// dnsHeader is the length of the header of a DNS message (RFC 1035, 4.1.1).
	dnsHeader = 12
)

// DNS finds out whether a DNS server answers at address (host:port, port 53 when there is
// none). It sends one query over UDP, up to three times; every DNS answer to it
// counts, also an error code.
func (n *Network) DNS(ctx context.Context, target, address string) Result {
	return n.run(ctx, target, func(ctx context.Context) outcome {
		host, port, err := splitAddress(address, dnsPort)
		if err != nil {
			return unknown("%v", err)
		}
		return n.each(ctx, host, func(ctx context.Context, a netip.Addr) outcome {
			return query(ctx, netip.AddrPortFrom(a, port))
		})
	})
}

// query asks one server.
func query(ctx context.Context, server netip.AddrPort) outcome {
	s, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server))
	if err != nil {
		return failed(fmt.Sprintf("DNS at %v", server), err)
	}
	var random [2]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	id := binary.BigEndian.Uint16(random[:])
	err = exchange(ctx, s, func(int) []byte { return rootQuery(id) }, func(datagram []byte, _ net.Addr) bool {
		return isAnswer(datagram, id)
	})
	if err != nil {
		return failed(fmt.Sprintf("DNS at %v", server), err)
	}
	return outcome{reach: Reachable, detail: fmt.Sprintf("%v answers DNS", server)}
}

// rootQuery asks for the nameservers of the root (". IN NS"). It does not ask for
// recursion, so that the server answers by itself and does not wait for others, which may
// be behind the cut.
func rootQuery(id uint16) []byte {
	m := make([]byte, dnsHeader, dnsHeader+5)
	binary.BigEndian.PutUint16(m, id)
	binary.BigEndian.PutUint16(m[4:], 1) // one question
	return append(m, 0, 0, 2, 0, 1)      // the root, type NS, class IN
}

// isAnswer reports whether a datagram is a DNS answer with this ID. What it says does not
// matter.
func isAnswer(m []byte, id uint16) bool {
	const response = 0x80 // bit QR
	return len(m) >= dnsHeader && binary.BigEndian.Uint16(m) == id && m[2]&response != 0
}
