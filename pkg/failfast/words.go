package failfast

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// sshValued are the options of ssh that take a value, of OpenSSH 5.3 to 10 (its getopt string).
const sshValued = "BbcDEeFIiJLlmOoPpQRSWw"

// sshNotConnecting are options with which ssh connects to no host.
const sshNotConnecting = "GOQV"

// Destination is the name of the host that an ssh process connects to, as it was typed, which Match host and %h see.
// scp, sftp and rsync run ssh. "" for a process that is no ssh client or connects to nothing.
func Destination(args []string) string {
	if len(args) == 0 || path.Base(args[0]) != "ssh" {
		return ""
	}
	for i := 1; i < len(args); i++ {
		word := args[i]
		switch {
		case word == "--":
			if i+1 < len(args) {
				return hostIn(args[i+1])
			}
			return ""
		case len(word) < 2 || word[0] != '-':
			return hostIn(word)
		}
		for n, letter := range word[1:] {
			if strings.ContainsRune(sshNotConnecting, letter) {
				return ""
			}
			if strings.ContainsRune(sshValued, letter) {
				if n+2 == len(word) { // its value is the next word
					i++
				}
				break
			}
		}
	}
	return ""
}

// hostIn is the host in a destination: [user@]host, or ssh://[user@]host[:port] (ssh(1)).
func hostIn(destination string) string {
	uri, isURI := strings.CutPrefix(destination, "ssh://")
	host := uri
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	if !isURI {
		return host
	}
	host, _, _ = strings.Cut(host, "/")
	if bracketed, found := strings.CutPrefix(host, "["); found {
		host, _, _ = strings.Cut(bracketed, "]")
		return host
	}
	host, _, _ = strings.Cut(host, ":")
	return host
}

// masterPath is the socket of a persistent master, which ssh writes in the place of its words: "ssh:
// /run/one/ssh-socks/ctl-M-4f2a.sock [mux]" (mux.c of OpenSSH 5.6 to 10). "" for others.
func masterPath(args []string) string {
	title := strings.TrimRight(strings.Join(args, " "), " \x00")
	socket, begins := strings.CutPrefix(title, "ssh: ")
	socket, ends := strings.CutSuffix(socket, " [mux]")
	if !begins || !ends {
		return ""
	}
	return socket
}

func isOne(names []string, name string) bool {
	return name != "" && slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// processes gives those of the drivers' user that match.
func (c Client) processes(match func(args []string) bool) ([]Process, error) {
	all, err := c.Machine.Processes(c.User.UID)
	return slices.DeleteFunc(all, func(p Process) bool { return !match(p.Args) }), err
}

// Masters gives the persistent masters of a socket, as Resolve gave it. Also of one that OpenNebula's cleaner has
// renamed (share/ssh/bin/ssh-socks-cleaner, 5.12 to 7.4): the title stays.
func (c Client) Masters(socket string) ([]Process, error) {
	return c.processes(func(args []string) bool { return socket != "" && masterPath(args) == socket })
}

// Connecting gives the ssh processes of the drivers' user to a host of one of the names, whether they are still
// connecting or have a session: to a host that is off both lead nowhere.
func (c Client) Connecting(names []string) ([]Process, error) {
	return c.processes(func(args []string) bool { return isOne(names, Destination(args)) })
}

// working gives the processes of the drivers' user that have to do with a host of one of the names: ssh to it, and
// the scripts of drivers that get it as HOST:PATH, such as tm/shared/delete (src/mad/ruby, 4.4 to 7.4). Actions that
// wait in a driver for one of its threads have no process.
func (c Client) working(names []string) ([]Process, error) {
	return c.processes(func(args []string) bool { return isOne(names, Destination(args)) || isDriver(args, names) })
}

// isDriver reports whether a process has the words of a transfer script about a host: the place, as HOST:PATH, behind
// a program below the scripts of oned.
func isDriver(args []string, names []string) bool {
	script := slices.IndexFunc(args, func(word string) bool { return strings.Contains(word, "/tm/") })
	return script >= 0 && slices.ContainsFunc(args[script+1:], func(word string) bool {
		name, path, isPlace := strings.Cut(word, ":")
		return isPlace && strings.HasPrefix(path, "/") && isOne(names, name)
	})
}

const (
	// vmDriver is the driver of VMs that oned runs on a front-end (src/vmm_mad/exec, 4.4 to 7.4).
	vmDriver = "one_vmm_exec"
	// shippedThreads is how many actions such a driver works on at the same time where its words do not say it (-t).
	shippedThreads = 15
)

// Busy reports whether a driver of VMs has no free thread: as many processes of its own as threads. Then clean-ups
// wait in it that nobody can see, and begin later. Without such a process (a driver of another kind, or one of
// another user) it is false.
func (c Client) Busy() (bool, error) {
	all, err := c.Machine.Processes(c.User.UID)
	children := map[int]int{}
	for _, p := range all {
		children[p.Parent]++
	}
	return slices.ContainsFunc(all, func(p Process) bool {
		threads, is := threadsOf(p.Args)
		return is && children[p.PID] >= threads
	}), err
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
