package failfast

import "testing"

// TestDriverBusy: a driver of VMs with as many processes of its own as threads has actions in line that nobody can see.
func TestDriverBusy(t *testing.T) {
	driver := Process{PID: 10, Args: []string{"ruby", "/usr/lib/one/mads/one_vmm_exec.rb", "-t", "3", "-r", "0", "kvm", "-p"}}
	old := Process{PID: 20, Args: []string{"ruby", "/usr/lib/one/mads/one_vmm_exec.rb", "-r", "0", "kvm"}}
	child := func(n, parent int) (all []Process) {
		for i := range n {
			all = append(all, Process{PID: 100*parent + i, Parent: parent, Args: []string{"ssh", "node1", "bash", "-s"}})
		}
		return all
	}
	for name, test := range map[string]struct {
		all  []Process
		want bool
	}{
		"no driver":                        {child(20, 1), false},
		"a thread is free":                 {append(child(2, 10), driver), false},
		"none is free":                     {append(child(3, 10), driver), true},
		"the shipped 15, one is free":      {append(child(14, 20), old), false},
		"the shipped 15":                   {append(child(15, 20), old), true},
		"one of two drivers has none free": {append(append(child(3, 10), driver), old), true},
		"an editor with its file":          {append(child(20, 30), Process{PID: 30, Args: []string{"vim", "-n", "-u", "NONE", "/usr/lib/one/mads/one_vmm_exec.rb"}}), false},
	} {
		c := Client{Machine: &machine{procs: test.all}}
		if got, err := c.Busy(); err != nil || got != test.want {
			t.Errorf("%s: %t, %v", name, got, err)
		}
	}
}

// TestWorking: ssh to the host and scripts that get it as HOST:PATH count, whatever stands in front.
func TestWorking(t *testing.T) {
	script := Process{PID: 1, Args: []string{"/bin/bash", "/var/lib/one/remotes/tm/shared/delete", "node1:/var/lib/one/datastores/0/7/disk.0", "7", "0"}}
	other := Process{PID: 2, Args: []string{"/bin/bash", "/var/lib/one/remotes/tm/shared/delete", "node2:/var/lib/one/datastores/0/8/disk.0", "8", "0"}}
	ssh := Process{PID: 3, Args: []string{"ssh", "node1", "bash", "-s"}}
	editor := Process{PID: 4, Args: []string{"vim", "node1:/etc/hosts"}}
	c := Client{Machine: &machine{procs: []Process{script, other, ssh, editor}}}
	working, err := c.working([]string{"node1"})
	if err != nil || len(working) != 2 || working[0].PID != 1 || working[1].PID != 3 {
		t.Errorf("%+v, %v", working, err)
	}
}
