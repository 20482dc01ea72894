package reach

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/failfast"
)

// network answers connections by address; one that it does not know is silent.
type network map[string]func(ctx context.Context) (net.Conn, error)

func (n network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	if answer := n[address]; answer != nil {
		return answer(ctx)
	}
	<-ctx.Done()
	return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
}

// resent is when a SYN that is sent again after a second is answered.
const resent = 1100 * time.Millisecond

// late answers so long after it was asked.
func late(after time.Duration, then func(context.Context) (net.Conn, error)) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		select {
		case <-time.After(after):
			return then(ctx)
		case <-ctx.Done():
			return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
		}
	}
}

func fails(err error) func(context.Context) (net.Conn, error) {
	return func(context.Context) (net.Conn, error) { return nil, &net.OpError{Op: "dial", Err: err} }
}

// server takes the connection and says that; "" says nothing.
func server(says string) func(context.Context) (net.Conn, error) {
	return func(context.Context) (net.Conn, error) {
		here, there := net.Pipe()
		if says != "" {
			go func() { _, _ = there.Write([]byte(says)) }()
		}
		return here, nil
	}
}

// direct is the ssh of a user without any configuration; hosts that begin with "proxied" are behind one.
func direct(calls *int) func(context.Context, []string) []failfast.Answer {
	return func(_ context.Context, names []string) (all []failfast.Answer) {
		for _, name := range names {
			*calls++
			a := failfast.Answer{Settings: failfast.Settings{HostName: name, Port: 22}}
			switch {
			case strings.HasPrefix(name, "proxied"):
				a.ProxyJump = "gate"
			case strings.HasPrefix(name, "odd"):
				a.Err = errors.New("ssh ended with exit code 255")
			}
			all = append(all, a)
		}
		return all
	}
}

func targets(names ...string) (list []Target) {
	for i, name := range names {
		list = append(list, Target{ID: i, Name: name})
	}
	return list
}

func TestAnswers(t *testing.T) {
	n := network{
		"up:22":       server("SSH-2.0-x\r\n"),
		"frozen:22":   server(""),
		"closed:22":   fails(syscall.ECONNREFUSED),
		"reset:22":    fails(syscall.ECONNRESET),
		"no-route:22": fails(syscall.EHOSTUNREACH),
		"no-net:22":   fails(syscall.ENETUNREACH),
		"no-name:22":  fails(&net.DNSError{Err: "no such host", Name: "no-name", IsNotFound: true}),
		"full:22":     fails(syscall.EMFILE),
		"resent:22":   late(resent, server("")),
	}
	for _, c := range []struct {
		name   string
		banner bool
		answer Answer
		cause  Cause
		took   time.Duration
	}{
		{"up", false, Reachable, "", 0},
		{"up", true, Reachable, "", 0},
		{"frozen", false, Reachable, "", 0},
		{"frozen", true, Mute, "", bannerLimit},
		{"closed", true, Refused, "", 0},
		{"reset", false, Refused, "", 0},
		{"no-route", false, Silent, "", secondAfter},
		{"no-net", false, Silent, "", secondAfter},
		{"dead", false, Silent, "", secondAfter + connectLimit},
		{"resent", false, Reachable, "", resent},
		{"no-name", false, Unknown, CauseName, 0},
		{"full", false, Unknown, CauseLocal, 0},
		{"proxied", false, Unknown, CauseProxy, 0},
		{"odd", false, Unknown, CauseSSH, 0},
		{"left-out", false, Unknown, CauseSkipped, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			var calls int
			a := Asker{Resolve: direct(&calls), Dial: n.dial, Banner: c.banner, Skip: []string{"left*"}}
			begun := time.Now()
			way := a.Ask(t.Context(), targets(c.name)).Of(t.Context(), 0)
			if way.Answer != c.answer || way.Cause != c.cause || time.Since(begun) != c.took {
				t.Errorf("%s (banner %v): %s %s after %v, want %s %s after %v", c.name, c.banner, way.Answer, way.Cause, time.Since(begun), c.answer, c.cause, c.took)
			}
			synctest.Wait()
		})
	}
}

// TestLostPacket: the first SYN is lost, the second connection gets through.
func TestLostPacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls int
		var dialled atomic.Int32
		a := Asker{Resolve: direct(&calls), Dial: func(ctx context.Context, net, address string) (net.Conn, error) {
			if dialled.Add(1) == 1 {
				return network{}.dial(ctx, net, address)
			}
			return server("")(ctx)
		}}
		if way := a.Ask(t.Context(), targets("a")).Of(t.Context(), 0); way.Answer != Reachable || dialled.Load() != 2 {
			t.Errorf("%s after %d connections", way.Answer, dialled.Load())
		}
		synctest.Wait()
	})
}

// TestNobodyWaitsForOthers: what a living host says is known at once, beside 2,000 silent ones; those take as long as
// the rounds of atOnce.
func TestNobodyWaitsForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := []string{"up"}
		for range 2 * atOnce {
			names = append(names, "dead")
		}
		var calls int
		q := Asker{Resolve: direct(&calls), Dial: network{"up:22": server("")}.dial}.Ask(t.Context(), targets(names...))
		begun := time.Now()
		if way := q.Of(t.Context(), 0); way.Answer != Reachable || time.Since(begun) > 2*(secondAfter+connectLimit) {
			t.Errorf("%s after %v", way.Answer, time.Since(begun))
		}
		all := q.All(t.Context())
		if all[len(all)-1].Answer != Silent || time.Since(begun) > 3*(secondAfter+connectLimit) {
			t.Errorf("all after %v: %+v", time.Since(begun), all[len(all)-1])
		}
		synctest.Wait()
	})
}

// TestCancelled: the context of the question ends.
func TestCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls int
		ctx, cancel := context.WithCancel(t.Context())
		q := Asker{Resolve: direct(&calls), Dial: network{}.dial}.Ask(ctx, targets("dead"))
		cancel()
		if way := q.Of(t.Context(), 0); way.Answer == Reachable || way.Answer == Silent && way.Cause != "" {
			t.Errorf("%+v", way)
		}
		if way := q.Of(t.Context(), 7); way.Answer != Unknown {
			t.Errorf("a host that was not asked: %+v", way)
		}
		synctest.Wait()
	})
}

// TestPort: a port of the configuration is asked at the host itself, also behind a proxy.
func TestPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls int
		a := Asker{Resolve: direct(&calls), Dial: network{"proxied:16509": server("")}.dial, Port: 16509}
		if way := a.Ask(t.Context(), targets("proxied")).Of(t.Context(), 0); way.Answer != Reachable || calls != 0 {
			t.Errorf("%+v after %d questions to ssh", way, calls)
		}
	})
}

// TestMemory: the next process does not ask ssh again, until its files change; a host that is barred is not remembered so.
func TestMemory(t *testing.T) {
	dir := t.TempDir()
	file, config := filepath.Join(dir, "ways.json"), filepath.Join(dir, "config")
	calls, barred := 0, false
	resolve := func(ctx context.Context, names []string) []failfast.Answer {
		all := direct(&calls)(ctx, names)
		for i := range all {
			if barred {
				text, _ := failfast.Install(nil, failfast.Block{StateDir: "/var/lib/one/one-ft"}, true)
				_, rest, _ := strings.Cut(string(text), "ProxyCommand ")
				all[i].ProxyCommand, _, _ = strings.Cut(rest, "\n")
			}
		}
		return all
	}
	run := func() Way {
		t.Helper()
		a := Asker{Resolve: resolve, Dial: network{"a:22": server("")}.dial, Memory: Open(file, []string{config})}
		way := a.Ask(t.Context(), targets("a")).Of(t.Context(), 0)
		if err := a.Memory.Save(map[string]bool{"a": true}); err != nil {
			t.Fatal(err)
		}
		return way
	}
	barred = true
	if way := run(); way.Cause != CauseProxy {
		t.Errorf("barred: %+v", way)
	}
	barred = false
	for i, want := range []int{2, 2} {
		if way := run(); way.Answer != Reachable || calls != want {
			t.Errorf("run %d: %+v after %d questions to ssh, want %d", i, way, calls, want)
		}
	}
	if err := os.WriteFile(config, []byte("Host *\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if run(); calls != 3 {
		t.Errorf("%d questions to ssh after its configuration changed", calls)
	}
	if err := os.WriteFile(file, []byte(`{"sources": 5`), 0o600); err != nil {
		t.Fatal(err)
	}
	if way := run(); way.Answer != Reachable || calls != 4 {
		t.Errorf("with a broken memory: %+v, %d", way, calls)
	}
}

// TestResolverAway: names cannot be looked up any more, maybe because the network is gone: where the host was last is asked.
func TestResolverAway(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	calls, away := 0, false
	a := Asker{Resolve: direct(&calls), Memory: Open(filepath.Join(t.TempDir(), "ways.json"), nil), Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == "a:22" {
			if away {
				return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no answer", IsTimeout: true}}
			}
			address = listener.Addr().String()
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
	if way := a.Ask(t.Context(), targets("a")).Of(t.Context(), 0); way.Answer != Reachable {
		t.Fatalf("%+v", way)
	}
	away = true
	if way := a.Ask(t.Context(), targets("a")).Of(t.Context(), 0); way.Answer != Reachable || way.Address != listener.Addr().String() {
		t.Errorf("without a resolver: %+v", way)
	}
	listener.Close()
	if way := a.Ask(t.Context(), targets("a")).Of(t.Context(), 0); way.Answer != Refused {
		t.Errorf("without a resolver and an sshd: %+v", way)
	}
}

// TestWarm: ssh is asked before anybody waits for it, about each host once an hour at most, also where it says nothing; the
// next process finds it, and what a host of an earlier day was like is forgotten.
func TestWarm(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ways.json")
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		run := func(names ...string) int {
			calls = 0
			a := Asker{Resolve: direct(&calls), Memory: Open(path, nil), Skip: []string{"skip*"}}
			if err := a.Warm(t.Context(), names); err != nil {
				t.Fatal(err)
			}
			return calls
		}
		names := []string{"node1", "odd2", "skip3", "proxied4"}
		if n := run(names...); n != 3 {
			t.Errorf("ssh was asked %d times, want 3", n)
		}
		for range 59 {
			time.Sleep(time.Minute)
			if n := run(names...); n != 0 {
				t.Fatalf("ssh was asked %d times within the hour", n)
			}
		}
		time.Sleep(time.Minute)
		if n := run(names...); n != 3 {
			t.Errorf("after an hour ssh was asked %d times, want 3", n)
		}
		if _, known := Open(path, nil).route("node1"); !known {
			t.Error("the next process does not know the way to node1")
		}
		if n := run("node1"); n != 0 || len(Open(path, nil).kept.Routes) != 1 || len(Open(path, nil).kept.Failed) != 0 {
			t.Errorf("%d calls; hosts that are gone are remembered: %+v", n, Open(path, nil).kept)
		}
	})
}

// TestWarmIsBounded: of a large cloud that is new some hosts are asked about in each run.
func TestWarmIsBounded(t *testing.T) {
	path, calls := filepath.Join(t.TempDir(), "ways.json"), 0
	var names []string
	for i := range 250 {
		names = append(names, "node"+string(rune('a'+i%26))+string(rune('a'+i/26)))
	}
	for _, want := range []int{warmedAtOnce, warmedAtOnce, 50, 0} {
		calls = 0
		a := Asker{Resolve: direct(&calls), Memory: Open(path, nil)}
		if err := a.Warm(t.Context(), names); err != nil || calls != want {
			t.Errorf("%v; ssh was asked %d times, want %d", err, calls, want)
		}
	}
}
