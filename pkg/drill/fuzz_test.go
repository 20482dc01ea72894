package drill

import (
	"math"
	"strings"
	"testing"

	"one-ft/pkg/one"
	"one-ft/pkg/text"
)

// FuzzObjects: what hosts, VMs and datastores say of themselves can be calculated with and shown, and
// no owner of a VM gets room by writing nonsense.
func FuzzObjects(f *testing.F) {
	for _, body := range []string{
		"<ID>4</ID><STATE>3</STATE><LCM_STATE>3</LCM_STATE><NAME>web</NAME><TEMPLATE><CPU>1.5</CPU><MEMORY>1024</MEMORY><DISK><SIZE>10</SIZE><CLONE>YES</CLONE><CLONE_TARGET>SYSTEM</CLONE_TARGET></DISK></TEMPLATE><USER_TEMPLATE><USER_PRIORITY>2</USER_PRIORITY></USER_TEMPLATE>",
		"<ID>4</ID><STATE>3</STATE><LCM_STATE>3</LCM_STATE><NAME>\x1b</NAME><TEMPLATE><CPU>NaN</CPU><MEMORY>9223372036854775807</MEMORY><DISK><TYPE>fs</TYPE><SIZE>1</SIZE><DISK_SNAPSHOT_TOTAL_SIZE>9223372036854775807</DISK_SNAPSHOT_TOTAL_SIZE></DISK></TEMPLATE><USER_TEMPLATE><USER_PRIORITY>NaN</USER_PRIORITY></USER_TEMPLATE>",
		"<ID>1</ID><NAME>node1</NAME><STATE>2</STATE><CLUSTER_ID>0</CLUSTER_ID><HOST_SHARE><MAX_CPU>800</MAX_CPU><CPU_USAGE>100</CPU_USAGE></HOST_SHARE><VMS><ID>7</ID><ID>5</ID></VMS><TEMPLATE><A>x</A></TEMPLATE>",
		"<ID>0</ID><NAME>system</NAME><TYPE>1</TYPE><STATE>0</STATE><FREE_MB>100</FREE_MB><CLUSTERS><ID>0</ID></CLUSTERS><TEMPLATE><SHARED>YES</SHARED><LIMIT_MB>-9223372036854775808</LIMIT_MB></TEMPLATE>",
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		e, err := one.Parse("<VM>" + body + "</VM>")
		if err != nil {
			return
		}
		if v, err := parseVM(e); err == nil {
			if v.CPUShare < 0 || v.MemoryKB < 0 || v.DiskMB < 0 || v.Memory < 0 || math.IsNaN(v.CPU) || math.IsNaN(v.UserPriority) || math.IsInf(v.CPU, 0) {
				t.Errorf("it needs %d, %d kB, %d MB; %g CPUs, %d MB, priority %g", v.CPUShare, v.MemoryKB, v.DiskMB, v.CPU, v.Memory, v.UserPriority)
			}
			canBeShown(t, v.Name, v.Owner)
			for name := range v.UserTemplate {
				if !strings.HasPrefix(name, "FT_") {
					t.Errorf("%s is kept", name)
				}
			}
		}
		if h, err := parseHost(e); err == nil {
			canBeShown(t, h.Name, h.Cluster)
		}
		if d, err := parseDatastore(e); err == nil {
			canBeShown(t, d.Name)
		}
		_, _ = parseGroup(e)
	})
}

// canBeShown fails the test when a name is not fit for a terminal.
func canBeShown(t *testing.T, names ...string) {
	for _, name := range names {
		if text.Printable(name) != name {
			t.Errorf("%q", name)
		}
	}
}
