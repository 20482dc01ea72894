package drill

import (
	"slices"
	"strings"

	"one-ft/pkg/fence"
	"one-ft/pkg/recovery"
)

// Foreseen is the report with what proving the host off would come to.
func (r Report) Foreseen(o fence.Outlook) Report {
	r.Outlook = &o
	r.Fencing = slices.Concat(r.Fencing, o.Lines())
	return r
}

// foreseen is the reason of a VM, and what fencing makes of it.
func (r Report) foreseen(v Row) string {
	if r.Outlook == nil || !v.Action.Acts() {
		return v.Reason
	}
	return strings.Trim(r.Outlook.Row(v.Action == recovery.VerbDelete)+"; "+v.Reason, "; ")
}

// refused reports whether VMs would have to be recovered, and none would be touched.
func (r Report) refused() bool {
	acts := func(v Row) bool { return v.Action.Acts() }
	return r.Outlook != nil && r.Outlook.Verdict == fence.Refused && slices.ContainsFunc(r.VMs, acts)
}

// fate is what would become of the VMs that something would be done about.
func (r Report) fate() string {
	switch {
	case r.refused():
		return "REFUSED (" + r.Outlook.Detail + ")"
	case r.Outlook != nil && r.Outlook.Verdict == fence.Unproven:
		return "recovered UNPROVEN"
	}
	return "recovered"
}
