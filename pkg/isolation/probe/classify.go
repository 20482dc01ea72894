package probe

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"syscall"
)

// The details that are not the text of an error.
const (
	silent  = "timed out"
	stopped = "canceled before there was an answer"
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
		call, sent := callOf(err)
		if call != nil {
			return classifyErrno(errno, sent), call.Error()
		}
		return classifyErrno(errno, sent), errno.Error()
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &wait) && wait.Timeout():
		return Unreachable, silent
	}
	return Unknown, err.Error()
}

// classifyErrno classifies an error of the kernel; sent is whether the socket existed already, so that the error is
// about the way to the target.
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

// callOf is the call of the kernel that failed, nil when that is not known, and whether it reached for the target:
// making the socket did not.
func callOf(err error) (call *os.SyscallError, sent bool) {
	if !errors.As(err, &call) {
		return nil, false
	}
	return call, slices.Contains([]string{"connect", "write", "send", "sendto", "sendmsg", "read", "recv", "recvfrom", "recvmsg"}, call.Syscall)
}
