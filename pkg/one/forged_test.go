package one

import (
	"fmt"
	"strings"
	"testing"
)

// vmText is a VM as oned writes it, with a name and a value of its owner's template put in
// without any protection, as oned does.
func vmText(id int, name, value string) string {
	return fmt.Sprintf(`<VM><ID>%d</ID><UNAME>alice</UNAME><NAME>%s</NAME><STATE>3</STATE><LCM_STATE>16</LCM_STATE><RESCHED>0</RESCHED>`+
		`<TEMPLATE><CPU><![CDATA[0.5]]></CPU><MEMORY><![CDATA[64]]></MEMORY></TEMPLATE><USER_TEMPLATE><NOTE><![CDATA[%s]]></NOTE></USER_TEMPLATE>`+
		`<HISTORY_RECORDS><HISTORY><SEQ>0</SEQ><HID>1</HID><DS_ID>100</DS_ID></HISTORY><HISTORY><SEQ>1</SEQ><HID>2</HID></HISTORY></HISTORY_RECORDS>`+
		`<SNAPSHOTS><NAME>%s</NAME></SNAPSHOTS></VM>`, id, name, value, name)
}

func readVM(t *testing.T, document string) (VM, error) {
	t.Helper()
	return client(t, "7.4.0", always(200, accepted(document))).VM(ctx(t), 7)
}

// TestHarmlessValues: what owners write changes nothing but their own attribute.
func TestHarmlessValues(t *testing.T) {
	for _, value := range []string{"", "x", "a]]>b", "<b>", "<!-- x -->", "&nbsp; & <x", "\x1b[2J", "\xff\xfe", "]]", "</VM>", "<STATE>6</STATE>",
		strings.Repeat("long ", 20000)} {
		v, err := readVM(t, vmText(7, "web", value))
		if err != nil {
			t.Errorf("%.40q: %v", value, err)
			continue
		}
		last, _ := v.Last()
		before, _ := v.Previous()
		if v.ID != 7 || v.Status() != "UNKNOWN" || last.HostID != 2 || before.HostID != 1 || before.DatastoreID != 100 || v.CPU != 0.5 || v.Memory != 64 ||
			v.Owner != "alice" || v.Name != "web" || v.PersistentDisks || v.Resched || !v.Is(Running, Unknown) || v.Is(Running) {
			t.Errorf("%.40q: %+v", value, v)
		}
	}
	v, err := readVM(t, vmText(7, "a\x1b[2J\u202e\xffb", "x"))
	if err != nil || v.Name != `a�[2J\u202e�b` {
		t.Errorf("name %q, %v", v.Name, err)
	}
}

// TestForgedValues: what an owner puts in to pass as something else makes the VM
// unreadable; it is never believed.
func TestForgedValues(t *testing.T) {
	const forged = `<HISTORY_RECORDS><HISTORY><SEQ>0</SEQ><HID>9</HID></HISTORY></HISTORY_RECORDS>`
	out := func(s string) string { return "]]></NOTE></USER_TEMPLATE>" + s }
	in := "<USER_TEMPLATE><NOTE><![CDATA["
	for name, value := range map[string]string{
		"second history":      out(forged + in),
		"second state":        out("<STATE>6</STATE>" + in),
		"second LCM state":    out("<LCM_STATE>3</LCM_STATE>" + in),
		"second ID":           out("<ID>8</ID>" + in),
		"empty second ID":     out("<ID></ID>" + in),
		"second template":     out("<TEMPLATE><CPU>1</CPU></TEMPLATE>" + in),
		"ends early":          out(forged + "</VM>"),
		"ends early, another": out(forged + "</VM><VM><ID>8</ID>" + in),
		"hides in a VM":       out(forged + "<VM>" + in),
		"hides in a comment":  out(forged + "</VM><!--"),
		"hides in a PI":       out(forged + "</VM><?x "),
		"hides in a DOCTYPE":  out(forged + "</VM><!DOCTYPE x ["),
		"hides in an element": out(forged + "<X>" + in),
		"hides in a value":    out(forged + `<X a="`),
	} {
		v, err := readVM(t, vmText(7, "web", value))
		if err == nil {
			t.Errorf("%s: believed: %+v", name, v)
			continue
		}
		is(t, err, ErrDamaged)
	}
}

// TestForgedByTwoValues: one value opens what another one closes, and the true history
// disappears between them.
func TestForgedByTwoValues(t *testing.T) {
	const forged = `]]></NOTE></USER_TEMPLATE><HISTORY_RECORDS><HISTORY><SEQ>0</SEQ><HID>9</HID></HISTORY></HISTORY_RECORDS>`
	for _, pair := range [][2]string{{"<!--", "-->"}, {"<?x ", "?>"}, {"<!X '", "'>"}} {
		document := strings.Replace(vmText(7, "web", forged+pair[0]), "<SNAPSHOTS><NAME>web", pair[1]+"<SNAPSHOTS><NAME>web", 1)
		if v, err := readVM(t, document); err == nil {
			t.Errorf("%q: believed: %+v", pair, v)
		} else {
			is(t, err, ErrDamaged)
		}
	}
}

// TestForgedPools: the same across the VMs of a pool.
func TestForgedPools(t *testing.T) {
	c := func(vms ...string) *Client {
		return client(t, "7.4.0", always(200, accepted("<VM_POOL>"+strings.Join(vms, "")+"</VM_POOL>")))
	}
	vms, err := c(vmText(7, "web", "x"), vmText(8, "db", "x")).VMSet(ctx(t), []int{7, 8, 9})
	if err != nil || len(vms) != 2 {
		t.Fatalf("%v, %v", vms, err)
	}
	forged := vmText(7, "web", "]]></NOTE></USER_TEMPLATE><HISTORY_RECORDS/></VM><VM><ID>8</ID><STATE>6</STATE><LCM_STATE>0</LCM_STATE><USER_TEMPLATE><NOTE><![CDATA[")
	_, err = c(forged, vmText(8, "db", "x")).VMSet(ctx(t), []int{7, 8})
	is(t, err, ErrDamaged)
	_, err = c(forged).VMSet(ctx(t), []int{7})
	is(t, err, ErrDamaged)
	_, err = c(forged, vmText(8, "db", "x")).PendingVMs(ctx(t))
	is(t, err, ErrDamaged)
	_, err = c("<HOST/>").PendingVMs(ctx(t))
	is(t, err, ErrDamaged)
	_, err = c("stray").PendingVMs(ctx(t))
	is(t, err, ErrDamaged)
	noHistory := vmText(7, "web", "]]></NOTE></USER_TEMPLATE></VM><VM><ID>9</ID><STATE>1</STATE><LCM_STATE>0</LCM_STATE><USER_TEMPLATE><NOTE><![CDATA[")
	_, err = c(noHistory).PendingVMs(ctx(t))
	is(t, err, ErrDamaged)

	const host = `<HOST><ID>%d</ID><NAME>n</NAME><STATE>2</STATE><CLUSTER_ID>0</CLUSTER_ID><VMS><ID>5</ID></VMS><TEMPLATE><X>%s</X></TEMPLATE></HOST>`
	hosts := func(text string) error {
		_, err := client(t, "7.4.0", always(200, accepted("<HOST_POOL>"+text+"</HOST_POOL>"))).Hosts(ctx(t))
		return err
	}
	if err := hosts(fmt.Sprintf(host, 1, "x") + fmt.Sprintf(host, 2, "x")); err != nil {
		t.Error(err)
	}
	_, err = client(t, "7.4.0", always(200, accepted(fmt.Sprintf(host, 2, "x")))).Host(ctx(t), 1)
	is(t, err, ErrDamaged)
	if err := hosts(`<?xml version="1.0"?>`); err == nil {
		t.Error("an XML declaration in the middle")
	}
	for _, text := range []string{fmt.Sprintf(host, 1, "x") + fmt.Sprintf(host, 1, "x"),
		fmt.Sprintf(host, 1, "</X></TEMPLATE><STATE>3</STATE><TEMPLATE><X>"), fmt.Sprintf(host, 1, "</X></TEMPLATE><VMS/><TEMPLATE><X>"),
		strings.Replace(fmt.Sprintf(host, 1, "x"), "<ID>5</ID>", "<ID>x</ID>", 1), strings.Replace(fmt.Sprintf(host, 1, "x"), "<STATE>2</STATE>", "", 1)} {
		is(t, hosts(text), ErrDamaged)
	}
}

// TestDamagedVMs: what is missing or makes no sense is an error, not a zero.
func TestDamagedVMs(t *testing.T) {
	for name, change := range map[string][2]string{
		"no state":          {"<STATE>3</STATE>", ""},
		"empty state":       {"<STATE>3</STATE>", "<STATE></STATE>"},
		"state too big":     {"<STATE>3</STATE>", "<STATE>99999999999</STATE>"},
		"no LCM state":      {"<LCM_STATE>16</LCM_STATE>", ""},
		"another VM":        {"<ID>7</ID>", "<ID>8</ID>"},
		"no host":           {"<HID>2</HID>", ""},
		"two hosts":         {"<HID>2</HID>", "<HID>2</HID><HID>3</HID>"},
		"out of order":      {"<SEQ>1</SEQ>", "<SEQ>0</SEQ>"},
		"a foreign record":  {"<HISTORY><SEQ>1</SEQ>", "<HISTORY><SEQ>1</SEQ><HID>2</HID></HISTORY><NOTE><SEQ>2</SEQ><HID>3</HID></NOTE><HISTORY><SEQ>3</SEQ>"},
		"no history":        {"HISTORY_RECORDS>", "HISTORY_RECORD>"},
		"cut off":           {"</VM>", ""},
		"nothing":           {"<VM>", "<!--"},
		"text behind":       {"</VM>", "</VM>x"},
		"another root":      {"VM>", "HOST>"},
		"nested too deeply": {"<VM>", "<VM>" + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100)},
	} {
		document := strings.ReplaceAll(vmText(7, "web", "x"), change[0], change[1])
		if document == vmText(7, "web", "x") {
			t.Errorf("%s: changes nothing", name)
		}
		if v, err := readVM(t, document); err == nil {
			t.Errorf("%s: %+v", name, v)
		} else {
			is(t, err, ErrDamaged)
		}
	}
	_, err := readVM(t, "")
	is(t, err, ErrDamaged)
}
