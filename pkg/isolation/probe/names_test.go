package probe

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func lookup(t *testing.T, n *Names, host string) []string {
	t.Helper()
	addrs, err := n.Lookup(t.Context(), host)
	if err != nil {
		return []string{"error: " + err.Error()}
	}
	var texts []string
	for _, a := range addrs {
		texts = append(texts, a.String())
	}
	return texts
}

func TestLookupRemembers(t *testing.T) {
	noLeak(t)
	n := nameserver(t, map[string][]string{"moved.test": {"192.0.2.1"}}, netip.MustParseAddr("192.0.2.2"))
	for host, expected := range map[string]string{
		"192.0.2.9": "192.0.2.9", "2001:db8::9": "2001:db8::9", "::ffff:192.0.2.9": "192.0.2.9", "fe80::1%lo": "fe80::1%lo",
		"moved.test": "192.0.2.2", "new.test": "192.0.2.2",
	} {
		if got := lookup(t, n, host); !reflect.DeepEqual(got, []string{expected}) {
			t.Errorf("%s is %v", host, got)
		}
	}
	known := n.Known()
	if !reflect.DeepEqual(known, map[string][]string{"moved.test": {"192.0.2.2"}, "new.test": {"192.0.2.2"}}) {
		t.Errorf("known is %v", known)
	}
	// The next process, behind the cut.
	next := noNames(known)
	known["new.test"][0] = "changed"
	if got := lookup(t, next, "new.test"); !reflect.DeepEqual(got, []string{"192.0.2.2"}) {
		t.Errorf("new.test became %v", got)
	}
	if got := lookup(t, next, "other.test"); len(got) != 1 || !strings.Contains(got[0], "find the address of other.test: ") {
		t.Errorf("other.test is %v", got)
	}
}

func TestAddressesThatNobodyHas(t *testing.T) {
	noLeak(t)
	for _, address := range []string{"0.0.0.0", "224.0.0.1", "255.255.255.255"} {
		n := nameserver(t, map[string][]string{"known.test": {"192.0.2.1"}}, netip.MustParseAddr(address))
		if got := lookup(t, n, "known.test"); !reflect.DeepEqual(got, []string{"192.0.2.1"}) {
			t.Errorf("known.test became %v", got)
		}
		if got := lookup(t, n, "new.test"); !strings.Contains(got[0], "no address of a machine") {
			t.Errorf("new.test is %v", got)
		}
	}
}

func TestHangingResolver(t *testing.T) {
	noLeak(t)
	open, _ := listen(t, "127.0.0.1:0")
	_, port, _ := strings.Cut(open, ":")
	n := &Network{Timeout: ample, Names: nameserver(t, map[string][]string{"known.test": {"127.0.0.1"}}, netip.Addr{})}
	expect(t, n.TCP(t.Context(), "x", "known.test:"+port), Reachable, open)
	n.Timeout = brief
	for _, probe := range []func(context.Context, string, string) Result{n.TCP, n.DNS} {
		got := probe(t.Context(), "x", "new.test:"+port)
		expect(t, got, Unknown, "find the address of new.test")
		bounded(t, got, brief)
	}
	got := n.ICMP(t.Context(), "x", "new.test")
	expect(t, got, Unknown, "find the address of new.test")
	bounded(t, got, brief)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if addrs, err := n.Names.Lookup(ctx, "known.test"); err != nil || len(addrs) != 1 {
		t.Errorf("%v, %v", addrs, err)
	}
}

func TestLookupTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for limit, expected := range map[time.Duration]time.Duration{
			0: time.Second, time.Minute: time.Second, 3 * time.Second: time.Second, 300 * time.Millisecond: 100 * time.Millisecond,
		} {
			ctx := context.Background()
			if limit > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, limit)
				defer cancel()
			}
			if got := lookupTime(ctx); got != expected {
				t.Errorf("%v of %v", got, limit)
			}
		}
	})
}

func TestWhatAnEarlierProcessKnew(t *testing.T) {
	many := make([]string, 20)
	for i := range many {
		many[i] = fmt.Sprintf("192.0.2.%d", i+1)
	}
	n := NewNames(map[string][]string{
		"many.test":              many,
		"mixed.test":             {"", "nonsense", "192.0.2.1", "::ffff:192.0.2.1", "0.0.0.0", "fe80::1", "224.0.0.1", "2001:db8::1"},
		"none.test":              {"nonsense"},
		"":                       {"192.0.2.1"},
		"a\nb":                   {"192.0.2.1"},
		"a/b":                    {"192.0.2.1"},
		strings.Repeat("a", 255): {"192.0.2.1"},
	})
	expected := map[string][]string{"many.test": many[:8], "mixed.test": {"192.0.2.1", "2001:db8::1"}}
	for name := range n.earlier {
		lookup(t, noResolver(n), name)
	}
	if got := n.Known(); !reflect.DeepEqual(got, expected) {
		t.Errorf("known is %v", got)
	}
	if r := NewNames(nil).resolver; !r.PreferGo || r.Dial == nil {
		t.Error("the resolver of the C library cannot be stopped")
	}
	if NewNames(nil).Known() == nil {
		t.Error("nothing known is nil, which JSON writes as null")
	}
}

// What nobody asks for any more is forgotten with the process, and there is an end to it.
func TestMemoryIsBounded(t *testing.T) {
	known := map[string][]string{}
	for i := range 150 {
		known[fmt.Sprintf("old-%03d.test", i)] = []string{"192.0.2.1"}
	}
	n := noNames(known)
	if got := slices.Sorted(maps.Keys(n.earlier)); len(got) != maxNames || got[0] != "old-000.test" {
		t.Fatalf("%d names are known", len(got))
	}
	lookup(t, n, "old-050.test")
	if got := n.Known(); len(got) != 1 || got["old-050.test"] == nil {
		t.Errorf("known is %v", got)
	}
	n = nameserver(t, nil, netip.MustParseAddr("192.0.2.2"))
	for i := range maxNames + 20 {
		if got := lookup(t, n, fmt.Sprintf("new-%d.test", i)); got[0] != "192.0.2.2" {
			t.Errorf("%v", got)
		}
	}
	if got := n.Known(); len(got) != maxNames || got["new-0.test"] == nil {
		t.Errorf("%d names are known", len(got))
	}
}

func TestNamesAtTheSameTime(t *testing.T) {
	noLeak(t)
	n := nameserver(t, nil, netip.MustParseAddr("192.0.2.2"))
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			if got := lookup(t, n, fmt.Sprintf("host-%d.test", i%10)); got[0] != "192.0.2.2" {
				t.Errorf("%v", got)
			}
			n.Known()
		})
	}
	all.Wait()
	if got := n.Known(); len(got) != 10 {
		t.Errorf("%d names are known", len(got))
	}
}
