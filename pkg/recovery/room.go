package recovery

import (
	"slices"

	"one-ft/pkg/one"
)

// room is the free capacity of the hosts that VMs can be moved to; it shrinks as a plan fills them.
type room struct{ hosts []one.Host }

// newRoom takes the monitored hosts, without the failed one.
func newRoom(hosts []one.Host, failed int) *room {
	r := &room{}
	for _, h := range hosts {
		if h.ID != failed && h.State.Back() {
			r.hosts = append(r.hosts, h)
		}
	}
	return r
}

// take finds the host of the cluster with the most free memory that has room for the VM, and reserves it there.
func (r *room) take(vm one.VM, cluster int) (one.Host, bool) {
	cpu, memory := int64(vm.CPU*100), int64(vm.Memory)*1024
	best := -1
	for i, h := range r.hosts {
		if h.ClusterID != cluster || h.MaxCPU-h.UsedCPU < cpu || h.MaxMemory-h.UsedMemory < memory {
			continue
		}
		if best < 0 || h.MaxMemory-h.UsedMemory > r.hosts[best].MaxMemory-r.hosts[best].UsedMemory {
			best = i
		}
	}
	if best < 0 {
		return one.Host{}, false
	}
	r.hosts = slices.Clone(r.hosts)
	r.hosts[best].UsedCPU += cpu
	r.hosts[best].UsedMemory += memory
	return r.hosts[best], true
}
