package play

import (
	"context"
	"net"
	"os"
	"syscall"
	"time"

	"one-ft/test/sim/cloud"
)

// roundTrip is what a machine in the same building takes to answer a SYN.
const roundTrip = 311 * time.Microsecond

// dial is the network from the front-end of a process to a host: an app.Env.Dial.
func (p *process) dial(ctx context.Context, network, address string) (net.Conn, error) {
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	fails := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	id, death, known := p.frontEnd.world.cloud.DeathOf(name)
	if !known {
		return fails(&net.DNSError{Err: "no such host", Name: name, IsNotFound: true})
	}
	n := p.frontEnd.world.node(id)
	answers, mute := n.reaches(p.frontEnd), n.standsStill() && p.frontEnd.reachable()
	if p.dead.Load() || !answers && !mute {
		if death == cloud.Unreachable && p.frontEnd.reachable() {
			sleep(ctx, roundTrip)
			return fails(syscall.EHOSTUNREACH)
		}
		<-ctx.Done()
		return fails(os.ErrDeadlineExceeded)
	}
	if !sleep(ctx, roundTrip) {
		return fails(ctx.Err())
	}
	if death == cloud.Refused {
		return fails(syscall.ECONNREFUSED)
	}
	here, there := net.Pipe()
	if !mute {
		go func() {
			_, _ = there.Write([]byte("SSH-2.0-simulated\r\n")) // who asks may hang up first
			there.Close()
		}()
	}
	return here, nil
}
