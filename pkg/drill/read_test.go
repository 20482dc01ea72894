package drill

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// fake is an oned with VMs on one host. It answers calls with the VMs of the range or set that they name.
type fake struct {
	mu      sync.Mutex
	vms     map[int]string // inner XML by ID
	hosts   string
	calls   []string
	refuses map[string]error
}

// answer gives the value of a call.
func (f *fake) answer(method string, args []any) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf("%s %v", method, args))
	if err := f.refuses[method]; err != nil {
		return "", err
	}
	switch method {
	case "one.hostpool.info":
		return "<HOST_POOL>" + f.hosts + "</HOST_POOL>", nil
	case "one.clusterpool.info":
		return "<CLUSTER_POOL><CLUSTER><ID>0</ID><TEMPLATE><RACK>r1</RACK></TEMPLATE></CLUSTER></CLUSTER_POOL>", nil
	case "one.datastorepool.info":
		return `<DATASTORE_POOL><DATASTORE><ID>5</ID><NAME>s</NAME><TYPE>1</TYPE><STATE>0</STATE><CLUSTERS/><TOTAL_MB>9</TOTAL_MB><FREE_MB>8</FREE_MB><USED_MB>3</USED_MB>` +
			`<TEMPLATE><LIMIT_MB>7</LIMIT_MB></TEMPLATE></DATASTORE><DATASTORE><ID>1</ID><TYPE>0</TYPE><TEMPLATE/></DATASTORE></DATASTORE_POOL>`, nil
	case "one.vmgrouppool.info":
		return `<VM_GROUP_POOL><VM_GROUP><ID>3</ID><ROLES><ROLE><ID>0</ID><NAME>a</NAME><POLICY>anti_affined</POLICY><VMS>1,2</VMS><HOST_AFFINED>4,5</HOST_AFFINED></ROLE></ROLES>` +
			`<TEMPLATE><AFFINED>a, b</AFFINED></TEMPLATE></VM_GROUP></VM_GROUP_POOL>`, nil
	}
	if method == "one.vm.info" {
		id := args[0].(int)
		whole := "<HISTORY_RECORDS><HISTORY><SEQ>0</SEQ><HID>8</HID></HISTORY><HISTORY><SEQ>1</SEQ><HID>4</HID></HISTORY></HISTORY_RECORDS>"
		return fmt.Sprintf("<VM><ID>%d</ID>%s</VM>", id, strings.Replace(f.vms[id], "<HISTORY_RECORDS/>", whole, 1)), nil
	}
	var b strings.Builder
	b.WriteString("<VM_POOL>")
	for _, id := range f.asked(method, args) {
		fmt.Fprintf(&b, "<VM><ID>%d</ID>%s</VM>", id, f.vms[id])
	}
	return b.String() + "</VM_POOL>", nil
}

// asked are the IDs that a call asks for.
func (f *fake) asked(method string, args []any) (ids []int) {
	for id, xml := range f.vms {
		waits := strings.Contains(xml, "<STATE>1<")
		if method == "one.vmpool.infoset" {
			if slices.Contains(strings.Split(args[0].(string), ","), fmt.Sprint(id)) {
				ids = append(ids, id)
			}
		} else if from, to := args[1].(int), args[2].(int); args[3] == 1 && waits || args[3] == -1 && id >= from && id <= to {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// inner is a VM without its ID.
func inner(state int, template, user string) string {
	return fmt.Sprintf("<NAME>x</NAME><UNAME>u</UNAME><STATE>%d</STATE><LCM_STATE>3</LCM_STATE><TEMPLATE><CPU>0.5</CPU><MEMORY>64</MEMORY>%s</TEMPLATE><USER_TEMPLATE>%s</USER_TEMPLATE><HISTORY_RECORDS/>", state, template, user)
}

// oneHost lists VMs on a host.
func oneHost(vms ...int) string {
	list := ""
	for _, id := range vms {
		list += fmt.Sprintf("<ID>%d</ID>", id)
	}
	return `<HOST><ID>4</ID><NAME>n</NAME><STATE>2</STATE><CLUSTER_ID>0</CLUSTER_ID><CLUSTER>c</CLUSTER><HOST_SHARE><MAX_CPU>400</MAX_CPU><CPU_USAGE>100</CPU_USAGE>` +
		`<MAX_MEM>1024</MAX_MEM><MEM_USAGE>24</MEM_USAGE><DATASTORES><FREE_DISK>77</FREE_DISK><DS><ID>5</ID><FREE_MB>66</FREE_MB></DS></DATASTORES></HOST_SHARE>` +
		`<VMS>` + list + `</VMS><TEMPLATE><RACK>r0</RACK></TEMPLATE><MONITORING/></HOST>`
}

// read reads from a fake as of a version.
func (f *fake) read(t *testing.T, version string) (Cloud, error) {
	t.Helper()
	return Read(t.Context(), oned(f.answer).client(t, version))
}

// TestCalls: each version is asked in its own way, for the VMs on hosts in pages, and for those that wait.
func TestCalls(t *testing.T) {
	for version, want := range map[string][]string{
		"4.4.1":  {"one.vmpool.info [-2 1 9 -1]", "one.vmpool.info [-2 -1 -1 1]"},
		"5.4.0":  {"one.vmpool.info [-2 1 9 -1]", "one.vmpool.info [-2 -1 -1 1]"},
		"5.10.6": {"one.vmpool.infoextended [-2 1 9 -1 ]", "one.vmpool.infoextended [-2 -1 -1 1 ]"},
		"6.10.0": {"one.vmpool.infoset [1,9 true]", "one.vmpool.infoextended [-2 -1 -1 1 ]"},
	} {
		f := &fake{hosts: oneHost(9, 1), vms: map[int]string{1: inner(3, "", ""), 5: inner(4, "", ""), 9: inner(3, "", ""), 20: inner(1, "", "")}}
		c, err := f.read(t, version)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range want {
			if !slices.Contains(f.calls, call) {
				t.Errorf("%s: %q is not among %q", version, call, f.calls)
			}
		}
		var ids []int
		for _, v := range c.VMs {
			ids = append(ids, v.ID)
		}
		if !slices.Equal(ids, []int{1, 9, 20}) || len(c.Unread) > 0 {
			t.Errorf("%s: %v, unread %v", version, ids, c.Unread)
		}
		if (c.HypervisorMemory > 0) != (version == "4.4.1") || (len(c.Notes) > 0) != (version == "4.4.1") {
			t.Errorf("%s: %v %q", version, c.HypervisorMemory, c.Notes)
		}
	}
}

func TestReadHost(t *testing.T) {
	f := &fake{hosts: oneHost()}
	c, err := f.read(t, "6.10.0")
	if err != nil {
		t.Fatal(err)
	}
	h, _ := c.Host(4)
	if h.MaxCPU != 400 || h.UsedCPU != 100 || h.MaxMemory != 1024 || h.UsedMemory != 24 || h.FreeDisk != 77 || h.FreeDatastore[5] != 66 || !h.NoMonitoring {
		t.Errorf("%+v", h)
	}
	if !slices.Equal(h.Attributes["RACK"], []string{"r0", "r1"}) || h.Attributes["MAX_CPU"][0] != "400" {
		t.Errorf("%v", h.Attributes) // that of the host before that of its cluster
	}
	want := []Datastore{{Datastore: one.Datastore{ID: 5, Name: "s", Shared: true}, Clusters: []int{}, FreeMB: 4, Monitored: true}}
	for i := range c.Datastores {
		c.Datastores[i].Attributes = nil
	}
	if !reflect.DeepEqual(c.Datastores, want) {
		t.Errorf("%+v", c.Datastores)
	}
}

// TestClustersOfDatastores: since 5.0 every VM with an image requires a datastore of the clusters of its images and networks,
// in the words of 6.10 (seen live).
func TestClustersOfDatastores(t *testing.T) {
	for _, tt := range []struct{ requires, clusters, want string }{
		{`("CLUSTERS/ID" @> 0)`, "<ID>0</ID>", "fits"},
		{`("CLUSTERS/ID" @> 0 | "CLUSTERS/ID" @> 100)`, "<ID>7</ID><ID>0</ID>", "fits"},
		{`("CLUSTERS/ID" @> 100)`, "<ID>7</ID><ID>0</ID>", "does not fit"},
		{`("CLUSTERS/ID" @> 0)`, "", "does not fit"},
		{`("CLUSTERS/NAME" = a)`, "<ID>0</ID>", "not known"},
	} {
		e, err := one.Parse("<DATASTORE><ID>0</ID><NAME>system</NAME><TYPE>1</TYPE><STATE>0</STATE><TOTAL_MB>9</TOTAL_MB><FREE_MB>9</FREE_MB><CLUSTERS>" + tt.clusters +
			"</CLUSTERS><TEMPLATE><SHARED>YES</SHARED></TEMPLATE></DATASTORE>")
		if err != nil {
			t.Fatal(err)
		}
		d, err := parseDatastore(e)
		if err != nil {
			t.Fatal(err)
		}
		c := Cloud{Hosts: []Host{host(0, 4, 8, 1), host(1, 4, 8)}, VMs: []VM{with(vm(1, 0, 1, 1), func(v *VM) { v.DatastoreRequirements = []string{tt.requires} })}, Datastores: []Datastore{d}}
		if got, _, _ := strings.Cut(verdicts(drill(t, c)), ":"); got != tt.want {
			t.Errorf("%s of a datastore in clusters %q: %s, not %s", tt.requires, tt.clusters, got, tt.want)
		}
	}
}

// TestReadVM: what a VM needs, and what of it is not evaluated.
func TestReadVM(t *testing.T) {
	disks := `<DISK><SIZE>100</SIZE><CLONE>YES</CLONE><CLONE_TARGET>SYSTEM</CLONE_TARGET><LN_TARGET>NONE</LN_TARGET><DISK_SNAPSHOT_TOTAL_SIZE>10</DISK_SNAPSHOT_TOTAL_SIZE></DISK>` +
		`<DISK><SIZE>1000</SIZE><CLONE>NO</CLONE><CLONE_TARGET>SYSTEM</CLONE_TARGET><LN_TARGET>NONE</LN_TARGET><PERSISTENT>YES</PERSISTENT></DISK>` +
		`<DISK><SIZE>5</SIZE><TYPE>fs</TYPE></DISK><DISK><SIZE>-7</SIZE><TYPE>swap</TYPE></DISK><DISK><SIZE>20</SIZE><CLONE>NO</CLONE><LN_TARGET>SYSTEM</LN_TARGET></DISK>`
	vms := map[int]string{
		1: inner(3, disks+`<AUTOMATIC_REQUIREMENTS>A = 1</AUTOMATIC_REQUIREMENTS><AUTOMATIC_DS_REQUIREMENTS>C = 1</AUTOMATIC_DS_REQUIREMENTS><VMGROUP><VMGROUP_ID>3</VMGROUP_ID><ROLE>a</ROLE></VMGROUP>`,
			`<SCHED_REQUIREMENTS>B &lt; 1</SCHED_REQUIREMENTS><SCHED_DS_REQUIREMENTS>D = 1</SCHED_DS_REQUIREMENTS><USER_PRIORITY>7</USER_PRIORITY><FT_PRIORITY>80</FT_PRIORITY><OTHER>x</OTHER>`),
		2: inner(3, `<PCI><VENDOR>1</VENDOR></PCI><PCI/><TOPOLOGY><PIN_POLICY>core</PIN_POLICY></TOPOLOGY><NIC><NETWORK_MODE>auto</NETWORK_MODE></NIC>`, `<PUBLIC_CLOUD><TYPE>ec2</TYPE></PUBLIC_CLOUD>`),
		3: inner(3, `<TOPOLOGY><PIN_POLICY>NONE</PIN_POLICY><HUGEPAGE_SIZE>2</HUGEPAGE_SIZE></TOPOLOGY>`, ""),
	}
	f := &fake{hosts: oneHost(1, 2, 3), vms: vms}
	c, err := f.read(t, "6.10.0")
	if err != nil {
		t.Fatal(err)
	}
	v, _ := c.VM(1)
	if v.DiskMB != 135 || !v.PersistentDisks || v.CPUShare != 50 || v.MemoryKB != 65536 || v.UserPriority != 7 || v.GroupID != 3 || v.Role != "a" ||
		!slices.Equal(v.Requirements, []string{"A = 1", "B < 1"}) || !slices.Equal(v.DatastoreRequirements, []string{"C = 1", "D = 1"}) ||
		!reflect.DeepEqual(v.UserTemplate, map[string]string{"FT_PRIORITY": "80"}) || len(v.Unchecked) > 0 {
		t.Errorf("%+v", v)
	}
	v, _ = c.VM(2)
	if got := aspects(v.Unchecked); got != "PCI devices, pinned CPUs (NUMA), networks that the scheduler chooses, public clouds" {
		t.Error(got)
	}
	v, _ = c.VM(3)
	if got := aspects(v.Unchecked); got != "huge pages (NUMA)" {
		t.Error(got)
	}
	want := []Group{{ID: 3, Roles: []Role{{Name: "a", Policy: "ANTI_AFFINED", VMs: []int{1, 2}, HostAffined: []int{4, 5}}}, Affined: [][]string{{"a", "b"}}}}
	if !reflect.DeepEqual(c.Groups, want) {
		t.Errorf("%+v", c.Groups)
	}
}

// TestDamagedVM: one VM that cannot be read is named, and hides no other.
func TestDamagedVM(t *testing.T) {
	f := &fake{vms: map[int]string{}}
	var ids []int
	for id := range 3*pageSize + 7 {
		ids = append(ids, id)
		f.vms[id] = inner(3, "", "")
	}
	f.vms[pageSize+177] += "<STATE>1</STATE>"
	f.vms[3*pageSize] += "<TEMPLATE/>"
	f.hosts = oneHost(ids...)
	for _, version := range []string{"4.4.1", "5.10.6", "7.4.1"} {
		f.calls = nil
		c, err := f.read(t, version)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.VMs) != len(ids)-2 || !slices.Equal(c.Unread, []int{pageSize + 177, 3 * pageSize}) {
			t.Errorf("%s: %d VMs, unread %v", version, len(c.VMs), c.Unread)
		}
		if len(f.calls) > 60 {
			t.Errorf("%s: %d calls", version, len(f.calls))
		}
	}
}

// TestRefusals: what a drill cannot do without is an error, and the rest a note.
func TestRefusals(t *testing.T) {
	no := errors.New("refused")
	for _, c := range []struct {
		method string
		fatal  bool
		note   string
	}{
		{"one.hostpool.info", true, ""}, {"one.vmpool.infoset", true, ""},
		{"one.vmpool.infoextended", false, "VMs that wait"}, {"one.clusterpool.info", false, "attributes of clusters"},
		{"one.datastorepool.info", false, "datastores were not"}, {"one.vmgrouppool.info", false, "VM groups were not"},
	} {
		f := &fake{hosts: oneHost(1), vms: map[int]string{1: inner(3, "<VMGROUP><VMGROUP_ID>3</VMGROUP_ID></VMGROUP>", "")}, refuses: map[string]error{c.method: no}}
		got, err := f.read(t, "6.10.0")
		if (err != nil) != c.fatal || c.fatal && !errors.Is(err, one.ErrAuthorization) {
			t.Errorf("%s: %v", c.method, err)
		}
		if c.note != "" && !strings.HasPrefix(strings.Join(got.Notes, "\n"), c.note) {
			t.Errorf("%s: %q", c.method, got.Notes)
		}
		if v, _ := got.VM(1); c.method == "one.vmgrouppool.info" && !slices.Equal(v.Unchecked, []Aspect{VMGroups}) {
			t.Errorf("unchecked: %q", v.Unchecked)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := &fake{hosts: oneHost(1), vms: map[int]string{1: inner(3, "", "")}}
	if _, err := Read(ctx, oned(f.answer).client(t, "6.10.0")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestMigrating: the whole history of a VM that is migrating is read, and its plan knows the source.
func TestMigrating(t *testing.T) {
	moving := strings.Replace(inner(3, "", ""), "<LCM_STATE>3<", "<LCM_STATE>8<", 1)
	f := &fake{hosts: oneHost(1, 2) + strings.Replace(oneHost(), "<ID>4<", "<ID>8<", 1), vms: map[int]string{1: moving, 2: inner(3, "", "")}}
	c, err := f.read(t, "6.10.0")
	if err != nil {
		t.Fatal(err)
	}
	d, _ := one.DialectFor(one.Version{Major: 6, Minor: 10})
	plan := c.Plan(4, d, recovery.Policy{Mode: recovery.Recreate}, false)
	if len(plan.Steps) != 2 || plan.Steps[0].Verb != recovery.VerbReturn || !strings.Contains(plan.Steps[0].Reason.String(), "host 8") {
		t.Errorf("%+v", plan.Steps)
	}
	if !slices.Contains(f.calls, "one.vm.info [1]") || slices.Contains(f.calls, "one.vm.info [2]") {
		t.Errorf("%q", f.calls)
	}
	f.refuses = map[string]error{"one.vm.info": errors.New("gone")}
	if c, err = f.read(t, "6.10.0"); err != nil || len(c.Notes) != 1 {
		t.Errorf("%v %q", err, c.Notes)
	}
	if plan = c.Plan(4, d, recovery.Policy{Mode: recovery.Recreate}, false); plan.Steps[0].Verb == recovery.VerbReturn {
		t.Error("the source was not read")
	}
}
