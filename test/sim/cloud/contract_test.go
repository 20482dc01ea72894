package cloud

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"one-ft/pkg/one"
	"one-ft/test/testdata/tapes"
)

// TestContract puts the simulated cloud into the state of every recorded
// request, sends that request, and compares the answer with the recorded one:
// kinds and number of elements, success or not, code, text and value; of an
// object body the elements in their order, of a pool also the IDs in theirs.
func TestContract(t *testing.T) {
	for _, version := range tapes.Versions() {
		t.Run(version, func(t *testing.T) {
			list, err := tapes.Load(version)
			if err != nil {
				t.Fatal(err)
			}
			var base *node // the pool that later requests ask parts of
			for _, tape := range list {
				t.Run(tape.Name, func(t *testing.T) { replay(t, version, tape, base) })
				switch {
				case isWholePool(tape):
					base = objectOf(t, tape)
				case slices.Contains([]string{"one.vm.action", "one.vm.recover", "one.vm.migrate"}, tape.Method):
					base = nil
				}
			}
		})
	}
}

func TestTapesAreWhole(t *testing.T) {
	for _, version := range tapes.Versions() {
		list, err := tapes.Load(version)
		if err != nil || len(list) < 350 {
			t.Fatalf("%s: %d tapes, %v", version, len(list), err)
		}
		seen := map[string]bool{}
		for _, tape := range list {
			if tape.Method == "" || len(tape.Response) == 0 || seen[tape.Name] {
				t.Errorf("%s: tape %+v", version, tape)
			}
			seen[tape.Name] = true
		}
	}
	if _, err := tapes.Load("3.8"); err == nil {
		t.Error("there are tapes of 3.8")
	}
}

// replay checks one tape.
func replay(t *testing.T, version string, tape tapes.Tape, base *node) {
	c := cloudOf(t, version, tape, base)
	method, path := http.MethodPost, rpcPath
	switch tape.HTTPStatus {
	case http.StatusMethodNotAllowed:
		method = http.MethodGet
	case http.StatusNotFound:
		path = "/"
	}
	// 6.10 and 7.4 were recorded with another password.
	request := bytes.ReplaceAll(tape.Request, []byte("alice:alicepw"), []byte(aliceSession))
	w := httptest.NewRecorder()
	c.ServeHTTP(w, httptest.NewRequest(method, path, bytes.NewReader(request)))
	body := w.Body.Bytes()
	if w.Code != tape.HTTPStatus {
		t.Fatalf("HTTP %d, want %d", w.Code, tape.HTTPStatus)
	}
	if tape.HTTPStatus != http.StatusOK {
		if !bytes.Equal(body, tape.Response) {
			t.Fatalf("page %q, want %q", body, tape.Response)
		}
		return
	}
	is, err := decodeAnswer(body)
	if err != nil {
		t.Fatal(err)
	}
	want, err := decodeAnswer(tape.Response)
	if err != nil {
		t.Fatal(err)
	}
	compareAnswers(t, is, want)
}

// compareAnswers compares everything but what is inside an object body.
func compareAnswers(t *testing.T, is, want got) {
	t.Helper()
	if is.Fault != want.Fault || len(is.Elements) != len(want.Elements) {
		t.Fatalf("answer %v, want %v", is, want)
	}
	for i, w := range want.Elements {
		e := is.Elements[i]
		if e.Kind != w.Kind {
			t.Fatalf("element %d is %s, want %s", i, e.Kind, w.Kind)
		}
		if strings.HasPrefix(w.Text, "<") {
			compareObjects(t, e.Text, w.Text)
		} else if e.Text != w.Text {
			t.Errorf("element %d is %q, want %q", i, e.Text, w.Text)
		}
	}
}

// compareObjects compares two object bodies.
func compareObjects(t *testing.T, is, want string) {
	t.Helper()
	a, err := parseNode(is)
	if err != nil {
		t.Fatal(err)
	}
	b, err := parseNode(want)
	if err != nil {
		t.Fatal(err)
	}
	if b.name == "OPENNEBULA_CONFIGURATION" || b.name == "TEMPLATE" {
		compareConfig(t, a, b)
		return
	}
	isOutline, wantOutline := outline(a, ""), outline(b, "")
	if !slices.Equal(isOutline, wantOutline) {
		isPart, wantPart := firstDifference(isOutline, wantOutline)
		t.Errorf("elements\n%s\nwant\n%s", isPart, wantPart)
	}
}

// compareConfig checks that the configuration has nothing that the real one
// has not; the real one says much about drivers that are not simulated.
func compareConfig(t *testing.T, is, want *node) {
	t.Helper()
	if is.name != want.name {
		t.Errorf("configuration in %s, want %s", is.name, want.name)
	}
	for _, k := range is.kids {
		if len(want.all(k.name)) == 0 {
			t.Errorf("the real configuration has no %s", k.name)
		}
	}
	for _, name := range []string{"MONITORING_INTERVAL", "MONITORING_INTERVAL_HOST", "MAX_CONN", "API_LIST_ORDER"} {
		if len(is.all(name)) != len(want.all(name)) {
			t.Errorf("%d %s in the configuration, want %d", len(is.all(name)), name, len(want.all(name)))
		}
	}
}

// outline lists the elements of a body in their order, with the text of IDs
// and states. What is left out depends on more than the state of the object:
// what a guest's polls brought, VMs that oned did not create, the execution
// log of a hook.
func outline(n *node, prefix string) []string {
	path := prefix + "/" + n.name
	line := path
	switch n.name {
	case "ID", "OID", "SEQ", "HID", "STATE", "LCM_STATE", "RESCHED", "HOSTNAME", "NAME", "ACTION", "ZOMBIES":
		line += "=" + n.text
	}
	list := []string{line}
	if n.name == "HOOKLOG" || n.name == "MONITORING" && strings.HasSuffix(prefix, "/VM") {
		return list
	}
	for _, k := range n.kids {
		if strings.HasSuffix(path, "/HOST/TEMPLATE") && slices.Contains([]string{"VM", "WILDS", "TOTAL_WILDS"}, k.name) {
			continue
		}
		list = append(list, outline(k, path)...)
	}
	return list
}

// firstDifference shows where two outlines part.
func firstDifference(is, want []string) (string, string) {
	for i := range min(len(is), len(want)) {
		if is[i] != want[i] {
			return strings.Join(is[i:min(i+3, len(is))], "\n"), strings.Join(want[i:min(i+3, len(want))], "\n")
		}
	}
	return fmt.Sprint(len(is), " elements"), fmt.Sprint(len(want), " elements")
}

// objectOf parses the object in a recorded answer; nil if there is none.
func objectOf(t *testing.T, tape tapes.Tape) *node {
	t.Helper()
	g, err := decodeAnswer(tape.Response)
	if err != nil || !g.ok() || !strings.HasPrefix(g.text(), "<") {
		return nil
	}
	n, err := parseNode(g.text())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// isWholePool reports whether a tape is the administrator's view of all VMs.
func isWholePool(tape tapes.Tape) bool {
	_, params, err := decodeCall(tape.Request)
	return err == nil && tape.Method == "one.vmpool.info" && asksForAll(params) &&
		bytes.Contains(tape.Response, []byte("&lt;VM&gt;"))
}

// asksForAll reports whether a pool request is for all VMs but those DONE, by
// the administrator.
func asksForAll(params []any) bool {
	return len(params) > 4 && slices.Equal(params[:5], []any{adminSession, -2, -1, -1, -1})
}

// cloudOf builds a cloud in the state that a tape was recorded in.
func cloudOf(t *testing.T, version string, tape tapes.Tape, base *node) *Cloud {
	full := map[string]string{"4.4": "4.4.1", "5.10": "5.10.6", "6.10": "6.10.0", "7.4": "7.4.1",
		"4.14": "4.14.2", "5.4": "5.4.16", "5.8": "5.8.6", "5.12": "5.12.0.5", "6.4": "6.4.0.1", "7.5": "7.5.80"}[version]
	c := newCloud(t, full, func(cfg *Config) {
		cfg.Hosts = nil
		for id := range 8 {
			h := Host{ID: id, Name: fmt.Sprintf("host%02d", id+1)}
			if strings.HasPrefix(version, "4.") {
				h.Cluster = -1
			}
			cfg.Hosts = append(cfg.Hosts, h)
		}
		cfg.Datastores = []Datastore{{ID: 0, Name: "system", Type: 1, Shared: true}, {ID: 1, Name: "default"},
			{ID: 2, Name: "files", Type: 2}}
		if body := objectOf(t, tape); body != nil {
			hosts := hostCount(body)
			cfg.Hosts = cfg.Hosts[:hosts]
		}
	})
	_, params, err := decodeCall(tape.Request)
	if err != nil {
		return c
	}
	switch {
	case strings.HasPrefix(tape.Method, "one.vmpool."):
		if !asksForAll(params) {
			addRecorded(t, c, base)
		}
		addRecorded(t, c, objectOf(t, tape))
	case strings.HasSuffix(tape.Method, ".info"):
		addRecorded(t, c, objectOf(t, tape))
		if tape.Method == "one.vm.info" {
			addSubject(t, c, tape, params)
		}
	case strings.HasPrefix(tape.Method, "one.vm."):
		addSubject(t, c, tape, params)
	}
	if tape.Method == "one.hook.allocate" || tape.Method == "one.hook.delete" {
		prepareHooks(t, c, tape)
	}
	return c
}

// hostCount is how many hosts the recorded cloud had.
func hostCount(body *node) int {
	switch {
	case body.name == "HOST_POOL" && len(body.kids) > 0:
		return len(body.kids)
	case body.name == "CLUSTER_POOL" && len(body.kids) > 0:
		return len(body.get("CLUSTER", "HOSTS").kids)
	}
	return 8
}

// numberIn reads a number in a body.
func numberIn(n *node, path ...string) int {
	v, _ := strconv.Atoi(n.get(path...).text)
	return v
}

// addRecorded puts the objects of a recorded body into a cloud, in place of
// those that are there already.
func addRecorded(t *testing.T, c *Cloud, body *node) {
	t.Helper()
	if body == nil {
		return
	}
	switch body.name {
	case "VM_POOL", "HOST_POOL":
		for _, k := range body.kids {
			addRecorded(t, c, k)
		}
	case "VM":
		v := recordedVM(c, body)
		if _, there := c.VM(v.ID); there {
			if err := c.UpdateVM(v.ID, func(old *VM) { *old = v }); err != nil {
				t.Fatal(err)
			}
		} else if err := c.AddVM(v); err != nil {
			t.Fatal(err)
		}
		c.vms[v.ID].deployID = body.get("DEPLOY_ID").text
	case "HOST":
		addRecordedHost(t, c, body)
	case "HOOK":
		h := &hook{id: numberIn(body, "ID"), name: body.get("NAME").text, kind: body.get("TYPE").text,
			template: map[string]string{}}
		for _, k := range body.get("TEMPLATE").kids {
			h.template[k.name] = k.text
		}
		c.hooks = append(c.hooks, h)
	}
}

// recordedVM reads a VM from a body, short or full.
func recordedVM(c *Cloud, body *node) VM {
	v := VM{ID: numberIn(body, "ID"), Name: body.get("NAME").text, UID: numberIn(body, "UID"),
		State: one.VMState(numberIn(body, "STATE")), LCM: one.LCMState(numberIn(body, "LCM_STATE")),
		Resched: body.get("RESCHED").text == "1", UserTemplate: map[string]string{}, Template: map[string]string{}}
	v.CPU, _ = strconv.ParseFloat(body.get("TEMPLATE", "CPU").text, 64)
	v.MemMB = numberIn(body, "TEMPLATE", "MEMORY")
	own := []string{"CPU", "MEMORY", "VMID", "AUTOMATIC_REQUIREMENTS", "TM_MAD_SYSTEM", "VCPU"}
	for _, k := range body.get("TEMPLATE").kids {
		if len(k.kids) == 0 && !slices.Contains(own, k.name) {
			v.Template[k.name] = k.text
		}
	}
	for _, k := range body.get("USER_TEMPLATE").kids {
		v.UserTemplate[k.name] = k.text
	}
	for _, k := range body.get("HISTORY_RECORDS").kids {
		v.History = append(v.History, Record{Seq: numberIn(k, "SEQ"), HostID: numberIn(k, "HID"), DSID: numberIn(k, "DS_ID"),
			Action: numberIn(k, "ACTION"), Reason: numberIn(k, "REASON")})
	}
	v.Requirements = v.UserTemplate[schedRequirements]
	// A pool gives the last record of a VM that migrates, not the one before.
	if (v.LCM == one.Migrate || v.LCM == one.SaveMigrate) && v.State == one.Active && len(v.History) == 1 {
		v.History = append([]Record{{HostID: (v.History[0].HostID + 1) % len(c.hostIDs)}}, v.History...)
	}
	return v
}

// addRecordedHost puts a host into the state of a body.
func addRecordedHost(t *testing.T, c *Cloud, body *node) {
	t.Helper()
	h := c.hosts[numberIn(body, "ID")]
	h.Name, h.State = body.get("NAME").text, one.HostState(numberIn(body, "STATE"))
	h.dead = h.State.Failed()
	h.Template = map[string]string{}
	h.errText = body.get("TEMPLATE", "ERROR").text
	for _, k := range body.get("VMS").kids {
		id, _ := strconv.Atoi(k.text)
		if _, there := c.vms[id]; !there {
			if err := c.AddVM(runningOn(id, h.ID)); err != nil {
				t.Fatal(err)
			}
		}
		c.hold(c.vms[id], append(slices.Clone(c.vms[id].holds), h.ID)) // one that migrates is on two
	}
	clear(h.guests)
	h.zombies = nil
	for _, word := range regexp.MustCompile(`\d+`).FindAllString(body.get("TEMPLATE", "ZOMBIES").text, -1) {
		id, _ := strconv.Atoi(word)
		h.guests[id], h.zombies = true, append(h.zombies, id)
	}
}
