package isolated_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"one-ft/test/process/rigs"
)

// guarded is a hypervisor with a configuration of host_isolated, which may run there.
type guarded struct {
	*rigs.Hypervisor
	*isolated          // once it was started
	site               *site
	node               *rigs.Node
	dir, file          string
	patience, reaction time.Duration
	spared             []string // the guests that have to be left
	kept               string   // a file of libvirt that has to be left; "" for none
}

// guarded makes a host of the site a hypervisor without guests; lines are more of its settings.
func (s *site) guarded(host int, lines ...string) *guarded {
	s.t.Helper()
	node := s.net.Hosts[host]
	g := &guarded{Hypervisor: rigs.StartHypervisor(s.t, node), site: s, node: node, dir: s.t.TempDir()}
	g.file = s.settings(g.dir, lines...)
	g.patience, g.reaction = s.bound(g.file, "--watch")
	return g
}

// guard starts host_isolated, and waits until it has made a good round.
func (g *guarded) guard() { g.isolated = g.site.start(g.Command, g.dir, g.file) }

// cutOff takes the network from hosts.
func (s *site) cutOff(hosts ...*guarded) time.Time {
	cut := time.Now()
	for _, g := range hosts {
		s.net.CutCable(g.node)
	}
	return cut
}

// stopped waits until only the guests that are to be spared are left, and more holds: within the bound, and not before the patience
// of the host has nearly ended. The host is not powered off.
func (g *guarded) stopped(cut time.Time, more func() bool) {
	t := g.site.t
	t.Helper()
	left := func() string { return fmt.Sprintf("%s: left are %q\n%s", g.node.Name, g.Guests(), g.said()) }
	g.site.await("the end of the guests", func() bool {
		if time.Since(cut) > g.patience+g.reaction {
			t.Fatal(left())
		}
		return slices.Equal(g.Guests(), g.spared) && (more == nil || more())
	})
	if took := time.Since(cut); took < g.patience-2*time.Second {
		t.Errorf("gone after %s; the host keeps them for %s\n%s", took, g.patience, g.said())
	}
	g.site.await("the last word of host_isolated", func() bool { return strings.Contains(g.said(), "are stopped, verified") })
	if calls := g.PowerCommands(); len(calls) > 0 || !slices.Equal(g.Guests(), g.spared) {
		t.Errorf("the host was told to power off: %v; %s", calls, left())
	}
	if _, err := os.Stat(g.kept); g.kept != "" && err != nil {
		t.Error(err)
	}
}

// says fails when host_isolated has not logged a text.
func (g *guarded) says(texts ...string) {
	g.site.t.Helper()
	for _, text := range texts {
		if !strings.Contains(g.said(), text) {
			g.site.t.Errorf("%s: it does not say %q:\n%s", g.node.Name, text, g.said())
		}
	}
}
