package probe

import (
	"context"
	"errors"
	"net"
	"os"
	"time"
)

const (
	// attempts is how many requests are sent over a protocol that may lose them.
	attempts = 3
	// maxErrors is how many errors are read from a socket for one request, so that one
	// that has nothing but errors does not keep a processor busy.
	maxErrors = 8
	// maxDatagram holds an answer: all that count are shorter, and the rest of a longer
	// one is of no interest.
	maxDatagram = 2048
)

// socket is a datagram socket that is connected to one machine: the kernel passes on
// nothing of others, and the ICMP errors about this one.
type socket interface {
	net.Conn
	net.PacketConn
}

// exchange sends up to three requests, evenly spread over the time that ctx has left (it must
// have a deadline), until a datagram comes that accept takes: nil then. It leaves the
// socket closed.
func exchange(ctx context.Context, s socket, request func(number int) []byte, accept func([]byte, net.Addr) bool) error {
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

// attempt sends one request and reads until an answer comes or the time for it is over.
// When it cannot be sent, there may still be an answer to an earlier one.
func attempt(s socket, request []byte, accept func([]byte, net.Addr) bool) error {
	failure := error(os.ErrDeadlineExceeded)
	if _, err := s.Write(request); err != nil {
		if !unreachable(err) {
			return err
		}
		failure = err
	}
	datagram := make([]byte, maxDatagram)
	for failures := 0; failures < maxErrors; {
		n, from, err := s.ReadFrom(datagram)
		switch {
		case err == nil && accept(datagram[:n], from):
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
