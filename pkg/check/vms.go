package check

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/text"
)

// VMs is what is known of the VMs on hosts.
type VMs struct {
	Count int // that were read
	// Unread are VMs on hosts that could not be read, or were too many.
	Unread []int
	// Loses are the VMs that would lose what is on a disk if they were recreated.
	Loses []int
	// Stay are those that their FT_ACTION leaves alone.
	Stay []int
	// Ignored are the words of FT_ACTION that mean nothing, quoted, with the VMs that have them.
	Ignored map[string][]int
	// Homeless are VMs whose last history record names a host that no longer exists, by its ID.
	Homeless map[int][]int
	// Active are how many VMs on a host are neither suspended nor off, and not to be left alone; by host ID.
	Active map[int]int
	// Unleased are VMs of these whose guests host_isolated does not stop, and Imported those that OpenNebula has only imported;
	// by host ID.
	Unleased, Imported map[int][]int
	// On are how many VMs are on a system datastore, by its ID.
	On map[int]int
	// Cleaning are VMs in CLEANUP_RESUBMIT, by the ID of the host that oned cleans up on.
	Cleaning map[int][]int
	// OnTheWay are VMs that wait for a host, its disks or its boot, by ID, with their states as OpenNebula's tools show them.
	OnTheWay map[int]string
	// Rested are VMs that are POWEROFF because their host came back without them, and that oneft resume boots; RestedLeft those
	// that it leaves to an operator. ID ascending.
	Rested, RestedLeft []int
	// Running are the hosts of VMs that oned calls RUNNING, by the ID of the VM.
	Running map[int]int
	// Failed are VMs that failed or are UNKNOWN, ID ascending.
	Failed []FailedVM
}

// FailedVM is a VM that failed, or is UNKNOWN on a host that is fine.
type FailedVM struct {
	ID     int
	Name   string
	Status string // as OpenNebula's tools show it
	Host   int    // -1 for none
	// Spent is its budget, when Judged.
	Spent  recovery.Spent
	Judged bool
}

// Datastore is a system datastore with VMs.
type Datastore struct {
	one.Datastore
	Err error // it could not be read; only ID is set then
}

const (
	// pageSize is how many VMs are read in one call, about 5 kB each.
	pageSize = 500
	// maxVMs bounds how many VMs are read in all: 100 MB of XML, some 5 s.
	maxVMs = 20_000
	// maxBudgets is of how many failed VMs the whole history is read, one call each.
	maxBudgets = 32
)

// vms reads the VMs on hosts, in pages, and those that failed.
func (c *collector) vms(ctx context.Context, hosts []one.Host) {
	v := &c.facts.VMs
	v.Unleased, v.Imported = map[int][]int{}, map[int][]int{}
	v.Active, v.On, v.Cleaning, v.OnTheWay = map[int]int{}, map[int]int{}, map[int][]int{}, map[int]string{}
	v.Running = map[int]int{}
	v.Ignored, v.Homeless = map[string][]int{}, map[int][]int{}
	var ids []int
	fine, covers := map[int]*one.Host{}, map[int]one.Host{}
	for i := range hosts {
		ids = append(ids, hosts[i].VMs...)
		covers[hosts[i].ID] = hosts[i]
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
		vms, unread, err := one.ReadVMs(ctx, c.Client, page, (*one.Element).WholeVM)
		v.Unread = append(v.Unread, unread...)
		for _, vm := range vms {
			seen[vm.ID] = true
			if c.count(vm, fine, covers) {
				ill = append(ill, vm)
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
	for _, state := range []one.VMState{one.Active, one.Pending, one.Hold, one.Suspended, one.Poweroff} {
		if state == one.Poweroff && c.facts.Dialect.HasFailedState {
			continue // 4.4 refuses to list these
		}
		vms := c.in(ctx, state)
		if state != one.Suspended && state != one.Poweroff { // oned counts them on no host
			c.onTheWay(vms)
		}
		if state != one.Pending && state != one.Hold {
			c.homeless(ctx, vms, covers)
		}
	}
	sort.Slice(ill, func(i, j int) bool { return ill[i].ID < ill[j].ID })
	for _, list := range [][]int{v.Unread, v.Loses, v.Stay} {
		slices.Sort(list)
	}
	c.budgets(ctx, ill, fine)
}

// putToRest finds the VMs that an outage has put to rest.
func (c *collector) putToRest(ctx context.Context, hosts []one.Host) {
	if c.PutToRest == nil {
		return
	}
	v := &c.facts.VMs
	var err error
	if v.Rested, v.RestedLeft, err = c.PutToRest(ctx, hosts); err != nil {
		c.skip("VMs that are POWEROFF because their host came back without them: %v", err)
	}
}

func (c *collector) in(ctx context.Context, state one.VMState) []one.VM {
	vms, err := c.Client.VMsIn(ctx, state)
	if err != nil {
		c.skip("VMs in %s: %v", state, err)
	}
	return vms
}

// homeless notes the VMs whose host no longer exists. Of each that the pool did not have oned is asked once more.
func (c *collector) homeless(ctx context.Context, vms []one.VM, known map[int]one.Host) {
	asked := map[int]bool{}
	for _, vm := range vms {
		last, placed := vm.Last()
		if _, is := known[last.HostID]; is || !placed {
			continue
		}
		gone, was := asked[last.HostID]
		if !was {
			_, err := c.Client.Host(ctx, last.HostID)
			gone = errors.Is(err, one.ErrNotFound)
			asked[last.HostID] = gone
		}
		if gone {
			c.facts.VMs.Homeless[last.HostID] = append(c.facts.VMs.Homeless[last.HostID], vm.ID)
		}
	}
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

// count notes what matters of a VM, and reports whether it failed. fine are the hosts that are MONITORED, covers all, with what
// they publish.
func (c *collector) count(vm one.VM, fine map[int]*one.Host, covers map[int]one.Host) (ill bool) {
	v := &c.facts.VMs
	v.Count++
	last, placed := vm.Last()
	stays := isNone(vm.UserTemplate["FT_ACTION"]) || isNone(vm.Template["FT_ACTION"]) // its owner wants it left alone
	if stays {
		v.Stay = append(v.Stay, vm.ID)
	}
	for _, template := range []map[string]string{vm.UserTemplate, vm.Template} {
		if word, unknown := recovery.UnknownAction(template); unknown && !slices.Contains(v.Ignored[word], vm.ID) {
			v.Ignored[word] = append(v.Ignored[word], vm.ID)
		}
	}
	if placed {
		v.On[last.DatastoreID]++
		if vm.Is(one.Running) {
			v.Running[vm.ID] = last.HostID
		}
		if vm.State == one.Active && !stays {
			v.Active[last.HostID]++
			switch d := c.facts.Dialect; {
			case recovery.Foreign(vm, last.Driver, d):
				v.Imported[last.HostID] = append(v.Imported[last.HostID], vm.ID)
			case !recovery.Leasable(vm, last.Driver, covers[last.HostID], d):
				v.Unleased[last.HostID] = append(v.Unleased[last.HostID], vm.ID)
			}
		}
		if at := time.Unix(last.Start, 0); last.Start > 0 && at.After(c.facts.Clock.Newest) {
			c.facts.Clock.Newest, c.facts.Clock.Of = at, fmt.Sprintf("VM %d was placed on its host", vm.ID)
		}
	}
	if !stays && vm.LosesData {
		v.Loses = append(v.Loses, vm.ID)
	}
	if fine[last.HostID] == nil || !placed {
		return false // the matter of host_error
	}
	return vm.Is(one.Unknown) || vm.State == one.Active && strings.HasSuffix(vm.Status(), "_FAILURE")
}

func isNone(action string) bool { return strings.EqualFold(strings.TrimSpace(action), "none") }

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
			times, noteErr := notes.All(vm.ID, whole.UserTemplate)
			if err = errors.Join(err, noteErr); err != nil {
				c.skip("budget of VM %d: %v", vm.ID, err)
			} else {
				v.Spent, v.Judged = budget.Judge(whole, fine[v.Host], times, c.facts.Now), true
			}
		}
		c.facts.VMs.Failed = append(c.facts.VMs.Failed, v)
	}
	if more := len(ill) - maxBudgets; more > 0 {
		c.skip("budgets of %d more failed VMs", more)
	}
}

func (c *collector) datastores(ctx context.Context) {
	for id := range c.facts.VMs.On {
		d, err := c.Client.Datastore(ctx, id)
		if err != nil {
			d = one.Datastore{ID: id}
		}
		c.facts.Datastores = append(c.facts.Datastores, Datastore{Datastore: d, Err: err})
	}
	sort.Slice(c.facts.Datastores, func(i, j int) bool { return c.facts.Datastores[i].ID < c.facts.Datastores[j].ID }) // smaller than slices.SortFunc by 13 kB
}

// datastores is about whether VMs could be moved off a failed host.
func (e *evaluation) datastores() {
	local := 0
	for _, d := range e.Datastores {
		on := text.Plural(e.VMs.On[d.ID], "VM")
		switch {
		case d.Err != nil:
			e.skip("datastore %d with %s: %v", d.ID, on, d.Err)
		case d.Shared:
		case e.HostHook.Action == string(recovery.Migrate):
			local++
			e.stop(`change -m into -r in the arguments of the hook`, "%s on datastore %d (%s), which is not shared: -m cannot move them off a dead host", on, d.ID, d.Name)
		default:
			local++
			e.ok("datastore %d (%s) with %s is not shared: -m could not move them, -r recreates them", d.ID, d.Name, on)
		}
	}
	if local == 0 && len(e.Datastores) > 0 {
		e.ok("VMs are on shared datastores only: -m could move them")
	}
}

func (e *evaluation) vms() {
	v := e.VMs
	lost := fmt.Sprintf("%s of %d (%s) have disks that are copies: what was written there is lost when they are recreated", text.Plural(len(v.Loses), "VM"), v.Count, listed(v.Loses))
	switch {
	case len(v.Loses) == 0:
		e.ok("none of %s would lose data with -r", text.Plural(v.Count, "VM"))
	case e.HostHook.Action == string(recovery.Migrate):
		e.ok("%s, but the hook moves them with -m", lost)
	default:
		e.warn(fmt.Sprintf(`make their disks persistent, or leave such a VM alone: echo 'FT_ACTION = "none"' | onevm update %d --append /dev/stdin`, v.Loses[0]), "%s", lost)
	}
	e.imported()
	for _, word := range slices.Sorted(maps.Keys(v.Ignored)) {
		ids := v.Ignored[word]
		e.warn(fmt.Sprintf(`echo 'FT_ACTION = "none"' | onevm update %d --append /dev/stdin leaves it alone; or take FT_ACTION out`, ids[0]),
			"%s (%s) with FT_ACTION = %s, which is not none: it is ignored, and they are recovered", text.Plural(len(ids), "VM"), listed(ids), word)
	}
	for _, host := range slices.Sorted(maps.Keys(v.Homeless)) {
		ids := v.Homeless[host]
		e.warn(fmt.Sprintf("onevm show %d; when it certainly runs nowhere: onevm recover --recreate %d", ids[0], ids[0]),
			"%s (%s) on host %d, which no longer exists: no host event is about them, and nothing recovers them", text.Plural(len(ids), "VM"), listed(ids), host)
	}
	const rested = "%s (%s) POWEROFF: the host came back without them, and nobody had asked for that"
	if ids := v.Rested; len(ids) > 0 {
		e.problem(e.resume(), rested, text.Plural(len(ids), "VM"), listed(ids))
	}
	if ids := v.RestedLeft; len(ids) > 0 {
		e.problem(fmt.Sprintf("onevm resume %d", ids[0]), rested+"; oneft resume leaves that to an operator", text.Plural(len(ids), "VM"), listed(ids))
	}
	if len(v.Stay) > 0 {
		e.ok("%s (%s) with FT_ACTION = none would be left alone", text.Plural(len(v.Stay), "VM"), listed(v.Stay))
	}
	if len(v.Unread) > 0 {
		e.warn(fmt.Sprintf("onevm show %d", v.Unread[0]), "%s (%s) could not be read, and were not checked", text.Plural(len(v.Unread), "VM"), listed(v.Unread))
	}
	for n, vm := range v.Failed {
		if n == maxListed {
			e.warn("oneft resume", "%s more failed or are UNKNOWN on a host that is fine", text.Plural(len(v.Failed)-n, "VM"))
			break
		}
		where := ""
		if vm.Host >= 0 && vm.Status != "FAILED" {
			where = fmt.Sprintf(" on host %d, which is fine", vm.Host)
		}
		if !vm.Spent.Exhausted {
			e.warn(vm.remedy(), "%s%s", vm.is(), where)
		}
	}
}

// imported is about VMs that nothing recovers when their host fails.
func (e *evaluation) imported() {
	for _, h := range e.Hosts {
		if ids := e.VMs.Imported[h.ID]; len(ids) > 0 && h.API() == "" {
			e.about(h.ID, Warning, fmt.Sprintf(`replace such a VM by one from a template with its disks, or leave it alone on purpose: echo 'FT_ACTION = "none"' | onevm update %d --append /dev/stdin`, ids[0]),
				"%s on %s (%s) that OpenNebula has only imported: it knows no disks of such a VM and cannot start it elsewhere, so it would be left", text.Plural(len(ids), "VM"), h.name(), listed(ids))
		}
	}
}

func (v FailedVM) is() string { return fmt.Sprintf("VM %d (%s) is %s", v.ID, v.Name, v.Status) }

func (v FailedVM) remedy() string {
	switch v.Status {
	case "UNKNOWN":
		return fmt.Sprintf("vm_unknown %d", v.ID)
	case "FAILED": // up to 4.12, which cannot retry
		return fmt.Sprintf("vm_failure %d -r", v.ID)
	}
	return fmt.Sprintf("vm_failure %d --retry", v.ID)
}

func (e *evaluation) budgets() {
	n := 0
	for _, v := range e.VMs.Failed {
		if !v.Judged || !v.Spent.Exhausted {
			continue
		}
		n++
		what := fmt.Sprintf("%s, and given up after %d attempts (limit %d)", v.is(), v.Spent.Attempts, v.Spent.Limit)
		if v.Spent.Limit == 0 {
			what = v.is() + ", and FT_MAX_ATTEMPTS is 0: nothing is done without an admin"
		} else if !v.Spent.Until.IsZero() {
			what += "; not retried automatically before " + v.Spent.Until.Format(time.DateTime)
		}
		e.problem(v.remedy()+" --no-budget", "%s", what)
	}
	if n == 0 && e.Closed == nil {
		e.ok("no VM has used its attempts up")
	}
}
