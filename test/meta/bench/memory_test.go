package bench

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// peakMemory reads the peak of a process's memory until done is closed. The kernel's
// account of a child that has ended would do, but it starts with what its parent had.
func peakMemory(pid int, done <-chan struct{}) (peak int64) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		peak = max(peak, memoryOf(pid))
		select {
		case <-done:
			return peak
		case <-tick.C:
		}
	}
}

// memoryOf is the most memory that a process has had so far; 0 when it has ended.
func memoryOf(pid int) (peak int64) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		var kb int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kb); n == 1 {
			peak = kb << 10
		}
	}
	return peak
}
