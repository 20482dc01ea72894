package probe

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
)

// The details that are not the text of an error.
const (
	silent  = "no answer in time"
	stopped = "the probe was stopped from outside before it had an answer"
)

// classify tells what the error of a probe means, and why in words fit for a log.
func classify(err error) (Reach, string) {
	var (
		errno  syscall.Errno
		lookup *net.DNSError
		wait   net.Error
	)
	switch {
	case err == nil:
		return Reachable, "it answers"
	case errors.As(err, &lookup):
		// Also when the resolver was silent: that is the resolver, not the target.
		return Unknown, err.Error()
	case errors.Is(err, context.Canceled):
		return Unknown, stopped
	case errors.As(err, &errno):
		return classifyErrno(errno, sent(err)), words(err, errno)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &wait) && wait.Timeout():
		return Unreachable, silent
	}
	return Unknown, err.Error()
}

// classifyErrno classifies an error of the kernel; sent is whether the socket existed
// already, so that the error is about the way to the target.
func classifyErrno(errno syscall.Errno, sent bool) Reach {
	switch errno {
	case syscall.ECONNREFUSED, syscall.ECONNRESET:
		return Refused
	case syscall.ETIMEDOUT, syscall.EADDRNOTAVAIL, // no source address that could reach it
		syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN,
		syscall.ENONET: // ICMP: host isolated (icmp_err_convert in net/ipv4/icmp.c)
		return Unreachable
	}
	if !sent {
		return Unknown
	}
	switch errno {
	case syscall.EPERM, // a packet filter of this host drops it
		syscall.EACCES, // a route that prohibits it, or ICMPv6: prohibited by the administrator
		syscall.EINVAL: // a blackhole route; addresses that are wrong never come as far
		return Unreachable
	case syscall.ENOPROTOOPT: // ICMP: protocol unreachable, which the machine itself says
		return Refused
	}
	return Unknown
}

// sent reports whether an error comes from reaching for the target, not from making the
// socket.
func sent(err error) bool {
	var call *os.SyscallError
	if !errors.As(err, &call) {
		return false
	}
	switch call.Syscall {
	case "connect", "write", "send", "sendto", "sendmsg", "read", "recv", "recvfrom", "recvmsg":
		return true
	}
	return false
}

// words is the text of an error of the kernel, with the call where that matters.
func words(err error, errno syscall.Errno) string {
	var call *os.SyscallError
	if errors.As(err, &call) {
		return call.Error()
	}
	return errno.Error()
}

// noFamily reports whether the host has no addresses of this kind at all, as when IPv6 is
// switched off.
func noFamily(err error) bool { return errors.Is(err, syscall.EAFNOSUPPORT) }
