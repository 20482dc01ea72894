package drill

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"one-ft/pkg/one"
)

// TestChoose: the host that is found in the order of the hosts, and among those that changed, is the one that a look at all finds.
func TestChoose(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Int64Range(0, 4)
		c := Cloud{}
		for id := range rapid.IntRange(1, 8).Draw(t, "hosts") {
			h := Host{Host: one.Host{ID: id, Name: fmt.Sprint("host", id), State: one.HostMonitored}}
			if rapid.IntRange(0, 9).Draw(t, "failed") == 0 {
				h.State = one.HostError
			}
			h.MaxCPU, h.MaxMemory = 100*number.Draw(t, "CPU"), 100*number.Draw(t, "memory")
			for vm := range number.Draw(t, "VMs") {
				h.VMs = append(h.VMs, 100*id+int(vm))
			}
			c.Hosts = append(c.Hosts, h)
		}
		s := newSimulation(c)
		var state room
		s.base.clone(&state)
		dead := rapid.IntRange(-1, len(c.Hosts)-1).Draw(t, "dead")
		for vm := range rapid.IntRange(1, 12).Draw(t, "placed") {
			w := &workload{vms: []*VM{{VM: one.VM{ID: vm}}}, drivers: []string{""}, cpu: 50 * number.Draw(t, "needs CPU"), memory: 50 * number.Draw(t, "needs memory")}
			rank := rapid.SampledFrom([]Rank{FreeCPU, Striping, Packing}).Draw(t, "rank")
			want := -1
			for i := range s.hosts {
				has := state.hosts[i]
				fits := s.hosts[i].service && i != dead && has.cpu >= w.cpu && has.memory >= w.memory
				if fits && (want < 0 || better(rank, has, state.hosts[want])) {
					want = i
				}
			}
			if got := s.place(w, dead, rank, false, &state); got != want {
				t.Fatalf("VM %d: host %d, want %d of %+v", vm, got, want, state.hosts)
			}
		}
	})
}
