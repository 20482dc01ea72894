package one

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"one-ft/pkg/text"
)

// VM is what one-ft needs to know of a virtual machine. Texts that only people read are printable; attributes of templates
// are as the cloud holds them.
type VM struct {
	ID       int
	Name     string // printable; never used to find anything
	Owner    string // user name, printable
	State    VMState
	LCM      LCMState
	DeployID string  // what the driver calls its guest; "" for one that was never started
	Resched  bool    // oned's scheduler is to move it
	Imported bool    // a guest that ran there before OpenNebula knew it (a wild VM, 4.12 and later); its guest keeps its name
	CPU      float64 // cores
	Memory   int     // MB
	// UserTemplate is written by the owner, Template by OpenNebula (and, when the VM is created, by the owner): the attributes that
	// were asked for (Element.VM, WholeVM).
	Template, UserTemplate map[string]string
	// PersistentDisks: at least one disk is kept when the VM ends. LosesData: what is written to at least one is lost
	// when the VM is recreated. DiskCount is how many it has.
	PersistentDisks, LosesData bool
	DiskCount                  int
	// History has one record per placement, oldest first; only the last one in answers about several VMs.
	History []Record
}

// Record is one placement of a VM on a host. Times are Unix seconds by the clock of the front-end, 0 when not reached.
type Record struct {
	Seq         int
	HostID      int
	Host        string // name, printable; names repeat, so it identifies nothing
	ClusterID   int    // -1 for none
	DatastoreID int    // system datastore
	Driver      string // of the guest, such as kvm (VM_MAD, before 5.0 VMMMAD); printable
	// Action is the number of the action that closed the record: see the Action* constants.
	Action                   int
	Start, End               int64
	PrologStart, PrologEnd   int64
	RunningStart, RunningEnd int64
	EpilogStart              int64
}

// The actions of history records that matter to recovery (include/History.h of 4.4, include/VMActions.h since 5.10).
const (
	ActionMigrate      = 1
	ActionLiveMigrate  = 2
	ActionUndeploy     = 5
	ActionUndeployHard = 6
	ActionStop         = 9
	ActionSuspend      = 10
	ActionRecreate     = 14 // seen on 4.4, 5.10, 6.10 and 7.4 after both ways to recreate
	ActionPoweroff     = 19
	ActionPoweroffHard = 20
	ActionMonitor      = 44 // monitoring found it off or suspended (5.4 and later)
	ActionPoffMigrate  = 48
)

// Status is the state as OpenNebula's tools show it: the LCM state of an ACTIVE VM, else the state.
func (v VM) Status() string {
	if v.State == Active {
		return v.LCM.String()
	}
	return v.State.String()
}

// Is reports whether the VM is ACTIVE in one of these LCM states.
func (v VM) Is(states ...LCMState) bool { return v.State == Active && slices.Contains(states, v.LCM) }

// Last gives the last history record: where the VM is, or where it was last.
func (v VM) Last() (Record, bool) {
	if len(v.History) == 0 {
		return Record{}, false
	}
	return v.History[len(v.History)-1], true
}

// Previous gives the record before the last one: while a VM migrates, its source.
func (v VM) Previous() (Record, bool) {
	v.History = v.History[:max(0, len(v.History)-1)]
	return v.Last()
}

// Migrating reports whether the VM is on its way between the hosts of its last two records: its guest may be on either.
func (v VM) Migrating() bool {
	return v.Is(Migrate, SaveMigrate, PrologMigrate, PrologMigrateFailure, PrologMigratePoweroff, PrologMigratePoweroffFailure,
		PrologMigrateSuspend, PrologMigrateSuspendFailure, PrologMigrateUnknown, PrologMigrateUnknownFailure)
}

// size reads what a VM needs. A number that no machine has, or that is none (NaN), counts as not given.
func size(cpuText, memoryText string) (cpu float64, memoryMB int) {
	const maxCores, maxMemoryMB = 1e6, 1 << 30
	if n, err := strconv.ParseFloat(strings.TrimSpace(cpuText), 64); err == nil && n > 0 && n < maxCores {
		cpu = n
	}
	if n, err := strconv.Atoi(strings.TrimSpace(memoryText)); err == nil && n > 0 && n < maxMemoryMB {
		memoryMB = n
	}
	return cpu, memoryMB
}

// VM reads a VM element of one.vm.info or of a pool; of its templates the attributes that keep takes, all with nil.
func (e *Element) VM(keep func(name string) bool) (VM, error) {
	template, history := e.Child("TEMPLATE"), e.Child("HISTORY_RECORDS")
	err := cmp.Or(e.Require("ID", "STATE", "LCM_STATE"), e.Once("TEMPLATE", "USER_TEMPLATE", "HISTORY_RECORDS"))
	if err == nil && history == nil {
		err = damaged("it has no HISTORY_RECORDS") // every version sends it, empty for a VM that never ran
	}
	v := VM{
		ID:           int(e.Number("ID")),
		Name:         text.Printable(e.Value("NAME")),
		Owner:        text.Printable(e.Value("UNAME")),
		State:        VMState(e.Number("STATE")),
		LCM:          LCMState(e.Number("LCM_STATE")),
		DeployID:     text.Printable(e.Value("DEPLOY_ID")),
		Resched:      e.Number("RESCHED") == 1,
		Imported:     template.Is("IMPORTED", "YES"),
		Template:     template.Attributes(keep),
		UserTemplate: e.Child("USER_TEMPLATE").Attributes(keep),
	}
	v.CPU, v.Memory = size(template.Value("CPU"), template.Value("MEMORY"))
	for _, disk := range template.All("DISK") {
		v.DiskCount++
		v.PersistentDisks = v.PersistentDisks || disk.persistent()
		v.LosesData = v.LosesData || disk.losesData()
	}
	for _, h := range history.Children() {
		r := h.record()
		last, placed := v.Last()
		switch {
		case err != nil:
		case h.name != "HISTORY":
			err = damaged("HISTORY_RECORDS holds something else")
		case placed && r.Seq <= last.Seq:
			err = damaged("history records out of order")
		default:
			err = h.Require("SEQ", "HID")
		}
		v.History = append(v.History, r)
	}
	if err != nil {
		return VM{}, wrap(err, "VM %s", text.Short(e.Value("ID"), 20))
	}
	return v, nil
}

// WholeVM is VM with all attributes that one-ft reads. Owners write what they like into templates, such as icons, and a recovery
// keeps thousands of VMs.
func (e *Element) WholeVM() (VM, error) {
	return e.VM(func(name string) bool {
		return strings.HasPrefix(name, "FT_") || name == "SCHED_MESSAGE" || name == "ERROR"
	})
}

// persistent reports whether a disk is an image that is kept when the VM ends.
func (e *Element) persistent() bool { return e.Is("PERSISTENT", "YES") || e.Is("SAVE", "YES") }

// losesData reports whether recreating a VM loses what it wrote to a disk: all but read-only disks, CDROMs and swap, and
// persistent images that the VM works on itself. A copy (LN_TARGET) goes into its image when the VM ends in good order only.
func (e *Element) losesData() bool {
	copied := e.Value("LN_TARGET") != "" && !e.Is("LN_TARGET", "NONE")
	holdsNothing := e.Is("READONLY", "YES") || e.Is("TYPE", "CDROM") || e.Is("TYPE", "SWAP")
	return !holdsNothing && (!e.persistent() || copied)
}

func (e *Element) record() Record {
	return Record{
		Seq:          int(e.Number("SEQ")),
		HostID:       int(e.Number("HID")),
		Host:         text.Printable(e.Value("HOSTNAME")),
		ClusterID:    int(e.Number("CID")),
		DatastoreID:  int(e.Number("DS_ID")),
		Driver:       text.Printable(e.Value("VM_MAD") + e.Value("VMMMAD")),
		Action:       int(e.Number("ACTION")),
		Start:        e.Number("STIME"),
		End:          e.Number("ETIME"),
		PrologStart:  e.Number("PSTIME"),
		PrologEnd:    e.Number("PETIME"),
		RunningStart: e.Number("RSTIME"),
		RunningEnd:   e.Number("RETIME"),
		EpilogStart:  e.Number("ESTIME"),
	}
}
