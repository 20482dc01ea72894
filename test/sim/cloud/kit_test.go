package cloud

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/one"
)

const (
	adminSession = "oneadmin:opennebula"
	endpoint     = "http://front-end:2633/RPC2"
)

// newCloud builds a cloud of a version with four hosts that closes with the
// test.
func newCloud(t *testing.T, version string, change func(*Config)) *Cloud {
	t.Helper()
	cfg := Config{Version: version, Hosts: fourHosts()}
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// fourHosts is host01 to host04 with IDs 0 to 3, as in the recorded clouds.
func fourHosts() []Host {
	var hosts []Host
	for id := range 4 {
		hosts = append(hosts, Host{ID: id, Name: fmt.Sprintf("host%02d", id+1)})
	}
	return hosts
}

// runningOn is a VM that runs on a host.
func runningOn(id, hostID int) VM {
	return VM{ID: id, State: one.Active, LCM: one.Running, CPU: 0.5, MemMB: 128,
		History: []Record{{HostID: hostID, STime: 100, PSTime: 100, PETime: 101, RSTime: 101}}}
}

// vmIn is a VM whose last host is hostID, in a state that is named as in
// the matrices.
func vmIn(t *testing.T, id, hostID int, name string) VM {
	t.Helper()
	s, ok := stateNames()[name]
	if !ok {
		t.Fatalf("unknown state %q", name)
	}
	v := runningOn(id, hostID)
	v.State, v.LCM = s.vm, s.lcm
	switch name {
	case "PENDING", "HOLD", "DONE":
		v.History = nil
	case "STOPPED":
		v.History[0].Action = actionStop
	case "UNDEPLOYED":
		v.History[0].Action = actionUndeploy
	case "MIGRATE", "SAVE_MIGRATE":
		v.History = append(v.History, Record{Seq: 1, HostID: (hostID + 3) % 4, STime: 102})
	}
	return v
}

// encodeCall writes a request body.
func encodeCall(method string, params ...any) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<?xml version='1.0'?><methodCall><methodName>%s</methodName><params>", method)
	for _, p := range params {
		switch v := p.(type) {
		case bool:
			n := 0
			if v {
				n = 1
			}
			fmt.Fprintf(&b, "<param><value><boolean>%d</boolean></value></param>", n)
		case int:
			fmt.Fprintf(&b, "<param><value><int>%d</int></value></param>", v)
		default:
			fmt.Fprintf(&b, "<param><value><string>%s</string></value></param>", escapeText(fmt.Sprint(v)))
		}
	}
	b.WriteString("</params></methodCall>")
	return b.Bytes()
}

// element is one element of an answer.
type element struct {
	Kind string `xml:"-"`
	Text string `xml:"-"`
}

// got is a decoded answer.
type got struct {
	Fault    bool
	Elements []element // of the array, or code and text of the fault
}

func (g got) ok() bool { return !g.Fault && len(g.Elements) > 0 && g.Elements[0].Text == "1" }

// text is the value of a success or the text of a failure.
func (g got) text() string {
	if len(g.Elements) < 2 {
		return ""
	}
	return g.Elements[1].Text
}

// code is the error code, the fault code, or 0.
func (g got) code() string {
	switch {
	case g.Fault:
		return g.Elements[0].Text
	case len(g.Elements) > 2:
		return g.Elements[2].Text
	}
	return ""
}

// decodeAnswer reads an answer: the typed leaves in order.
func decodeAnswer(body []byte) (got, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	var out got
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		el, isStart := tok.(xml.StartElement)
		if !isStart {
			continue
		}
		switch el.Name.Local {
		case "fault":
			out.Fault = true
		case "boolean", "string", "i4", "int", "i8", "double":
			text, err := charData(d)
			if err != nil {
				return out, err
			}
			out.Elements = append(out.Elements, element{el.Name.Local, text})
		}
	}
}

// post sends a body through the in-memory transport.
func post(ctx context.Context, c *Cloud, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	resp, err := c.Transport().RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, data, err
}

// try makes a call as the administrator.
func try(c *Cloud, method string, args ...any) (got, error) {
	return tryAs(c, adminSession, method, args...)
}

// tryAs makes a call with a session, giving up after ten seconds.
func tryAs(c *Cloud, session, method string, args ...any) (got, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, body, err := post(ctx, c, encodeCall(method, append([]any{session}, args...)...))
	if err != nil {
		return got{}, err
	}
	return decodeAnswer(body)
}

// must makes a call as the administrator that is expected to succeed, and
// gives its value.
func must(t testing.TB, c *Cloud, method string, args ...any) string {
	t.Helper()
	g, err := try(c, method, args...)
	if err != nil || !g.ok() {
		t.Fatalf("%s%v: %v %v", method, args, g, err)
	}
	return g.text()
}

// from reports whether the family of that name is first, or a newer one.
func from(version, first string) bool {
	return slices.Index(families(), version) >= slices.Index(families(), first)
}

// recreate asks for a recreate in the way of the cloud's version.
func recreate(c *Cloud, id int) (got, error) {
	if c.fam <= f414 {
		return try(c, "one.vm.action", "delete-recreate", id)
	}
	return try(c, "one.vm.recover", id, 4)
}

// stateOf names the state of a VM.
func stateOf(t *testing.T, c *Cloud, id int) string {
	t.Helper()
	v, ok := c.VM(id)
	if !ok {
		t.Fatalf("no VM %d", id)
	}
	return v.state().String()
}

// wantState checks the state of a VM.
func wantState(t *testing.T, c *Cloud, id int, want string) {
	t.Helper()
	if now := stateOf(t, c, id); now != want {
		t.Fatalf("VM %d is %s, want %s", id, now, want)
	}
}

// pass lets simulated time pass.
func pass(d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	<-ctx.Done()
	synctest.Wait()
}

// node is an element of an object body.
type node struct {
	name string
	text string
	kids []*node
}

// parseNode reads an object body.
func parseNode(text string) (*node, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	top := &node{}
	stack := []*node{top}
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			if len(top.kids) != 1 {
				return nil, fmt.Errorf("%d document elements", len(top.kids))
			}
			return top.kids[0], nil
		}
		if err != nil {
			return nil, err
		}
		last := stack[len(stack)-1]
		switch el := tok.(type) {
		case xml.StartElement:
			kid := &node{name: el.Name.Local}
			last.kids = append(last.kids, kid)
			stack = append(stack, kid)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			last.text += string(el)
		}
	}
}

// get finds a descendant by names; an empty node if there is none.
func (n *node) get(path ...string) *node {
	for _, name := range path {
		var found *node
		for _, k := range n.kids {
			if k.name == name {
				found = k
				break
			}
		}
		if found == nil {
			return &node{}
		}
		n = found
	}
	return n
}

// all finds the children with a name.
func (n *node) all(name string) []*node {
	var list []*node
	for _, k := range n.kids {
		if k.name == name {
			list = append(list, k)
		}
	}
	return list
}
