package fencing

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/one"
)

// loaded is a configuration with that text.
func loaded(t *testing.T, text string) config.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), config.Name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := config.Load(path, "")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The example of the configuration names the defaults that there are.
func TestExampleNamesDefaults(t *testing.T) {
	text, err := os.ReadFile("../../../scripts/one-ft.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d := fence.Settings{}.WithDefaults()
	for _, want := range []string{
		fmt.Sprintf("10m. Default: %.0fs.\n#    timeout: %.0[1]fs\n", d.Timeout.Seconds()), fmt.Sprintf("10. Default: %d.\n#    attempts: %[1]d\n", d.Attempts),
		fmt.Sprintf("Default: %.0fs.\n#    back_off: %.0[1]fs\n", d.Backoff.Seconds()),
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("scripts/one-ft.yaml does not say %q", want)
		}
	}
}

// A host is fenced alike, whether its template or the configuration says with what: there is one
// set of defaults. What the configuration does set counts for both.
func TestOneSetOfDefaults(t *testing.T) {
	const levels = "levels: [{devices: [{agent: fence_ipmilan, params: {ip: 10.0.0.11}}]}]"
	template := map[string]string{"FENCE_AGENT": "fence_ipmilan", "FENCE_IP": "10.0.0.11"}
	type limits struct {
		timeout, backoff time.Duration
		attempts         int
	}
	for name, c := range map[string]struct {
		entry    string
		template map[string]string
		want     limits
	}{
		"template":                   {"", template, limits{60 * time.Second, 3 * time.Second, 2}},
		"configuration":              {"fence: [{hosts: ['*'], " + levels + "}]", nil, limits{60 * time.Second, 3 * time.Second, 2}},
		"configuration with values":  {"fence: [{hosts: ['*'], timeout: 9s, attempts: 7, back_off: 8s, " + levels + "}]", nil, limits{9 * time.Second, 8 * time.Second, 7}},
		"template, values for those": {"fence: [{hosts: ['*'], timeout: 9s, attempts: 7, back_off: 8s, " + levels + "}]", template, limits{9 * time.Second, 8 * time.Second, 7}},
	} {
		s, err := Resolver{Config: loaded(t, c.entry)}.Settings(one.Host{ID: 3, Name: "node3", Template: c.template})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s = s.WithDefaults()
		if got := (limits{s.Timeout, s.Backoff, s.Attempts}); got != c.want || len(s.Levels) != 1 || s.Levels[0].Devices[0].Agent != "fence_ipmilan" {
			t.Errorf("%s: %+v, want %+v; levels %+v", name, got, c.want, s.Levels)
		}
	}
}

// Two outlets of an agent that only knows the first of several are two devices, whether the template or the configuration
// names them.
func TestOutletsApart(t *testing.T) {
	template := map[string]string{"FENCE_AGENT": "fence_apc_snmp", "FENCE_IP": "10.0.0.12", "FENCE_PLUG": "1,2"}
	entry := "fence: [{hosts: ['*'], levels: [{devices: [{agent: fence_apc_snmp, params: {ip: 10.0.0.12, plug: '%i,2'}}]}]}]"
	for name, c := range map[string]struct {
		entry    string
		template map[string]string
	}{"template": {"", template}, "configuration": {entry, nil}} {
		s, err := Resolver{Config: loaded(t, c.entry)}.Settings(one.Host{ID: 1, Name: "node1", Template: c.template})
		if err != nil || len(s.Levels) != 1 {
			t.Fatalf("%s: %+v, %v", name, s.Levels, err)
		}
		var got []string
		for _, d := range s.Levels[0].Devices {
			got = append(got, d.String())
		}
		if want := "fence_apc_snmp on 10.0.0.12 plug 1, fence_apc_snmp on 10.0.0.12 plug 2"; strings.Join(got, ", ") != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
