package isolated_test

import (
	"sync"
	"testing"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/process/rigs"
	"one-ft/test/sim/cloud"
)

// running is a VM that runs on a host.
func running(id, host int) cloud.VM {
	return cloud.VM{ID: id, Name: "vm", State: one.Active, LCM: one.Running, CPU: 0.1, MemMB: 64,
		History: []cloud.Record{{HostID: host, STime: 1, PSTime: 1, PETime: 1, RSTime: 1}}}
}

// cuts are what can happen to the network, and what becomes of VMs in both modes. The hosts
// have the gateway for a witness, and where it says so their peer.
func cuts() []cut {
	each := func(c func(n *rigs.Net, h *rigs.Node) func()) func(*site) {
		return func(s *site) {
			for _, h := range s.net.Hosts {
				c(s.net, h)
			}
		}
	}
	return []cut{
		{"nothing", func(*site) {}, false, false, false},
		{"cable", each((*rigs.Net).CutCable), false, true, true},
		{"silent switch port", each((*rigs.Net).SilentPort), false, true, true},
		{"everything dropped, both ways", each((*rigs.Net).Isolate), false, true, true},
		{"to the front-end dropped", each(func(n *rigs.Net, h *rigs.Node) func() { return n.Drop(h, n.FE) }), false, false, true},
		{"from the front-end dropped", each(func(n *rigs.Net, h *rigs.Node) func() { return n.Drop(n.FE, h) }), false, false, true},
		{"own firewall, to the front-end", each(func(n *rigs.Net, h *rigs.Node) func() { return n.DropOutput(h, n.FE) }), false, false, true},
		{"own firewall, to all", each(func(n *rigs.Net, h *rigs.Node) func() { n.DropOutput(h, n.FE); return n.DropOutput(h, n.GW) }), false, true, true},
		{"a fifth of all packets lost", each(func(n *rigs.Net, h *rigs.Node) func() { return n.Loss(h, n.FE, 20) }), false, false, false},
		{"slow answers", func(s *site) { s.cloud.Inject(cloud.Rule{ID: -1, Delay: 300 * time.Millisecond}) }, false, false, false},
		{"answers that are too slow", func(s *site) { s.cloud.Inject(cloud.Rule{ID: -1, Delay: 5 * time.Second}) }, false, false, true},
		{"oned does not listen", func(s *site) { s.net.Reject(s.net.FE, onedPort) }, false, false, true},
		{"flapping every 3 s", each(func(n *rigs.Net, h *rigs.Node) func() { return n.Flap(h, 3*time.Second) }), false, false, false},
		{"front-end off", func(s *site) { s.net.CutCable(s.net.FE) }, false, false, true},
		{"front-end and gateway off", func(s *site) { s.net.CutCable(s.net.FE); s.net.CutCable(s.net.GW) }, false, true, true},
		{"front-end and gateway off, a peer answers", func(s *site) { s.net.CutCable(s.net.FE); s.net.CutCable(s.net.GW) }, true, false, true},
		{"oned says ERROR", states(one.HostError), false, false, true},
		{"oned says OFFLINE", states(one.HostOffline), false, false, true},
		{"oned says DISABLED", states(one.HostDisabled), false, false, false},
		{"wrong token from now on", func(s *site) {
			s.cloud.Inject(cloud.Rule{ID: -1, Refuse: &cloud.Refusal{Code: 0x100, Text: "[one.host.info] User couldn't be authenticated, aborting call."}})
		}, false, false, true},
	}
}

// cut is a row: what is done, whether peers are witnesses, and whether VMs are stopped by
// default and with strict.
type cut struct {
	name          string
	do            func(*site)
	peers         bool
	plain, strict bool
}

// states sets both hosts to a state, again and again: monitoring changes it.
func states(state one.HostState) func(*site) {
	return func(s *site) {
		for id := 1; id <= 2; id++ {
			_ = s.cloud.FailHost(id) // else it would be MONITORED again soon
			_ = s.cloud.SetHostState(id, state)
		}
	}
}

// TestCuts runs every cut on a network of its own, with a host in the default mode and one
// that is strict, all at the same time: most of it is waiting.
func TestCuts(t *testing.T) {
	t.Parallel()
	rigs.Need(t, rigs.NetPackages, "ip", "nft")
	rigs.NeedRoot(t)
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, c := range cuts() {
		wg.Go(func() { t.Run(c.name, func(t *testing.T) { c.run(t) }) })
	}
}

// run makes a cut and looks what becomes of both hosts' guests.
func (c cut) run(t *testing.T) {
	s := newSite(t, "6.10.0", 2, nil)
	witnesses := "witnesses: [gateway]"
	if c.peers {
		for _, h := range s.net.Hosts {
			h.Listen(t, 22)
		}
	}
	type watched struct {
		*machine
		*isolated
		acts  bool
		limit time.Duration
	}
	var hosts []watched
	for i, strict := range []string{"strict: false", "strict: true"} {
		if c.peers {
			witnesses = "witnesses: [gateway, \"tcp://" + s.net.Hosts[1-i].IP + ":22\"]"
		}
		m, dir := s.newMachine(s.net.Hosts[i]), t.TempDir()
		file := s.settings(dir, strict, witnesses)
		patience, reaction := s.bound(file, "--watch")
		hosts = append(hosts, watched{m, s.start(m.Command, dir, file), []bool{c.plain, c.strict}[i], patience + reaction})
	}
	s.ready()
	began := time.Now()
	c.do(s)
	// Long enough to act, if that is what it does.
	quiet := time.After(20 * time.Second)
	for i, h := range hosts {
		name := []string{"default", "strict"}[i]
		if !h.acts {
			select {
			case <-h.gone:
				t.Errorf("%s: the guest was stopped after %s\n%s", name, h.ended.Sub(began), h.said())
			case <-quiet:
				quiet = time.After(0)
			}
			continue
		}
		select {
		case <-h.gone:
			if took := h.ended.Sub(began); took < 9*time.Second || took > h.limit {
				t.Errorf("%s: the guest was stopped after %s, the bound is %s\n%s", name, took, h.limit, h.said())
			}
		case <-time.After(h.limit + 10*time.Second):
			t.Errorf("%s: the guest still runs after %s\n%s", name, time.Since(began), h.said())
		}
	}
}
