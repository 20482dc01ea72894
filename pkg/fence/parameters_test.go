package fence

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/process"
	"one-ft/test/process/rigs"
)

// The parameters that an agent does not know are those that its metadata do not have, however they are written.
func TestIgnoredParameters(t *testing.T) {
	b := newBench(t)
	b.metadata["fence_fine"] = `<?xml version="1.0" ?><resource-agent name="fence_fine"><parameters><parameter name="ip"/><parameter name="power_wait"/>` +
		`<parameter name="list-status"/></parameters></resource-agent>`
	b.metadata["fence_ipmilan"] = "usage: fence_ipmilan"
	d := Device{Kind: KindAgent, Agent: "fence_fine", Params: map[string]string{"ip": "10.0.0.11", "Power-Wait": "2", "lanpluss": "1", "power_waitt": "2", "list_status": "1"}}
	for agent, want := range map[string]string{"fence_fine": "lanpluss power_waitt", "fence_ipmilan": "", "fence_missing": ""} {
		known := Parameters(t.Context(), b.settings(), agent)
		if got := strings.Join(d.Ignored(known), " "); got != want {
			t.Errorf("%s: %q, want %q", agent, got, want)
		}
	}
	if got := (Device{Kind: KindCommand, Params: d.Params}).Ignored([]string{"ip"}); got != nil {
		t.Errorf("a command: %q", got)
	}
	failing := b.settings()
	failing.Run = func(context.Context, time.Duration, process.Program) process.Result {
		return process.Result{Code: 1, Output: b.metadata["fence_fine"]}
	}
	if got := Parameters(t.Context(), failing, "fence_fine"); got != nil {
		t.Errorf("of an agent that fails: %q", got)
	}
}

// Real agents know the parameters that the README and templates use, and ignore no others.
func TestParametersOfAgents(t *testing.T) {
	t.Parallel()
	rigs.Need(t, "fence-agents", "fence_ipmilan")
	path, err := exec.LookPath("fence_ipmilan")
	if err != nil {
		t.Fatal(err)
	}
	s := Settings{AgentDir: []string{filepath.Dir(path)}}
	for agent, names := range map[string]string{
		"fence_ipmilan":  "ip username password lanplus cipher power_wait login privlvl ipport",
		"fence_apc_snmp": "ip plug port snmp_version community snmp-version passwd",
		"fence_virsh":    "ip plug username identity_file ssh use_sudo",
	} {
		known := Parameters(t.Context(), s, agent)
		for name := range strings.FieldsSeq(names) {
			if !slices.Contains(known, plainParam(name)) {
				t.Errorf("%s: %s is not known", agent, name)
			}
		}
		if slices.Contains(known, "lanpluss") {
			t.Errorf("%s: %q", agent, known)
		}
	}
}
