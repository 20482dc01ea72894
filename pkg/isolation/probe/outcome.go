package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
)

// rank orders outcomes. Unknown hides Unreachable: the way that could not be tried might have been the one that
// works.
func (o Result) rank() int {
	switch {
	case o.minor:
		return 0
	case o.Reach == Unreachable:
		return 1
	case o.Reach == Unknown:
		return 2
	}
	return 1 + int(o.Reach)
}

func unknown(format string, args ...any) Result {
	return Result{Reach: Unknown, Detail: fmt.Sprintf(format, args...)}
}

func reachable(format string, args ...any) Result {
	return Result{Reach: Reachable, Detail: fmt.Sprintf(format, args...)}
}

func failed(where any, err error) Result {
	reach, why := classify(err)
	return Result{Reach: reach, Detail: fmt.Sprintf("%v: %s", where, why), minor: reach == Unknown && errors.Is(err, syscall.EAFNOSUPPORT)}
}

// try is one way to find out whether a target answers. It returns soon after its context ends.
type try func(ctx context.Context) Result

// race tries all ways at the same time and returns the best outcome, with the details of all when none was an answer.
// It returns when all have ended; the first that is Reachable ends the others.
func race(ctx context.Context, tries []try) Result {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan int, len(tries))
	all := make([]Result, len(tries))
	for i, t := range tries {
		go func() {
			all[i] = t(ctx)
			ended <- i
		}()
	}
	for range tries {
		if i := <-ended; all[i].Reach == Reachable {
			cancel()
		}
	}
	return best(all)
}

// best is the best outcome. Details are joined unless the machine itself answered.
func best(all []Result) Result {
	if len(all) == 0 {
		return unknown("there was nothing to try")
	}
	top := slices.MaxFunc(all, func(a, b Result) int { return a.rank() - b.rank() })
	if top.Reach < Refused {
		var details []string
		for _, o := range all {
			if !slices.Contains(details, o.Detail) {
				details = append(details, o.Detail)
			}
		}
		top.Detail = strings.Join(details, "; ")
	}
	return top
}

// The details that are not the text of an error.
const (
	silent  = "timed out"
	stopped = "canceled before there was an answer"
)

// classify tells what the error of a probe means, and why in words fit for a log.
func classify(err error) (Reach, string) {
	var (
		errno  syscall.Errno
		call   *os.SyscallError
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
		if !errors.As(err, &call) {
			return classifyErrno(errno, false), errno.Error()
		}
		sent := []string{"connect", "write", "send", "sendto", "sendmsg", "read", "recv", "recvfrom", "recvmsg"}
		return classifyErrno(errno, slices.Contains(sent, call.Syscall)), call.Error()
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
