package failfast

import (
	"path"
	"slices"
	"strings"
)

// sshValued are the options of ssh that take a value, of OpenSSH 5.3 to 10 (its getopt string).
const sshValued = "BbcDEeFIiJLlmOoPpQRSWw"

// sshNotConnecting are options with which ssh connects to no host.
const sshNotConnecting = "GOQV"

// Destination is the name of the host that an ssh process connects to: the one that Match host and
// %h see, as it was typed. scp, sftp and rsync run ssh, so theirs are found as well. "" for a process that is no ssh
// client or connects to nothing.
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

// masterPath is the socket of a persistent master, which ssh writes in the place of its words:
// "ssh: /run/one/ssh-socks/ctl-M-4f2a.sock [mux]" (mux.c of OpenSSH 5.6 to 10). "" for others.
func masterPath(args []string) string {
	title := strings.TrimRight(strings.Join(args, " "), " \x00")
	socket, begins := strings.CutPrefix(title, "ssh: ")
	socket, ends := strings.CutSuffix(socket, " [mux]")
	if !begins || !ends {
		return ""
	}
	return socket
}

// connectingTo are the ssh processes whose host has one of the names.
func connectingTo(all []Process, names []string) []Process {
	return slices.DeleteFunc(slices.Clone(all), func(p Process) bool {
		host := Destination(p.Args)
		return host == "" || !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, host) })
	})
}

// mastersAt are the persistent masters of a socket. Also of one that OpenNebula's cleaner has
// renamed (share/ssh/bin/ssh-socks-cleaner, 5.12 to 7.4): the title stays.
func mastersAt(all []Process, socket string) []Process {
	return slices.DeleteFunc(slices.Clone(all), func(p Process) bool { return masterPath(p.Args) != socket })
}
