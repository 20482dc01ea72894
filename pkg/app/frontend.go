package app

import (
	"bytes"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
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
	if !IsLocal(endpoint) {
		return time.Time{}
	}
	boot, ok := bootTime(proc)
	if !ok {
		return time.Time{}
	}
	var oned, hem time.Time
	for _, dir := range processes(proc) {
		command, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil {
			continue // it has ended
		}
		first, _, _ := bytes.Cut(command, []byte{0})
		switch {
		case filepath.Base(string(first)) == "oned" && SameLocation(dir, location):
			oned = later(oned, startOf(dir, boot))
		case bytes.Contains(command, []byte("onehem-server")) && SameLocation(dir, location):
			hem = later(hem, startOf(dir, boot))
		}
	}
	if oned.IsZero() {
		return oned
	}
	return later(oned, hem)
}

// OnedUser finds the user that oned runs as, and its drivers and hooks with it; found is false when
// oned runs on another machine or cannot be seen. See FrontEndStarted for the rest.
func OnedUser(proc, endpoint, location string) (uid int, found bool) {
	if !IsLocal(endpoint) {
		return 0, false
	}
	for _, dir := range processes(proc) {
		command, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil {
			continue // it has ended
		}
		first, _, _ := bytes.Cut(command, []byte{0})
		info, err := os.Stat(dir)
		if err != nil || filepath.Base(string(first)) != "oned" || !SameLocation(dir, location) {
			continue
		}
		if owner, ok := info.Sys().(*syscall.Stat_t); ok {
			return int(owner.Uid), true
		}
	}
	return 0, false
}

// processes gives the directories of all processes.
func processes(proc string) (dirs []string) {
	f, err := os.Open(proc)
	if err != nil {
		return nil
	}
	defer f.Close()
	names, _ := f.Readdirnames(-1) // those that could be read
	for _, name := range names {
		if name[0] >= '1' && name[0] <= '9' {
			dirs = append(dirs, filepath.Join(proc, name))
		}
	}
	return dirs
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

// bootTime reads when the kernel started.
func bootTime(proc string) (time.Time, bool) {
	stat, err := os.ReadFile(filepath.Join(proc, "stat"))
	if err != nil {
		return time.Time{}, false
	}
	for line := range strings.Lines(string(stat)) {
		if value, ok := strings.CutPrefix(line, "btime "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return time.Unix(n, 0), err == nil
		}
	}
	return time.Time{}, false
}

// startOf reads when a process started; the zero time if it has ended.
func startOf(dir string, boot time.Time) time.Time {
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return time.Time{}
	}
	// Behind the name, which may hold anything: state is field 3, starttime 22.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const startTime = 22 - 3
	if len(fields) <= startTime {
		return time.Time{}
	}
	ticks, err := strconv.ParseInt(fields[startTime], 10, 64)
	const most = 50 * 366 * 24 * 3600 * clockTicks // no machine runs for so long
	if err != nil || ticks < 0 || ticks > most {
		return time.Time{}
	}
	return boot.Add(time.Duration(ticks) * time.Second / clockTicks)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
