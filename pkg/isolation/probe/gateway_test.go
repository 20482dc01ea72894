package probe

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// pinger is ICMP in memory: by address the outcome; all others stay silent.
func pinger(answers map[string]Result) func(context.Context, netip.Addr) Result {
	return func(ctx context.Context, a netip.Addr) Result {
		if o, known := answers[a.String()]; known {
			return o
		}
		<-ctx.Done()
		return failed("ICMP to "+a.String(), ctx.Err())
	}
}

// record notes the addresses that are dialled.
func record(dial func(context.Context, string, string) (net.Conn, error)) (func(context.Context, string, string) (net.Conn, error), func() []string) {
	var mu sync.Mutex
	var dialled []string
	return func(ctx context.Context, network, address string) (net.Conn, error) {
			mu.Lock()
			dialled = append(dialled, address)
			mu.Unlock()
			return dial(ctx, network, address)
		}, func() []string {
			mu.Lock()
			defer mu.Unlock()
			slices.Sort(dialled)
			return dialled
		}
}

func TestGatewayWithoutRoutes(t *testing.T) {
	n := &Network{Timeout: ample, Proc: proc(t, heading, null6)}
	got := n.Gateway(t.Context())
	expect(t, got, Unreachable, "no default route")
	if got.Target != "gateway" {
		t.Errorf("the target is %s", got.Target)
	}
	n.Proc = proc(t, "-", "-")
	expect(t, n.Gateway(t.Context()), Unknown, "read the routes")
	n.Proc = proc(t, heading+"eth0 what\n", null6)
	expect(t, n.Gateway(t.Context()), Unknown, "malformed")
	n.Proc = proc(t, heading+line4("wg0", "0.0.0.0", "0.0.0.0", "0.0.0.0", 1), default6("wg1", "::"))
	expect(t, n.Gateway(t.Context()), Unknown, "no gateway that could be asked (interface wg0, wg1)")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	expect(t, n.Gateway(ctx), Unknown, stopped)
}

func TestGatewayAnswersICMP(t *testing.T) {
	noLeak(t)
	dial, dialled := record(dialer(nil))
	n := &Network{
		Timeout: time.Hour, dial: dial, Proc: proc(t, heading+default4("lo", "192.0.2.1")+default4("lo", "192.0.2.2"), default6("lo", "fe80::1")),
		ping: pinger(map[string]Result{"192.0.2.2": {Reach: Reachable, Detail: "it answers"}}),
	}
	got := n.Gateway(t.Context())
	expect(t, got, Reachable, "it answers")
	bounded(t, got, 0)
	n.ping = pinger(map[string]Result{"fe80::1%lo": {Reach: Reachable, Detail: "with its zone"}})
	expect(t, n.Gateway(t.Context()), Reachable, "with its zone")
	if got := dialled(); len(got) > 0 {
		t.Errorf("ports were tried that nobody needs: %v", got)
	}
}

func TestGatewayAnswersTCP(t *testing.T) {
	noLeak(t)
	reset := failure("dial", "connect", syscall.ECONNRESET)
	for name, ping := range map[string]Result{
		"ICMP not allowed":  failed("ICMP", failure("dial", "socket", syscall.EPERM)),
		"ICMP refused":      failed("ICMP", failure("read", "recvfrom", syscall.ECONNREFUSED)),
		"ICMP unreachable":  failed("ICMP", failure("write", "sendto", syscall.EPERM)),
		"ICMP out of files": failed("ICMP", failure("dial", "socket", syscall.EMFILE)),
	} {
		for address, answer := range map[string]error{"192.0.2.1:53": nil, "192.0.2.1:22": reset, "192.0.2.1:80": nil, "192.0.2.1:179": reset} {
			n := &Network{
				Timeout: time.Hour, Proc: proc(t, heading+default4("lo", "192.0.2.1"), null6),
				ping: pinger(map[string]Result{"192.0.2.1": ping}), dial: dialer(map[string]error{address: answer}),
			}
			got := n.Gateway(t.Context())
			expect(t, got, Reachable, address)
			if bounded(t, got, 0); t.Failed() {
				t.Fatal(name)
			}
		}
	}
}

func TestGatewayIgnoresICMP(t *testing.T) {
	noLeak(t)
	dial, dialled := record(dialer(map[string]error{"192.0.2.1:22": failure("dial", "connect", syscall.ECONNREFUSED)}))
	n := &Network{Timeout: 3 * brief, Proc: proc(t, heading+default4("lo", "192.0.2.1"), null6), ping: pinger(nil), dial: dial}
	got := n.Gateway(t.Context())
	expect(t, got, Reachable, "192.0.2.1:22 answers: it refuses connections")
	if got.Took < brief*9/10 {
		t.Errorf("ICMP had %v", got.Took)
	}
	for _, address := range dialled() {
		if !slices.Contains([]string{"192.0.2.1:179", "192.0.2.1:22", "192.0.2.1:53", "192.0.2.1:80"}, address) {
			t.Errorf("%s was tried", address)
		}
	}
}

func TestGatewaySilent(t *testing.T) {
	noLeak(t)
	dial, dialled := record(dialer(nil))
	n := &Network{Timeout: brief, Proc: proc(t, heading+default4("lo", "192.0.2.1"), null6), ping: pinger(nil), dial: dial}
	got := n.Gateway(t.Context())
	if expected := "ICMP to 192.0.2.1: " + silent + "; TCP to 192.0.2.1: " + silent; got.Detail != expected {
		t.Errorf("the detail is %s", got.Detail)
	}
	expect(t, got, Unreachable, silent)
	bounded(t, got, brief)
	if got := strings.Join(dialled(), " "); got != "192.0.2.1:179 192.0.2.1:22 192.0.2.1:53 192.0.2.1:80" {
		t.Errorf("%s were tried", got)
	}
	// Without ICMP, silence over TCP still counts.
	n.ping = pinger(map[string]Result{"192.0.2.1": failed("ICMP", failure("dial", "socket", syscall.EPERM))})
	expect(t, n.Gateway(t.Context()), Unreachable, "ICMP: socket: operation not permitted; TCP to 192.0.2.1: "+silent)
	// Nothing could be tried at all.
	files := failure("dial", "socket", syscall.EMFILE)
	n.dial = dialer(map[string]error{"192.0.2.1:22": files, "192.0.2.1:53": files, "192.0.2.1:80": files, "192.0.2.1:179": files})
	expect(t, n.Gateway(t.Context()), Unknown, "too many open files")
	// The interface has gone away between two looks.
	n.Proc = proc(t, heading, default6("no-such", "fe80::1"))
	expect(t, n.Gateway(t.Context()), Unknown, "no interface no-such")
	// Stopped from outside, while ICMP is waited for.
	n.Timeout, n.Proc = time.Hour, proc(t, heading+default4("lo", "192.0.2.1"), null6)
	ctx, cancel := context.WithCancel(t.Context())
	n.ping = func(ctx context.Context, a netip.Addr) Result { cancel(); <-ctx.Done(); return failed(a, ctx.Err()) }
	got = n.Gateway(ctx)
	expect(t, got, Unknown, stopped)
	bounded(t, got, 0)
}

func TestGatewaysAreBounded(t *testing.T) {
	noLeak(t)
	table := heading
	for i := range 100 {
		table += default4("lo", netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}).String())
	}
	var mu sync.Mutex
	count := 0
	n := &Network{Timeout: ample, Proc: proc(t, table, null6), dial: dialer(map[string]error{}), ping: func(context.Context, netip.Addr) Result {
		mu.Lock()
		defer mu.Unlock()
		count++
		return Result{Reach: Unreachable, Detail: "silent"}
	}}
	n.Timeout = brief
	expect(t, n.Gateway(t.Context()), Unreachable, silent)
	if count != maxGateways {
		t.Errorf("%d gateways were asked", count)
	}
}

// The loopback interface as the way out of this host.
func TestGatewayOnLoopback(t *testing.T) {
	noLeak(t)
	n := &Network{Timeout: ample, Proc: proc(t, heading+default4("lo", "127.0.0.3"), null6)}
	got := n.Gateway(t.Context())
	expect(t, got, Reachable, "127.0.0.3")
}
