package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestClassify(t *testing.T) {
	timeout := &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
	for _, c := range []struct {
		err    error
		reach  Reach
		detail string
	}{
		{nil, Reachable, "it answers"},
		// The way to the target.
		{timeout, Unreachable, silent},
		{context.DeadlineExceeded, Unreachable, silent},
		{fmt.Errorf("read: %w", os.ErrDeadlineExceeded), Unreachable, silent},
		{failure("dial", "connect", syscall.ETIMEDOUT), Unreachable, "timed out"},
		{failure("dial", "connect", syscall.EHOSTUNREACH), Unreachable, "no route to host"},
		{failure("dial", "connect", syscall.ENETUNREACH), Unreachable, "network is unreachable"},
		{failure("write", "sendto", syscall.ENETDOWN), Unreachable, "network is down"},
		{failure("read", "recvfrom", syscall.EHOSTDOWN), Unreachable, "host is down"},
		{failure("read", "recvfrom", syscall.ENONET), Unreachable, "recvfrom"},
		{failure("dial", "connect", syscall.EADDRNOTAVAIL), Unreachable, "cannot assign"},
		{failure("dial", "bind", syscall.EADDRNOTAVAIL), Unreachable, "cannot assign"},
		{syscall.EHOSTUNREACH, Unreachable, "no route to host"},
		{failure("write", "write", syscall.EPERM), Unreachable, "write: operation not permitted"},
		{failure("write", "sendto", syscall.EPERM), Unreachable, "sendto"},
		{failure("dial", "connect", syscall.EPERM), Unreachable, "connect"},
		{failure("dial", "connect", syscall.EACCES), Unreachable, "permission denied"},
		{failure("dial", "connect", syscall.EINVAL), Unreachable, "invalid argument"},
		// The machine itself answers.
		{failure("dial", "connect", syscall.ECONNREFUSED), Refused, "connection refused"},
		{failure("dial", "connect", syscall.ECONNRESET), Refused, "connection reset"},
		{failure("read", "recvfrom", syscall.ECONNREFUSED), Refused, "connection refused"},
		{failure("read", "recvfrom", syscall.ENOPROTOOPT), Refused, "protocol"},
		// Trouble on this host.
		{failure("dial", "socket", syscall.EPERM), Unknown, "socket: operation not permitted"},
		{failure("dial", "socket", syscall.EACCES), Unknown, "socket: permission denied"},
		{failure("dial", "setsockopt", syscall.ENOPROTOOPT), Unknown, "setsockopt"},
		{failure("dial", "bind", syscall.EINVAL), Unknown, "bind"},
		{syscall.EPERM, Unknown, "operation not permitted"},
		{failure("dial", "socket", syscall.EMFILE), Unknown, "too many open files"},
		{failure("dial", "socket", syscall.ENFILE), Unknown, "too many open files in system"},
		{failure("write", "sendto", syscall.ENOBUFS), Unknown, "no buffer space"},
		{failure("write", "sendto", syscall.ENOMEM), Unknown, "cannot allocate memory"},
		{failure("dial", "socket", syscall.EAFNOSUPPORT), Unknown, "address family"},
		{failure("dial", "connect", syscall.EAGAIN), Unknown, "temporarily"},
		{net.ErrClosed, Unknown, "closed"},
		{errors.New("something"), Unknown, "something"},
		// Names.
		{&net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}, Unknown, "no such host"},
		{&net.DNSError{Err: "i/o timeout", Name: "x", IsTimeout: true}, Unknown, "i/o timeout"},
		{&net.OpError{Op: "dial", Err: &net.DNSError{UnwrapErr: failure("dial", "connect", syscall.EHOSTUNREACH)}}, Unknown, "lookup"},
		{&net.AddrError{Err: "missing port", Addr: "x"}, Unknown, "missing port"},
		{&net.OpError{Op: "dial", Err: net.InvalidAddrError("bad")}, Unknown, "bad"},
		// Stopped from outside.
		{context.Canceled, Unknown, stopped},
		{&net.OpError{Op: "dial", Err: context.Canceled}, Unknown, stopped},
	} {
		reach, detail := classify(c.err)
		if reach != c.reach || !strings.Contains(detail, c.detail) {
			t.Errorf("%v: %v, %q; expected %v, %q", c.err, reach, detail, c.reach, c.detail)
		}
	}
}

func TestReachString(t *testing.T) {
	for reach, text := range map[Reach]string{Unknown: "unknown", Unreachable: "unreachable", Refused: "refused", Reachable: "reachable", 9: "unknown"} {
		if reach.String() != text {
			t.Errorf("%d is %s", reach, reach)
		}
	}
	if (Result{}).Reach != Unknown {
		t.Error("a result that nobody has set is not unknown")
	}
}

func TestBest(t *testing.T) {
	o := func(reach Reach, detail string) Result { return Result{Reach: reach, Detail: detail} }
	absent := failed("[::1]", failure("dial", "socket", syscall.EAFNOSUPPORT))
	for _, c := range []struct {
		all    []Result
		reach  Reach
		detail string
	}{
		{nil, Unknown, "there was nothing to try"},
		{[]Result{o(Unreachable, "a"), o(Refused, "b"), o(Unknown, "c")}, Refused, "b"},
		{[]Result{o(Refused, "a"), o(Reachable, "b"), o(Refused, "c")}, Reachable, "b"},
		{[]Result{o(Unreachable, "a"), o(Unknown, "b"), o(Unreachable, "a")}, Unknown, "a; b"},
		{[]Result{absent, o(Unreachable, "a")}, Unreachable, absent.Detail + "; a"},
		{[]Result{absent}, Unknown, absent.Detail},
	} {
		if got := best(c.all); got.Reach != c.reach || got.Detail != c.detail {
			t.Errorf("%v: %v", c.all, got)
		}
	}
}
