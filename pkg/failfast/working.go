package failfast

import (
	"slices"
	"strconv"
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

// vmDriver is the driver of VMs that oned runs on a front-end (src/vmm_mad/exec, 4.4 to 7.4).
const vmDriver = "one_vmm_exec"

// shippedThreads is how many actions such a driver works on at the same time where its words do not say it (-t).
const shippedThreads = 15

// Busy reports whether a driver of VMs has no free thread: as many processes of its own as threads. Then clean-ups wait in it
// that nobody can see, and begin later. Without such a process (a driver of another kind, or one of another user) it is false.
func (c Client) Busy() (bool, error) {
	all, err := c.Machine.Processes(c.User.UID)
	if err != nil {
		return false, err
	}
	children := map[int]int{}
	for _, p := range all {
		children[p.Parent]++
	}
	return slices.ContainsFunc(all, func(p Process) bool {
		threads, is := threadsOf(p.Args)
		return is && children[p.PID] >= threads
	}), nil
}

// threadsOf reads the words of a driver of VMs: ruby .../one_vmm_exec.rb -t 15 -r 0 kvm -p.
func threadsOf(args []string) (threads int, is bool) {
	script := slices.IndexFunc(args[:min(len(args), 3)], func(word string) bool {
		return strings.TrimSuffix(word[strings.LastIndexByte(word, '/')+1:], ".rb") == vmDriver
	})
	if script < 0 {
		return 0, false
	}
	if i := slices.Index(args, "-t"); i > script && i+1 < len(args) {
		if n, err := strconv.Atoi(args[i+1]); err == nil && n > 0 {
			return n, true
		}
	}
	return shippedThreads, true
}
