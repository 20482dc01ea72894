package probe

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestTCP(t *testing.T) {
	noLeak(t)
	open, closed := listen(t, "127.0.0.1:0")
	n := &Network{Timeout: ample}
	got := n.TCP(t.Context(), "server", open)
	expect(t, got, Reachable, open+" accepts")
	if got.Target != "server" {
		t.Errorf("the target is %s", got.Target)
	}
	for end := time.Now().Add(ample); closed.Load() == 0; {
		if time.Now().After(end) {
			t.Fatal("the connection was not closed")
		}
	}
	expect(t, n.TCP(t.Context(), "closed", closedPort(t)), Refused, "connection refused")
}

func TestTCPAddresses(t *testing.T) {
	noLeak(t)
	n := &Network{Timeout: ample, self: nobody, Names: noNames(nil)}
	for address, detail := range map[string]string{
		"192.0.2.1":           "is not HOST:PORT",
		"fe80::1:22":          "is not HOST:PORT",
		"":                    "is not HOST:PORT",
		"a\nb":                `a\nb is not HOST:PORT`,
		"192.0.2.1:0":         "from 1 to 65535",
		"192.0.2.1:65536":     "from 1 to 65535",
		"192.0.2.1:ssh":       "from 1 to 65535",
		":22":                 "neither an IP address nor the name",
		"a b:22":              "neither an IP address nor the name",
		"0.0.0.0:22":          "not the address of one machine",
		"[::]:22":             "not the address of one machine",
		"224.0.0.1:22":        "not the address of one machine",
		"255.255.255.255:22":  "not the address of one machine",
		"[ff02::1%lo]:22":     "not the address of one machine",
		"[fe80::1]:22":        "needs the interface",
		"[fe80::1%no-such]:2": "no interface no-such",
		"[fe80::1%99999]:22":  "no interface 99999",
		"unheard.test:22":     "find the address of unheard.test",
	} {
		expect(t, n.TCP(t.Context(), address, address), Unknown, detail)
	}
}

func TestTCPWithoutAnswer(t *testing.T) {
	noLeak(t)
	n := &Network{Timeout: brief, self: nobody, dial: dialer(map[string]error{
		"192.0.2.1:22": failure("dial", "connect", syscall.EHOSTUNREACH),
		"192.0.2.2:22": failure("dial", "socket", syscall.EMFILE),
	})}
	silence := n.TCP(t.Context(), "x", "192.0.2.9:22")
	expect(t, silence, Unreachable, "192.0.2.9:22: "+silent)
	bounded(t, silence, brief)
	if silence.Took < brief {
		t.Errorf("given up after %v", silence.Took)
	}
	expect(t, n.TCP(t.Context(), "x", "192.0.2.1:22"), Unreachable, "192.0.2.1:22: connect: no route to host")
	expect(t, n.TCP(t.Context(), "x", "192.0.2.2:22"), Unknown, "too many open files")
}

func TestBestAddressWins(t *testing.T) {
	noLeak(t)
	refused := failure("dial", "connect", syscall.ECONNREFUSED)
	names := noNames(map[string][]string{
		"good.test":    {"192.0.2.9", "192.0.2.1", "2001:db8::2"},
		"refused.test": {"192.0.2.9", "192.0.2.1"},
		"silent.test":  {"192.0.2.9", "2001:db8::9"},
		"broken.test":  {"192.0.2.9", "192.0.2.3"},
		"v4.test":      {"192.0.2.9", "2001:db8::3"},
	})
	n := &Network{Timeout: brief, self: nobody, Names: names, dial: dialer(map[string]error{
		"192.0.2.1:22": refused, "[2001:db8::2]:22": nil,
		"192.0.2.3:22":     failure("dial", "socket", syscall.EMFILE),
		"[2001:db8::3]:22": failure("dial", "socket", syscall.EAFNOSUPPORT),
	})}
	expect(t, n.TCP(t.Context(), "x", "refused.test:22"), Refused, "192.0.2.1:22")
	expect(t, n.TCP(t.Context(), "x", "silent.test:22"), Unreachable, "192.0.2.9:22: timed out; [2001:db8::9]:22: timed out")
	expect(t, n.TCP(t.Context(), "x", "broken.test:22"), Unknown, "too many open files")
	expect(t, n.TCP(t.Context(), "x", "v4.test:22"), Unreachable, "address family")
	n.Timeout = time.Hour
	good := n.TCP(t.Context(), "x", "good.test:22")
	expect(t, good, Reachable, "[2001:db8::2]:22 accepts")
	bounded(t, good, 0)
}

func TestStoppedFromOutside(t *testing.T) {
	noLeak(t)
	asked := make(chan struct{}, 1)
	silence := dialer(nil)
	n := &Network{Timeout: time.Hour, self: nobody, dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		asked <- struct{}{}
		return silence(ctx, network, address)
	}}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	got := n.TCP(ctx, "x", "192.0.2.9:22")
	expect(t, got, Unknown, stopped)
	bounded(t, got, 0)
	expect(t, n.TCP(ctx, "x", "192.0.2.9:22"), Unknown, stopped)

	// A shorter time from outside cuts the probe short; a longer one does not matter.
	n.dial = silence
	ctx, cancel = context.WithTimeout(t.Context(), brief)
	defer cancel()
	expect(t, n.TCP(ctx, "x", "192.0.2.9:22"), Unknown, stopped)
	ctx, cancel = context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	n.Timeout = brief
	expect(t, n.TCP(ctx, "x", "192.0.2.9:22"), Unreachable, silent)
	// What was found out before that time is valid.
	ctx, cancel = context.WithTimeout(t.Context(), ample)
	defer cancel()
	n.Timeout = time.Hour
	n.dial = dialer(map[string]error{"192.0.2.1:22": failure("dial", "connect", syscall.ENETUNREACH)})
	expect(t, n.TCP(ctx, "x", "192.0.2.1:22"), Unreachable, "network is unreachable")
}

// Silence counts when the context ends exactly with the probe, not a moment before it.
func TestTimeFromOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &Network{Timeout: time.Second, self: nobody, dial: dialer(nil)}
		for limit, reach := range map[time.Duration]Reach{
			time.Hour: Unreachable, time.Second + 1: Unreachable, time.Second: Unreachable, time.Second - 1: Unknown, 1: Unknown,
		} {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			got := n.TCP(ctx, "x", "192.0.2.9:22")
			cancel()
			if got.Reach != reach || got.Took != min(limit, time.Second) {
				t.Errorf("%v: %v after %v: %s", limit, got.Reach, got.Took, got.Detail)
			}
		}
		// The work after the end of the probe must not make silence doubtful.
		ctx, cancel := context.WithTimeout(t.Context(), n.Timeout+time.Second)
		defer cancel()
		n.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			time.Sleep(2 * time.Second) // of the bubble: nobody waits
			return nil, ctx.Err()
		}
		if got := n.TCP(ctx, "x", "192.0.2.9:22"); got.Reach != Unreachable {
			t.Errorf("a probe that ended late: %v", got)
		}
	})
}

func TestThisHostIsNoWitness(t *testing.T) {
	noLeak(t)
	open, _ := listen(t, "127.0.0.1:0")
	_, port, _ := net.SplitHostPort(open)
	names := noNames(map[string][]string{
		"kvm7":               {"127.0.0.1"},
		"KVM7.cloud.test":    {"127.0.0.1"},
		"other.test":         {"127.0.0.1"},
		"kvm7-storage.test":  {"192.0.2.7"},
		"floating.test":      {"192.0.2.7", "192.0.2.8"},
		"2001:db8::7":        {"192.0.2.8"},
		"link-local.example": {"192.0.2.8"},
	})
	me := identity{name: "kvm7.site.test", addrs: []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("fe80::7")}}
	n := &Network{Timeout: ample, Names: names, self: func() identity { return me }}
	expect(t, n.TCP(t.Context(), "x", "kvm7:"+port), Unknown, "kvm7 is this host itself")
	expect(t, n.TCP(t.Context(), "x", "KVM7.cloud.test:"+port), Unknown, "this host itself")
	expect(t, n.TCP(t.Context(), "x", "other.test:"+port), Reachable, open)
	expect(t, n.TCP(t.Context(), "x", open), Reachable, open)
	n.dial = dialer(map[string]error{"192.0.2.7:22": nil, "[fe80::7%lo]:22": nil, "192.0.2.8:22": failure("dial", "connect", syscall.ECONNREFUSED)})
	expect(t, n.TCP(t.Context(), "x", "192.0.2.7:22"), Unknown, "this host itself")
	expect(t, n.TCP(t.Context(), "x", "[fe80::7%lo]:22"), Unknown, "this host itself")
	expect(t, n.TCP(t.Context(), "x", "kvm7-storage.test:22"), Unknown, "this host itself")
	expect(t, n.TCP(t.Context(), "x", "floating.test:22"), Refused, "192.0.2.8:22")
	expect(t, n.DNS(t.Context(), "x", "192.0.2.7:53"), Unknown, "this host itself")
	expect(t, n.ICMP(t.Context(), "x", "192.0.2.7"), Unknown, "this host itself")
}

func TestThisHost(t *testing.T) {
	me := thisHost()
	found, err := net.InterfaceAddrs()
	if err != nil || me.name == "" || len(me.addrs) != len(found) {
		t.Errorf("%v of %v (%v)", me, found, err)
	}
	for i, a := range me.addrs {
		if !a.IsValid() || a.Is4In6() || a.Zone() != "" || found[i].(*net.IPNet).IP.String() != a.String() {
			t.Errorf("%v became %v", found[i], a)
		}
		if a.IsLoopback() {
			continue
		}
		n := &Network{Timeout: brief}
		expect(t, n.TCP(t.Context(), "x", netip.AddrPortFrom(a.WithZone("lo"), 22).String()), Unknown, "this host itself")
	}
}
