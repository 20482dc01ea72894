package recovery

import (
	"strconv"
	"strings"

	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

// The attributes that set the policy of one VM.
const (
	attrAction   = "FT_ACTION"   // recreate, delete, migrate or none
	attrPriority = "FT_PRIORITY" // 0 to 100
)

// defaultPriority is the priority of a VM that names none.
const defaultPriority = 50

// action decides the mode for one VM: the nearest of VM, host and flag wins. The templates of a VM are written by its owner,
// who may ask for less than the admin (none), never for something else. An empty mode means leave, with the reason.
func action(vm one.VM, host one.Host, mode Mode) (Mode, wording.Message) {
	for _, template := range []map[string]string{vm.UserTemplate, vm.Template} {
		if value, set := template[attrAction]; set && isNone(value) {
			return "", wording.Of(wording.OwnerNone)
		}
	}
	value, set := host.Template[attrAction]
	switch m := Mode(strings.ToLower(strings.TrimSpace(value))); {
	case !set || m == mode:
		return mode, wording.Message{}
	case isNone(value):
		return "", wording.Of(wording.HostNone, host.ID)
	case m == Recreate || m == Delete || m == Migrate:
		return m, wording.Of(wording.HostAction, host.ID, m)
	}
	return mode, wording.Of(wording.HostActionBad, host.ID)
}

func isNone(value string) bool { return strings.EqualFold(strings.TrimSpace(value), "none") }

// Range is what the owners of VMs may set a priority to. The zero value allows everything, 0 to 100.
type Range struct{ Min, Max int }

// clamp brings a priority into the range.
func (r Range) clamp(priority int) int {
	if r == (Range{}) {
		r.Max = 100
	}
	return min(max(priority, r.Min), r.Max)
}

// priority is the order of a VM in the plan, 0 to 100, highest first.
func priority(vm one.VM, allowed Range) int {
	for _, template := range []map[string]string{vm.UserTemplate, vm.Template} {
		if n, err := strconv.Atoi(strings.TrimSpace(template[attrPriority])); err == nil {
			return allowed.clamp(n)
		}
	}
	return defaultPriority
}
