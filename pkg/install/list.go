package install

import "strings"

// Row is a hook for oneft hooks show; all texts are printable.
type Row struct {
	Where   string // such as hook 5 (NAME), or lines of oned.conf
	Trigger string // resource, state and LCM state, such as VM/ACTIVE/UNKNOWN
	Runs    string // command and arguments
	By      string // who recovers VMs with it: "one-ft", "OpenNebula's host_error.rb", "onevm recover", ...
	Ours    bool   // Install or Plan may change it
}

// List gives the hooks in an oned.conf that recover VMs.
func List(f File) []Row { return list(f.active()) }

// ListPool gives the hooks in the pool that recover VMs; facts.Dir tells which are ours.
func ListPool(pool []PoolHook, facts Facts) []Row { return list(stateHooks(pool, facts.Dir)) }

func list(all []active) []Row {
	var found []Row
	for _, a := range all {
		if by := recovers(a.command, a.arguments); by != "" || a.ours {
			found = append(found, Row{Where: a.where, Trigger: short(a.trigger), Runs: short(strings.TrimSpace(a.command + " " + a.arguments)), By: by, Ours: a.ours})
		}
	}
	return found
}
