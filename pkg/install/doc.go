// Package install is the work behind "oneft hooks": which hooks a version of OpenNebula needs, how they get into
// oned.conf (4.4 to 5.8) or into oned's hook pool (5.10 and later) and out again, and whether those that are there
// are right. Nothing here restarts oned. Hooks of others are never changed: where one of them would recover the same
// VMs at the same time, Install and Plan refuse with a *ConflictError.
//
// Only Document, SSHConfig and Executable touch the disk, and only Apply talks to oned.
package install

import (
	"strings"

	"one-ft/pkg/one"
	"one-ft/pkg/text"
)

// Restart is what an admin has to do after oned.conf has changed.
const Restart = "oned reads oned.conf only when it starts: restart it on this front-end (systemctl restart opennebula); in an HA cluster change and restart all front-ends, followers first"

// UsesPool reports whether hooks are objects of oned, made with one.hook.allocate, as since 5.10 (its betas are
// 5.9.80 and 5.9.90); before that they are in oned.conf.
func UsesPool(v one.Version) bool { return !v.Before(5, 9) }

// ConflictError names hooks of others that would recover the same VMs at the same time as those that are wanted.
// Nothing was changed.
type ConflictError struct {
	Others []Finding // each with its Fix
}

// Error names all of them, and what to do, in one printable line.
func (e *ConflictError) Error() string {
	lines := make([]string, 0, len(e.Others))
	for _, f := range e.Others {
		lines = append(lines, f.What+" ("+f.Fix+")")
	}
	return "nothing was changed: " + strings.Join(lines, "; ")
}

// short is untrusted text made printable, and cut when it is very long.
func short(s string) string { return text.Short(s, 200) }

// quoted is untrusted text for a message.
func quoted(s string) string { return `"` + short(s) + `"` }
