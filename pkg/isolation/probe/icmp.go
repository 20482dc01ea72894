package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// ICMP finds out whether a host (an address or a name) answers an ICMP echo request. Up to
// three are sent. It needs root, the capability CAP_NET_RAW, or a group within the
// sysctl net.ipv4.ping_group_range; otherwise it is Unknown.
func (n *Network) ICMP(ctx context.Context, target, host string) Result {
	return n.run(ctx, target, func(ctx context.Context) outcome {
		return n.each(ctx, host, n.pinger())
	})
}

// pinger is what sends echo requests.
func (n *Network) pinger() func(context.Context, netip.Addr) outcome {
	if n.ping != nil {
		return n.ping
	}
	return ping
}

// ping sends echo requests to one address.
func ping(ctx context.Context, host netip.Addr) outcome {
	s, kernelID, err := dialICMP(host, dialRaw, dialPing)
	if err != nil {
		return failed(fmt.Sprintf("ICMP to %v", host), err)
	}
	begin := time.Now()
	e := newEcho(host.Is6(), kernelID)
	err = exchange(ctx, s, e.request, e.repliesFrom(host))
	if err != nil {
		return failed(fmt.Sprintf("ICMP to %v", host), err)
	}
	return outcome{reach: Reachable, detail: fmt.Sprintf("%v answers ICMP after %v", host, time.Since(begin).Round(time.Microsecond))}
}

// repliesFrom accepts the replies of one host: the kernel does not look at the sender for
// ping sockets.
func (e *echo) repliesFrom(host netip.Addr) func([]byte, net.Addr) bool {
	return func(message []byte, from net.Addr) bool {
		return addressOf(from) == host.WithZone("") && e.isReply(message)
	}
}

// addressOf is the address of a sender, without its zone: the socket is bound to that.
func addressOf(from net.Addr) netip.Addr {
	var ip net.IP
	switch a := from.(type) {
	case *net.IPAddr:
		ip = a.IP
	case *net.UDPAddr: // what net makes of a ping socket
		ip = a.IP
	}
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

// dialICMP makes a socket for echo requests to a host: a raw one if this process may, else
// a ping socket, for which the kernel sets the ID.
func dialICMP(host netip.Addr, raw, unprivileged func(netip.Addr) (socket, error)) (s socket, kernelID bool, err error) {
	s, err = raw(host)
	if err == nil || sent(err) || !errors.Is(err, os.ErrPermission) {
		return s, false, err
	}
	s, err = unprivileged(host)
	return s, true, err
}

// dialRaw makes a raw socket.
func dialRaw(host netip.Addr) (socket, error) {
	network := "ip4:1"
	if host.Is6() {
		network = "ip6:58"
	}
	s, err := net.DialIP(network, nil, &net.IPAddr{IP: host.AsSlice(), Zone: host.Zone()})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// dialPing makes a ping socket (icmp(7)), which needs no capability.
func dialPing(host netip.Addr) (socket, error) {
	family, protocol := syscall.AF_INET, syscall.IPPROTO_ICMP
	var to syscall.Sockaddr
	if host.Is6() {
		family, protocol = syscall.AF_INET6, syscall.IPPROTO_ICMPV6
		to = &syscall.SockaddrInet6{Addr: host.As16(), ZoneId: uint32(zoneIndex(host.Zone()))}
	} else {
		to = &syscall.SockaddrInet4{Addr: host.As4()}
	}
	fd, err := syscall.Socket(family, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, protocol)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	file := os.NewFile(uintptr(fd), "ping")
	defer file.Close() // net.FileConn has a copy
	if err := syscall.Connect(fd, to); err != nil {
		return nil, os.NewSyscallError("connect", err)
	}
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	s, ok := conn.(socket)
	if !ok {
		conn.Close()
		return nil, errors.New("a ping socket that is not one for datagrams")
	}
	return s, nil
}
