package one

import (
	"fmt"
	"strings"
	"testing"
)

// What live front-ends of 5.10, 6.10 and 7.4 answer without a cluster.
const soloRaft = `<?xml version="1.0" ?>
<RAFT>
 <SERVER_ID>-1</SERVER_ID>
 <STATE>0</STATE>
 <TERM>0</TERM>
 <VOTEDFOR>-1</VOTEDFOR>
 <COMMIT>0</COMMIT>
 <LOG_INDEX>-1</LOG_INDEX>
 <LOG_TERM>-1</LOG_TERM>
 <FEDLOG_INDEX>-1</FEDLOG_INDEX>
</RAFT>
`

func TestRaft(t *testing.T) {
	leader := `<RAFT><SERVER_ID>2</SERVER_ID><STATE>3</STATE><TERM>41</TERM></RAFT>`
	for _, c := range []struct {
		body string
		want Raft
		ok   bool
	}{
		{accepted(soloRaft), Raft{RaftSolo, -1, 0}, true},
		{accepted(leader), Raft{RaftLeader, 2, 41}, true},
		{faulty(FaultUnknownMethod), Raft{RaftSolo, -1, 0}, true}, // 4.4
		{faulty(FaultParameter), Raft{}, false},
		{accepted("<RAFT><STATE>3</STATE></RAFT>"), Raft{}, false},
		{accepted(""), Raft{}, false},
	} {
		got, err := client(t, "5.10.5", always(200, c.body)).Raft(t.Context())
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%s: %+v, %v", c.body, got, err)
		}
	}
}

// faulty is a fault of XML-RPC.
func faulty(code int) string {
	return fmt.Sprintf("<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>%d</int></value></member>"+
		"<member><name>faultString</name><value><string>no</string></value></member></struct></value></fault></methodResponse>", code)
}

// The states of a VM between two hosts are those that the states' names say.
func TestMigrating(t *testing.T) {
	for s := LCMInit; s <= Restore; s++ {
		want := strings.Contains(s.String(), "MIGRATE") && !strings.HasPrefix(s.String(), "BOOT")
		if (VM{State: Active, LCM: s}).Migrating() != want || (VM{State: Poweroff, LCM: s}).Migrating() {
			t.Errorf("%s", s)
		}
	}
}
