package one

import (
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"one-ft/test/testdata/tapes"
)

// requestsOf collects what was recorded on a version: method and arguments without the
// session, with whether oned accepted it.
func requestsOf(t *testing.T, version string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	eachTape(t, func(v string, tape tapes.Tape) {
		if v != version || tape.Method == "raw" {
			return
		}
		list, err := scalars(tape.Request)
		if err != nil {
			t.Fatalf("%s: %v", tape.Name, err)
		}
		key := strings.Join(slices.Delete(list, 1, min(2, len(list))), " ")
		all[key] = all[key] || readRecorded(t, tape).kind == "value"
	})
	return all
}

// sent makes a client that keeps its last request and is always answered alike.
func sent(t *testing.T, version, reply string) (*Client, func() string) {
	t.Helper()
	var last []byte
	c := client(t, version, round(func(req *http.Request) (*http.Response, error) {
		if req.Method != http.MethodPost || req.URL.Path != "/RPC2" || req.Header.Get("Content-Type") != "text/xml" {
			t.Errorf("%s %s %v", req.Method, req.URL, req.Header)
		}
		last, _ = io.ReadAll(req.Body)
		return answer(http.StatusOK, accepted(reply)), nil
	}))
	return c, func() string {
		t.Helper()
		list, err := scalars(last)
		if err != nil || len(list) < 2 || list[1] != "string:oneadmin:"+secret {
			t.Fatalf("request %s: %v", last, err)
		}
		return strings.Join(slices.Delete(list, 1, 2), " ")
	}
}

// TestActionsAreAsRecorded: each action is a call that oned of that version accepted
// for some VM, with the same types and values.
func TestActionsAreAsRecorded(t *testing.T) {
	number := regexp.MustCompile(` int:\d+`)
	for _, version := range tapes.Versions() {
		recorded := requestsOf(t, version)
		for _, action := range []Action{Recreate, Delete, RecoverFailure, Retry, Resume, Reboot, Resched} {
			c, request := sent(t, version+".0", "")
			if err := c.Do(ctx(t), action, 7); action == Retry && version == "4.4" {
				is(t, err, ErrUnsupported)
				continue
			} else if err != nil {
				t.Fatalf("%s on %s: %v", action, version, err)
			}
			found, want := false, request()
			for key, ok := range recorded { // the VM was another one
				if vm := number.FindString(key); ok && strings.Replace(key, vm, " int:7", 1) == want {
					found = true
				}
			}
			if !found {
				t.Errorf("%s on %s: %s (for any VM) was never accepted", action, version, request())
			}
		}
	}
}

// TestRequestsAreAsRecorded does so for the other calls, for which it is enough that
// they were recorded.
func TestRequestsAreAsRecorded(t *testing.T) {
	const any = 99
	calls := map[string]func(c *Client, id int){
		"host":   func(c *Client, id int) { _, _ = c.Host(t.Context(), id) },
		"hosts":  func(c *Client, _ int) { _, _ = c.Hosts(t.Context()) },
		"VM":     func(c *Client, id int) { _, _ = c.VM(t.Context(), id) },
		"config": func(c *Client, _ int) { _, _ = c.MonitoringInterval(t.Context()) },
		"version": func(c *Client, _ int) {
			_, _, _ = c.Connect(t.Context())
		},
	}
	for _, version := range tapes.Versions() {
		recorded := requestsOf(t, version)
		for name, call := range calls {
			found := false
			c, request := sent(t, version+".0", "")
			for id := range any {
				call(c, id)
				found = found || recorded[request()]
			}
			if !found {
				t.Errorf("%s on %s: %s was never recorded", name, version, request())
			}
		}
	}
}

// TestRequestsInFull spells out the calls whose arguments differ from all recorded ones
// in a value.
func TestRequestsInFull(t *testing.T) {
	migrate := map[string]string{
		"4.4.0":  "methodName:one.vm.migrate int:7 int:3 boolean:0 boolean:1",
		"4.14.0": "methodName:one.vm.migrate int:7 int:3 boolean:0 boolean:1 int:-1",
		"5.6.0":  "methodName:one.vm.migrate int:7 int:3 boolean:0 boolean:1 int:-1",
		"5.8.0":  "methodName:one.vm.migrate int:7 int:3 boolean:0 boolean:1 int:-1 int:0",
		"7.4.0":  "methodName:one.vm.migrate int:7 int:3 boolean:0 boolean:1 int:-1 int:0",
	}
	for version, want := range migrate {
		c, request := sent(t, version, "")
		if err := c.Migrate(ctx(t), 7, 3); err != nil || request() != want {
			t.Errorf("%s: %s, %v; want %s", version, request(), err, want)
		}
	}
	pending := map[string]string{
		"5.6.0":  "methodName:one.vmpool.info int:-2 int:-1 int:-1 int:1",
		"5.7.80": "methodName:one.vmpool.info int:-2 int:-1 int:-1 int:1",
		"5.8.0":  "methodName:one.vmpool.infoextended int:-2 int:-1 int:-1 int:1 string:",
	}
	for version, want := range pending {
		c, request := sent(t, version, "<VM_POOL></VM_POOL>")
		if _, err := c.PendingVMs(ctx(t)); err != nil || request() != want {
			t.Errorf("%s: %s, %v; want %s", version, request(), err, want)
		}
	}
	types := regexp.MustCompile(`:\S+`)
	for version, want := range map[string]string{"4.4": migrate["4.4.0"], "4.14": migrate["4.14.0"], "5.4": migrate["5.6.0"], "5.8": migrate["5.8.0"], "5.10": migrate["5.8.0"],
		"5.12": migrate["5.8.0"], "6.4": migrate["7.4.0"], "6.10": migrate["7.4.0"], "7.4": migrate["7.4.0"], "7.5": migrate["7.4.0"]} {
		found := false
		for key, ok := range requestsOf(t, version) {
			found = found || ok && strings.HasPrefix(key, "methodName:one.vm.migrate ") && types.ReplaceAllString(key, "") == types.ReplaceAllString(want, "")
		}
		if !found {
			t.Errorf("%s: no migrate with the types of %s was ever accepted", version, want)
		}
	}
	c, request := sent(t, "7.4.0", "<VM_POOL/>")
	if _, err := c.VMSet(ctx(t), []int{0, 1, 5}); err != nil || !requestsOf(t, "7.4")[request()] {
		t.Errorf("%s, %v: not as recorded", request(), err)
	}
	c, request = sent(t, "6.0.0", "<VM_POOL/>")
	if _, err := c.VMSet(ctx(t), []int{3, 1, 2}); err != nil || request() != "methodName:one.vmpool.infoset string:3,1,2 boolean:1" {
		t.Errorf("%s, %v", request(), err)
	}
	if err := c.Annotate(ctx(t), 7, "FT_ATTEMPTS", "1700000000 1700000060"); err != nil ||
		request() != `methodName:one.vm.update int:7 string:FT_ATTEMPTS = "1700000000 1700000060" int:1` {
		t.Errorf("%s, %v", request(), err)
	}
	if _, err := c.Datastore(ctx(t), 5); err == nil || request() != "methodName:one.datastore.info int:5" {
		t.Errorf("%s, %v", request(), err)
	}
}

// TestDeployIsAsRecorded: on each version a deploy with these types was accepted for a VM that waits, and
// what refused one is told apart.
func TestDeployIsAsRecorded(t *testing.T) {
	types := regexp.MustCompile(`:\S+`)
	for _, version := range tapes.Versions() {
		c, request := sent(t, version+".0", "")
		const want = "methodName:one.vm.deploy int:7 int:3 boolean:1 int:100"
		if err := c.Deploy(ctx(t), 7, 3, 100); err != nil || request() != want {
			t.Errorf("%s: %s, %v; want %s", version, request(), err, want)
		}
		found := false
		for key, ok := range requestsOf(t, version) {
			found = found || ok && strings.HasPrefix(key, "methodName:one.vm.deploy ") && types.ReplaceAllString(key, "") == types.ReplaceAllString(want, "")
		}
		if !found {
			t.Errorf("%s: no deploy with these types was ever accepted", version)
		}
		refused := 0
		eachTape(t, func(v string, tape tapes.Tape) {
			if v != version || tape.Method != "one.vm.deploy" {
				return
			}
			recorded := readRecorded(t, tape)
			err := playing(t, version, tape).Deploy(ctx(t), 7, 3, -1)
			if recorded.code == 2048 {
				refused++
				is(t, err, ErrWrongState)
			}
			if (err == nil) != (recorded.kind == "value") {
				t.Errorf("%s %s: %v", version, tape.Name, err)
			}
		})
		if refused < 5 {
			t.Errorf("%s: only %d refusals", version, refused)
		}
	}
}

// TestRecreatesByVersion: what is destructive is sent in the right form, or not at all.
func TestRecreatesByVersion(t *testing.T) {
	want := map[string]string{
		"4.4.0": "methodName:one.vm.action string:delete-recreate int:7", "4.14.2": "methodName:one.vm.action string:delete-recreate int:7",
		"4.90.0": "methodName:one.vm.recover int:7 int:4", "5.0.0": "methodName:one.vm.recover int:7 int:4",
		"7.4.1": "methodName:one.vm.recover int:7 int:4",
	}
	for version, text := range want {
		c, request := sent(t, version, "")
		if err := c.Do(ctx(t), Recreate, 7); err != nil || request() != text {
			t.Errorf("%s: %s, %v; want %s", version, request(), err, text)
		}
	}
	silent := round(func(*http.Request) (*http.Response, error) {
		t.Error("something was sent")
		return nil, io.EOF
	})
	unconnected := client(t, "", silent)
	for _, action := range []Action{Recreate, Delete, Resume} {
		is(t, unconnected.Do(ctx(t), action, 7), errNotConnected)
	}
	is(t, unconnected.Migrate(ctx(t), 7, 3), errNotConnected)
	is(t, unconnected.Deploy(ctx(t), 7, 3, -1), errNotConnected)
	is(t, client(t, "7.4.0", silent).Do(ctx(t), "explode", 7), ErrUnsupported)
	_, err := client(t, "5.12.5", silent).VMSet(ctx(t), []int{1})
	is(t, err, ErrUnsupported)
	if vms, err := client(t, "7.4.0", silent).VMSet(ctx(t), nil); vms != nil || err != nil {
		t.Errorf("an empty set: %v, %v", vms, err)
	}
}
