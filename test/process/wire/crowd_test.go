package wire

import (
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// mostOfAll is what oned takes at the same time: 15 connections that it serves and 15 that
// wait.
const mostOfAll = 30

// peak is how many connections a line has had at the same time.
func (l *line) peak() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.most
}

// faraway makes oned slow, so that calls pile up.
func (s *site) faraway() { s.Inject(cloud.Rule{ID: -1, Delay: 20 * time.Millisecond}) }

// TestConnectionsOfOneRun: with as much in parallel as it may be, a run leaves connections
// for others.
func TestConnectionsOfOneRun(t *testing.T) {
	t.Parallel()
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, version, func(cfg *cloud.Config) {
				for id := 100; id < 130; id++ {
					cfg.VMs = append(cfg.VMs, vmOn(failed, id, one.Active, one.Unknown))
				}
			})
			s.faraway()
			wire := newLine(t, s.oned, &line{})
			s.hold(t, s.recover(t, endpointAt(wire.address()), patiently("--parallel", "12")...), wellDone)
			if n := wire.peak(); n < 2 || n > mostAtOnce {
				t.Errorf("%d connections at the same time, want more than one and at most %d", n, mostAtOnce)
			}
		})
	}
}

// TestConnectionsOfManyHooks: as many hooks at a time as oned runs, each for a failed host of
// its own, take no more connections than oned takes from everybody.
func TestConnectionsOfManyHooks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version string
		hooks   int
	}{{"4.4.1", 15}, {"5.10.6", 10}, {"7.4.1", 10}} {
		t.Run(c.version, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, c.version, func(cfg *cloud.Config) {
				for id := 10; id < 10+c.hooks; id++ {
					cfg.Hosts = append(cfg.Hosts, cloud.Host{ID: id, Name: "node" + strconv.Itoa(id), State: one.HostError})
					cfg.VMs = append(cfg.VMs, vmOn(id, 2*id, one.Active, one.Unknown), vmOn(id, 2*id+1, one.Active, one.Unknown))
				}
			})
			s.faraway()
			s.mostRequests = mostOfAll // some of many processes wait for the others
			wire := newLine(t, s.oned, &line{})
			var all sync.WaitGroup
			runs := make([]run, c.hooks)
			for i := range runs {
				args := patiently(strconv.Itoa(10+i), "-r", "n", "--override-storm")
				all.Go(func() { runs[i] = s.runTool(t, endpointAt(wire.address()), "host_error", args...) })
			}
			all.Wait()
			for _, r := range runs {
				if r.code != 0 || r.loud() {
					t.Errorf("%s", r)
				}
			}
			if n := wire.peak(); n > mostOfAll {
				t.Errorf("%d connections at the same time, at most %d are taken", n, mostOfAll)
			}
			if times := s.executed(); len(times) != 2*c.hooks {
				t.Errorf("calls: %v, want one for each of %d VMs", times, 2*c.hooks)
			}
			if broken := s.never(); len(broken) > 0 {
				t.Error(strings.Join(broken, "\n"))
			}
		})
	}
}

// TestFewPlaces: oned takes three connections at a time, and the kernel drops what is more
// than that; the calls take their turns. 4.4 keeps connections: those that the run does not use
// hold their places for 5 s, so more in parallel there would pass, but slowly.
func TestFewPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ version, parallel string }{{"4.4.1", "2"}, {"5.10.6", "8"}, {"7.4.1", "8"}} {
		t.Run(c.version, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, c.version)
			wire := newLine(t, s.oned, &line{places: 3})
			s.hold(t, s.recover(t, endpointAt(wire.address()), patiently("--parallel", c.parallel)...), wellDone)
			s.runElsewhere(t)
			if n := wire.peak(); n > 3 {
				t.Errorf("%d connections were taken at the same time: the test is wrong", n)
			}
		})
	}
}

// TestOthersHaveAllPlaces: strangers hold all connections that oned takes, those that wait
// included. A run waits for a place while it may, and else names the endpoint.
func TestOthersHaveAllPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		held time.Duration // 0 for as long as the test
		code int
	}{{"for a while", 700 * time.Millisecond, 0}, {"for good", 0, 1}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "7.4.1")
			const places = 3
			wire := newLine(t, s.oned, &line{places: places})
			others := crowd(t, wire.address(), 2*places+4)
			if c.held > 0 {
				time.AfterFunc(c.held, others)
			}
			options, want := patiently(), wellDone
			if c.code != 0 {
				options, want = briefly(), expectation{code: c.code, bound: first.bound()}
			}
			s.hold(t, s.recover(t, endpointAt(wire.address()), options...), want)
			others()
			s.goOn(t)
			s.runElsewhere(t)
		})
	}
}

// crowd connects until nothing more is taken. What it returns lets go of all connections.
func crowd(t *testing.T, address string, n int) (leave func()) {
	t.Helper()
	var conns []net.Conn
	for refused := 0; len(conns) < n && refused < 3; { // one alone may be a busy machine
		c, err := net.DialTimeout("tcp", address, 300*time.Millisecond)
		if err != nil {
			refused++
			continue
		}
		refused = 0
		conns = append(conns, c)
	}
	if len(conns) == n {
		t.Fatal("all connections are taken: the test is wrong")
	}
	leave = sync.OnceFunc(func() {
		for _, c := range conns {
			c.Close()
		}
	})
	t.Cleanup(leave)
	return leave
}
