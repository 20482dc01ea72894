package process

import (
	"io"
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

// Daemons finds the processes whose words match. A machine can have several OpenNebulas: location is our ONE_LOCATION (""
// without), and only processes with the same one count; their environment can be read by their own user, as which hooks
// run, and by root. proc is /proc.
func Daemons(proc, location string, match func(args []string) bool) (found []Daemon) {
	boot := BootTime(proc)
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
		var owner syscall.Stat_t
		if syscall.Stat(dir, &owner) == nil {
			d.UID = int(owner.Uid)
		}
		stat, _ := ReadStat(dir) // it may have ended
		d.State = stat.State
		d.Started = StartedAt(boot, stat.Started)
		found = append(found, d)
	}
	return found
}

// FrontEndStarted finds out since when this machine is a front-end in charge: the later of the start of oned and of the
// hook execution manager, which the leader of an HA cluster starts when it becomes leader (share/pkgs/services and raft's
// vip.sh, 5.10 and later). It is the zero time when oned runs elsewhere or is not found. See Daemons for the rest.
func FrontEndStarted(proc, endpoint, location string) (latest time.Time) {
	if !IsLocal(endpoint) {
		return latest
	}
	known := false // since when oned runs
	isManager := func(word string) bool { return strings.Contains(word, "onehem-server") }
	for _, d := range Daemons(proc, location, func(args []string) bool { return IsOned(args) || slices.ContainsFunc(args, isManager) }) {
		known = known || IsOned(d.Args) && !d.Started.IsZero()
		if d.Started.After(latest) {
			latest = d.Started
		}
	}
	if !known {
		return time.Time{}
	}
	return latest
}

// OnedUser finds the user that oned runs as, and its drivers and hooks with it; found is false when oned runs on another
// machine or cannot be seen. See Daemons for the rest.
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
	for variable := range strings.SplitSeq(string(environ), "\x00") {
		if value, ok := strings.CutPrefix(variable, "ONE_LOCATION="); ok {
			found = value
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

// StartedAt is when a process started that did so many clock ticks after the boot (Stat.Started); the zero time when that is
// not known.
func StartedAt(boot time.Time, ticks uint64) time.Time {
	// USER_HZ, the unit of start times, is 100 on every architecture that Linux and Go share.
	const clockTicks = 100
	const most = 50 * 366 * 24 * 3600 * clockTicks // no machine runs for so long
	if boot.IsZero() || ticks == 0 || ticks > most {
		return time.Time{}
	}
	return boot.Add(time.Duration(ticks) * time.Second / clockTicks)
}

// BootTime reads when the kernel started; the zero time when it does not tell.
func BootTime(proc string) time.Time {
	stat, _ := os.ReadFile(filepath.Join(proc, "stat"))
	_, rest, _ := strings.Cut(string(stat), "\nbtime ")
	line, _, _ := strings.Cut(rest, "\n")
	seconds, err := strconv.ParseInt(line, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

// maxStat is the most bytes of /proc/PID/stat that are read; real ones have about 300.
const maxStat = 4 << 10

// Stat is what /proc/PID/stat says about a process (proc_pid_stat(5)). What is missing in it is zero.
type Stat struct {
	Name    string // as the kernel has it; it may hold anything
	State   string // one letter, such as S or Z
	Parent  int    // PID
	Flags   uint64 // PF_* of include/linux/sched.h
	Threads int    // that are not gone, the first one included
	Started uint64 // clock ticks after the boot: a later process with the same PID has another
}

// ReadStat reads the stat of a process; dir is its directory, such as /proc/7.
func ReadStat(dir string) (Stat, error) {
	line, err := ReadStart(filepath.Join(dir, "stat"), maxStat)
	return ParseStat(string(line)), err
}

// ReadStart reads a file of the kernel, at most its first bytes up to the limit.
func ReadStart(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// ParseStat reads the line of /proc/PID/stat. The name is in parentheses and may itself hold spaces and parentheses.
func ParseStat(line string) Stat {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return Stat{}
	}
	// They have the numbers of proc_pid_stat(5), which begin behind the name with 3. What is missing or cannot be read stays zero.
	fields := slices.Concat(make([]string, 3), strings.Fields(line[end+1:]), make([]string, 23))
	s := Stat{Name: line[open+1 : end], State: fields[3]}
	s.Parent, _ = strconv.Atoi(fields[4])
	s.Flags, _ = strconv.ParseUint(fields[9], 10, 64)
	s.Threads, _ = strconv.Atoi(fields[20])
	s.Started, _ = strconv.ParseUint(fields[22], 10, 64)
	return s
}

// Zombie reports whether the first thread has ended; others may still wait for a disk.
func (s Stat) Zombie() bool { return s.State == "Z" || s.State == "X" || s.State == "x" }

// Ended reports whether nothing of the process can run any more.
func (s Stat) Ended() bool { return s.Zombie() && s.Threads <= 1 }
