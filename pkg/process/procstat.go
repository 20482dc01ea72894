package process

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

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
	fields := strings.Fields(line[end+1:])
	field := func(number int) string { // as proc_pid_stat(5) counts them; the state is 3
		if number-3 < len(fields) {
			return fields[number-3]
		}
		return ""
	}
	s := Stat{Name: line[open+1 : end], State: field(3)}
	// Numbers that cannot be read stay zero.
	s.Parent, _ = strconv.Atoi(field(4))
	s.Flags, _ = strconv.ParseUint(field(9), 10, 64)
	s.Threads, _ = strconv.Atoi(field(20))
	s.Started, _ = strconv.ParseUint(field(22), 10, 64)
	return s
}

// Zombie reports whether the first thread has ended; others may still wait for a disk.
func (s Stat) Zombie() bool { return s.State == "Z" || s.State == "X" || s.State == "x" }

// Ended reports whether nothing of the process can run any more.
func (s Stat) Ended() bool { return s.Zombie() && s.Threads <= 1 }
