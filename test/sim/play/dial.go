package play

import (
	"context"
	"net"
	"os"
)

// dial is the network from the front-end of a process to a host: an app.Env.Dial.
func (p *process) dial(ctx context.Context, network, address string) (net.Conn, error) {
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	id, _, known := p.frontEnd.world.cloud.DeathOf(name)
	n := p.frontEnd.world.node(max(0, id))
	if p.dead.Load() || !p.frontEnd.reachable() || known && !n.reaches(p.frontEnd) && n.connected() { // to other front-ends it is there
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: network, Err: os.ErrDeadlineExceeded}
	}
	return p.frontEnd.world.cloud.Dial(ctx, network, address)
}
