package config

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// twoAgents are hosts with all that has to be quoted.
func twoAgents() []HostAgent {
	return []HostAgent{
		{Host: "node3", Agent: "fence_ipmilan", Params: map[string]string{"ip": "10.0.0.11", "username": `a"b\c: #`, "lanplus": "1"}, SecretFile: "/etc/one/fence/node3"},
		{Host: `no*de[4]\`, Agent: "fence_redfish", Params: map[string]string{"ip": "%h-bmc"}},
	}
}

const (
	node3 = `- hosts: ["node3"]
  levels:
    - devices:
        - agent: fence_ipmilan
          params: {ip: "10.0.0.11", lanplus: "1", username: "a\"b\\c: #"}
          password_file: "/etc/one/fence/node3"
`
	node4 = `- hosts: ["no\\*de\\[4]\\\\"]
  levels:
    - devices:
        - agent: fence_redfish
          params: {ip: "%h-bmc"}
`
)

// indented is a block that is moved to the right.
func indented(blank, block string) string {
	return blank + strings.ReplaceAll(strings.TrimSuffix(block, "\n"), "\n", "\n"+blank) + "\n"
}

func TestWithAgents(t *testing.T) {
	both := indented("  ", node3+node4)
	const there = "fence:\n    # rack 1\n    - hosts: [a]   # ours\n      levels: [{devices: [{manual: true}]}] # so\n"
	const folded = "fence:\n- hosts: [a]\n  levels:\n  - devices:\n    - command: [/bin/x, >-\n        one\n        two]\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":                 {"", "fence:\n" + both},
		"the example":           {"# more\n#fence:\n# hosts: names\n#  - hosts: [a]\n\n# VMs\nwait: 1s\n", "# more\n#fence:\n# hosts: names\n#  - hosts: [a]\nfence:\n" + both + "\n# VMs\nwait: 1s\n"},
		"an example at the end": {"#fence:\n#  - hosts: [a]\n", "#fence:\n#  - hosts: [a]\nfence:\n" + both},
		"no line break":         {"wait: 1s", "wait: 1s\nfence:\n" + both},
		"behind the end":        {"wait: 1s\n...\n", "fence:\n" + both + "wait: 1s\n...\n"},
		"indented":              {"  wait: 1s\n  parallel: 3\n", "  fence:\n" + indented("  ", both) + "  wait: 1s\n  parallel: 3\n"},
		"Windows' line ends":    {"wait: 1s\r\n", "wait: 1s\r\n" + strings.ReplaceAll("fence:\n"+both, "\n", "\r\n")},
		"entries are there":     {there + "\n# VMs\nwait: 1s\n", there + indented("    ", node3+node4) + "\n# VMs\nwait: 1s\n"},
		"and no line break":     {strings.TrimSuffix(there, "\n"), there + indented("    ", node3+node4)},
		"entries at the left":   {"fence:\n- hosts: [a]\n  levels: [{devices: [{manual: true}]}]\n", "fence:\n- hosts: [a]\n  levels: [{devices: [{manual: true}]}]\n" + node3 + node4},
		"a value over lines":    {folded, ""},
		"a flow of entries":     {"fence: [{hosts: [a], levels: [{devices: [{manual: true}]}]}]\n", ""},
		"a flow":                {"{wait: 1s}\n", ""},
		"every host is taken":   {"fence:\n  - hosts: [\"*\"]\n    levels: [{devices: [{manual: true}]}]\n", "fence:\n" + both + "  - hosts: [\"*\"]\n    levels: [{devices: [{manual: true}]}]\n"},
		"wrong":                 {"fense: []\n", ""},
	} {
		got, err := WithAgents([]byte(c.text), twoAgents())
		var invalid *Error
		switch {
		case c.want == "" && !errors.Is(err, ErrByHand) && !errors.As(err, &invalid):
			t.Errorf("%s: %v\n%s", name, err, got)
		case c.want != "" && (err != nil || string(got) != c.want):
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, c.want)
		}
		if again, err := WithAgents([]byte(c.text), nil); c.want != "" && (err != nil || string(again) != c.text) {
			t.Errorf("%s, no host: %q, %v", name, again, err)
		}
	}
}

// The file that is shipped gets them behind the example.
func TestWithAgentsInExample(t *testing.T) {
	text, err := os.ReadFile("../../scripts/one-ft.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const last = "#          - manual: true\n"
	fresh, err := WithAgents(text, twoAgents())
	if err != nil || string(fresh) != strings.Replace(string(text), last, last+"fence:\n"+indented("  ", node3+node4), 1) {
		t.Errorf("%v\n%s", err, fresh)
	}
}

// Of any file nothing else changes: what is put in is one block of lines.
func TestWithAgentsKeepsTheRest(t *testing.T) {
	for seed := range *seeds {
		r := rand.New(rand.NewPCG(seed, 4))
		text, err := yaml.Marshal(written(random(r)))
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := WithAgents(text, twoAgents())
		if errors.Is(err, ErrByHand) {
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		head := 0
		for head < len(text) && text[head] == fresh[head] {
			head++
		}
		if tail := text[head:]; !bytes.HasSuffix(fresh, tail) || len(fresh) <= len(text) {
			t.Fatalf("seed %d:\n%s\nbecame\n%s", seed, text, fresh)
		}
	}
}

// FuzzWithAgents: what comes out is a valid file that says what it said, and fences both hosts as asked.
func FuzzWithAgents(f *testing.F) {
	for _, text := range []string{"", "#fence:\n", "wait: 1s\n...\n", "{}", "fence:\n- hosts: [a]\n  levels: [{devices: [{manual: true}]}]\n"} {
		f.Add(text, "node3", "10.0.0.1", "admin")
	}
	f.Add("", "*", "%h", `"\`)
	f.Fuzz(func(t *testing.T, text, host, ip, user string) {
		if host == "" || CheckParam("ip", ip) != nil || CheckParam("username", user) != nil || !allPrintable(host) {
			return
		}
		before, err := parse(Name, []byte(text), 0o600)
		if _, there := before.FenceFor(host, ""); err != nil || there {
			return
		}
		a := HostAgent{Host: host, Agent: "fence_ipmilan", Params: map[string]string{"ip": ip, "username": user}, SecretFile: "/a"}
		fresh, err := WithAgents([]byte(text), []HostAgent{a})
		if err != nil {
			return
		}
		after, err := parse(Name, fresh, 0o600)
		entry, there := after.FenceFor(host, "")
		if err != nil || !there || len(after.Fence) != len(before.Fence)+1 {
			t.Fatalf("%q became %q: %v", text, fresh, err)
		}
		d := entry.Levels[0].Devices[0]
		if d.Params["ip"] != ip || d.Params["username"] != user || d.SecretFile != "/a" {
			t.Errorf("%q became %q", text, fresh)
		}
	})
}
