package recovery

import (
	"testing"

	"pgregory.net/rapid"

	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

const uuid = "6c0ab0ff-9f1b-4b31-8a6b-0b1a7b0a2c11"

// guest makes a running VM on the failed host with a guest of a driver.
func guest(driver, deployID string, imported bool) one.VM {
	vm := active(one.Unknown, failed)
	vm.History[0].Driver, vm.DeployID, vm.Imported = driver, deployID, imported
	return vm
}

// TestCovered: what a lease says nothing of is left; what OpenNebula has only imported is left whatever the proof.
func TestCovered(t *testing.T) {
	const foreign, containers = "leave! imported", "leave!? not-leased"
	for _, c := range []struct {
		what, version string
		vm            one.VM
		off, leased   string // with a machine that is off, and with a lease
	}{
		{"kvm, 4.4", "4.4.1", guest("kvm", "one-42", false), "recreate", "recreate"},
		{"kvm, 5.10", "5.10.6", guest("kvm", "one-42", false), "recreate", "recreate"},
		{"kvm, the UUID of all since 5.12", "5.12.0", guest("kvm", uuid, false), "recreate", "recreate"},
		{"kvm, 6.10", "6.10.0", guest("kvm", uuid, false), "recreate", "recreate"},
		{"qemu, 7.4", "7.4.1", guest("qemu", uuid, false), "recreate", "recreate"},
		{"a driver that a site has derived", "6.10.0", guest("KVM_emulated", uuid, false), "recreate", "recreate"},
		{"kvm that was never started", "4.4.1", guest("kvm", "", false), "recreate", "recreate"},
		{"kvm with another name, 5.10", "5.10.6", guest("kvm", "web01", false), foreign, foreign},
		{"imported, 5.10", "5.10.6", guest("kvm", uuid, true), foreign, foreign},
		{"imported, 6.10", "6.10.0", guest("kvm", uuid, true), foreign, foreign},
		{"imported, 7.4", "7.4.1", guest("qemu", uuid, true), foreign, foreign},
		{"lxc", "6.10.0", guest("lxc", "one-42", false), "recreate", containers},
		{"lxd", "5.10.6", guest("lxd", "one-42", false), "recreate", containers},
		{"firecracker", "6.8.0", guest("firecracker", "one-42", false), "recreate", containers},
		{"xen", "4.4.1", guest("xen", "one-42", false), "recreate", containers},
		{"a driver that nobody knows", "6.10.0", guest("site", "one-42", false), "recreate", containers},
		{"no driver is told", "6.10.0", guest("", "one-42", false), "recreate", containers},
	} {
		for leased, want := range map[bool]string{false: c.off, true: c.leased} {
			s := snapshot(dialect(t, c.version), c.vm)
			s.Leased = leased
			step := Make(s, Policy{Mode: Recreate}).Steps[0]
			got := describe(step)
			if step.Verb == VerbLeave {
				got += " " + string(step.Reason.Kind.Name())
			}
			if got != want {
				t.Errorf("%s, lease %t: %s, want %s", c.what, leased, got, want)
			}
		}
	}
}

// TestDriverOfTheHost: where an answer tells no driver of a VM, that of its host counts.
func TestDriverOfTheHost(t *testing.T) {
	for driver, want := range map[string]string{"kvm": "recreate", "dummy": "recreate", "lxc": "leave!?"} {
		s := snapshot(dialect(t, "5.10.6"), guest("", "one-42", false))
		s.Host.VMDriver, s.Leased = driver, true
		if got := describe(Make(s, Policy{Mode: Recreate}).Steps[0]); got != want {
			t.Errorf("%s: %s, want %s", driver, got, want)
		}
	}
}

// TestPublishedCover: a lease is about containers where the host publishes that it stops them, and only about those of LXC.
func TestPublishedCover(t *testing.T) {
	for _, c := range []struct{ covers, driver, want string }{
		{"libvirt lxc", "lxc", "recreate"}, {"LXC", "LXC", "recreate"}, {"libvirt", "lxc", "leave!?"}, {"", "lxc", "leave!?"},
		{"libvirt lxcx", "lxc", "leave!?"}, {"libvirt lxc", "lxd", "leave!?"}, {"libvirt lxc", "firecracker", "leave!?"},
		{"lxc", "kvm", "recreate"}, // of every host_isolated
	} {
		s := snapshot(dialect(t, "6.10.0"), guest(c.driver, "one-42", false))
		s.Leased, s.Host.Template = true, map[string]string{"FT_LEASE_COVERS": c.covers}
		if got := describe(Make(s, Policy{Mode: Recreate}).Steps[0]); got != c.want {
			t.Errorf("%q, %s: %s, want %s", c.covers, c.driver, got, c.want)
		}
	}
}

// TestSameMachine: a lease proves nothing of a machine that is two hosts; that it is off does.
func TestSameMachine(t *testing.T) {
	named := func(id int, name, machine string) one.Host {
		return one.Host{ID: id, Name: name, Template: map[string]string{"HOSTNAME": machine}}
	}
	own := named(failed, "node1", "node1.example")
	for _, c := range []struct {
		what  string
		other one.Host
		same  bool
	}{
		{"another machine", named(fine, "node2", "node2.example"), false},
		{"the same machine by another name", named(fine, "node1-lxc", "node1.example"), true},
		{"the same name", named(fine, "node1", ""), true},
		{"not monitored yet", named(fine, "node2", ""), false},
		{"itself", own, false},
		{"a service", one.Host{ID: fine, Name: "node1", VMDriver: "vcenter"}, false},
	} {
		s := snapshot(dialect(t, "6.10.0"), guest("kvm", uuid, false))
		s.Twins = Twins(own, []one.Host{c.other})
		if got := len(s.Twins) > 0; got != c.same {
			t.Errorf("%s: %t", c.what, got)
		}
		if got := describe(Make(s, Policy{Mode: Recreate}).Steps[0]); got != "recreate" {
			t.Errorf("%s, off: %s", c.what, got)
		}
		s.Leased = true
		want := map[bool]string{false: "recreate", true: "leave!?"}[c.same]
		if got := describe(Make(s, Policy{Mode: Recreate}).Steps[0]); got != want {
			t.Errorf("%s, lease: %s, want %s", c.what, got, want)
		}
	}
}

// TestCoverInvariants: whatever the state, nothing starts a VM elsewhere that the proof does not cover.
func TestCoverInvariants(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		version := rapid.SampledFrom([]string{"4.4.1", "4.12.0", "5.10.6", "5.12.3", "6.10.0", "7.4.1"}).Draw(r, "version")
		vm := guest(rapid.SampledFrom([]string{"kvm", "qemu", "lxc", "vcenter", "xen", ""}).Draw(r, "driver"),
			rapid.SampledFrom([]string{"", "one-42", uuid, "web"}).Draw(r, "deploy ID"), rapid.Bool().Draw(r, "imported"))
		vm.State = one.VMState(rapid.IntRange(0, 11).Draw(r, "state"))
		if vm.LCM = 0; vm.State == one.Active {
			vm.LCM = one.LCMState(rapid.IntRange(0, 71).Draw(r, "LCM state"))
		}
		s := snapshot(dialect(t, version), vm)
		s.Leased = rapid.Bool().Draw(r, "lease")
		mode := rapid.SampledFrom([]Mode{Recreate, Delete, Migrate}).Draw(r, "mode")
		step := Make(s, Policy{Mode: mode, Idle: rapid.Bool().Draw(r, "idle")}).Steps[0]
		d := s.Dialect
		starts := step.Verb.Acts() && step.Verb != VerbReturn
		switch driver := vm.History[0].Driver; {
		case starts && s.Leased && !Leasable(vm, driver, s.Host, d):
			r.Fatalf("%s of a VM that no lease covers", step.Verb)
		case starts && step.Verb != VerbDelete && Foreign(vm, driver, d):
			r.Fatalf("%s of an imported VM", step.Verb)
		}
	})
}

// TestOtherEndByLease: that the other end of a migration was cleared by a lease says nothing of a container.
func TestOtherEndByLease(t *testing.T) {
	for driver, want := range map[string]Verb{"kvm": VerbRecreate, "lxc": VerbLeave} {
		vm := active(one.Migrate, dead, failed)
		vm.History[1].Driver = driver
		s := snapshot(dialect(t, "6.10.0"), vm)
		s.Cleared, s.ByLease = []int{dead}, []int{dead}
		if step := Make(s, Policy{Mode: Recreate}).Steps[0]; step.Verb != want {
			t.Errorf("%s: %s (%s), want %s", driver, step.Verb, step.Reason, want)
		}
	}
}

// TestHostThatIsAnAPI: nothing is done with the VMs of a service that cannot be reached.
func TestHostThatIsAnAPI(t *testing.T) {
	vm := guest("vcenter", "vm-12", false)
	s := snapshot(dialect(t, "6.10.0"), vm)
	s.Host.VMDriver = "vcenter"
	for _, mode := range []Mode{Recreate, Delete, Migrate} {
		if step := Make(s, Policy{Mode: mode, Idle: true}).Steps[0]; step.Verb != VerbLeave || step.Reason.Kind != wording.HostIsAPI {
			t.Errorf("%s: %s (%s)", mode, step.Verb, step.Reason)
		}
	}
	for force, want := range map[bool]string{false: "leave", true: "leave!?"} {
		one := single(t, "6.10.0", active(one.BootFailure, 1), one.HostError, 0)
		one.Host.VMDriver = "vcenter"
		if got := describe(Failure(one, FailurePolicy{Mode: Recreate, Force: force})); got != want {
			t.Errorf("force %t: %s, want %s", force, got, want)
		}
	}
}

// TestImportedAlone: an imported VM is neither recreated after a failure nor booted from a template without disks.
func TestImportedAlone(t *testing.T) {
	failure, unknown := active(one.BootFailure, 1), active(one.Unknown, 1)
	failure.Imported, unknown.Imported = true, true
	for _, force := range []bool{false, true} {
		if got := describe(Failure(single(t, "6.10.0", failure, one.HostMonitored, 0), FailurePolicy{Mode: Recreate, Force: force})); got != "leave!" {
			t.Errorf("force %t: %s", force, got)
		}
	}
	s := single(t, "6.10.0", unknown, one.HostMonitored, 0)
	if got := describe(Unknown(s, false)); got != "leave!" {
		t.Errorf("UNKNOWN: %s", got)
	}
	if s.Host.VMDriver = "vcenter"; describe(Unknown(s, false)) != "boot" {
		t.Errorf("UNKNOWN in vCenter, which knows it: %s", describe(Unknown(s, false)))
	}
}

// TestRoomOfItsDriver: a VM is moved only to a host that runs guests of its driver.
func TestRoomOfItsDriver(t *testing.T) {
	for driver, want := range map[string]string{"kvm": "migrate", "lxc": "leave!"} {
		vm := on(one.Suspended, 0, failed)
		vm.History[0].Driver = "kvm"
		s := snapshot(dialect(t, "6.10.0"), vm)
		s.Hosts[0].VMDriver = driver
		if got := describe(Make(s, Policy{Mode: Migrate, Idle: true}).Steps[0]); got != want {
			t.Errorf("to %s: %s, want %s", driver, got, want)
		}
	}
}
