package downtime

import (
	"slices"
	"time"
)

// Commands is how many ssh commands the clean-up of a VM makes, one after the other: one for vmm
// cancel and vnm clean, and tm delete for each disk and for the directory (src/vmm_mad/exec/one_vmm_exec.rb,
// cleanup; 404 s for one disk, 3 commands, measured with 6.10).
func Commands(disks int) int { return 2 + max(0, disks) }

// cleanupEnded is how long a VM whose clean-up is ended by hand takes to PENDING: recover half a second
// after CLEANUP_RESUBMIT, PENDING after 1.1 s (measured with 6.10).
var cleanupEnded = Between(0.5, 1.1)

// Cleanup is how long it takes from the first recreate until the last VM is PENDING. disks are those of
// each VM, threads how many of them are cleaned up at the same time (Settings.CleanupThreads). With failFast
// ssh to the host fails at once. Without it oned's clean-ups run into the dead host, many of them never end
// (OpenNebula issue 7155), and they can be ended only once no command of them can be under way (CleanupLimit),
// and only when ended is set, because that needs a proof. Else it is Unbounded.
func Cleanup(disks []int, threads int, f Failure, ssh SSH, failFast, ended bool) Span {
	if len(disks) == 0 {
		return Span{}
	}
	command := ssh.Command(f)
	if failFast {
		command = failFastCommand
	}
	low := makespan(disks, threads, command.Low, 0)
	switch {
	case failFast && ended:
		return Span{min(low, cleanupEnded.Low), add(makespan(disks, threads, command.High, 0), cleanupEnded.High)}
	case ended:
		return Span{low, max(low, CleanupLimit(disks, threads, ssh))}
	}
	return Span{low, Unbounded}
}

// CleanupLimit is the longest time, from the last recreate, for which an ssh command of a clean-up of
// these VMs can still be under way when nothing makes ssh fail fast; after it none could reach the host, were
// it to come back. disks and threads are as in Cleanup, of all hosts where those share the threads. It counts for
// each command the longest that ssh can take to give up (packets dropped, bounded by ConnectTimeout), once for
// each VM a stale master, and a tenth and 10 s on top for a busy front-end.
func CleanupLimit(disks []int, threads int, ssh SSH) time.Duration {
	if len(disks) == 0 {
		return 0
	}
	span := makespan(disks, threads, ssh.Command(Dropped).High, ShippedKeepAlive)
	return add(add(span, span/10), 10*time.Second)
}

// makespan is when the last of the clean-ups ends: each VM waits for a thread, in their order, and makes
// its commands one after the other.
func makespan(disks []int, n int, command, extra time.Duration) time.Duration {
	threads := make([]time.Duration, max(1, min(n, len(disks))))
	for _, d := range disks {
		first := 0
		for i := range threads {
			if threads[i] < threads[first] {
				first = i
			}
		}
		threads[first] = add(threads[first], add(extra, times(command, Commands(d))))
	}
	return slices.Max(threads)
}
