package probe

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"net/netip"
	"os"
	"time"
)

const (
	attempts = 3 // requests that are sent over a protocol that may lose them
	// maxErrors is how many errors are read from a socket for one request, so that one that has nothing but errors
	// does not keep a processor busy.
	maxErrors = 8
	// maxDatagram holds an answer: all that count are shorter, and the rest of a longer one is of no interest.
	maxDatagram = 2048
	dnsHeader   = 12 // bytes of the header of a DNS message (RFC 1035, 4.1.1)

	// Types of ICMP messages (RFC 792, RFC 4443).
	echoRequest4 = 8
	echoReply4   = 0
	echoRequest6 = 128
	echoReply6   = 129
	echoHeader   = 8
	// tokenLength is long enough that nobody guesses it.
	tokenLength = 16
)

// DNS finds out whether a DNS server answers at address (host:port). It sends one query over UDP, up to three times;
// every DNS answer to it counts, also an error code.
func (n *Network) DNS(ctx context.Context, target, address string) Result {
	return n.run(ctx, target, func(ctx context.Context) Result { return n.at(ctx, address, query) })
}

// ICMP finds out whether a host (an address or a name) answers an ICMP echo request. Up to three are sent. It needs
// root or the capability CAP_NET_RAW; otherwise it is Unknown.
func (n *Network) ICMP(ctx context.Context, target, host string) Result {
	return n.run(ctx, target, func(ctx context.Context) Result { return n.each(ctx, host, n.icmp) })
}

func query(ctx context.Context, server netip.AddrPort) Result {
	id := uint16(mathrand.Uint32())
	s, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server))
	if err == nil {
		err = exchange(ctx, s, func(int) []byte { return rootQuery(id) }, func(m []byte) bool { return isAnswer(m, id) })
	}
	if err != nil {
		return failed(fmt.Sprintf("DNS at %v", server), err)
	}
	return reachable("%v answers DNS", server)
}

// rootQuery asks for the nameservers of the root (". IN NS"). It does not ask for recursion, so that the server
// answers alone and does not wait for others, which may be behind the cut.
func rootQuery(id uint16) []byte {
	m := make([]byte, dnsHeader, dnsHeader+5)
	binary.BigEndian.PutUint16(m, id)
	binary.BigEndian.PutUint16(m[4:], 1) // one question
	return append(m, 0, 0, 2, 0, 1)      // the root, type NS, class IN
}

// isAnswer reports whether a datagram is a DNS answer with this ID. What it says does not matter.
func isAnswer(m []byte, id uint16) bool {
	const response = 0x80 // bit QR
	return len(m) >= dnsHeader && binary.BigEndian.Uint16(m) == id && m[2]&response != 0
}

// icmp sends echo requests to one address, over a raw socket.
func (n *Network) icmp(ctx context.Context, host netip.Addr) Result {
	if n.ping != nil {
		return n.ping(ctx, host)
	}
	network := "ip4:1"
	if host.Is6() {
		network = "ip6:58"
	}
	e, begin := newEcho(host.Is6()), time.Now()
	s, err := net.DialIP(network, nil, &net.IPAddr{IP: host.AsSlice(), Zone: host.Zone()})
	if err == nil {
		err = exchange(ctx, s, e.request, e.isReply)
	}
	if err != nil {
		return failed(fmt.Sprintf("ICMP to %v", host), err)
	}
	return reachable("%v answers ICMP after %v", host, time.Since(begin).Round(time.Microsecond))
}

// echo is one series of ICMP echo requests to one machine.
type echo struct {
	ask, reply byte   // types of messages
	id         uint16 // of this series
	token      [tokenLength]byte
	sent       uint16 // how many requests were sent
}

// newEcho makes a series with an ID and a token of its own.
func newEcho(v6 bool) *echo {
	e := &echo{ask: echoRequest4, reply: echoReply4, id: uint16(mathrand.Uint32())}
	if v6 {
		e.ask, e.reply = echoRequest6, echoReply6
	}
	_, _ = rand.Read(e.token[:]) // never fails (crypto/rand)
	return e
}

// request is the request with a number from 0. For IPv6 the kernel puts its own checksum in.
func (e *echo) request(number int) []byte {
	e.sent = uint16(number) + 1
	m := make([]byte, echoHeader+tokenLength)
	m[0] = e.ask
	binary.BigEndian.PutUint16(m[4:], e.id)
	binary.BigEndian.PutUint16(m[6:], uint16(number))
	copy(m[echoHeader:], e.token[:])
	binary.BigEndian.PutUint16(m[2:], checksum(m))
	return m
}

// isReply reports whether a message answers a request of this series.
func (e *echo) isReply(m []byte) bool {
	return len(m) == echoHeader+tokenLength && m[0] == e.reply && m[1] == 0 &&
		binary.BigEndian.Uint16(m[4:]) == e.id && binary.BigEndian.Uint16(m[6:]) < e.sent && bytes.Equal(m[echoHeader:], e.token[:])
}

// checksum is that of RFC 1071 over a message of even length.
func checksum(m []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(m); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(m[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// socket is a datagram socket that is connected to one machine: the kernel passes on nothing of others, and the ICMP
// errors about this one.
type socket interface {
	net.Conn
	net.PacketConn
}

// exchange sends up to three requests, evenly spread over the time that ctx has left (it must have a deadline), until
// a datagram comes that accept takes: nil then. It leaves the socket closed.
func exchange(ctx context.Context, s socket, request func(number int) []byte, accept func([]byte) bool) error {
	defer s.Close()
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	end, _ := ctx.Deadline()
	failure := error(os.ErrDeadlineExceeded)
	for i := range attempts {
		_ = s.SetDeadline(time.Now().Add(time.Until(end) / time.Duration(attempts-i)))
		err := attempt(s, request(i), accept)
		switch {
		case err == nil:
			return nil
		case errors.Is(ctx.Err(), context.Canceled):
			return ctx.Err()
		case ctx.Err() != nil:
			return failure
		case !unreachable(err):
			return err
		case !errors.Is(err, os.ErrDeadlineExceeded):
			failure = err
		}
	}
	return failure
}

// attempt sends one request and reads until an answer comes or the time for it is over. When it cannot be sent, there
// may still be an answer to an earlier one.
func attempt(s socket, request []byte, accept func([]byte) bool) error {
	failure := error(os.ErrDeadlineExceeded)
	if _, err := s.Write(request); err != nil {
		if !unreachable(err) {
			return err
		}
		failure = err
	}
	datagram := make([]byte, maxDatagram)
	for failures := 0; failures < maxErrors; {
		n, _, err := s.ReadFrom(datagram)
		switch {
		case err == nil && accept(datagram[:n]):
			return nil
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			return failure
		case !unreachable(err):
			return err
		default:
			failure = err
			failures++
		}
	}
	return failure
}

// unreachable reports whether an error means that another request may do better.
func unreachable(err error) bool {
	reach, _ := classify(err)
	return reach == Unreachable
}
