package app

import (
	"bytes"
	"iter"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"one-ft/pkg/process"
)

// clockTicks is USER_HZ, the unit of start times in /proc: 100 on every
// architecture that Linux and Go share.
const clockTicks = 100

// FrontEndStarted finds out since when this machine is a front-end in charge: the
// later of the start of oned and of the hook execution manager, which the leader
// of an HA cluster starts when it becomes leader (share/pkgs/services and raft's
// vip.sh, 5.10 and later). It is the zero time when oned runs elsewhere or is not
// found. A machine can have several: location is our ONE_LOCATION ("" without), and
// only processes with the same one count. proc is /proc.
func FrontEndStarted(proc, endpoint, location string) time.Time {
	boot := bootTime(proc)
	var oned, all time.Time
	for dir, isOned := range daemons(proc, endpoint, location) {
		stat, err := process.ReadStat(dir)
		const most = 50 * 366 * 24 * 3600 * clockTicks // no machine runs for so long
		if err != nil || stat.Started == 0 || stat.Started > most || boot.IsZero() {
			continue
		}
		started := boot.Add(time.Duration(stat.Started) * time.Second / clockTicks)
		all = later(all, started)
		if isOned {
			oned = started
		}
	}
	if oned.IsZero() {
		return oned
	}
	return all
}

// OnedUser finds the user that oned runs as, and its drivers and hooks with it; found is false when
// oned runs on another machine or cannot be seen. See FrontEndStarted for the rest.
func OnedUser(proc, endpoint, location string) (uid int, found bool) {
	for dir, isOned := range daemons(proc, endpoint, location) {
		info, err := os.Stat(dir)
		if err != nil || !isOned {
			continue
		}
		if owner, ok := info.Sys().(*syscall.Stat_t); ok {
			return int(owner.Uid), true
		}
	}
	return 0, false
}

// daemons gives the directories of oned and of the hook execution manager.
func daemons(proc, endpoint, location string) iter.Seq2[string, bool] {
	return func(yield func(dir string, isOned bool) bool) {
		dirs, _ := filepath.Glob(filepath.Join(proc, "[1-9]*")) // the pattern is right
		if !IsLocal(endpoint) {
			dirs = nil
		}
		for _, dir := range dirs {
			command, err := os.ReadFile(filepath.Join(dir, "cmdline"))
			if err != nil {
				continue // it has ended
			}
			first, _, _ := bytes.Cut(command, []byte{0})
			isOned := filepath.Base(string(first)) == "oned"
			if (isOned || bytes.Contains(command, []byte("onehem-server"))) && SameLocation(dir, location) && !yield(dir, isOned) {
				return
			}
		}
	}
}

// SameLocation reports whether a process has this ONE_LOCATION. Its environment can
// be read by its own user, as which hooks run, and by root.
func SameLocation(dir, location string) bool {
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

// bootTime reads when the kernel started; the zero time when it cannot be read.
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
