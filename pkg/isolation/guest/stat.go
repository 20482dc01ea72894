package guest

import (
	"strconv"
	"strings"
)

// kernelThread is PF_KTHREAD in the flags of a process (include/linux/sched.h).
const kernelThread = 0x00200000

// stat is what /proc/PID/stat says about a process (proc_pid_stat(5)). What is missing
// in it is zero, which means that the process is there.
type stat struct {
	comm    string
	state   string
	flags   uint64
	threads int    // that are not gone, the first one included
	start   uint64 // clock ticks after boot
}

// parseStat reads the line of /proc/PID/stat. The name is in parentheses and may itself
// hold spaces and parentheses.
func parseStat(line string) stat {
	var s stat
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return s
	}
	s.comm = line[open+1 : end]
	fields := strings.Fields(line[end+1:])
	field := func(number int) string { // as proc_pid_stat(5) counts them; the state is 3
		if number-3 < len(fields) {
			return fields[number-3]
		}
		return ""
	}
	s.state = field(3)
	// Numbers that cannot be read stay zero.
	s.flags, _ = strconv.ParseUint(field(9), 10, 64)
	s.threads, _ = strconv.Atoi(field(20))
	s.start, _ = strconv.ParseUint(field(22), 10, 64)
	return s
}

// gone reports whether nothing of the process can run any more. The first thread of a
// process may be a zombie while others still wait for a disk.
func (s stat) gone() bool { return s.zombie() && s.threads <= 1 }

// zombie reports whether the first thread has ended.
func (s stat) zombie() bool { return s.state == "Z" || s.state == "X" || s.state == "x" }

// likeQEMU reports whether the process may be QEMU by the name that the kernel has for
// it. Only for one whose arguments cannot be read.
func (s stat) likeQEMU() bool {
	return s.flags&kernelThread == 0 && (strings.Contains(s.comm, "qemu") || s.comm == "kvm")
}
