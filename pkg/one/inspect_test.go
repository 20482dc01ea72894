package one

import (
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

func TestLastMonitored(t *testing.T) {
	var last string
	for text, want := range map[string]int64{
		"<HOST><LAST_MON_TIME>17</LAST_MON_TIME></HOST>":                      17,
		"<HOST><MONITORING><TIMESTAMP>18</TIMESTAMP></MONITORING></HOST>":     18,
		"<HOST><MONITORING/><LAST_MON_TIME>19</LAST_MON_TIME></HOST>":         19,
		"<HOST><TEMPLATE><LAST_MON_TIME>20</LAST_MON_TIME></TEMPLATE></HOST>": 0,
		"<HOST><MONITORING><TIMESTAMP>later</TIMESTAMP></MONITORING></HOST>":  0,
	} {
		at, err := client(t, "7.4.1", asked(&last, text)).LastMonitored(t.Context(), 4)
		if err != nil || at != want || !strings.Contains(last, "one.host.info") {
			t.Errorf("%s: %d %v", text, at, err)
		}
	}
	_, err := client(t, "7.4.1", always(http.StatusOK, "")).LastMonitored(t.Context(), 4)
	failed(t, err)
}

func TestVMsBetween(t *testing.T) {
	var last string
	disks := "<DISK><PERSISTENT>YES</PERSISTENT><LN_TARGET>NONE</LN_TARGET></DISK><DISK><SAVE>YES</SAVE><LN_TARGET>SYSTEM</LN_TARGET></DISK>" +
		"<DISK><TYPE>swap</TYPE></DISK><DISK><TYPE>CDROM</TYPE></DISK><DISK><READONLY>YES</READONLY></DISK><DISK><SAVE>NO</SAVE></DISK><NIC><SAVE>YES</SAVE></NIC>"
	vm := "<VM><ID>7</ID><STATE>3</STATE><LCM_STATE>3</LCM_STATE><TEMPLATE>" + disks + "</TEMPLATE><USER_TEMPLATE/><HISTORY_RECORDS/></VM>"
	for version, method := range map[string]string{"4.4.1": "one.vmpool.info<", "5.6.1": "one.vmpool.info<", "5.8.0": "one.vmpool.infoextended<", "7.4.1": "one.vmpool.infoextended<"} {
		vms, err := client(t, version, asked(&last, "<VM_POOL>"+vm+"</VM_POOL>")).VMsBetween(t.Context(), 5, 9)
		want := []Disk{{Persistent: true}, {Persistent: true, Copied: true}, {ReadOnly: true}, {ReadOnly: true}, {ReadOnly: true}, {}}
		if err != nil || len(vms) != 1 || vms[0].ID != 7 || !slices.Equal(vms[0].Disks, want) {
			t.Errorf("%s: %+v %v", version, vms, err)
		}
		words := []string{method, "<int>-2</int>", "<int>5</int>", "<int>9</int>", "<int>-1</int>"}
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
	_, err := client(t, "7.4.1", asked(&last, "<VM_POOL>"+vm+vm+"</VM_POOL>")).VMsBetween(t.Context(), 5, 9)
	failed(t, err)
	_, err = client(t, "7.4.1", asked(&last, "<VM_POOL><VM><ID>7</ID></VM></VM_POOL>")).VMsBetween(t.Context(), 5, 9)
	failed(t, err)
}
