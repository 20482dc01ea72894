package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/incident"
)

// advice is what to do for VMs that were not handled for reasons of one kind. The order
// is that in which they are shown.
type advice int

const (
	adviceAgain     advice = iota // the same call may work now
	adviceNoBudget                // given up after too many attempts
	adviceManyFail                // held because many VMs fail
	adviceFailed                  // it failed on its new host
	adviceScheduler               // the scheduler has no place for it
	adviceLook                    // it may be fine by now
	adviceReason                  // its reason names the commands
	advicePerson                  // one-ft does not touch it: a person has to decide
)

// adviceFor goes by the kind of what became of a VM and by the state that it was seen in on its way, else (records
// without them) by what our own texts begin with: the end of a reason may come from the template of the VM, which its owner writes.
func adviceFor(vm incident.VM) advice {
	begins := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(vm.Detail, p) })
	}
	hop, moved := lastHop(vm)
	switch {
	case vm.Kind == incident.KindFailedAgain, moved && failedState(hop.State):
		return adviceFailed
	case vm.Kind == incident.KindOldHost, vm.Kind == incident.KindEnded, vm.Kind == incident.KindStuck && hop.Waits == incident.WaitNothing:
		return adviceLook
	case vm.Kind == incident.KindStuck:
		return adviceScheduler
	case begins("still PENDING"):
		return adviceScheduler
	case failedThere.MatchString(vm.Detail):
		return adviceFailed
	case begins("it has been ", "it ended meanwhile", "accepted by oned, but whether", "it is "):
		return adviceLook
	case begins("given up after ", "FT_MAX_ATTEMPTS is 0"):
		return adviceNoBudget
	case begins("held for "):
		return adviceManyFail
	case vm.Action == "leave" && strings.Contains(vm.Detail, fmt.Sprintf("vm_failure %d -", vm.ID)):
		return adviceReason
	case vm.Action == "leave":
		return advicePerson
	}
	return adviceAgain
}

// perVM is what is left to do for the VMs that were not handled, those of one kind
// together. toldAgain means that it has been said under which condition to run it again.
func perVM(r incident.Record, now time.Time, toldAgain bool) []item {
	byAdvice := map[advice][]int{}
	onTheWay := func(vm incident.VM) bool {
		return r.Status != incident.Following && starting(r, vm) || vm.Result == resultIncomplete && waitsFor(vm) != incident.WaitNothing
	}
	for _, vm := range problemsFirst(r.VMs) {
		if problem(r, vm) && !onTheWay(vm) {
			byAdvice[adviceFor(vm)] = append(byAdvice[adviceFor(vm)], vm.ID)
		}
	}
	items := perWait(r, now, onTheWay)
	if len(items) > 0 && r.Status != incident.Following {
		items = append(items, item{"When that is mended, follow them until they run:", []string{resume(r)}})
	}
	for a := adviceAgain; a <= advicePerson; a++ {
		if ids := byAdvice[a]; len(ids) > 0 && !(a == adviceAgain && toldAgain) {
			items = append(items, a.item(r, ids)...)
		}
	}
	return items
}

// item says what to do for these VMs.
func (a advice) item(r incident.Record, ids []int) []item {
	vms := "VM " + someIDs(ids, namedVMs) + ": "
	look, more := each(ids, "onevm show %d"), colon(ids)
	switch a {
	case adviceAgain:
		return []item{{vms + "run it again; what is done already is not done twice:", []string{again(r)}}}
	case adviceNoBudget:
		if !isHost(r) { // host_error counts no attempts
			look = append(look, again(r, "--no-budget"))
		}
		return []item{{vms + "find out what is wrong, then run it without counting attempts" + more, look}}
	case adviceManyFail:
		return []item{{vms + "many VMs failed at the same time. Look at what they share, such as a datastore, then run it again:",
			[]string{"onevm list", "onedatastore list", again(r)}}}
	case adviceFailed:
		return []item{{vms + "failed after being placed again. Look why, then recover" + more, append(look, each(ids, "vm_failure %d -r")...)}}
	case adviceScheduler:
		return []item{{vms + "the scheduler found no place. Make room or enable a host; nothing else is needed. What the scheduler says" + more, look}}
	case adviceLook:
		return []item{{vms + "see whether all is right by now" + more, look}}
	case adviceReason:
		return []item{{vms + "the reason names the commands. Look first" + more, look}}
	}
	return []item{
		{vms + "one-ft leaves this to a person. Look at the VM and at the reason" + more, look},
		{vms + "only if " + whose(r) + ", and if disks that are not persistent may be lost (4.4 to 4.12: onevm delete --recreate)" + more, each(ids, "onevm recover --recreate %d")},
	}
}

// whose is the condition under which a VM may be recreated by hand: never while its old copy may run.
func whose(r incident.Record) string {
	if isHost(r) {
		return fmt.Sprintf("host %d is certainly off", r.ID)
	}
	return "its host is certainly off or does not run it"
}
