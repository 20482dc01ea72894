package probe

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// gatewayPorts are where routers listen that do not answer ICMP, or refuse: DNS, SSH, HTTP, BGP.
func gatewayPorts() []uint16 { return []uint16{53, 22, 80, 179} }

// Gateway finds out whether a gateway of this host answers: any gateway of any default route of the main table, over
// ICMP, or when that gives nothing within a third of the time, over TCP, where a refused connection is an answer,
// too. Without a default route it is Unreachable; when the routes cannot be read, or have no gateway, Unknown.
func (n *Network) Gateway(ctx context.Context) Result {
	return n.run(ctx, "gateway", func(ctx context.Context) Result {
		routes, err := n.routes()
		if err != nil {
			return unknown("%v", err)
		}
		if len(routes) == 0 {
			return Result{Reach: Unreachable, Detail: "this host has no default route"}
		}
		var tries []try
		var without []string
		for _, r := range routes {
			switch {
			case !r.Gateway.IsValid():
				without = append(without, r.Interface)
			case len(tries) < maxGateways:
				tries = append(tries, func(ctx context.Context) Result { return n.gateway(ctx, r.Gateway) })
			}
		}
		if len(tries) == 0 {
			return unknown("the default route has no gateway that could be asked (interface %s)", strings.Join(without, ", "))
		}
		return race(ctx, tries)
	})
}

func (n *Network) gateway(ctx context.Context, a netip.Addr) Result {
	if err := checkAddress(a); err != nil {
		return unknown("%v", err)
	}
	end, _ := ctx.Deadline()
	without := make(chan struct{})
	icmp := func(ctx context.Context) Result {
		o := n.icmp(ctx, a)
		if o.Reach != Reachable {
			close(without)
		}
		// A process that may not use ICMP still has TCP.
		o.minor = o.Reach == Unknown
		return o
	}
	tcp := func(ctx context.Context) Result {
		wait := time.NewTimer(time.Until(end) / 3)
		defer wait.Stop()
		select {
		case <-ctx.Done():
		case <-without:
		case <-wait.C:
		}
		if err := ctx.Err(); err != nil { // another gateway has answered, or the time is over
			return failed(a, err)
		}
		return n.anyPort(ctx, a)
	}
	return race(ctx, []try{icmp, tcp})
}

func (n *Network) anyPort(ctx context.Context, a netip.Addr) Result {
	var tries []try
	for _, port := range gatewayPorts() {
		tries = append(tries, func(ctx context.Context) Result {
			to := netip.AddrPortFrom(a, port)
			// Most ports fail alike: then the detail says it once.
			o := n.connect(ctx, to, fmt.Sprintf("TCP to %v", a))
			if o.Reach == Refused {
				o = reachable("%v answers: it refuses connections", to)
			}
			return o
		})
	}
	return race(ctx, tries)
}
