package guest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	uuidA = "6c0ab0ff-9f1b-4b31-8a6b-0b1a7b0a2c11"
	uuidB = "7d0ab0ff-9f1b-4b31-8a6b-0b1a7b0a2c22"
)

// status is what libvirt keeps of a domain; datastore is that of OpenNebula's metadata, "" for a domain without.
func (s *site) status(name, uuid, datastore string) {
	s.t.Helper()
	dir := filepath.Join(s.dir, "run/libvirt/qemu")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.write("run/libvirt/qemu/"+name+".xml", statusText(name, uuid, datastore))
}

func statusText(name, uuid, datastore string) string {
	metadata := ""
	if datastore != "" {
		metadata = `<metadata>
      <one:vm xmlns:one="http://opennebula.org/xmlns/libvirt/1.0">
        <one:system_datastore>` + datastore + `</one:system_datastore>
        <one:name>web</one:name>
        <one:opennebula_version>6.10.0</one:opennebula_version>
      </one:vm>
    </metadata>`
	}
	return fmt.Sprintf(`<!-- WARNING: THIS IS AN AUTO-GENERATED FILE. -->
<domstatus state='running' reason='booted' pid='12'>
  <monitor path='/var/lib/libvirt/qemu/domain-1-x/monitor.sock' type='unix'/>
  <domain type='kvm' id='1'>
    <name>%s</name>
    <uuid>%s</uuid>
    %s
    <memory unit='KiB'>16384</memory>
  </domain>
</domstatus>`, name, uuid, metadata)
}

// TestIdentify: a guest is one of OpenNebula by its name, by what oned calls it, or by OpenNebula's metadata; no other is.
func TestIdentify(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what      string
		d         domain
		known     []Known
		uuid      string // in the state of the domain; "" when there is none
		datastore string
		want      int // -1: a foreign one
	}{
		{"its name", domain{name: "one-7"}, nil, "", "", 7},
		{"its name, whatever the rest says", domain{name: "one-7", uuid: uuidB}, []Known{{8, uuidB}}, uuidB, "/ds/0/9", 7},
		{"the name that oned knows", domain{name: "web01"}, []Known{{3, uuidA}, {8, "web01"}}, "", "", 8},
		{"the UUID that oned knows", domain{name: "web01", uuid: strings.ToUpper(uuidA)}, []Known{{8, uuidA}}, "", "", 8},
		{"the UUID by the state of the domain", domain{name: "web01"}, []Known{{8, uuidA}}, uuidA, "", 8},
		{"another UUID", domain{name: "web01", uuid: uuidB}, []Known{{8, uuidA}}, uuidB, "", -1},
		{"another name", domain{name: "web02", uuid: uuidB}, []Known{{8, "web01"}}, uuidB, "", -1},
		{"oned calls a VM nothing", domain{}, []Known{{8, ""}}, "", "", -1},
		{"metadata", domain{name: "web01", uuid: uuidA}, nil, uuidA, "/var/lib/one//datastores/0/42", 42},
		{"metadata, by its name alone", domain{name: "web01"}, nil, uuidA, "/var/lib/one//datastores/0/42", 42},
		{"metadata of one that had this name before", domain{name: "web01", uuid: uuidB}, nil, uuidA, "/var/lib/one//datastores/0/42", -1},
		{"no metadata", domain{name: "web01", uuid: uuidA}, nil, uuidA, "", -1},
		{"metadata without a VM", domain{name: "web01", uuid: uuidA}, nil, uuidA, "/var/lib/one/datastores/0/", -1},
		{"a relative directory", domain{name: "web01", uuid: uuidA}, nil, uuidA, "0/42", -1},
		{"a name that is a path", domain{name: "../qemu/web01", uuid: uuidA}, nil, uuidA, "/ds/0/42", -1},
	} {
		s := newSite(t)
		if c.uuid != "" {
			s.status("web01", c.uuid, c.datastore)
		}
		s.host.Known = func() []Known { return c.known }
		if id, ours := s.host.identify(&c.d); ours != (c.want >= 0) || ours && id != c.want {
			t.Errorf("%s: %d, %t, want %d", c.what, id, ours, c.want)
		}
	}
}

// TestForeignNamespace: metadata of others may look alike.
func TestForeignNamespace(t *testing.T) {
	t.Parallel()
	text := statusText("web01", uuidA, "/ds/0/42")
	if got := parseStatus([]byte(text)); got != (status{uuidA, "/ds/0/42"}) {
		t.Errorf("%+v", got)
	}
	other := strings.Replace(text, "http://opennebula.org/xmlns/libvirt/1.0", "http://example.org/one/1.0", 1)
	if got := parseStatus([]byte(other)); got != (status{UUID: uuidA}) {
		t.Errorf("another namespace: %+v", got)
	}
	if got := parseStatus([]byte(text[:len(text)-20])); got != (status{}) {
		t.Errorf("cut off: %+v", got)
	}
}

// FuzzStatus: whatever is in the state of a domain, it is a VM only by the end of a path.
func FuzzStatus(f *testing.F) {
	f.Add([]byte(statusText("web01", uuidA, "/var/lib/one//datastores/0/42")))
	f.Add([]byte(statusText("web01", uuidA, "")))
	f.Add([]byte("<domstatus><domain><uuid>x</uuid><metadata><vm><system_datastore>/0/7</system_datastore></vm></metadata></domain></domstatus>"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got := parseStatus(text)
		if got.Datastore != "" && !strings.Contains(string(text), "http://opennebula.org/xmlns/libvirt/1.0") && !strings.Contains(string(text), "&") {
			t.Errorf("%q of %q", got.Datastore, text)
		}
		if id, ok := idInDatastore(got.Datastore); ok && (id < 0 || !strings.HasPrefix(got.Datastore, "/") || !strings.Contains(got.Datastore, fmt.Sprint("/", id))) {
			t.Errorf("%q is taken for VM %d", got.Datastore, id)
		}
	})
}

// TestImported: guests with their own names are destroyed by their UUID, and by their processes when libvirt is dead; one that
// nobody names survives.
func TestImported(t *testing.T) {
	t.Parallel()
	for _, list := range []string{"", "fail"} {
		s := newSite(t)
		s.write("list", list)
		s.status("12", uuidA, "/var/lib/one//datastores/0/42") // virsh would take the name for the ID of a domain
		s.status("web01", uuidB, "")
		s.status("windows", strings.Replace(uuidA, "6", "5", 1), "")
		s.host.Known = func() []Known { return []Known{{9, uuidB}} }
		args := func(name, uuid string) []string {
			return []string{"/usr/bin/qemu-system-x86_64", "-name", "guest=" + name + ",debug-threads=on", "-uuid", uuid}
		}
		a, b := s.qemu(ignoring, args("12", uuidA)...), s.qemu(ignoring, args("web01", uuidB)...)
		other := s.qemu("", args("windows", strings.Replace(uuidA, "6", "5", 1))...)
		for name, q := range map[string]*qemu{"12": a, "web01": b, "windows": other} {
			s.write("domains/"+name, fmt.Sprint(q.pid))
		}
		// The fake virsh knows a domain by its UUID, too, and lists only names.
		for uuid, q := range map[string]*qemu{uuidA: a, uuidB: b} {
			if err := os.MkdirAll(filepath.Join(s.dir, "uuids"), 0o755); err != nil {
				t.Fatal(err)
			}
			s.write("uuids/"+uuid, fmt.Sprint(q.pid))
		}
		done := make(chan struct{})
		go s.forget(done, a, "12")
		go s.forget(done, b, "web01")
		o := s.stop(Destroy)
		close(done)
		if !o.Gone || !reflect.DeepEqual(plain(o.Found), []Guest{{ID: 9, Name: "web01", PID: b.pid}, {ID: 42, Name: "12", PID: a.pid}}) {
			t.Errorf("%q: outcome %+v", list, o)
		}
		a.ended("by its metadata")
		b.ended("by its UUID")
		other.alive("a domain that nobody names")
		calls := strings.Split(strings.TrimSpace(s.read("calls")), "\n")
		if list == "" && (!slices.Contains(calls, "destroy "+uuidA) || !slices.Contains(calls, "destroy "+uuidB)) {
			t.Errorf("virsh was told %q", calls)
		}
		if slices.ContainsFunc(calls, func(c string) bool {
			return c != "list --name" && c != "destroy "+uuidA && c != "destroy "+uuidB
		}) {
			t.Errorf("virsh was told %q", calls)
		}
	}
}

// TestDestroyImported: one guest is destroyed by the name that it has kept, and not for another VM.
func TestDestroyImported(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.write("list", "fail")
	s.host.Known = func() []Known { return []Known{{9, "web01"}} }
	q := s.qemu("", "kvm", "-name", "guest=web01")
	if err := s.host.Destroy(t.Context(), Guest{ID: 8, Name: "web01", PID: q.pid}); err == nil {
		t.Error("it is VM 9")
	}
	s.host.Settings.DestroyLimit = 2 * time.Second
	if err := s.host.Destroy(t.Context(), Guest{ID: 9, Name: "web01", PID: q.pid}); err != nil {
		t.Error(err)
	}
	q.ended("web01")
	s.host.Known = nil
	if err := s.host.Destroy(t.Context(), Guest{ID: 9, Name: "web01"}); err == nil || errors.Is(err, ErrLeft) {
		t.Errorf("nobody names it: %v", err)
	}
}
