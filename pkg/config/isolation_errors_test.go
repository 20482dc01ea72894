package config

import (
	"slices"
	"strings"
	"testing"
)

func TestIsolationErrors(t *testing.T) {
	const (
		endpoints = "HOST, HOST:PORT, [IPv6]:PORT or a URL such as http://one.example:2633/RPC2"
		witness   = "gateway, tcp://HOST:PORT, icmp://HOST or dns://HOST[:PORT]"
		command   = "a list of an absolute path and arguments, such as [/usr/local/bin/on-isolation, --now]"
		shutdown  = "a list of an absolute path and arguments, such as [/usr/bin/systemctl, poweroff]"
		powerOff  = "a list of an absolute path and arguments, such as [/usr/bin/systemctl, poweroff, --force], or [sysrq]"
	)
	for text, want := range map[string]string{
		"strict: yes":                             `f:1: strict: "yes" is not known; allowed is true or false`,
		"Strict: true":                            `f:1: unknown key "Strict"; did you mean "strict"?`,
		"lease: 1m\nlease: 1m":                    `f:2: lease: given twice, first in line 1`,
		"lease: &a 1m":                            `f:1: anchors (&) are not allowed; a text that begins with & needs quotes`,
		"front_ends: one":                         `f:1: front_ends: a single value; allowed is a list of the front-ends, such as [one1.example, one2.example]`,
		"front_ends: []":                          `f:1: front_ends: an empty list; allowed is a list of the front-ends, such as [one1.example, one2.example]`,
		"front_ends: [one, [two]]":                `f:1: front_ends[1]: a list; allowed is ` + endpoints,
		"front_ends:\n- one\n- ftp://one":         `f:3: front_ends[1]: neither http nor https; allowed is ` + endpoints,
		"front_ends: ['http://u:s3cret@one']":     `f:1: front_ends[0]: a user or password in it; allowed is ` + endpoints + `; they belong into auth_file`,
		"front_ends: ['oneadmin:s3cret']":         `f:1: front_ends[0]: the port is not a number from 1 to 65535; allowed is ` + endpoints,
		"auth_file: oneadmin:s3cret":              `f:1: auth_file: not an absolute path; allowed is an absolute path`,
		"ca_file: ''":                             `f:1: ca_file: not an absolute path; allowed is an absolute path`,
		"watchdog: watchdog":                      `f:1: watchdog: not an absolute path; allowed is an absolute path`,
		"state_dir: s":                            `f:1: state_dir: not an absolute path; allowed is an absolute path`,
		"run_dir: ./r":                            `f:1: run_dir: not an absolute path; allowed is an absolute path`,
		"host_id: -1":                             `f:1: host_id: "-1" is out of range; allowed is a number from 0 to 2147483647`,
		"host_id: 2147483648":                     `f:1: host_id: "2147483648" is out of range; allowed is a number from 0 to 2147483647`,
		"host_id: node":                           `f:1: host_id: "node" is not a whole number; allowed is a number from 0 to 2147483647`,
		"host_name: ''":                           `f:1: host_name: an empty text; allowed is the name of this host in oned`,
		"host_name: \"a\\e[2J\"":                  `f:1: host_name: a character that cannot be printed; allowed is the name of this host in oned`,
		"host_name: a\n\nhost_id: 1":              `f:3: host_id: contradicts host_name in line 1; allowed is one of both: each says which host this is`,
		"host_id: 0\nhost_name: a":                `f:2: host_name: contradicts host_id in line 1; allowed is one of both: each says which host this is`,
		"witnesses: gateway":                      `f:1: witnesses: a single value; allowed is a list of witnesses, such as [gateway, tcp://10.0.0.2:22]`,
		"witnesses: ":                             `f:1: witnesses: no value; allowed is a list of witnesses, such as [gateway, tcp://10.0.0.2:22]`,
		"witnesses: {}":                           `f:1: witnesses: a mapping; allowed is a list of witnesses, such as [gateway, tcp://10.0.0.2:22]`,
		"witnesses: [router]":                     `f:1: witnesses[0]: not a witness; allowed is ` + witness,
		"witnesses: [gateway, ~]":                 `f:1: witnesses[1]: no value; allowed is ` + witness,
		"witnesses: [gateway, tcp://a]":           `f:1: witnesses[1]: no port; allowed is ` + witness,
		"action: poweroff":                        `f:1: action: "poweroff" is not known; allowed is destroy, shutdown or command`,
		"command: []":                             `f:1: command: an empty list; allowed is ` + command,
		"command: /bin/true":                      `f:1: command: a single value; allowed is ` + command,
		"command: [sysrq]":                        `f:1: command: the program is not an absolute path; allowed is ` + command,
		"shutdown: [systemctl, poweroff]":         `f:1: shutdown: the program is not an absolute path; allowed is ` + shutdown,
		"libvirt: qemu":                           `f:1: libvirt: not a URI; allowed is the URI of libvirt on this host, such as qemu:///system`,
		"libvirt: ''":                             `f:1: libvirt: not a URI; allowed is the URI of libvirt on this host, such as qemu:///system`,
		"power_off: []":                           `f:1: power_off: an empty list; allowed is a list of programs with their arguments, and [sysrq]`,
		"power_off: [sysrq]":                      `f:1: power_off[0]: a single value; allowed is ` + powerOff,
		"power_off: [[sysrq, now]]":               `f:1: power_off[0]: the program is not an absolute path; allowed is ` + powerOff,
		"power_off:\n- [/sbin/poweroff]\n- [off]": `f:3: power_off[1]: the program is not an absolute path; allowed is ` + powerOff,
		"power_off:\n- []":                        `f:2: power_off[0]: an empty list; allowed is ` + powerOff,
	} {
		refusedBy(t, parseIsolation, text, private, want)
	}
}

func TestIsolationTimeErrors(t *testing.T) {
	for text, want := range map[string]string{
		"interval: 999ms":      `f:1: interval: "999ms" is out of range; allowed is 1s to 1m`,
		"interval: 61s":        `f:1: interval: "61s" is out of range; allowed is 1s to 1m`,
		"interval: 5":          `f:1: interval: "5" has no unit; allowed is 1s to 1m, such as 5s`,
		"timeout: 499ms":       `f:1: timeout: "499ms" is out of range; allowed is 500ms to 30s`,
		"timeout: 31s":         `f:1: timeout: "31s" is out of range; allowed is 500ms to 30s`,
		"cron_period: 9s":      `f:1: cron_period: "9s" is out of range; allowed is 10s to 10m`,
		"cron_period: 11m":     `f:1: cron_period: "11m" is out of range; allowed is 10s to 10m`,
		"after: 9s":            `f:1: after: "9s" is out of range; allowed is 10s to 1h`,
		"after: 61m":           `f:1: after: "61m" is out of range; allowed is 10s to 1h`,
		"lease: 9s":            `f:1: lease: "9s" is out of range; allowed is 10s to 1h`,
		"lease: 61m":           `f:1: lease: "61m" is out of range; allowed is 10s to 1h`,
		"quiet: -1s":           `f:1: quiet: "-1s" is out of range; allowed is 0s to 1h`,
		"quiet: 61m":           `f:1: quiet: "61m" is out of range; allowed is 0s to 1h`,
		"destroy_limit: 0s":    `f:1: destroy_limit: "0s" is out of range; allowed is 1s to 5m`,
		"destroy_limit: 6m":    `f:1: destroy_limit: "6m" is out of range; allowed is 1s to 5m`,
		"shutdown_limit: 9s":   `f:1: shutdown_limit: "9s" is out of range; allowed is 10s to 30m`,
		"shutdown_limit: 31m":  `f:1: shutdown_limit: "31m" is out of range; allowed is 10s to 30m`,
		"command_limit: 0s":    `f:1: command_limit: "0s" is out of range; allowed is 1s to 10m`,
		"command_limit: 11m":   `f:1: command_limit: "11m" is out of range; allowed is 1s to 10m`,
		"watchdog_timeout: 4s": `f:1: watchdog_timeout: "4s" is out of range; allowed is 5s to 5m`,
		"watchdog_timeout: 6m": `f:1: watchdog_timeout: "6m" is out of range; allowed is 5s to 5m`,
	} {
		refusedBy(t, parseIsolation, text, private, want)
	}
}

// No value may be a list, a mapping or nothing where one is meant.
func TestIsolationWrongKinds(t *testing.T) {
	lists := []string{"front_ends", "witnesses", "command", "shutdown", "power_off"}
	for _, key := range keysOf() {
		for value, kind := range map[string]string{"[a]": "a list", "{a: b}": "a mapping", "": "no value", "x": "a single value"} {
			isList := slices.Contains(lists, key)
			if isList && value == "[a]" || !isList && value == "x" {
				continue
			}
			_, err := parseIsolation("f", []byte(key+": "+value), private)
			if want := "f:1: " + key + ": " + kind + "; allowed is "; err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %v, want %s...", err, want)
			}
		}
	}
}
