package app

import "path/filepath"

// Paths are the directories of OpenNebula on a front-end.
type Paths struct {
	// Location is ONE_LOCATION, "" when it is not set.
	Location string
	Etc      string // configuration
	Log      string // logs
	State    string // one-ft's own state
}

// FindPaths follows OpenNebula: everything is under ONE_LOCATION if it is set,
// else in /etc/one, /var/log/one and /var/lib/one (client.rb and host_error.rb of
// 4.4 to 7.4).
func FindPaths(getenv func(string) string) Paths {
	if root := getenv("ONE_LOCATION"); root != "" {
		return Paths{Location: root, Etc: filepath.Join(root, "etc"), Log: filepath.Join(root, "var"), State: filepath.Join(root, "var", "one-ft")}
	}
	return Paths{Etc: "/etc/one", Log: "/var/log/one", State: "/var/lib/one/one-ft"}
}
