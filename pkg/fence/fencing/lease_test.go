package fencing

import (
	"strings"
	"testing"

	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/one"
)

// What the configuration says of a host goes first; a lease in its template is the last
// resort behind it.
func TestLeaseBehindTheConfiguration(t *testing.T) {
	entry := config.Entry{Hosts: []string{"*"}, Settings: fence.Settings{Levels: []fence.Level{{Name: "bmc", Devices: []fence.Device{{Kind: fence.KindAgent, Agent: "fence_ipmilan"}}}}}}
	for _, c := range []struct {
		template map[string]string
		entries  []config.Entry
		want     []string
	}{
		{map[string]string{"FENCE_LEASE": "60"}, nil, []string{"lease of 1m0s, waited for 2m0s"}},
		{map[string]string{"FENCE_LEASE": "60"}, []config.Entry{entry}, []string{"fence_ipmilan", "lease of 1m0s"}},
		{map[string]string{"FENCE_LEASE": "60", "FENCE_IP": "10.0.0.1"}, []config.Entry{entry}, []string{"fence_ipmilan", "lease of 1m0s"}},
		{map[string]string{"FENCE_LEASE": "60", "FENCE_AGENT": "fence_ilo"}, []config.Entry{entry}, []string{"fence_ilo", "lease of 1m0s"}},
		{map[string]string{"FENCE_LEASE": "60", "FENCE_IP": "10.0.0.1"}, nil, []string{"FENCE_AGENT is missing"}},
		{map[string]string{"FENCE_LEASE": "a minute"}, []config.Entry{entry}, []string{"FENCE_LEASE: "}},
	} {
		fences, host := Resolver{Config: config.File{Fence: c.entries}}, one.Host{ID: 1, Name: "node1", Template: c.template}
		lines := fences.Describe(host)
		if o := fences.Outlook(t.Context(), fence.ModeAuto, host); o.Reason == fence.Misconfigured {
			lines = o.Lines()
		}
		good := len(lines) == len(c.want)
		for i := range min(len(lines), len(c.want)) {
			good = good && strings.Contains(lines[i], c.want[i])
		}
		if !good {
			t.Errorf("%v: %q, want %q", c.template, lines, c.want)
		}
	}
}
