package drill

import (
	"testing"

	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// TestMayTake: what is known to be impossible counts, room does not, and what is not known is possible.
func TestMayTake(t *testing.T) {
	step := func(v VM, verb recovery.Verb) recovery.Step { return recovery.Step{VM: v.VM, Verb: verb, Target: -1} }
	recreate := func(v VM) recovery.Plan { return recovery.Plan{Steps: []recovery.Step{step(v, recovery.VerbRecreate)}} }
	off := host(1, 4, 4)
	off.State = one.HostError
	there, alone := []Host{host(0, 4, 4, 7), host(1, 4, 4)}, []Host{host(0, 4, 4, 7), off}
	stores := []Datastore{store(100, 100)}
	elsewhere := store(100, 100)
	elsewhere.Clusters = []int{99}
	any, pinned, strange, huge := vm(7, 0, 1, 1), vm(7, 0, 1, 1, "ID = 0"), vm(7, 0, 1, 1, "HOST_SHARE/X = 1"), vm(7, 0, 64, 64)
	unreadable := vm(7, 0, 1, 1, "ID = = 1")
	for name, c := range map[string]struct {
		cloud Cloud
		plan  recovery.Plan
		not   map[int]bool
		want  bool
	}{
		"another host":          {Cloud{Hosts: there, VMs: []VM{any}, Datastores: stores}, recreate(any), nil, true},
		"no other host":         {Cloud{Hosts: alone, VMs: []VM{any}, Datastores: stores}, recreate(any), nil, false},
		"a silent one":          {Cloud{Hosts: there, VMs: []VM{any}, Datastores: stores}, recreate(any), map[int]bool{1: true}, false},
		"its requirement":       {Cloud{Hosts: there, VMs: []VM{pinned}, Datastores: stores}, recreate(pinned), nil, false},
		"one not known":         {Cloud{Hosts: there, VMs: []VM{strange}, Datastores: stores}, recreate(strange), nil, true},
		"one that is no rule":   {Cloud{Hosts: there, VMs: []VM{unreadable}, Datastores: stores}, recreate(unreadable), nil, true},
		"no room":               {Cloud{Hosts: there, VMs: []VM{huge}, Datastores: stores}, recreate(huge), nil, true},
		"no datastore":          {Cloud{Hosts: there, VMs: []VM{any}, Datastores: []Datastore{elsewhere}}, recreate(any), nil, false},
		"datastores not known":  {Cloud{Hosts: there, VMs: []VM{any}}, recreate(any), nil, true},
		"the VM is not known":   {Cloud{Hosts: there, Datastores: stores}, recreate(any), nil, true},
		"only deleted":          {Cloud{Hosts: there, VMs: []VM{pinned}}, recovery.Plan{Steps: []recovery.Step{step(pinned, recovery.VerbDelete)}}, nil, true},
		"only deleted, no host": {Cloud{Hosts: alone, VMs: []VM{pinned}}, recovery.Plan{Steps: []recovery.Step{step(pinned, recovery.VerbDelete)}}, nil, false},
		"deleted and recreated": {Cloud{Hosts: there, VMs: []VM{pinned}, Datastores: stores}, recovery.Plan{Steps: []recovery.Step{step(any, recovery.VerbDelete), step(pinned, recovery.VerbRecreate)}}, nil, false},
	} {
		for i := range c.cloud.Hosts {
			if i == 0 {
				c.cloud.Hosts[0].State = one.HostError
			}
		}
		if got := c.cloud.MayTake(c.plan, c.not); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
