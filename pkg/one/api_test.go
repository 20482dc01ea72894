package one

import "testing"

// TestAPI: hosts that stand for a service, by what each release tells of them.
func TestAPI(t *testing.T) {
	template := func(words ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(words); i += 2 {
			m[words[i]] = words[i+1]
		}
		return m
	}
	for what, c := range map[string]struct {
		host Host
		want string
	}{
		"kvm":                                 {Host{VMDriver: "kvm", IMDriver: "kvm", Template: template("HYPERVISOR", "kvm")}, ""},
		"recorded clouds":                     {Host{VMDriver: "dummy", IMDriver: "dummy", Template: template("HYPERVISOR", "dummy")}, ""},
		"lxc":                                 {Host{VMDriver: "lxc", IMDriver: "lxc"}, ""},
		"vcenter, not monitored yet":          {Host{VMDriver: "vcenter", IMDriver: "vcenter"}, "vcenter"},
		"ec2":                                 {Host{VMDriver: "ec2", IMDriver: "ec2", Template: template("PUBLIC_CLOUD", "YES")}, "ec2"},
		"az with a driver of the site":        {Host{VMDriver: "azure-west", IMDriver: "azure-west", Template: template("HYPERVISOR", "AZURE", "PUBLIC_CLOUD", "YES")}, "azure"},
		"a driver of the site, as vcenter":    {Host{VMDriver: "vc", IMDriver: "vcenter"}, "vcenter"},
		"one":                                 {Host{VMDriver: "one", IMDriver: "one"}, "one"},
		"a public cloud that nobody knows":    {Host{VMDriver: "site", Template: template("PUBLIC_CLOUD", "yes")}, "site"},
		"one that says it is no public cloud": {Host{VMDriver: "kvm", Template: template("PUBLIC_CLOUD", "NO")}, ""},
	} {
		if got := c.host.API(); got != c.want {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
}

// TestDrivers: the drivers of hosts and records, and what is imported, as each release writes it.
func TestDrivers(t *testing.T) {
	e, err := Parse(`<HOST><ID>3</ID><NAME>vc</NAME><STATE>2</STATE><IM_MAD><![CDATA[vcenter]]></IM_MAD><VM_MAD>vcenter</VM_MAD><CLUSTER_ID>0</CLUSTER_ID><TEMPLATE><HOSTNAME>vc1</HOSTNAME></TEMPLATE></HOST>`)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := e.Host(); err != nil || h.VMDriver != "vcenter" || h.IMDriver != "vcenter" || h.Machine() != "vc1" {
		t.Errorf("%+v %v", h, err)
	}
	for name, imported := range map[string]bool{"<IMPORTED><![CDATA[YES]]></IMPORTED>": true, "<IMPORTED>NO</IMPORTED>": false, "": false} {
		for _, mad := range []string{"VMMMAD", "VM_MAD"} {
			e, err := Parse(`<VM><ID>1</ID><STATE>3</STATE><LCM_STATE>3</LCM_STATE><TEMPLATE>` + name + `</TEMPLATE><HISTORY_RECORDS><HISTORY><SEQ>0</SEQ><HID>3</HID><` + mad + `>lxc</` + mad + `></HISTORY></HISTORY_RECORDS></VM>`)
			if err != nil {
				t.Fatal(err)
			}
			vm, err := e.VM(func(string) bool { return false })
			if last, _ := vm.Last(); err != nil || vm.Imported != imported || last.Driver != "lxc" {
				t.Errorf("%s: imported %t, driver %q, %v", name, vm.Imported, last.Driver, err)
			}
		}
	}
}
