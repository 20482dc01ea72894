// Package statedir is the directory in which one-ft's processes on a front-end share their state: which files are in
// it, who owns them, how one is replaced as a whole, and how one is locked. Hooks run as oneadmin and admins as root;
// what the one made must not shut the other out. It knows nothing of what is in the files.
package statedir

import "path/filepath"

// Dir is the state directory of a front-end, such as /var/lib/one/one-ft.
type Dir string

// Incidents has one file for each incident (package incident).
func (d Dir) Incidents() string { return d.path("incidents") }

// Locks has one file for each host and VM that was worked on.
func (d Dir) Locks() string { return d.path("locks") }

// Attempts has one file for each VM that was acted on, and how many actions fit into a minute.
func (d Dir) Attempts() string { return d.path("attempts") }

// Spool has the requests that hooks handed to a coordinator, by the endpoint of oned.
func (d Dir) Spool(endpoint string) string { return filepath.Join(d.path("spool"), endpoint) }

// Notifications has those that wait for delivery.
func (d Dir) Notifications() string { return d.path("notify") }

// Metrics is the file with the counters.
func (d Dir) Metrics() string { return d.path("metrics.json") }

// FrontEnd is the file with the name of this front-end.
func (d Dir) FrontEnd() string { return d.path("front-end") }

func (d Dir) path(name string) string { return filepath.Join(string(d), name) }
