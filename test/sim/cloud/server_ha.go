package cloud

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
)

// Role is what a front-end is in an HA cluster, as one.zone.raftstatus numbers it
// (RaftManager.h of 5.4 to 7.4).
type Role int32

// The roles. Candidate stands for a follower whose leader is gone, too.
const (
	Solo      Role = 0
	Candidate Role = 1
	Follower  Role = 2
	Leader    Role = 3
)

// FrontEnd is one of several front-ends of the same cloud, which all have the same data.
// A follower answers what only reads by itself, and hands the rest to the leader.
type FrontEnd struct {
	cloud *Cloud
	role  atomic.Int32
	down  atomic.Bool
}

// FrontEnd adds a front-end with that role.
func (c *Cloud) FrontEnd(role Role) *FrontEnd {
	f := &FrontEnd{cloud: c}
	f.SetRole(role)
	return f
}

// SetRole changes the role.
func (f *FrontEnd) SetRole(role Role) { f.role.Store(int32(role)) }

// SetDown ends its oned (connections are refused), or starts it.
func (f *FrontEnd) SetDown(down bool) { f.down.Store(down) }

// Down reports whether its oned refuses connections.
func (f *FrontEnd) Down() bool { return f.down.Load() }

// RoundTrip implements http.RoundTripper for its endpoint.
func (f *FrontEnd) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := readBody(req)
	if err != nil {
		return nil, err
	}
	if f.down.Load() {
		return nil, netError("dial", "connect", syscall.ECONNREFUSED)
	}
	name, _, err := decodeCall(body)
	if err == nil {
		if a, mine := f.answer(name); mine {
			out := reply{status: http.StatusOK, body: a.encode(f.cloud.fam), cut: -1, mime: "text/xml; charset=utf-8"}
			return transport{f.cloud}.response(req, out), nil
		}
	}
	again := req.Clone(req.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return transport{f.cloud}.RoundTrip(again)
}

// answer is what this front-end answers by itself.
func (f *FrontEnd) answer(name string) (answer, bool) {
	role := Role(f.role.Load())
	reads := strings.Contains(name, "info") || strings.HasPrefix(name, "one.system.")
	switch {
	case name == "one.zone.raftstatus" && f.cloud.fam >= f54:
		return success(raftXML(role)), true
	case role == Candidate && !reads:
		a := failure(codeInternal, "Cannot process request, no leader found") // Request.cc of 5.4 to 7.4
		a.obj = -1
		return a, true
	}
	return answer{}, false
}

// raftXML is the answer of one.zone.raftstatus, as 7.4 gives it.
func raftXML(role Role) string {
	return fmt.Sprintf("<?xml version=\"1.0\" ?>\n<RAFT>\n <SERVER_ID>-1</SERVER_ID>\n <STATE>%d</STATE>\n <TERM>0</TERM>\n <VOTEDFOR>-1</VOTEDFOR>\n"+
		" <COMMIT>0</COMMIT>\n <LOG_INDEX>-1</LOG_INDEX>\n <LOG_TERM>-1</LOG_TERM>\n <FEDLOG_INDEX>-1</FEDLOG_INDEX>\n</RAFT>\n", role)
}
