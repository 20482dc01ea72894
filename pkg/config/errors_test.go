package config

import (
	"strings"
	"testing"
)

func TestScalarErrors(t *testing.T) {
	for text, want := range map[string]string{
		// unit, type, range
		"wait: 90":                       `f:1: wait: "90" has no unit; allowed is 0s to 24h, such as 90s`,
		"wait: 3d":                       `f:1: wait: "3d" is not a duration; allowed is 0s to 24h, with the units ms, s, m and h`,
		"wait: 25h":                      `f:1: wait: "25h" is out of range; allowed is 0s to 24h`,
		"wait: -1s":                      `f:1: wait: "-1s" is out of range; allowed is 0s to 24h`,
		"wait:":                          `f:1: wait: no value; allowed is 0s to 24h`,
		"wait: [1s]":                     `f:1: wait: a list; allowed is 0s to 24h`,
		"wait: \"1s\\e[2J\"":             `f:1: wait: a character that cannot be printed; allowed is 0s to 24h`,
		"cycles: 2s":                     `f:1: cycles: "2s" is not a whole number; allowed is a number from 0 to 1000`,
		"cycles: 0x2":                    `f:1: cycles: "0x2" is not a whole number; allowed is a number from 0 to 1000`,
		"cycles: 1001":                   `f:1: cycles: "1001" is out of range; allowed is a number from 0 to 1000`,
		"cycles: -1":                     `f:1: cycles: "-1" is out of range; allowed is a number from 0 to 1000`,
		"cycles: {a: 1}":                 `f:1: cycles: a mapping; allowed is a number from 0 to 1000`,
		"cycles: 9999999999999999999999": `f:1: cycles: "9999999999999999999999" is out of range; allowed is a number from 0 to 1000`,
		"parallel: 13":                   `f:1: parallel: "13" is out of range; allowed is a number from 1 to 12`,
		"timeout: 0s":                    `f:1: timeout: "0s" is out of range; allowed is 1s to 24h`,
		"oned_wait: soon":                `f:1: oned_wait: "soon" is not a duration; allowed is 0s to 24h, with the units ms, s, m and h`,
		"fence_first: yes":               `f:1: fence_first: "yes" is not known; allowed is true or false`,
		"fencing: on":                    `f:1: fencing: "on" is not known; allowed is auto, required or off`,
		"verify: all":                    `f:1: verify: "all" is not known; allowed is left, running or none`,
		"\n\nstorm:\n  share: 50":        `f:4: storm.share: "50" has no unit; allowed is 1% to 100%`,
		"storm: {share: 12.5%}":          `f:1: storm.share: "12.5%" is not a whole number of percent; allowed is 1% to 100%`,
		"storm: {share: 0%}":             `f:1: storm.share: "0%" is out of range; allowed is 1% to 100%`,
		"storm: {share: 101%}":           `f:1: storm.share: "101%" is out of range; allowed is 1% to 100%`,
		"storm: {hosts: 0}":              `f:1: storm.hosts: "0" is out of range; allowed is a number from 1 to 100000`,
		"storm: {window: 9s}":            `f:1: storm.window: "9s" is out of range; allowed is 10s to 24h`,
		"survey: {port: 65536}":          `f:1: survey.port: "65536" is out of range; allowed is a number from 1 to 65535`,
		"watch: {act: 29s}":              `f:1: watch.act: "29s" is out of range; allowed is 30s to 10m`,
		"survey: {settle: 11m}":          `f:1: survey.settle: "11m" is out of range; allowed is 0s to 10m`,
		"storm: {quiet: 61m}":            `f:1: storm.quiet: "61m" is out of range; allowed is 0s to 1h`,
		"priority: {max: 101}":           `f:1: priority.max: "101" is out of range; allowed is a number from 0 to 100`,
		// paths and programs
		"state_dir: one-ft":                             `f:1: state_dir: not an absolute path; allowed is an absolute path`,
		"log_file: host_error.log":                      `f:1: log_file: not an absolute path; allowed is an absolute path or -`,
		"auth_file: oneadmin:s3cret":                    `f:1: auth_file: not an absolute path; allowed is an absolute path`,
		"ca_file: ''":                                   `f:1: ca_file: not an absolute path; allowed is an absolute path`,
		"endpoint: localhost:2633":                      `f:1: endpoint: not a URL; allowed is a URL such as http://localhost:2633/RPC2`,
		"endpoint: \"http://u:s3cret@h:x/\"":            `f:1: endpoint: not a URL; allowed is a URL such as http://localhost:2633/RPC2`,
		"confirm: /bin/true":                            `f:1: confirm: a single value; allowed is a list of programs with their arguments`,
		"confirm: []":                                   `f:1: confirm: an empty list; allowed is a list of programs with their arguments`,
		"confirm: [[]]":                                 `f:1: confirm[0]: an empty list; allowed is a list of an absolute path and arguments, such as [/usr/local/bin/is-alive, --fast]`,
		"confirm:\n- [/a]\n- [b, -c]":                   `f:3: confirm[1]: the program is not an absolute path; allowed is a list of an absolute path and arguments, such as [/usr/local/bin/is-alive, --fast]`,
		"confirm: [[/a, [b]]]":                          `f:1: confirm[0][1]: a list; allowed is a text`,
		"confirm: [[/a, ]]\ncycles: 1\nconfirm: [[/b]]": `f:3: confirm: given twice, first in line 1`,
	} {
		refused(t, text, private, want)
	}
}

// No value may be a list, a mapping or nothing where one is meant.
func TestWrongKinds(t *testing.T) {
	for _, key := range []string{"wait", "cycles", "fencing", "fence_first", "quarantine", "parallel", "timeout", "oned_wait", "verify", "place",
		"endpoint", "auth_file", "ca_file", "log_file", "ssh", "state_dir", "metrics_file"} {
		for value, kind := range map[string]string{"[a]": "a list", "{a: b}": "a mapping", "": "no value", "~": "no value"} {
			_, err := parse("f", []byte(key+": "+value), private)
			if want := "f:1: " + key + ": " + kind + "; allowed is "; err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %v, want %s...", err, want)
			}
		}
	}
	refused(t, "storm: {share: [50%]}", private, `f:1: storm.share: a list; allowed is 1% to 100%`)
}

func TestKeyErrors(t *testing.T) {
	const top = `auth_file, budget, ca_file, confirm, cycles, endpoint, fence, fence_first, fencing, log_file, metrics_file, notify, oned_wait, parallel, place, priority, put_to_rest, quarantine, resume, ssh, state_dir, storm, survey, timeout, verify, wait or watch`
	for text, want := range map[string]string{
		strings.Repeat("x", 70) + ": 1": `f:1: unknown key "` + strings.Repeat("x", 60) + `…"; allowed is ` + top,
		"strom: {}":                     `f:1: unknown key "strom"; did you mean "storm"?`,
		"Wait: 1s":                      `f:1: unknown key "Wait"; did you mean "wait"?`,
		"# a\noned-wait: 1m":            `f:2: unknown key "oned-wait"; did you mean "oned_wait"?`,
		"storm:\n  cooldown: 1s":        `f:2: storm: unknown key "cooldown"; did you mean "cool_down"?`,
		"colour: red":                   `f:1: unknown key "colour"; allowed is ` + top,
		"<<: {}":                        `f:1: a key that is not a word; allowed is ` + top,
		"? [a]\n: b":                    `f:1: a key that is a list; allowed is a word`,
		"priority: {low: 1}":            `f:1: priority: unknown key "low"; allowed is max or min`,
		"wait: 1s\nwait: 2s":            `f:2: wait: given twice, first in line 1`,
		"- a":                           `f:1: a list; allowed is a mapping with ` + top,
		"hello":                         `f:1: a single value; allowed is a mapping with ` + top,
		"priority:":                     `f:1: priority: no value; allowed is a mapping with max or min`,
		"priority: [1, 2]":              `f:1: priority: a list; allowed is a mapping with max or min`,
		// A missing space makes a key of a secret.
		device("agent: fence_a", "params: {password:s3cret}"):           `f:6: fence[0].levels[0].devices[0].params: not the name of a parameter; allowed is a letter, then letters, digits, _ and -; after the colon comes a space`,
		"fence: [{hosts: [a], levels: [{devices: [{passwd:s3cret}]}]}]": `f:1: fence[0].levels[0].devices[0]: unknown key "passwd"; allowed is agent, command, lease, manual, margin, params, password_file or reaction`,
	} {
		refused(t, text, private, want)
	}
}

func TestContradictions(t *testing.T) {
	for text, want := range map[string]string{
		"wait: 1s\ncycles: 2":                                                `f:2: cycles: contradicts wait in line 1; allowed is one of both: they say the same thing`,
		"cycles: 0\n\nwait: 1s":                                              `f:3: wait: contradicts cycles in line 1; allowed is one of both: they say the same thing`,
		"fencing: off\nwatch: {act: 45s}":                                    `f:2: watch: contradicts fencing in line 1; allowed is watch: {act: TIME} only with fencing auto or required: a silent host that oned calls MONITORED is acted on only when it is proven off`,
		"watch: {act: 45s}\nresume: {hosts: none}":                           `f:2: resume: contradicts watch in line 1; allowed is watch: {act: TIME} only with resume: {hosts: recreate} or delete: it does what oneft resume does, and no RUNNING VM can be moved away from a host that is off`,
		"fencing: off\nfence_first: true":                                    `f:2: fence_first: contradicts fencing in line 1; allowed is fence_first: true only with fencing auto or required`,
		"fence_first: true\nfencing: off":                                    `f:2: fencing: contradicts fence_first in line 1; allowed is fence_first: true only with fencing auto or required`,
		"storm: {cool_down: 31m}":                                            `f:1: storm.cool_down: a storm could never end: give_up is 30m, cool_down is 31m; allowed is a give_up that is longer than cool_down`,
		"storm:\n  cool_down: 1h\n  give_up: 1h":                             `f:3: storm.give_up: a storm could never end: give_up is 1h, cool_down is 1h; allowed is a give_up that is longer than cool_down`,
		"storm: {give_up: 90s, cool_down: 1h30m}":                            `f:1: storm.give_up: a storm could never end: give_up is 1m30s, cool_down is 1h30m; allowed is a give_up that is longer than cool_down`,
		"priority: {min: 60, max: 40}":                                       `f:1: priority.min: 60 is over max, which is 40; allowed is a min that is not over max`,
		device("agent: fence_a", "command: [/a]"):                            `f:6: fence[0].levels[0].devices[0].command: contradicts agent in line 5; allowed is one of agent, command, manual and lease`,
		device("manual: true", "agent: fence_a"):                             `f:6: fence[0].levels[0].devices[0].agent: contradicts manual in line 5; allowed is one of agent, command, manual and lease`,
		device("manual: false"):                                              `f:5: fence[0].levels[0].devices[0].manual: false has no effect; allowed is true, or no such device`,
		device("params: {ip: a}"):                                            `f:5: fence[0].levels[0].devices[0]: nothing to fence with; allowed is one of agent, command, manual and lease`,
		device("command: [/a]", "params: {a: b}"):                            `f:6: fence[0].levels[0].devices[0].params: a device with command has no use for it; allowed is only beside agent`,
		device("manual: true", "password_file: /a"):                          `f:6: fence[0].levels[0].devices[0].password_file: a device with manual has no use for it; allowed is only beside agent`,
		device("lease: 1m", "manual: true"):                                  `f:6: fence[0].levels[0].devices[0].manual: contradicts lease in line 5; allowed is one of agent, command, manual and lease`,
		device("command: [/a]", "lease: 1m"):                                 `f:6: fence[0].levels[0].devices[0].lease: contradicts command in line 5; allowed is one of agent, command, manual and lease`,
		device("lease: 1m", "agent: fence_a"):                                `f:6: fence[0].levels[0].devices[0].agent: contradicts lease in line 5; allowed is one of agent, command, manual and lease`,
		device("reaction: 1m", "margin: 1s"):                                 `f:5: fence[0].levels[0].devices[0]: nothing to fence with; allowed is one of agent, command, manual and lease`,
		device("manual: true", "reaction: 1m"):                               `f:6: fence[0].levels[0].devices[0].reaction: a device with manual has no use for it; allowed is only beside lease`,
		device("agent: fence_a", "margin: 1s"):                               `f:6: fence[0].levels[0].devices[0].margin: a device with agent has no use for it; allowed is only beside lease`,
		device("lease: 1m", "params: {a: b}"):                                `f:6: fence[0].levels[0].devices[0].params: a device with lease has no use for it; allowed is only beside agent`,
		device("lease: 1m", "password_file: /a"):                             `f:6: fence[0].levels[0].devices[0].password_file: a device with lease has no use for it; allowed is only beside agent`,
		device("agent: fence_a", "params: {passwd: x}", "password_file: /a"): `f:7: fence[0].levels[0].devices[0].password_file: contradicts params.passwd; allowed is one of both`,
		"fence:\n- {hosts: [a, \"*\"], levels: [{devices: [{manual: true}]}]}\n- {hosts: [b], levels: [{devices: [{manual: true}]}]}": `f:3: fence[1]: never used: the first entry that matches wins, and fence[0] takes every host`,
	} {
		refused(t, text, private, want)
	}
}

func TestFenceErrors(t *testing.T) {
	const entry = "fence: [{hosts: [a], "
	for text, want := range map[string]string{
		"fence: []": `f:1: fence: an empty list; allowed is a list of entries with hosts or clusters, and levels`,
		"fence: {}": `f:1: fence: a mapping; allowed is a list of entries with hosts or clusters, and levels`,
		"fence: [{levels: [{devices: [{manual: true}]}]}]": `f:1: fence[0]: no hosts or clusters; allowed is hosts, clusters or both`,
		"fence: [{hosts: [a]}]":                            `f:1: fence[0]: no levels; allowed is one level or more`,
		"fence: [{hosts: []}]":                             `f:1: fence[0].hosts: an empty list; allowed is a list of patterns of host names, such as ["node0*"]`,
		"fence: [{hosts: a}]":                              `f:1: fence[0].hosts: a single value; allowed is a list of patterns of host names, such as ["node0*"]`,
		"fence: [{hosts: ['']}]":                           `f:1: fence[0].hosts[0]: "" is not a pattern; allowed is a pattern such as "node0*", "gpu?" or "[ab]1"`,
		"fence: [{hosts: ['n[']}]":                         `f:1: fence[0].hosts[0]: "n[" is not a pattern; allowed is a pattern such as "node0*", "gpu?" or "[ab]1"`,
		"fence: [{hosts: [a, 'a\\']}]":                     `f:1: fence[0].hosts[1]: "a\\" is not a pattern; allowed is a pattern such as "node0*", "gpu?" or "[ab]1"`,
		"fence: [{clusters: ['']}]":                        `f:1: fence[0].clusters[0]: an empty text; allowed is the name of a cluster`,
		entry + "timeout: 11m}]":                           `f:1: fence[0].timeout: "11m" is out of range; allowed is 1s to 10m`,
		entry + "attempts: 0}]":                            `f:1: fence[0].attempts: "0" is out of range; allowed is a number from 1 to 10`,
		entry + "back_off: 6m}]":                           `f:1: fence[0].back_off: "6m" is out of range; allowed is 1s to 5m`,
		entry + "levels: []}]":                             `f:1: fence[0].levels: an empty list; allowed is a list of levels, such as [{devices: [{manual: true}]}]`,
		entry + "levels: [{}]}]":                           `f:1: fence[0].levels[0]: no devices; allowed is one device or more`,
		entry + "levels: [{devices: []}]}]":                `f:1: fence[0].levels[0].devices: an empty list; allowed is a list of devices, such as [{manual: true}]`,
		entry + "levels: [{name: a b}]}]":                  `f:1: fence[0].levels[0].name: "a b" is not a name; allowed is 1 to 32 letters, digits, _ and -`,
		entry + "levels: [{name: a, devices: [{manual: true}]},\n {name: a, devices: [{manual: true}]}]}]": `f:2: fence[0].levels[1]: the name "a" is used in line 1; allowed is a different name for each level`,
		device("agent: ipmilan"):                                     `f:5: fence[0].levels[0].devices[0].agent: "ipmilan" is not the name of a fence agent; allowed is fence_ and letters, digits, _ and -, such as fence_ipmilan`,
		device("agent: fence_../sh"):                                 `f:5: fence[0].levels[0].devices[0].agent: "fence_../sh" is not the name of a fence agent; allowed is fence_ and letters, digits, _ and -, such as fence_ipmilan`,
		device("agent: fence_"):                                      `f:5: fence[0].levels[0].devices[0].agent: "fence_" is not the name of a fence agent; allowed is fence_ and letters, digits, _ and -, such as fence_ipmilan`,
		device("command: [fence_host.sh]"):                           `f:5: fence[0].levels[0].devices[0].command: the program is not an absolute path; allowed is a list of an absolute path and arguments, such as [/usr/local/bin/is-alive, --fast]`,
		device("agent: fence_a", "params: [a]"):                      `f:6: fence[0].levels[0].devices[0].params: a list; allowed is a mapping such as {ip: 10.0.0.11, username: admin}`,
		device("agent: fence_a", "params: {ip: }"):                   `f:6: fence[0].levels[0].devices[0].params.ip: no value; allowed is a text`,
		device("agent: fence_a", "params: {ip: \"a\\nb=c\"}"):        `f:6: fence[0].levels[0].devices[0].params.ip: a character that cannot be printed; allowed is a text`,
		device("agent: fence_a", "params: {ip: 1, ip: 2}"):           `f:6: fence[0].levels[0].devices[0].params.ip: given twice, first in line 6`,
		device("agent: fence_a", "params: {Action: reboot}"):         `f:6: fence[0].levels[0].devices[0].params.Action: it is set by one-ft`,
		device("agent: fence_a", "params: {password_file: /a}"):      `f:6: fence[0].levels[0].devices[0].params.password_file: it belongs beside params, not into them`,
		device("agent: fence_a", "params: {0ip: a}"):                 `f:6: fence[0].levels[0].devices[0].params: not the name of a parameter; allowed is a letter, then letters, digits, _ and -; after the colon comes a space`,
		device("agent: fence_a", "params: {help: 1}"):                `f:6: fence[0].levels[0].devices[0].params.help: it makes the agent do nothing`,
		device("agent: fence_a", "params: {missing-as-off: 1}"):      `f:6: fence[0].levels[0].devices[0].params.missing-as-off: a mistyped plug would count as a host that is off`,
		device("agent: fence_a", "params: {password: ' s3cret'}"):    `f:6: fence[0].levels[0].devices[0].params.password: it begins or ends with a space, which agents remove`,
		device("agent: fence_a", "params: {password: '\"s3cret\"'}"): `f:6: fence[0].levels[0].devices[0].params.password: it is in quotes, which agents remove`,
		device("manual: true") + "    - {command: [/a]}\n":           `f:4: fence[0].levels[0]: manual beside other devices; allowed is manual: true alone in its level`,
		device("lease: 1m") + "    - {lease: 1m}\n":                  `f:4: fence[0].levels[0]: lease beside other devices; allowed is a lease alone in its level`,
		device("agent: fence_a") + "    - {lease: 1m}\n":             `f:4: fence[0].levels[0]: lease beside other devices; allowed is a lease alone in its level`,
		device("lease: 9s"):                                          `f:5: fence[0].levels[0].devices[0].lease: "9s" is out of range; allowed is 10s to 1h`,
		device("lease: 61m"):                                         `f:5: fence[0].levels[0].devices[0].lease: "61m" is out of range; allowed is 10s to 1h`,
		device("lease: 60"):                                          `f:5: fence[0].levels[0].devices[0].lease: "60" has no unit; allowed is 10s to 1h, such as 60s`,
		device("lease: 1m", "reaction: 0s"):                          `f:6: fence[0].levels[0].devices[0].reaction: "0s" is out of range; allowed is 1s to 1h`,
		device("lease: 1m", "reaction: 61m"):                         `f:6: fence[0].levels[0].devices[0].reaction: "61m" is out of range; allowed is 1s to 1h`,
		device("lease: 1m", "margin: 11m"):                           `f:6: fence[0].levels[0].devices[0].margin: "11m" is out of range; allowed is 1s to 10m`,
		device("lease: 1m", "margin: 500ms"):                         `f:6: fence[0].levels[0].devices[0].margin: "500ms" is out of range; allowed is 1s to 10m`,
		device("agent: fence_a", "params: {plug: '%n'}"):             `f:6: fence[0].levels[0].devices[0].params.plug: an unknown % in the value; allowed is %h for the host name, %i for the host ID, %% for a percent sign`,
		device("agent: fence_a", "password_file: s3cret"):            `f:6: fence[0].levels[0].devices[0].password_file: not an absolute path; allowed is an absolute path`,
		device("agent: fence_a", "password_file: '/etc/%h'"):         `f:6: fence[0].levels[0].devices[0].password_file: %h and %i are known in params only; allowed is an absolute path; an entry for each host where passwords differ`,
	} {
		refused(t, text, private, want)
	}
}

func TestYAMLErrors(t *testing.T) {
	const quotes = ` needs quotes, such as "*"`
	for text, want := range map[string]string{
		"\uFEFFwait: 1s":                    `f:1: a byte order mark; allowed is UTF-8 without one`,
		"\xff\xfew\x00":                     `f:1: not UTF-8; allowed is UTF-8`,
		"a: b\nwait: \x1b[2J":               `f:2: a control character; allowed is printable text`,
		"storm:\n\thosts: 3":                `f:2: a tab at the beginning of the line; allowed is spaces`,
		"storm:\n  \thosts: 3":              `f:2: a tab at the beginning of the line; allowed is spaces`,
		"wait: 1s\n \t \n":                  `f:2: a tab at the beginning of the line; allowed is spaces`,
		"wait: 1s\n---\nwait: 2s":           `f:2: a second document; allowed is one document, with no more than one line ---`,
		"wait: 1s\n---\n\"":                 `f:3: not valid YAML: found unexpected end of stream`,
		"wait: &w 1s":                       `f:1: anchors (&) are not allowed; a text that begins with & needs quotes`,
		"wait: &w 1s\ntimeout: *w":          `f:1: anchors (&) are not allowed; a text that begins with & needs quotes`,
		"# *s3\nwait: 1s\ntimeout: *s3cret": `f:3: aliases (*) are not allowed; a text that begins with *` + quotes,
		"!!null\nwait: 1s":                  `f:1: tags (!) are not allowed; a text that begins with ! needs quotes`,
		"wait: 1s\n---\na: b\nc: [\n":       `f:4: not valid YAML: did not find expected node content`,
		"wait: !!str 1s":                    `f:1: tags (!) are not allowed; a text that begins with ! needs quotes`,
		"fence: [{hosts: [*]}]":             `f:1: not valid YAML: a text that begins with * or &` + quotes,
		"auth_file: @x":                     "f:1: not valid YAML: a tab, or a text that begins with @, ` or % and needs quotes",
		"wait: 1s\n timeout: 2s":            `f:2: not valid YAML: wrong indentation, or a text with a colon and a space that needs quotes`,
		"wait: [":                           `f:1: not valid YAML: did not find expected node content`,
	} {
		refused(t, text, private, want)
	}
}
