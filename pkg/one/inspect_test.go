package one

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// asked remembers the last request and answers with a value.
func asked(last *string, value string) round {
	return func(r *http.Request) (*http.Response, error) {
		var b strings.Builder
		if err := r.Write(&b); err != nil {
			return nil, err
		}
		*last = b.String()
		return answer(http.StatusOK, accepted(value)), nil
	}
}

func TestOwnUser(t *testing.T) {
	var last string
	for text, admin := range map[string]bool{
		"<USER><ID>0</ID><GID>1</GID><NAME>oneadmin</NAME></USER>":                                                                  true,
		"<USER><ID>3</ID><GID>0</GID><NAME>a</NAME></USER>":                                                                         true,
		"<USER><ID>3</ID><GID>1</GID><GROUPS><ID>1</ID><ID>0</ID></GROUPS><NAME>a</NAME></USER>":                                    true,
		"<USER><ID>3</ID><GID>1</GID><GROUPS><ID>1</ID><ID>100</ID></GROUPS><NAME>a\t</NAME><TEMPLATE><ID>0</ID></TEMPLATE></USER>": false,
	} {
		u, err := client(t, "7.4.1", asked(&last, text)).OwnUser(t.Context())
		if err != nil || u.Admin() != admin || !strings.Contains(last, "one.user.info") || !strings.Contains(last, "<int>-1</int>") {
			t.Errorf("%s: %+v %v", text, u, err)
		}
		if !admin && (u.Name != `a\t` || !slices.Equal(u.Groups, []int{1, 100})) {
			t.Errorf("%+v", u)
		}
	}
	for _, text := range []string{"<USER><ID>0</ID></USER>", "<USER><GID>0</GID></USER>", "<USER><ID>3</ID><ID>0</ID><GID>1</GID></USER>", "<USER>"} {
		failed(t, func() error { _, err := client(t, "7.4.1", asked(&last, text)).OwnUser(t.Context()); return err }())
	}
}

// TestUserPool: the quotas that oned writes beside the users, as in its source, are passed over, and nothing else is.
func TestUserPool(t *testing.T) {
	const (
		inner    = "<DATASTORE_QUOTA></DATASTORE_QUOTA><NETWORK_QUOTA></NETWORK_QUOTA><VM_QUOTA><VM><CPU><![CDATA[4]]></CPU></VM></VM_QUOTA><IMAGE_QUOTA></IMAGE_QUOTA>"
		defaults = "<DEFAULT_USER_QUOTAS>" + inner + "</DEFAULT_USER_QUOTAS>"
		first    = "<USER><ID>0</ID><GID>0</GID><GROUPS><ID>0</ID></GROUPS><NAME>oneadmin</NAME><TEMPLATE></TEMPLATE>"
		second   = "<USER><ID>2</ID><GID>1</GID><GROUPS><ID>1</ID></GROUPS><NAME>alice</NAME><TEMPLATE></TEMPLATE>"
	)
	users := func(item, pool string) (ids []int, err error) {
		c := client(t, "7.4.1", always(http.StatusOK, accepted("<"+item+"_POOL>"+pool+"</"+item+"_POOL>")))
		err = c.Each(t.Context(), item, func(e *Element) error {
			u, err := e.User()
			ids = append(ids, u.ID)
			return err
		}, "one.pool.info")
		return ids, err
	}
	for version, pool := range map[string]string{
		"4.4":              first + inner + "</USER>" + second + inner + "</USER>" + defaults,
		"4.6 to 7.4":       first + "</USER><QUOTAS><ID>0</ID></QUOTAS>" + second + "</USER><QUOTAS><ID>2</ID>" + inner + "</QUOTAS>" + defaults,
		"no row of quotas": first + "</USER>" + second + "</USER><QUOTAS><ID>2</ID>" + inner + "</QUOTAS>" + defaults,
	} {
		if ids, err := users("USER", pool); err != nil || !slices.Equal(ids, []int{0, 2}) {
			t.Errorf("%s: %v, %v", version, ids, err)
		}
	}
	for _, pool := range []string{first + "</USER><QUOTA/>", first + "</USER>" + first + "</USER>", first + "</USER><QUOTAS>", "<USER_QUOTAS/>"} {
		_, err := users("USER", pool)
		is(t, err, ErrDamaged)
	}
	_, err := users("HOST", "<QUOTAS/>")
	is(t, err, ErrDamaged)
}

func TestHostTimes(t *testing.T) {
	for inner, want := range map[string][2]int64{
		"<LAST_MON_TIME>17</LAST_MON_TIME>":                      {0, 17},
		"<MONITORING><TIMESTAMP>18</TIMESTAMP></MONITORING>":     {18, 0},
		"<MONITORING/><LAST_MON_TIME>19</LAST_MON_TIME>":         {0, 19},
		"<TEMPLATE><LAST_MON_TIME>20</LAST_MON_TIME></TEMPLATE>": {0, 0},
		"<MONITORING><TIMESTAMP>later</TIMESTAMP></MONITORING>":  {0, 0},
	} {
		document := "<HOST><ID>4</ID><STATE>2</STATE><CLUSTER_ID>0</CLUSTER_ID>" + inner + "</HOST>"
		h, err := client(t, "7.4.1", always(http.StatusOK, accepted(document))).Host(t.Context(), 4)
		if err != nil || h.LastContact != want[0] || h.LastAttempt != want[1] {
			t.Errorf("%s: %+v %v", inner, h, err)
		}
	}
	_, err := client(t, "7.4.1", always(http.StatusOK, "")).Host(t.Context(), 4)
	failed(t, err)
}

func TestReadVMs(t *testing.T) {
	var last string
	disks := "<DISK><PERSISTENT>YES</PERSISTENT><LN_TARGET>NONE</LN_TARGET></DISK><DISK><SAVE>YES</SAVE><LN_TARGET>SYSTEM</LN_TARGET></DISK>" +
		"<DISK><TYPE>swap</TYPE></DISK><DISK><TYPE>CDROM</TYPE></DISK><DISK><READONLY>YES</READONLY></DISK><DISK><SAVE>NO</SAVE></DISK><NIC><SAVE>YES</SAVE></NIC>"
	vm := func(id string) string {
		return "<VM><ID>" + id + "</ID><STATE>3</STATE><LCM_STATE>3</LCM_STATE><TEMPLATE>" + disks + "</TEMPLATE><USER_TEMPLATE/><HISTORY_RECORDS/></VM>"
	}
	byRange := []string{"<int>-2</int>", "<int>5</int>", "<int>9</int>", "<int>-1</int>"}
	for version, words := range map[string][]string{
		"4.4.1": append([]string{"one.vmpool.info<"}, byRange...), "5.6.1": append([]string{"one.vmpool.info<"}, byRange...),
		"5.8.0": append([]string{"one.vmpool.infoextended<"}, byRange...), "7.4.1": {"one.vmpool.infoset<", "<string>5,7,9</string>", "<boolean>1</boolean>"},
	} {
		c := client(t, version, asked(&last, "<VM_POOL>"+vm("6")+vm("7")+"</VM_POOL>")) // nobody wants 6
		vms, unread, err := ReadVMs(t.Context(), c, []int{5, 7, 9}, (*Element).WholeVM)
		if err != nil || len(vms) != 1 || len(unread) > 0 || vms[0].ID != 7 || !vms[0].LosesData || vms[0].DiskCount != 6 {
			t.Errorf("%s: %+v %v %v", version, vms, unread, err)
		}
		at := 0
		for _, w := range words {
			i := strings.Index(last[at:], w)
			if i < 0 {
				t.Errorf("%s: no %s in %s", version, w, last)
				break
			}
			at += i + len(w)
		}
	}
	// Damage is narrowed down to the VMs that have it.
	pool := func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		call, err := Parse(string(body))
		if err != nil {
			return nil, err
		}
		var text string
		for id := range strings.SplitSeq(call.Child("params").Children()[1].Child("value").Value("string"), ",") {
			switch id {
			case "3":
				text += "<VM><ID>3</ID></VM>"
			case "6":
				text += vm("6") + vm("6")
			default:
				text += vm(id)
			}
		}
		return answer(http.StatusOK, accepted("<VM_POOL>"+text+"</VM_POOL>")), nil
	}
	vms, unread, err := ReadVMs(t.Context(), client(t, "7.4.1", round(pool)), []int{1, 2, 3, 4, 5, 6, 7}, (*Element).WholeVM)
	if err != nil || len(vms) != 5 || !slices.Equal(unread, []int{3, 6}) {
		t.Errorf("%d VMs, unread %v, %v", len(vms), unread, err)
	}
	_, _, err = ReadVMs(t.Context(), client(t, "7.4.1", always(http.StatusOK, elements("<boolean>0</boolean>", "<string>no</string>", "<i4>512</i4>"))), []int{1, 2}, (*Element).WholeVM)
	is(t, err, ErrAuthorization)
}

func TestLosesData(t *testing.T) {
	for disk, want := range map[string]bool{
		"<PERSISTENT>YES</PERSISTENT><LN_TARGET>NONE</LN_TARGET>": false, "<SAVE>YES</SAVE>": false, "<SAVE>YES</SAVE><LN_TARGET>SYSTEM</LN_TARGET>": true,
		"<TYPE>swap</TYPE>": false, "<TYPE>CDROM</TYPE>": false, "<READONLY>YES</READONLY>": false, "<SAVE>NO</SAVE>": true, "": true,
	} {
		e, err := Parse("<VM><ID>7</ID><STATE>3</STATE><LCM_STATE>3</LCM_STATE><TEMPLATE><DISK>" + disk + "</DISK><NIC><SAVE>YES</SAVE></NIC></TEMPLATE><HISTORY_RECORDS/></VM>")
		if err != nil {
			t.Fatal(err)
		}
		if v, err := e.WholeVM(); err != nil || v.LosesData != want {
			t.Errorf("%s: %t, want %t (%v)", disk, v.LosesData, want, err)
		}
	}
}

// TestWhenHostsWereHeardOf: which calls tell when hosts were last monitored, whether VMs can be read as a set or not.
func TestWhenHostsWereHeardOf(t *testing.T) {
	const alone, all, none = "methodName:one.host.monitoring int:3", "methodName:one.hostpool.monitoring int:0", ""
	for version, want := range map[string][2]string{
		"4.14.2": {none, none}, "5.4.16": {alone, none}, "5.10.6": {alone, none}, "5.12.0": {none, all}, "5.12.0.5": {none, all}, "5.12.5": {none, all},
		"5.12.6": {none, all}, "6.10.0": {none, all}, "7.5.80": {none, all},
	} {
		for i, call := range []func(c *Client) error{
			func(c *Client) error { _, err := c.MonitoredAt(ctx(t), 3); return err },
			func(c *Client) error { _, err := c.HeardOf(ctx(t)); return err },
		} {
			c, request := sent(t, version, "<MONITORING_DATA/>")
			err := call(c)
			if want[i] == none {
				is(t, err, ErrUnsupported)
			} else if err != nil || request() != want[i] {
				t.Errorf("%s: %v, %s; want %s", version, err, request(), want[i])
			}
		}
	}
	// On 5.12 the answer about one host tells, too.
	h, err := playing(t, "5.12", tapeOf(t, "5.12", "006-one.host.info")).Host(ctx(t), 0)
	if err != nil || h.LastContact < 1_700_000_000 || h.LastAttempt != 0 {
		t.Errorf("%+v, %v", h, err)
	}
}
