package failfast

import (
	"fmt"
	"testing"
	"time"
)

// crowd is a Machine of which only the processes count.
type crowd struct {
	Machine
	all []Process
}

func (c crowd) Processes(int) ([]Process, error) { return c.all, nil }

// Only ssh of the monitoring driver counts, and only one that is older than it can be.
func TestHanging(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	old, young := now.Add(-11*time.Minute), now.Add(-9*time.Minute)
	all := []Process{
		{PID: 1, Args: []string{"/usr/bin/oned", "-f"}, Since: old},
		{PID: 2, Parent: 1, Args: []string{"ruby", "/usr/lib/one/mads/one_im_exec.rb", "-l", "kvm"}, Since: old},
		{PID: 3, Parent: 1, Args: []string{"ruby", "/usr/lib/one/mads/one_vmm_exec.rb"}, Since: old},
		{PID: 10, Parent: 2, Args: []string{"sh", "-c", "ssh node1 mkdir"}, Since: old},
		{PID: 11, Parent: 10, Args: []string{"ssh", "node1", "mkdir"}, Since: old},
		{PID: 12, Parent: 2, Args: []string{"/usr/bin/ssh", "node2", "exec"}, Since: young},
		{PID: 13, Parent: 3, Args: []string{"ssh", "node1", "exec"}, Since: old},  // of a VM: a migration takes hours
		{PID: 14, Parent: 99, Args: []string{"ssh", "node1"}, Since: old},         // of an admin
		{PID: 15, Parent: 15, Args: []string{"ssh", "node1"}, Since: old},         // nonsense of a snapshot that changed
		{PID: 16, Parent: 2, Args: []string{"ssh", "node1"}},                      // since when is not known
		{PID: 17, Parent: 2, Args: []string{"rsync", "-a", "x", "y"}, Since: old}, // its ssh counts
	}
	hanging, err := Client{Machine: crowd{all: all}}.Hanging(now)
	if got := fmt.Sprint(PIDs(hanging), err); got != "[11] <nil>" {
		t.Error(got)
	}
}
