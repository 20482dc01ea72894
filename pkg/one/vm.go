package one

import (
	"fmt"
	"strconv"
)

// VM is what one-ft needs to know of a virtual machine. Texts that only people
// read are printable; attributes of templates are as the cloud holds them.
type VM struct {
	ID    int
	Name  string // printable; never used to find anything
	Owner string // user name, printable
	State VMState
	LCM   LCMState
	// DeployID is what the driver calls its guest; "" for one that was never started.
	DeployID string
	// Resched: oned's scheduler has been asked to move it.
	Resched bool
	CPU     float64 // cores
	Memory  int     // MB
	// UserTemplate is written by the owner, Template by OpenNebula (and, when
	// the VM is created, by the owner).
	Template, UserTemplate map[string]string
	// PersistentDisks: at least one disk is kept when the VM ends. DiskCount is how many it has.
	PersistentDisks bool
	DiskCount       int
	// History has one record per placement, oldest first. Answers about several
	// VMs hold the last one only; a VM that was never placed has none.
	History []Record
}

// Record is one placement of a VM on a host. Times are Unix seconds by the
// clock of the front-end, 0 when not reached.
type Record struct {
	Seq         int
	HostID      int
	Host        string // name, printable; names repeat, so it identifies nothing
	ClusterID   int    // -1 for none
	DatastoreID int    // system datastore
	Driver      string // of the guest, such as kvm (VM_MAD, before 5.0 VMMMAD); printable
	// Action is the number of the action that closed the record: see the
	// Action* constants.
	Action                   int
	Start, End               int64
	PrologStart, PrologEnd   int64
	RunningStart, RunningEnd int64
	EpilogStart, EpilogEnd   int64
}

// The actions of history records that matter to recovery (include/History.h of
// 4.4, include/VMActions.h of 5.10 and later; the numbers never changed).
const (
	ActionMigrate         = 1
	ActionLiveMigrate     = 2
	ActionUndeploy        = 5
	ActionUndeployHard    = 6
	ActionStop            = 9
	ActionRecreate        = 14 // seen on 4.4, 5.10, 6.10 and 7.4 after both ways to recreate
	ActionPoffMigrate     = 48
	ActionPoffHardMigrate = 49
)

// Status is the state as OpenNebula's tools show it: the LCM state of an ACTIVE
// VM, else the state.
func (v VM) Status() string {
	if v.State == Active {
		return v.LCM.String()
	}
	return v.State.String()
}

// Is reports whether the VM is ACTIVE in one of these LCM states.
func (v VM) Is(states ...LCMState) bool {
	if v.State != Active {
		return false
	}
	for _, s := range states {
		if v.LCM == s {
			return true
		}
	}
	return false
}

// Last gives the last history record: where the VM is, or where it was last.
func (v VM) Last() (Record, bool) {
	if len(v.History) == 0 {
		return Record{}, false
	}
	return v.History[len(v.History)-1], true
}

// Previous gives the record before the last one: while a VM migrates, its source.
func (v VM) Previous() (Record, bool) {
	if len(v.History) < 2 {
		return Record{}, false
	}
	return v.History[len(v.History)-2], true
}

// Migrating reports whether the VM is on its way between the hosts of its last two
// records: then its guest may be on either.
func (v VM) Migrating() bool {
	return v.Is(Migrate, SaveMigrate, PrologMigrate, PrologMigrateFailure, PrologMigratePoweroff, PrologMigratePoweroffFailure,
		PrologMigrateSuspend, PrologMigrateSuspendFailure, PrologMigrateUnknown, PrologMigrateUnknownFailure)
}

// size reads what a VM needs. A number that no machine has, or that is none (NaN is a number for
// strconv), counts as not given: others calculate with it.
func size(template map[string]string) (cpu float64, memoryMB int) {
	const maxCores, maxMemoryMB = 1e6, 1 << 30
	if n, err := strconv.ParseFloat(template["CPU"], 64); err == nil && n > 0 && n < maxCores {
		cpu = n
	}
	if n, err := strconv.Atoi(template["MEMORY"]); err == nil && n > 0 && n < maxMemoryMB {
		memoryMB = n
	}
	return cpu, memoryMB
}

// parseVM reads a VM element of one.vm.info or of a pool.
func parseVM(o *object) (VM, error) {
	v := VM{
		ID:           o.integer("ID"),
		Name:         Printable(o.value("NAME")),
		Owner:        Printable(o.value("UNAME")),
		State:        VMState(o.integer("STATE")),
		LCM:          LCMState(o.integer("LCM_STATE")),
		DeployID:     Printable(o.value("DEPLOY_ID")),
		Resched:      o.optional("RESCHED") == 1,
		Template:     o.single("TEMPLATE").attributes(),
		UserTemplate: o.single("USER_TEMPLATE").attributes(),
	}
	v.CPU, v.Memory = size(v.Template)
	if t := o.child("TEMPLATE"); t != nil {
		for _, disk := range t.children {
			if disk.name == "DISK" {
				v.DiskCount++
			}
			if disk.name == "DISK" && (disk.value("PERSISTENT") == "YES" || disk.value("SAVE") == "YES") {
				v.PersistentDisks = true
			}
		}
	}
	if records := o.single("HISTORY_RECORDS"); records == nil {
		o.fail("%s has no HISTORY_RECORDS", o.name) // every version sends it, empty for a VM that never ran
	} else {
		for _, e := range records.children {
			if e.name != "HISTORY" {
				o.fail("HISTORY_RECORDS holds something else")
			}
			r := parseRecord(o, e)
			if last, ok := v.Last(); ok && r.Seq <= last.Seq {
				o.fail("history records out of order")
			}
			v.History = append(v.History, r)
		}
	}
	if o.err != nil {
		return VM{}, fmt.Errorf("VM %s: %w", Printable(cut(o.value("ID"), 20)), o.err)
	}
	return v, nil
}

// parseRecord reads one HISTORY element; errors go to its VM.
func parseRecord(vm *object, e *element) Record {
	h := object{element: e}
	r := Record{
		Seq:          h.integer("SEQ"),
		HostID:       h.integer("HID"),
		Host:         Printable(h.value("HOSTNAME")),
		ClusterID:    int(h.optional("CID")),
		DatastoreID:  int(h.optional("DS_ID")),
		Driver:       Printable(h.value("VM_MAD") + h.value("VMMMAD")),
		Action:       int(h.optional("ACTION")),
		Start:        h.optional("STIME"),
		End:          h.optional("ETIME"),
		PrologStart:  h.optional("PSTIME"),
		PrologEnd:    h.optional("PETIME"),
		RunningStart: h.optional("RSTIME"),
		RunningEnd:   h.optional("RETIME"),
		EpilogStart:  h.optional("ESTIME"),
		EpilogEnd:    h.optional("EETIME"),
	}
	if h.err != nil && vm.err == nil {
		vm.err = h.err
	}
	return r
}
