package app

import (
	"fmt"
	"strings"

	"one-ft/pkg/config"
)

// ConfigPage is the man page of a configuration file in section 5. name is config.Name or
// config.IsolationName, example the text of its commented example, which explains every
// setting.
func ConfigPage(name, example string, env Env) (string, error) {
	texts, ok := configTexts()[name]
	if !ok {
		return "", Usagef("there is no man page for %q: allowed are %s and %s", name, config.Name, config.IsolationName)
	}
	e := config.Explain(example)
	if len(e.Parts) == 0 {
		return "", fmt.Errorf("make the man page of %s: the example has no part such as \"# ---- Fencing ----\"", name)
	}
	r := &roff{}
	pageHead(r, name, 5, env)
	r.section("name")
	r.raw(quoted(name) + ` \- ` + quoted(texts.summary))
	r.section("description")
	for i, text := range e.Intro {
		if text != "" {
			r.paragraph(text, i == 0)
		}
	}
	for _, part := range e.Parts {
		r.section(part.Title)
		for _, s := range part.Settings {
			r.setting(s)
		}
	}
	r.section("examples")
	for i, x := range texts.examples {
		r.paragraph(x.Word, i == 0)
		r.literal(false, strings.Split(x.Text, "\n")...)
	}
	terms(r, "files", texts.files)
	r.seeAlso(texts.seeAlso)
	return r.b.String(), nil
}

// setting writes what explains a setting or a few, and the example.
func (r *roff) setting(s config.ExplainedSetting) {
	words := make([]string, len(s.Keys))
	text := s.Text
	for i, key := range s.Keys {
		words[i] = bold(key)
	}
	if len(s.Keys) == 1 { // its text begins with it again
		text = strings.TrimPrefix(text, s.Keys[0][strings.LastIndexByte(s.Keys[0], '.')+1:]+": ")
	}
	r.term(strings.Join(words, ", "), text)
	r.raw(".IP")
	r.raw(".nf")
	for _, line := range s.Lines {
		r.raw(quoted(line))
	}
	r.raw(".fi")
}

// configText is what the man page of a configuration says beyond its example.
type configText struct {
	summary         string
	examples, files []Term // an example and what it is for
	seeAlso         []string
}

// configTexts are those of both configurations. Tests read the examples.
func configTexts() map[string]configText {
	return map[string]configText{
		config.Name: {
			summary: "configuration of one-ft on a front-end",
			examples: []Term{
				{"Watch a failed host for 90 s, then fence it with its BMC; where that does not work, wait until an admin says that it is off:",
					"wait: 90s\nfencing: required\nfence:\n  - hosts: [\"node0*\"]\n    levels:\n      - devices:\n          - agent: fence_ipmilan\n            params: {ip: \"bmc-%h\", username: admin, lanplus: \"1\"}\n" +
						"            password_file: /etc/one/fence/bmc\n      - devices:\n          - manual: true"},
				{"Hosts without BMCs, on which host_isolated runs with strict:",
					"fencing: required\nfence:\n  - clusters: [default]\n    levels:\n      - devices:\n          - lease: 60s\n            reaction: 50s"},
				{"Tell people when hosts or VMs were not brought back:",
					"notify:\n  - command: [/usr/local/bin/page-admin]\n    on: [hold, problem]"},
			},
			files:   []Term{{"/etc/one/one-ft.yaml", "The file."}, {"$ONE_LOCATION/etc/one-ft.yaml", "The file where ONE_LOCATION is set."}},
			seeAlso: []string{"oneft(1)", "host_isolated.yaml(5)", "host_error(8)", "vm_failure(8)", "vm_unknown(8)"},
		},
		config.IsolationName: {
			summary: "configuration of host_isolated on a host",
			examples: []Term{
				{"Stop the VMs when neither the front-end nor the gateway answers:", "front_ends: [10.0.0.1]"},
				{"Keep VMs only while oned says that the host is MONITORED, so that the front-end can rely on it; a hardware watchdog resets a host whose kernel hangs:",
					"front_ends: [10.0.0.1, 10.0.0.2, 10.0.0.3]\nstrict: true\nauth_file: /etc/one-ft/token\nwatchdog: /dev/watchdog"},
				{"The same started by cron:", "front_ends: [10.0.0.1]\nstrict: true\nauth_file: /etc/one-ft/token\nlease: 150s"},
			},
			files:   []Term{{"/etc/one-ft/host_isolated.yaml", "The file."}},
			seeAlso: []string{"one-ft.yaml(5)", "host_isolated(8)"},
		},
	}
}
