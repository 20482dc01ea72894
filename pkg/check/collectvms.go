package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

const (
	// pageSize is how many VMs are read in one call, about 5 kB each.
	pageSize = 500
	// maxVMs bounds how many VMs are read in all: 100 MB of XML, some 5 s.
	maxVMs = 20_000
	// maxBudgets is of how many failed VMs the whole history is read, one call each.
	maxBudgets = 32
	// attrAttempts is where attempts are noted for other front-ends (package failover).
	attrAttempts = "FT_ATTEMPTS"
)

// vms reads the VMs on hosts, in pages, and those that failed.
func (c *collector) vms(ctx context.Context, hosts []one.Host) {
	v := &c.facts.VMs
	v.Active, v.On, v.Cleaning, v.OnTheWay = map[int]int{}, map[int]int{}, map[int][]int{}, map[int]string{}
	var ids []int
	fine := map[int]*one.Host{}
	for i := range hosts {
		ids = append(ids, hosts[i].VMs...)
		if hosts[i].State.Back() {
			fine[hosts[i].ID] = &hosts[i]
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) > maxVMs {
		c.skip("%d of %d VMs: only the first %d are read", len(ids)-maxVMs, len(ids), maxVMs)
		v.Unread, ids = slices.Clone(ids[maxVMs:]), ids[:maxVMs]
	}
	var ill []one.VM
	seen := map[int]bool{}
	for page := range slices.Chunk(ids, pageSize) {
		vms, unread, err := one.ReadVMs(ctx, c.Client, page, (*one.Element).VMDisks)
		v.Unread = append(v.Unread, unread...)
		for _, vm := range vms {
			seen[vm.ID] = true
			if c.count(vm, fine) {
				ill = append(ill, vm.VM)
			}
		}
		if err != nil {
			c.skip("VMs from %d on: %v", page[0], err)
			v.Unread = append(v.Unread, slices.DeleteFunc(ids, func(id int) bool { return seen[id] || slices.Contains(v.Unread, id) })...)
			break
		}
	}
	if c.facts.Dialect.HasFailedState { // such a VM is on no host
		ill = append(ill, c.in(ctx, one.Failed)...)
	}
	for _, state := range []one.VMState{one.Active, one.Pending, one.Hold} { // oned counts them on no host
		c.onTheWay(c.in(ctx, state))
	}
	slices.SortFunc(ill, func(a, b one.VM) int { return a.ID - b.ID })
	for _, list := range [][]int{v.Unread, v.Loses, v.Stay} {
		slices.Sort(list)
	}
	c.budgets(ctx, ill, fine)
}

// in reads the VMs in a state.
func (c *collector) in(ctx context.Context, state one.VMState) []one.VM {
	vms, err := c.Client.VMsIn(ctx, state)
	if err != nil {
		c.skip("VMs in %s: %v", state, err)
	}
	return vms
}

// onTheWay notes the VMs that are cleaned up, or are to run and do not yet.
func (c *collector) onTheWay(vms []one.VM) {
	for _, vm := range vms {
		last, placed := vm.Last()
		switch {
		case placed && vm.Is(one.CleanupResubmit):
			c.facts.VMs.Cleaning[last.HostID] = append(c.facts.VMs.Cleaning[last.HostID], vm.ID)
		case !vm.Is(one.Running, one.Unknown):
			c.facts.VMs.OnTheWay[vm.ID] = vm.Status()
		}
	}
}

// count notes what matters of a VM, and reports whether it failed. fine are the hosts that
// are MONITORED.
func (c *collector) count(vm one.VMDisks, fine map[int]*one.Host) (ill bool) {
	v := &c.facts.VMs
	v.Count++
	last, placed := vm.Last()
	stays := isNone(vm.UserTemplate["FT_ACTION"]) || isNone(vm.Template["FT_ACTION"]) // its owner wants it left alone
	if stays {
		v.Stay = append(v.Stay, vm.ID)
	}
	if placed {
		v.On[last.DatastoreID]++
		if vm.State == one.Active && !stays {
			v.Active[last.HostID]++
		}
		if at := time.Unix(last.Start, 0); last.Start > 0 && at.After(c.facts.Clock.Newest) {
			c.facts.Clock.Newest, c.facts.Clock.Of = at, fmt.Sprintf("VM %d was placed on its host", vm.ID)
		}
	}
	if !stays && slices.ContainsFunc(vm.Disks, func(d one.Disk) bool { return !d.ReadOnly && (!d.Persistent || d.Copied) }) {
		v.Loses = append(v.Loses, vm.ID)
	}
	if fine[last.HostID] == nil || !placed {
		return false // the matter of host_error
	}
	return vm.Is(one.Unknown) || vm.State == one.Active && strings.HasSuffix(vm.Status(), "_FAILURE")
}

func isNone(action string) bool { return strings.EqualFold(strings.TrimSpace(action), "none") }

// budgets finds out what is left of the budgets of VMs that failed.
func (c *collector) budgets(ctx context.Context, ill []one.VM, fine map[int]*one.Host) {
	val := c.facts.Values
	budget := recovery.Budget{Attempts: val.BudgetAttempts, Window: val.BudgetWindow, BackOff: val.BudgetBackOff, RanWell: val.BudgetRanWell}
	notes := incident.NewAttempts(c.State.Attempts())
	for i, vm := range ill {
		v := FailedVM{ID: vm.ID, Name: vm.Name, Status: vm.Status(), Host: -1}
		if last, placed := vm.Last(); placed {
			v.Host = last.HostID
		}
		if i < maxBudgets {
			whole, err := c.Client.VM(ctx, vm.ID)
			own, noteErr := notes.Of(vm.ID)
			if err = errors.Join(err, noteErr); err != nil {
				c.skip("budget of VM %d: %v", vm.ID, err)
			} else {
				times := slices.Concat(incident.ParseTimes(whole.UserTemplate[attrAttempts]), own)
				slices.SortFunc(times, time.Time.Compare)
				times = slices.CompactFunc(times, func(a, b time.Time) bool { return a.Unix() == b.Unix() })
				v.Spent, v.Judged = budget.Judge(whole, fine[v.Host], times, c.facts.Now), true
			}
		}
		c.facts.VMs.Failed = append(c.facts.VMs.Failed, v)
	}
	if more := len(ill) - maxBudgets; more > 0 {
		c.skip("budgets of %d more failed VMs", more)
	}
}
