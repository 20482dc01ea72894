package fence

import (
	"strings"
	"testing"
)

// An agent whose status is off for a plug that it does not know proves nothing when it does not list the plug, neither at
// night nor when it is asked before.
func TestOffForUnknownPlugs(t *testing.T) {
	for name, c := range map[string]struct {
		power, list, plug string
		fails             bool
		says              string // "" is a proof
	}{
		"on":                     {power: "on", list: "node1,\nnode2,", plug: "node1"},
		"off already":            {power: "off", list: "node1,\nnode2,", plug: "node1"},
		"by its name":            {power: "off", list: "3,node1", plug: "node1"},
		"two":                    {power: "off", list: "1,a\n2,b", plug: "1,2"},
		"without a plug":         {power: "off"},
		"mistyped":               {power: "off", list: "node1,\nnode2,", plug: "node3", says: `plug "node3" is not among those that it lists`},
		"a part of a name":       {power: "off", list: "node1,\nnode2,", plug: "node", says: `plug "node" is not among`},
		"one of two is mistyped": {power: "on", list: "1,a\n2,b", plug: "1,9", says: `plug "9" is not among`},
		"no virsh there":         {power: "off", plug: "node1", says: "correct the plug or the address"},
		"cannot list":            {power: "off", plug: "node1", fails: true, says: "cannot list its plugs: exit code 1: Connection timed out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGear(t)
			d := g.agent("bmc", "fence_virsh")
			if c.plug != "" {
				with(d, "plug", c.plug)
			}
			g.write("bmc", "power", c.power)
			g.write("bmc", "list", c.list)
			if c.fails {
				g.write("bmc", "fails", "")
			}
			s := g.settings(level(d))
			list, err := Status(t.Context(), theHost, s)
			if err != nil || (list[0].Err == nil) != (c.says == "") || (list[0].Power == PowerUnknown) != (c.says != "") {
				t.Errorf("status: %+v, %v", list, err)
			}
			_, err = Prove(t.Context(), theHost, s)
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
			attempts := 1
			if c.fails {
				attempts = s.Attempts
			}
			if n := g.calls("bmc", "off"); n != attempts {
				t.Errorf("%d attempts, want %d", n, attempts)
			}
		})
	}
}

// Several plugs of an agent that switches the first of them alone are devices of their own, all of the level.
func TestApart(t *testing.T) {
	for text, want := range map[string]string{
		"fence_apc_snmp plug=1,2":                             "1|2",
		"fence_apc_snmp plug=1":                               "1",
		"fence_apc_snmp plug=node1":                           "node1",
		"fence_apc_snmp PLUG=1,_2,":                           "1|2",
		"fence_apc_snmp port=1,2":                             "1|2",
		"fence_apc_snmp plug=1;2 plug_separator=;":            "1|2",
		"fence_apc_snmp plug=1,2;3 plug-separator=;":          "1,2|3",
		"fence_tripplite_snmp plug=1,2":                       "1|2",
		"fence_eaton_snmp plug=1,2,3":                         "1|2|3",
		"fence_ipdu plug=1,2":                                 "1|2",
		"fence_vmware_soap plug=a,b":                          "a|b",
		"fence_apc plug=1,2":                                  "1,2",
		"fence_virsh plug=a,b":                                "a,b",
		"fence_ipmilan ip=10.0.0.11":                          "",
		"fence_raritan plug=/system1/outlet1,/system1/outlet": "/system1/outlet1,/system1/outlet",
	} {
		words := strings.Fields(text)
		d := Device{Kind: KindAgent, Agent: words[0], Params: map[string]string{}}
		for _, word := range words[1:] {
			name, value, _ := strings.Cut(word, "=")
			d.Params[name] = strings.ReplaceAll(value, "_", " ")
		}
		before := []Level{{Name: "a", Devices: []Device{d, {Kind: KindManual}}}}
		after := Apart(before)
		var got []string
		for _, d := range after[0].Devices[:len(after[0].Devices)-1] {
			_, plug := d.plug()
			got = append(got, plug)
		}
		if strings.Join(got, "|") != want || after[0].Name != "a" || len(before[0].Devices) != 2 {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// Such an agent is not called with several plugs, whoever made the levels; with a device for each all of them are switched.
func TestOnlyFirstPlug(t *testing.T) {
	g := newGear(t)
	d := with(g.agent("pdu", "fence_apc_snmp"), "plug", "1,2")
	g.write("pdu", "list", "1,a\n2,b")
	if _, err := Prove(t.Context(), theHost, g.settings(level(d))); err == nil || !strings.Contains(err.Error(), "only the first of several plugs") {
		t.Errorf("%v", err)
	}
	if n := g.calls("pdu", actionOff) + g.calls("pdu", actionStatus); n != 0 {
		t.Errorf("it was called %d times", n)
	}
	proof, err := Prove(t.Context(), theHost, g.settings(Apart([]Level{level(d)})...))
	if err != nil || !strings.Contains(proof.String(), "plug 1 and ") || !strings.Contains(proof.String(), "plug 2 say off") || g.calls("pdu", actionOff) != 2 {
		t.Errorf("%v, %v", proof, err)
	}
}
