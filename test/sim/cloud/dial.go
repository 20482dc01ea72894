package cloud

import (
	"context"
	"net"
	"os"
	"syscall"
	"time"
)

// roundTrip is what a machine in the same building takes to answer a SYN.
const roundTrip = 311 * time.Microsecond

// Dial connects to the sshd of a host, by its name, from where its oned runs; it is as net.Dialer.DialContext. A host that
// died is silent, unless its router or its machine says something; a frozen one takes the connection and says nothing.
func (c *Cloud) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	fails := func(err error) (net.Conn, error) { return nil, &net.OpError{Op: "dial", Net: network, Err: err} }
	_, death, known := c.DeathOf(name)
	switch {
	case !known:
		return fails(&net.DNSError{Err: "no such host", Name: name, IsNotFound: true})
	case death == Cut:
		<-ctx.Done()
		return fails(os.ErrDeadlineExceeded)
	}
	select {
	case <-ctx.Done():
		return fails(os.ErrDeadlineExceeded)
	case <-time.After(roundTrip):
	}
	switch death {
	case Unreachable:
		return fails(syscall.EHOSTUNREACH)
	case Refused:
		return fails(syscall.ECONNREFUSED)
	}
	here, there := net.Pipe()
	if death != Frozen {
		go func() {
			_, _ = there.Write([]byte("SSH-2.0-simulated\r\n")) // who asks may hang up first
			there.Close()
		}()
	}
	return here, nil
}
