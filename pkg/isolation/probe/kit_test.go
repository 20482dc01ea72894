package probe

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	// ample is a timeout that a busy machine keeps.
	ample = 10 * time.Second
	// brief is a timeout for targets that stay silent.
	brief = 300 * time.Millisecond
	// slack is how much later than its timeout a probe may end on a busy machine; the
	// resolver of Go alone would wait for 10 s.
	slack = 3 * time.Second
)

// noLeak fails a test after which goroutines are left. It has to come before anything
// that cleans up.
func noLeak(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for end := time.Now().Add(slack); runtime.NumGoroutine() > before; runtime.Gosched() {
			if time.Now().After(end) {
				stacks := make([]byte, 1<<20)
				t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
				return
			}
		}
	})
}

// expect fails a test with another result, or one without detail, or late.
func expect(t *testing.T, got Result, reach Reach, detail string) {
	t.Helper()
	if got.Reach != reach || !strings.Contains(got.Detail, detail) || got.Detail == "" {
		t.Errorf("%s is %v: %s\nexpected %v: %s", got.Target, got.Reach, got.Detail, reach, detail)
	}
}

// bounded fails a test when a probe took much longer than its timeout.
func bounded(t *testing.T, got Result, timeout time.Duration) {
	t.Helper()
	if got.Took <= 0 || got.Took > timeout+slack {
		t.Errorf("%s took %v with a timeout of %v", got.Target, got.Took, timeout)
	}
}

// listen starts a TCP server that accepts and says nothing, and returns its address and how
// many connections have been accepted and closed by the other side.
func listen(t *testing.T, address string) (string, *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	closed := new(atomic.Int32)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetReadDeadline(time.Now().Add(ample))
			if _, err := c.Read(make([]byte, 1)); err != nil && !os.IsTimeout(err) {
				closed.Add(1)
			}
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String(), closed
}

// closedPort is an address on the loopback interface where nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// serveUDP answers each datagram with what reply returns, unless that is nil, and counts
// them.
func serveUDP(t *testing.T, reply func(number int, datagram []byte) []byte) (string, *atomic.Int32) {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	count := new(atomic.Int32)
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 2048)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if answer := reply(int(count.Add(1)), b[:n]); answer != nil {
				_, _ = c.WriteTo(answer, from)
			}
		}
	}()
	t.Cleanup(func() { _ = c.Close(); <-done })
	return c.LocalAddr().String(), count
}

// nameserver starts a DNS server that knows one IPv4 address for every name, or stays silent
// when that is not valid, and returns a Names that asks it.
func nameserver(t *testing.T, known map[string][]string, address netip.Addr) *Names {
	t.Helper()
	server, _ := serveUDP(t, func(_ int, query []byte) []byte {
		if !address.IsValid() || len(query) < dnsHeader {
			return nil
		}
		return answerA(query, address)
	})
	n := NewNames(known)
	n.resolver.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialNameserver(ctx, "udp", server)
	}
	return n
}

// answerA answers a query: with an address if it asks for type A, else with nothing.
func answerA(query []byte, address netip.Addr) []byte {
	end := dnsHeader
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5
	m := append([]byte(nil), query[:end]...)
	m[2] |= 0x80
	clear(m[6:dnsHeader])
	if binary.BigEndian.Uint16(m[end-4:]) != 1 {
		return m
	}
	m[7] = 1
	m = append(m, 0xc0, dnsHeader, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4)
	return append(m, address.AsSlice()...)
}

// noNames is a Names without a resolver.
func noNames(known map[string][]string) *Names { return noResolver(NewNames(known)) }

// noResolver takes the resolver away.
func noResolver(n *Names) *Names {
	n.resolver.Dial = func(context.Context, string, string) (net.Conn, error) {
		return nil, failure("dial", "connect", syscall.ENETUNREACH)
	}
	return n
}

// nobody is a host without addresses, whatever the machine has that runs the test.
func nobody() identity { return identity{} }

// failure is an error as package net returns it.
func failure(op, call string, errno syscall.Errno) error {
	return &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError(call, errno)}
}

// dialer is a network in memory: by address nil for a server that accepts, or the error; all
// others stay silent.
func dialer(answers map[string]error) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		err, known := answers[address]
		if !known {
			<-ctx.Done()
			return nil, &net.OpError{Op: "dial", Net: network, Err: ctx.Err()}
		}
		if err != nil {
			return nil, err
		}
		c, other := net.Pipe()
		_ = other.Close()
		return c, nil
	}
}
