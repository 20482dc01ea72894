package fencing

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
)

// byTemplate and byFile are a host that is fenced by its template, and the same one with that in the
// configuration.
func byTemplate(template map[string]string) (fence.Settings, error) {
	return Resolver{}.Settings(one.Host{ID: 3, Name: "node3", Template: template})
}

func byFile(t *testing.T, text string) (fence.Settings, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), config.Name)
	if err := os.WriteFile(path, []byte("fence: [{hosts: ['*'], levels: ["+text+"]}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := config.Load(path, "")
	if err != nil {
		return fence.Settings{}, err
	}
	return Resolver{Config: f}.Settings(one.Host{ID: 3, Name: "node3"})
}

// unnamed is s without the names of levels, which say where they come from.
func unnamed(s fence.Settings) fence.Settings {
	for i := range s.Levels {
		s.Levels[i].Name = ""
	}
	return s.WithDefaults()
}

// A host is fenced alike, whether its template or the configuration says with what: the settings, what is
// shown of them, and each word that the agent gets.
func TestTemplateAndConfigurationAreAlike(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"fence_ipmilan": 0o755, "fence_apc": 0o755, "secret": 0o600} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("s3cret\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		template map[string]string
		file     string
	}{
		"usual": {
			map[string]string{"FENCE_AGENT": "fence_ipmilan", "FENCE_IP": "10.0.0.11", "FENCE_USER": "admin", "FENCE_PASSWORD": "s3cret", "FENCE_LANPLUS": "1"},
			"{devices: [{agent: fence_ipmilan, params: {ip: 10.0.0.11, username: admin, password: s3cret, lanplus: '1'}}]}",
		},
		"file with the password": {
			map[string]string{"FENCE_AGENT": "fence_ipmilan", "FENCE_IP": "h", "FENCE_PASSWORD_FILE": "secret"},
			"{devices: [{agent: fence_ipmilan, params: {ip: h}, password_file: " + filepath.Join(dir, "secret") + "}]}",
		},
		"no parameters": {map[string]string{"FENCE_AGENT": "fence_ipmilan"}, "{devices: [{agent: fence_ipmilan}]}"},
		"two levels": {
			map[string]string{"FENCE_AGENT": "fence_ipmilan", "FENCE_IP": "a", "FENCE_AGENT_2": "fence_apc", "FENCE_IP_2": "b", "FENCE_PLUG_2": "7", "FENCE_SNMP_PRIV_PASSWD_2": "x y"},
			"{devices: [{agent: fence_ipmilan, params: {ip: a}}]}, {devices: [{agent: fence_apc, params: {ip: b, plug: '7', snmp_priv_passwd: x y}}]}",
		},
		"lease, then an admin": {map[string]string{"FENCE_LEASE": "60", "FENCE_MANUAL": "yes"}, "{devices: [{lease: 60s}]}, {devices: [{manual: true}]}"},
	} {
		template, err := byTemplate(c.template)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		file, err := byFile(t, c.file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		template, file = unnamed(template), unnamed(file)
		words, shown := said(t, template, dir), fence.Describe(template.Levels)
		if got := said(t, file, dir); got != words {
			t.Errorf("%s: with the template the agent gets\n%s\nwith the configuration\n%s", name, words, got)
		}
		if c.template["FENCE_PASSWORD_FILE"] != "" {
			continue // by its name there, by its path here
		}
		if got := fence.Describe(file.Levels); !reflect.DeepEqual(got, shown) || strings.Contains(fmt.Sprint(got), "s3cret") {
			t.Errorf("%s: shown are\n%q\n%q", name, shown, got)
		}
		for i := range template.Levels { // a lease of the template has its defaults already
			for j, d := range file.Levels[i].Devices {
				if d.Kind == fence.KindLease {
					file.Levels[i].Devices[j].Lease = d.Lease.WithDefaults()
				}
				if len(d.Params) == 0 {
					file.Levels[i].Devices[j].Params = template.Levels[i].Devices[j].Params
				}
			}
		}
		template.Run, file.Run = nil, nil
		if !reflect.DeepEqual(template, file) {
			t.Errorf("%s: settings\n%+v\n%+v", name, template, file)
		}
	}
}

// said is each call of an agent that fails, with its limit and all that it gets.
func said(t *testing.T, s fence.Settings, dir string) string {
	t.Helper()
	var b strings.Builder
	s.AgentDir, s.SecretDir, s.Backoff = []string{dir}, dir, time.Millisecond
	s.Run = func(_ context.Context, limit time.Duration, p process.Program) process.Result {
		fmt.Fprintf(&b, "%s %s %q %q %s\n", limit, p.Path, p.Args, p.Env, p.Stdin)
		return process.Result{Code: 1}
	}
	if _, err := fence.Prove(t.Context(), fence.Host{ID: 3}, s); err == nil {
		t.Error("proven by agents that fail")
	}
	return b.String()
}

// What is refused in the one is refused in the other, for the same reason.
func TestRefusedAlike(t *testing.T) {
	for param, values := range map[string][]string{
		"action": {"on"}, "option": {"on"}, "help": {"1"}, "version": {"1"}, "usage": {"1"}, "missing_as_off": {"1"}, "missing-as-off": {"1"},
		"plug": {" 1", "1 ", `"1"`},
	} {
		for _, value := range values {
			why := fence.CheckParam(param, value)
			if why == nil {
				t.Fatalf("%s=%s can be used", param, value)
			}
			_, template := byTemplate(map[string]string{"FENCE_AGENT": "fence_x", "FENCE_" + strings.ToUpper(param): value})
			_, file := byFile(t, fmt.Sprintf("{devices: [{agent: fence_x, params: {%s: '%s'}}]}", param, value))
			for _, err := range []error{template, file} {
				if err == nil || !strings.Contains(err.Error(), why.Error()) {
					t.Errorf("%s=%q: %v, want %v", param, value, err, why)
				}
			}
		}
	}
	for name, c := range map[string]struct {
		template map[string]string
		file     string
	}{
		"no agent":      {map[string]string{"FENCE_IP": "h"}, "{devices: [{params: {ip: h}}]}"},
		"no such agent": {map[string]string{"FENCE_AGENT": "fence_../sh"}, "{devices: [{agent: fence_../sh}]}"},
		"no such name":  {map[string]string{"FENCE_AGENT": "fence_x", "FENCE_A B": "1"}, "{devices: [{agent: fence_x, params: {a b: '1'}}]}"},
		"two passwords": {map[string]string{"FENCE_AGENT": "fence_x", "FENCE_PASSWD": "x", "FENCE_PASSWORD_FILE": "f"},
			"{devices: [{agent: fence_x, params: {passwd: x}, password_file: /f}]}"},
		"lease too short": {map[string]string{"FENCE_LEASE": "9"}, "{devices: [{lease: 9s}]}"},
	} {
		_, template := byTemplate(c.template)
		_, file := byFile(t, c.file)
		if template == nil || file == nil {
			t.Errorf("%s: with the template %v, with the configuration %v", name, template, file)
		}
	}
}
