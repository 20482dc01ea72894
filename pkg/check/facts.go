package check

import (
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/downtime"
	"one-ft/pkg/one"
)

// Facts are what Collect saw, and all that the rules know.
type Facts struct {
	Now      time.Time
	Version  one.Version
	Dialect  one.Dialect
	Endpoint string
	Given

	User    one.User
	UserErr error // the user could not be read
	// ConfigErr is why oned does not tell its configuration; it is one.ErrAuthorization for
	// users who are not in the group oneadmin.
	ConfigErr error
	Follows   bool // this oned is a follower of another front-end
	FollowErr error

	// Loaded are the hooks of the running oned, up to 5.8; nil when it does not tell.
	Loaded   []HookLine
	FrontEnd FrontEnd
	SSH      SSH
	Hosts    []Host // ID ascending
	// Settings decide how long VMs are down; without values there are no rules for them. NotRead is what kept them from
	// being read.
	Settings   downtime.Settings
	NotRead    []downtime.Problem
	VMs        VMs
	Datastores []Datastore // system datastores with VMs on them, ID ascending
	Incidents  Incidents
	Clock      Clock
	Dirs       []Path // directories that hooks write into, and files there
	Programs   []Path // of the configuration
}

// Given is what the caller of Collect knows, and the rules need.
type Given struct {
	// Own is the version of this program; "" or "unknown" compares with nothing.
	Own string
	// ConfigFile is the path of the configuration that was read, "" without one; Values is what is in it.
	ConfigFile string
	Values     config.Values
	// Hooks are the findings about hooks, HostHook what the hook for hosts does, and Written the hooks of oned.conf, up
	// to 5.8.
	Hooks    []Finding
	HostHook HostHook
	Written  []HookLine
	Place    downtime.Place // where the files are
	// NoFencing: on request no fence agent is asked.
	NoFencing bool
	// Skipped are the things that were not checked, a line each.
	Skipped []string
}

// HostHook is what is known of the hook for hosts in ERROR.
type HostHook struct {
	Action  string // recreate, delete or migrate; "" when no hook of one-ft says it
	Fencing string // auto, required or off; "" when the hook leaves it to the configuration
}
