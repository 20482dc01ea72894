package process

import (
	"bytes"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Daemon is a process of OpenNebula on this machine.
type Daemon struct {
	Args []string // its words, at least one
	UID  int      // that it runs as; -1 when that cannot be seen
	// State is its state, such as S (proc(5)); "" when it has ended.
	State   string
	Started time.Time // zero when it has ended
}

// Dead reports whether it does nothing any more: a zombie, or stopped.
func (d Daemon) Dead() bool { return strings.Contains("ZTtXx", d.State) }

// IsOned reports whether the words of a process are those of oned.
func IsOned(args []string) bool { return filepath.Base(args[0]) == "oned" }

// Daemons finds the processes whose words match. A machine can have several OpenNebulas: location is our
// ONE_LOCATION ("" without), and only processes with the same one count; their environment can be read by
// their own user, as which hooks run, and by root. proc is /proc.
func Daemons(proc, location string, match func(args []string) bool) (found []Daemon) {
	boot := bootTime(proc)
	dirs, _ := filepath.Glob(filepath.Join(proc, "[1-9]*")) // the pattern is right
	for _, dir := range dirs {
		command, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil {
			continue // it has ended
		}
		d := Daemon{Args: strings.Split(string(command), "\x00"), UID: -1}
		if !match(d.Args) || !sameLocation(dir, location) {
			continue
		}
		if info, err := os.Stat(dir); err == nil {
			if owner, ok := info.Sys().(*syscall.Stat_t); ok {
				d.UID = int(owner.Uid)
			}
		}
		stat, _ := ReadStat(dir) // it may have ended
		d.State = stat.State
		// USER_HZ, the unit of start times, is 100 on every architecture that Linux and Go share.
		const clockTicks = 100
		const most = 50 * 366 * 24 * 3600 * clockTicks // no machine runs for so long
		if !boot.IsZero() && stat.Started > 0 && stat.Started <= most {
			d.Started = boot.Add(time.Duration(stat.Started) * time.Second / clockTicks)
		}
		found = append(found, d)
	}
	return found
}

// FrontEndStarted finds out since when this machine is a front-end in charge: the
// later of the start of oned and of the hook execution manager, which the leader
// of an HA cluster starts when it becomes leader (share/pkgs/services and raft's
// vip.sh, 5.10 and later). It is the zero time when oned runs elsewhere or is not
// found. See Daemons for the rest.
func FrontEndStarted(proc, endpoint, location string) time.Time {
	if !IsLocal(endpoint) {
		return time.Time{}
	}
	var oned, hem time.Time
	isManager := func(word string) bool { return strings.Contains(word, "onehem-server") }
	for _, d := range Daemons(proc, location, func(args []string) bool { return IsOned(args) || slices.ContainsFunc(args, isManager) }) {
		if IsOned(d.Args) {
			oned = later(oned, d.Started)
		} else {
			hem = later(hem, d.Started)
		}
	}
	if oned.IsZero() {
		return oned
	}
	return later(oned, hem)
}

// OnedUser finds the user that oned runs as, and its drivers and hooks with it; found is false when
// oned runs on another machine or cannot be seen. See Daemons for the rest.
func OnedUser(proc, endpoint, location string) (uid int, found bool) {
	if !IsLocal(endpoint) {
		return 0, false
	}
	for _, d := range Daemons(proc, location, IsOned) {
		if d.UID >= 0 {
			return d.UID, true
		}
	}
	return 0, false
}

func sameLocation(dir, location string) bool {
	environ, err := os.ReadFile(filepath.Join(dir, "environ"))
	if err != nil {
		return false
	}
	found := ""
	for _, variable := range bytes.Split(environ, []byte{0}) {
		if value, ok := bytes.CutPrefix(variable, []byte("ONE_LOCATION=")); ok {
			found = string(value)
		}
	}
	return found == location
}

// IsLocal reports whether an endpoint is on this machine by its name.
func IsLocal(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// bootTime reads when the kernel started; the zero time when it does not tell.
func bootTime(proc string) time.Time {
	stat, _ := os.ReadFile(filepath.Join(proc, "stat"))
	_, rest, _ := strings.Cut(string(stat), "\nbtime ")
	line, _, _ := strings.Cut(rest, "\n")
	seconds, err := strconv.ParseInt(line, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
