package fence

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestFromTemplate(t *testing.T) {
	for _, c := range []struct {
		name     string
		template map[string]string
		want     string // Describe, joined
	}{
		{"nothing", map[string]string{"ARCH": "x86_64", "FENCES": "3"}, ""},
		{"usual", map[string]string{"FENCE_AGENT": "fence_ipmilan", "FENCE_IP": "10.0.0.11", "FENCE_USER": "admin", "FENCE_PASSWORD": "s3cret", "FENCE_LANPLUS": "1"},
			"level 1 (host template): fence_ipmilan on 10.0.0.11 (ip=10.0.0.11, lanplus=1, password=****, username=admin)"},
		{"old names", map[string]string{"FENCE_AGENT": "fence_apc", "FENCE_IPADDR": "h", "FENCE_LOGIN": "u", "FENCE_PASSWD": "s3cret", "FENCE_PLUG": "7", "FENCE_IPPORT": "22"},
			"level 1 (host template): fence_apc on h:22 plug 7 (ip=h, ipport=22, password=****, plug=7, username=u)"},
		{"file, unknown parameter", map[string]string{"FENCE_AGENT": "fence_x", "FENCE_PASSWORD_FILE": "node1", "FENCE_API_PATH": "/rest", "FENCE_PASWORD": "oops"},
			"level 1 (host template): fence_x (api_path=****, pasword=****, password from node1)"},
		{"levels", map[string]string{"FENCE_AGENT": "fence_a", "FENCE_AGENT_2": "fence_b", "FENCE_PLUG_2": "3", "FENCE_INET4_ONLY_2": "1", "FENCE_MANUAL": "YES"},
			"level 1 (host template): fence_a; level 2 (host template): fence_b plug 3 (inet4_only=1, plug=3); level 3 (host template): confirmation by an admin"},
		{"manual only", map[string]string{"FENCE_MANUAL": "yes"}, "level 1 (host template): confirmation by an admin"},
		{"not manual", map[string]string{"FENCE_MANUAL": "no"}, ""},
	} {
		levels, err := FromTemplate(c.template)
		if got := strings.Join(Describe(levels), "; "); err != nil || got != c.want {
			t.Errorf("%s:\ngot  %s, %v\nwant %s", c.name, got, err, c.want)
		}
		if err := Check(levels); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestFromTemplateRefuses(t *testing.T) {
	for _, c := range []struct {
		attribute, value string // beside FENCE_AGENT = fence_ipmilan and FENCE_IP
		says             string
	}{
		{"FENCE_AGENT", "../../bin/sh", "name of a fence agent"},
		{"FENCE_AGENT", "fence_/x", "name of a fence agent"},
		{"FENCE_AGENT", "sh", "name of a fence agent"},
		{"FENCE_AGENT", "", "empty"},
		{"FENCE_PASSWORD", "a\naction=on", "more than one line"},
		{"FENCE_PASSWORD", " a", "space"},
		{"FENCE_PASSWORD", `"a"`, "quotes"},
		{"FENCE_PASSWORD_FILE", "/var/lib/one/.one/one_auth", "directory for secrets"},
		{"FENCE_PASSWORD_FILE", "../one_auth", "directory for secrets"},
		{"FENCE_COMMAND", "/bin/true", "configuration only"},
		{"FENCE_COMMAND_2", "/bin/true", "configuration only"},
		{"FENCE_IPMITOOL_PATH", "/tmp/x", "configuration only"},
		{"FENCE_PASSWORD_SCRIPT", "/tmp/x", "configuration only"},
		{"FENCE_SSH_OPTIONS", "-o ProxyCommand=x", "configuration only"},
		{"FENCE_DEBUG_FILE", "/tmp/x", "configuration only"},
		{"FENCE_ACTION", "on", "set by one-ft"},
		{"FENCE_OPTION", "on", "set by one-ft"},
		{"FENCE_HELP", "1", "do nothing"},
		{"FENCE_MISSING_AS_OFF", "1", "mistyped plug"},
		{"FENCE_MISSING-AS-OFF", "1", "mistyped plug"},
		{"FENCE_PORT", "7", "FENCE_PLUG"},
		{"FENCE_IPADDR", "10.0.0.1", "twice"},
		{"FENCE_MANUAL", "perhaps", "yes and no"},
		{"FENCE_MANUAL_2", "yes", "without a level"},
		{"FENCE_LEASE", "30s", "a number of seconds"},
		{"FENCE_LEASE", "9", "allowed are 10s to 1h0m0s"},
		{"FENCE_LEASE_2", "60", "without a level"},
		{"FENCE_LEASE_REACTION", "30", "FENCE_LEASE is missing"},
		{"FENCE_IP_1", "x", "_2 to _9"},
		{"FENCE_IP_10", "x", "_2 to _9"},
		{"FENCE_IP_02", "x", "_2 to _9"},
		{"FENCE_IP_2", "x", "FENCE_AGENT_2 is missing"},
		{"FENCE_AGENT_3", "fence_x", "no level 2: FENCE_AGENT_2 is missing"},
		{"FENCE_A B", "x", "letters, digits"},
		{"FENCE_", "x", "letters, digits"},
	} {
		template := map[string]string{"FENCE_AGENT": "fence_ipmilan", "FENCE_IP": "10.0.0.11", c.attribute: c.value}
		levels, err := FromTemplate(template)
		if says := fmt.Sprint(err); !strings.HasPrefix(says, "host template, ") || !strings.Contains(says, c.says) || levels != nil {
			t.Errorf("%s = %q: %v", c.attribute, c.value, err)
		}
		if err != nil && !strings.Contains(err.Error(), "FENCE_") {
			t.Errorf("%s: the error names no attribute: %v", c.attribute, err)
		}
	}
	both := map[string]string{"FENCE_AGENT": "fence_x", "FENCE_PASSWORD": "s3cret", "FENCE_PASSWORD_FILE": "f"}
	if _, err := FromTemplate(both); err == nil || !strings.Contains(err.Error(), "twice") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("password and file: %v", err)
	}
}

// FENCE_IP alone is what OpenNebula tells admins to write for their fence_host.sh.
func TestAddressForASiteCommand(t *testing.T) {
	_, err := FromTemplate(map[string]string{"FENCE_IP": "10.0.0.11"})
	if !errors.Is(err, ErrNoAgent) || !strings.Contains(err.Error(), "FENCE_IP") {
		t.Errorf("error %v", err)
	}
}

func TestCheck(t *testing.T) {
	one := Device{Kind: KindAgent, Agent: "fence_x"}
	manual := Device{Kind: KindManual}
	for _, c := range []struct {
		name string
		l    Level
		says string
	}{
		{"empty", Level{Name: "x"}, "level 1 (x): it has no devices"},
		{"no kind", level(Device{}), "allowed are agent, command, lease and manual"},
		{"manual with others", level(one, manual), "alone"},
		{"lease without a length", level(Device{Kind: KindLease}), "a lease of 0s: allowed are 10s to 1h0m0s"},
		{"lease with others", level(one, Device{Kind: KindLease, Lease: Lease{Length: time.Minute}}), "alone"},
		{"relative command", level(Device{Kind: KindCommand, Command: []string{"fence_host.sh"}}), "absolute path"},
		{"no command", level(Device{Kind: KindCommand}), "absolute path"},
		{"NUL", level(Device{Kind: KindCommand, Command: []string{"/x", "\x00"}}), "NUL"},
		{"path of an agent", level(Device{Kind: KindAgent, Agent: "/usr/sbin/fence_x"}), "name of a fence agent"},
		{"two passwords", level(Device{Kind: KindAgent, Agent: "fence_x", SecretFile: "f", Params: map[string]string{"password": "x"}}), "file with a password"},
		{"name of a secret", level(Device{Kind: KindAgent, Agent: "fence_x", SecretFile: "a/b"}), "directory for secrets"},
	} {
		err := Check([]Level{c.l})
		says := fmt.Sprint(err)
		if !strings.HasPrefix(says, "fencing, level 1") || !strings.Contains(says, c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, err := Prove(t.Context(), theHost, Settings{Levels: []Level{c.l}}); fmt.Sprint(err) != says {
			t.Errorf("%s: proof with %v", c.name, err)
		}
	}
	good := []Level{level(one, one), level(Device{Kind: KindCommand, Command: []string{"/x", "y"}}), level(manual)}
	if err := Check(good); err != nil {
		t.Error(err)
	}
}

// Whatever a template says, levels that come out of it can be used, run agents by
// their plain name only, and describe themselves in printable lines.
func TestTemplateProperty(t *testing.T) {
	names := rapid.SampledFrom([]string{"AGENT", "IP", "USER", "PASSWORD", "PASSWORD_FILE", "PLUG", "PORT", "COMMAND", "MANUAL", "LEASE", "SSH_PATH", "ACTION", "AGENT_2", "IP_2", "AGENT_3", "_", ""})
	rapid.Check(t, func(t *rapid.T) {
		template := map[string]string{}
		for range rapid.IntRange(0, 6).Draw(t, "attributes") {
			value := rapid.OneOf(rapid.SampledFrom([]string{"fence_ipmilan", "yes", "60", "10.0.0.1"}), rapid.String())
			template["FENCE_"+names.Draw(t, "name")] = value.Draw(t, "value")
		}
		levels, err := FromTemplate(template)
		if err != nil {
			if levels != nil && !errors.Is(err, ErrNoAgent) || !strings.Contains(err.Error(), "FENCE_") {
				t.Fatalf("levels %v, error %v", levels, err)
			}
			for _, l := range levels { // those that need no agent
				if d := l.Devices[0]; d.Kind != KindManual && d.Kind != KindLease {
					t.Fatalf("device %+v beside %v", d, err)
				}
			}
			return
		}
		if err := Check(levels); err != nil {
			t.Fatal(err)
		}
		for _, l := range levels {
			if d := l.Devices[0]; d.Kind != KindManual && d.Kind != KindLease && (d.Kind != KindAgent || !ValidAgent(d.Agent)) {
				t.Fatalf("device %+v", d)
			}
		}
		for _, line := range Describe(levels) {
			if !inOneLine(line) {
				t.Fatalf("not printable: %q", line)
			}
		}
	})
}
