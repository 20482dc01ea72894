package drill_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/drill"
	"one-ft/pkg/one"
	"one-ft/test/testdata/tapes"
)

// replay answers every request for a method with one recorded answer, and others with a fault.
type replay map[string][]byte

// RoundTrip is http.RoundTripper.
func (r replay) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	answer := []byte("<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>-506</int></value></member>" +
		"<member><name>faultString</name><value><string>no such method</string></value></member></struct></value></fault></methodResponse>")
	for method, recorded := range r {
		if bytes.Contains(body, []byte("<methodName>"+method+"</methodName>")) {
			answer = recorded
		}
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(answer)), Request: req}, nil
}

// TestTapes: of recorded pools Read finds the same hosts and VMs as package one does.
func TestTapes(t *testing.T) {
	for _, version := range tapes.Versions() {
		all, err := tapes.Load(version)
		if err != nil {
			t.Fatal(err)
		}
		recorded := replay{}
		for _, tape := range all {
			if tape.HTTPStatus == http.StatusOK && bytes.Contains(tape.Response, []byte("<boolean>1</boolean>")) && len(tape.Response) > len(recorded[tape.Method]) &&
				(tape.Method != "one.vmpool.infoset" || strings.Contains(string(tape.Request), "<boolean>1</boolean>")) {
				recorded[tape.Method] = tape.Response
			}
		}
		full := "one.vmpool.infoextended"
		if recorded[full] == nil { // up to 5.6
			full = "one.vmpool.info"
		}
		recorded["one.vmpool.infoset"] = recorded[full] // that of the same moment
		recorded["one.system.version"] = versionAnswer(version)
		client, err := one.New(one.Options{Endpoint: "http://cloud/RPC2", Credentials: "oneadmin:opennebula", Transport: recorded, Patience: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := client.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		// Those that wait are read by the method of full bodies, which here gives all VMs.
		c, err := drill.Read(t.Context(), client)
		if err != nil {
			t.Fatalf("%s: %v", version, err)
		}
		compareHosts(t, version, client, c)
		compareVMs(t, version, recorded[full], c)
		if len(c.Datastores) == 0 && version != "7.4" {
			t.Errorf("%s: no system datastore", version)
		}
	}
}

// compareHosts holds hosts against those of the client.
func compareHosts(t *testing.T, version string, client *one.Client, c drill.Cloud) {
	hosts, err := client.Hosts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(hosts) == 0 || len(hosts) != len(c.Hosts) {
		t.Errorf("%s: %d hosts, not %d", version, len(c.Hosts), len(hosts))
	}
	for _, want := range hosts {
		slices.Sort(want.VMs)
		got, _ := c.Host(want.ID)
		if len(got.VMs) == 0 && len(want.VMs) == 0 {
			got.VMs = want.VMs
		}
		if !reflect.DeepEqual(got.Host, want) {
			t.Errorf("%s: host %d\n%+v, not\n%+v", version, want.ID, got.Host, want)
		}
		if got.Attributes["NAME"][0] != want.Name || len(got.Attributes["HYPERVISOR"]) == 0 || len(got.Attributes["MAX_CPU"]) == 0 {
			t.Errorf("%s: host %d: %v", version, want.ID, got.Attributes)
		}
		if monitord := slices.Contains([]string{"5.12", "6.4", "6.10", "7.4", "7.5"}, version); got.NoMonitoring != monitord {
			t.Errorf("%s: no monitoring %v", version, got.NoMonitoring)
		}
	}
}

// compareVMs holds VMs against those that the client reads from the same answer.
func compareVMs(t *testing.T, version string, pool []byte, c drill.Cloud) {
	client, err := one.New(one.Options{
		Endpoint: "http://cloud/RPC2", Credentials: "oneadmin:opennebula", Patience: time.Second,
		Transport: replay{"one.system.version": versionAnswer(version), "one.vmpool.info": pool, "one.vmpool.infoextended": pool},
	})
	if err == nil {
		_, _, err = client.Connect(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	vms, err := client.PendingVMs(t.Context()) // the tape has VMs of all states
	if err != nil || len(vms) == 0 {
		t.Fatalf("%s: %d VMs, %v", version, len(vms), err)
	}
	for _, want := range vms {
		got, found := c.VM(want.ID)
		last, placed := want.Last()
		mine, minePlaced := got.Last()
		if !found || got.Name != want.Name || got.Owner != want.Owner || got.State != want.State || got.LCM != want.LCM || got.Resched != want.Resched ||
			got.CPU != want.CPU || got.Memory != want.Memory || placed != minePlaced || last.HostID != mine.HostID || last.Seq != mine.Seq ||
			last.DatastoreID != mine.DatastoreID || got.PersistentDisks != want.PersistentDisks {
			t.Errorf("%s: VM %d\n%+v, not\n%+v", version, want.ID, got.VM, want)
		}
		if a := want.Template["AUTOMATIC_REQUIREMENTS"]; a != "" && !slices.Contains(got.Requirements, a) {
			t.Errorf("%s: VM %d requires %q, not %q", version, want.ID, got.Requirements, a)
		}
		if got.MemoryKB != int64(want.Memory)*1024 || got.CPUShare != int64(want.CPU*100+0.5) {
			t.Errorf("%s: VM %d takes %d and %d kB", version, want.ID, got.CPUShare, got.MemoryKB)
		}
	}
}

// versionAnswer is the answer of one.system.version.
func versionAnswer(version string) []byte {
	return []byte("<methodResponse><params><param><value><array><data><value><boolean>1</boolean></value><value><string>" + version +
		".0</string></value><value><i4>0</i4></value></data></array></value></param></params></methodResponse>")
}
