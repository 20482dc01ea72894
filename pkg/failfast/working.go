package failfast

import (
	"slices"
	"strings"
)

// Working gives the processes of the drivers' user that have to do with a host of one of the names: ssh to it, and the
// scripts of drivers that get it as HOST:PATH, such as tm/shared/delete (src/mad/ruby, 4.4 to 7.4). Actions that wait in
// a driver for one of its threads have no process.
func (c Client) Working(names []string) ([]Process, error) {
	all, err := c.Machine.Processes(c.User.UID)
	if err != nil {
		return nil, err
	}
	working := connectingTo(all, names)
	for _, p := range all {
		if isDriver(p.Args, names) && !slices.ContainsFunc(working, func(w Process) bool { return w.PID == p.PID }) {
			working = append(working, p)
		}
	}
	return working, nil
}

// isDriver reports whether a process has the words of a transfer script about a host: the place, as HOST:PATH, behind a
// program below the scripts of oned.
func isDriver(args []string, names []string) bool {
	script := slices.IndexFunc(args, func(word string) bool { return strings.Contains(word, "/tm/") })
	return script >= 0 && slices.ContainsFunc(args[script+1:], func(word string) bool {
		name, path, isPlace := strings.Cut(word, ":")
		return isPlace && strings.HasPrefix(path, "/") && slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
	})
}
