package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// item is something that is left to do, with commands that can be copied.
type item struct {
	Text     string
	Commands []string
}

func do(text string, commands ...string) item { return item{text, commands} }

// todo is what is left for an operator. It is never empty: nothing to do is said, too.
func (v view) todo() []item {
	items := v.makeSure()
	switch v.Status {
	case incident.Open:
		return append(items, v.stillOpen()...)
	case incident.Following:
		items = append(items, v.following()...)
	case incident.Refused:
		items = append(items, v.refused()...)
	case incident.Failed:
		items = append(items, do("It failed with an error, and some VMs may not be handled. Once oned answers again, retry; what is done already is not repeated:",
			"onehost list", v.again()))
	}
	items = append(items, v.unhandledVMs()...)
	if since, _, out := v.outOfScheduling(); out && !v.IsUnproven() { // else makeSure has it
		items = append(items, do(fmt.Sprintf("Host %d has been out of scheduling since %s, because old guests may still be on it. It is given back automatically once oned monitors it and lists none of them as zombies, but not up to OpenNebula 4.14 and on 5.12.0 to 5.12.7, whose oned does not tell; once somebody has verified that, right away:",
			v.ID, v.at(since)), v.show(), v.release()))
	}
	switch {
	case len(items) > 0:
		return items
	case v.Status == incident.Done:
		return []item{do("Nothing.")}
	case v.Status == incident.CameBack:
		return []item{do("Nothing, if its VMs run: the host came back, and nothing was done to them. VMs that it came back without are booted by oneft resume, run by its timer. Whether any are left:",
			"oneft resume --dry-run")}
	}
	// No VM is listed, so the summary is all there is.
	return []item{do("Read the summary. Once the cause is fixed, retry; what is done already is not repeated:", v.show(), v.again())}
}

// makeSure says how to make sure of a host whose VMs were started elsewhere without a proof, in the order in which it has to
// be done. It is empty for other incidents.
func (v view) makeSure() []item {
	if !v.IsUnproven() {
		return nil
	}
	if !v.isHost() {
		return []item{do("UNPROVEN: nobody knows whether the old copy still runs. Find out where it ran and check there, or power that host off manually:", v.show())}
	}
	host := fmt.Sprintf("host %d", v.ID)
	unknown := "UNPROVEN: its VMs are started elsewhere, and nobody knows whether " + host + " is off. If it still runs them, they run twice and may write to the same disks."
	if v.DeletedOnly() {
		unknown = "UNPROVEN: its VMs are deleted, and nobody knows whether " + host + " is off. If it still runs them, they run on there, unknown to OpenNebula."
	}
	items := []item{
		do(unknown+" Do not let it come back with its guests: check it, or power it off manually, before its network is restored:", v.show()),
		do("Once it is back, its old guests are listed as zombies (ZVM of onehost list, ZOMBIES of onehost show). Where host_isolated is installed it destroys them; otherwise destroy them on the host with libvirt:", v.show(), "virsh list --all"),
	}
	if _, _, out := v.outOfScheduling(); out {
		items = append(items, do("Only when none of them is left, give "+host+" back to the scheduler:", v.release()))
	}
	check := []string{"oneft check"}
	if v.isHook() {
		check = append(check, v.again("--dry-run"))
	}
	return append(items, do("To have a proof next time, configure fencing for it. What is missing, and what would be used:", check...))
}

// stillOpen says how to find out whether a process works on it.
func (v view) stillOpen() []item {
	last := "nothing has been recorded yet"
	if n := len(v.Events); n > 0 {
		at := v.Events[n-1].At
		last = fmt.Sprintf("the last event was %s ago", took(v.now.Sub(at)))
		if ahead := text.Ahead(at, v.now); ahead != "" {
			last = "the last event is of " + v.at(at) + ahead
		}
	}
	on := "on its front-end"
	if v.FrontEnd != "" {
		on = "on " + text.Short(v.FrontEnd, maxName)
	}
	log := ""
	if v.isHook() { // a record does not say where its log is
		log = "; its log is " + v.tool() + ".log, in /var/log/one unless ONE_LOCATION, log_file or --log-file say otherwise"
	}
	return append(v.held(),
		do(fmt.Sprintf("It is open: a process is working on it, or was interrupted (%s). Check %s whether it makes progress%s:", last, on, log), "oneft incidents --follow", v.show()),
		do("If it does not, resume it; if another process is working on it, this says so and changes nothing:", v.resume()),
	)
}

// held says what keeps an open incident from its VMs, and what an operator can do about it; nothing when nothing does.
func (v view) held() []item {
	s := v.Stands()
	if !s.Holds() {
		return nil
	}
	what := s.Message(v.now).String() + ". "
	switch s.State {
	case incident.StandStorm:
		return append([]item{do(what + "Do not override it yet. When this front-end sees the hosts again, it resumes automatically.")}, v.storm()...)
	case incident.StandNowhere:
		return []item{
			do(what+"Check whether the host is really off or only its monitoring is broken, and which hosts there are. When another one that may run its VMs is in service, it resumes automatically:",
				v.show(), "onehost list"),
			v.waitForHost(),
		}
	case incident.StandAnswers:
		return []item{do(what+"When the host is dead all the same, power it off. Find out why oned cannot monitor it:", v.show())}
	}
	return []item{do(what + "It resumes automatically; nothing is needed for now.")}
}

// storm is what to do when many hosts have failed at the same time.
func (v view) storm() []item {
	return []item{
		do("Check what the failed hosts share, such as the network of this front-end: ping one of them and its BMC, from here and from another machine. When they answer from elsewhere, it is the network of this front-end:",
			"onehost list"),
		do("Only if you know that the failed hosts are really off, once for each of them:", v.again("--override-storm")),
	}
}

// waitForHost has the VMs of a host wait for one that may run them.
func (v view) waitForHost() item {
	return do("Only if the host will not come back and its VMs are to wait for another one:", v.again("--override-storm"))
}

// refused says what has to be true before it may go on.
func (v view) refused() []item {
	if !v.isHost() {
		return nil // its VM says why
	}
	switch is := v.Reason.Is; {
	case is(wording.Paused):
		return []item{
			do("An operator had paused one-ft when this happened. When the pause is over oneft resume, run by its timer, handles it. To end the pause now:", "oneft unpause"),
			do("Only if it is to be handled although one-ft is paused:", v.resume()+" --override-pause"),
		}
	case is(wording.FencingFailed, wording.FencingUnconfirmed, wording.FencingManual, wording.FencingRequired):
		return []item{
			do(fmt.Sprintf("Find out why host %d could not be proven off. This shows what it would be fenced with, and changes nothing:", v.ID), v.again("--dry-run")),
			do("Once fencing works again, retry:", v.again()),
			do("Only after somebody has verified that the host is off, for example unplugged, confirm it; if the host still runs its VMs, they will run twice:",
				v.resume()+" --confirm-off"),
		}
	case is(wording.StormGivenUp):
		return slices.Insert(v.storm(), 1, do("Once the others are monitored again, retry:", v.again()))
	case is(wording.NowhereGivenUp):
		return []item{
			do("No other host in service may run any of its VMs. Check whether the host is really off or only its monitoring is broken, and which hosts there are:", v.show(), "onehost list"),
			do("When it is monitored again there is nothing left to do. Once another host that may run its VMs is in service, retry:", v.again()),
			v.waitForHost(),
		}
	case is(wording.OpinionAlive):
		return []item{
			do("A second opinion says that the host is alive. Find out why oned cannot monitor it:", v.show()),
			do("Once the host is off, retry:", v.again()),
		}
	case is(wording.HostSet):
		return []item{
			do("An admin took the host out of service, so nothing was done. Check it:", v.show()),
			do("If it is certainly off and its VMs are to be recovered anyway:", v.again("--any-state")),
		}
	}
	return []item{do("Nothing was done because it would not have been safe; the summary says why. Once the cause is fixed, retry:", v.show(), v.again())}
}

// advice is what to do for VMs that were not handled for reasons of some kinds.
type advice struct {
	text     string
	commands []any // of forVMs
	kinds    []wording.Kind
	vms      []int
}

// advices are in the order in which they are shown. The first, the second and the last one are for other reasons.
func (v view) advices() []advice {
	noBudget := []any{look}
	if !v.isHost() { // host_error counts no attempts
		noBudget = append(noBudget, v.again("--no-budget"))
	}
	return []advice{
		{"retry; what is done already is not repeated", []any{v.again()}, nil, nil},
		{"read the reason and check the VM, then retry; what is done already is not repeated", []any{look, v.again()}, nil, nil},
		{"find out what is wrong, then retry without the limit of attempts", noBudget, []wording.Kind{wording.BudgetSpent, wording.BudgetNone}, nil},
		{"many VMs failed at the same time. Check what they share, such as a datastore, then retry",
			[]any{"onevm list", "onedatastore list", v.again()}, []wording.Kind{wording.RateGivenUp}, nil},
		{"failed after being placed again. Find out why, then recover", []any{look, each("vm_failure %d -r")}, []wording.Kind{wording.FailedAgain}, nil},
		{"the scheduler found no host. Free capacity or enable a host; nothing else is needed. What the scheduler says",
			[]any{look}, []wording.Kind{wording.StillPending}, nil},
		{"check whether it is fine by now", []any{look},
			[]wording.Kind{wording.Stuck, wording.OldHost, wording.Ended, wording.ResultUnread, wording.EarlierPlaced}, nil},
		{"the reason names the commands. Check first", []any{look},
			[]wording.Kind{wording.LosesSomething, wording.LosesNoRetry, wording.HostMayRunIt, wording.HostWasOff, wording.EarlierLost, wording.MayHaveArrived}, nil},
		{"monitoring called it off as its host failed. When the host is certainly off, recreate it elsewhere; when it is back, resume it there",
			[]any{look, each("onevm recover --recreate %d"), each("onevm resume %d")}, []wording.Kind{wording.RestUnproven, wording.RestReported, wording.RestUndated}, nil},
		{"one-ft leaves this to an operator. Check the VM and the reason", []any{look}, nil, nil},
	}
}

// adviceFor goes by the state that a VM was last seen in and by the kind of its outcome.
func adviceFor(vm incident.VM, all []advice) *advice {
	kind := vm.Kind
	switch hop, moved := lastHop(vm); {
	case moved && failedState(hop.State):
		kind = wording.FailedAgain.Name()
	case kind.Is(wording.FailedAgain) && vm.Action == "boot": // it is as it was before, and nothing is to be recreated
		return &all[1]
	case kind.Is(wording.Stuck) && hop.Waits != wording.WaitNothing:
		kind = wording.StillPending.Name()
	}
	i := slices.IndexFunc(all, func(a advice) bool { return kind.Is(a.kinds...) })
	switch {
	case i >= 0:
	case kind == "" && vm.Detail != "": // of a one-ft without kinds
		i = 1
	case vm.Action == "leave":
		i = len(all) - 1
	default:
		i = 0
	}
	return &all[i]
}

// unhandledVMs is what is left to do for the VMs that were not handled, those of one kind together.
func (v view) unhandledVMs() []item {
	onTheWay := func(vm incident.VM) bool {
		return v.Status != incident.Following && v.starting(vm) || vm.Result == resultIncomplete && waitsFor(vm) != wording.WaitNothing
	}
	all := v.advices()
	for _, vm := range v.problemsFirst() {
		if v.problem(vm) && !onTheWay(vm) {
			a := adviceFor(vm, all)
			a.vms = append(a.vms, vm.ID)
		}
	}
	if v.Status == incident.Refused || v.Status == incident.Failed {
		all[0].vms = nil // that is said, and under which condition
	}
	items := v.perWait(onTheWay)
	if len(items) > 0 && v.Status != incident.Following {
		items = append(items, do("Once that is fixed, follow them until they run:", v.resume()))
	}
	for _, a := range all {
		if len(a.vms) > 0 {
			items = append(items, forVMs(someVMs(a.vms), a.vms, a.text, a.commands...))
		}
	}
	if left := all[len(all)-1].vms; len(left) > 0 {
		whose := "its host is certainly off or does not run it" // never while its old copy may run
		if v.isHost() {
			whose = fmt.Sprintf("host %d is certainly off", v.ID)
		}
		items = append(items, forVMs(someVMs(left), left,
			"only if "+whose+", and if disks that are not persistent may be lost (4.4 to 4.12: onevm delete --recreate)", each("onevm recover --recreate %d")))
	}
	return items
}

// following says who follows the VMs that do not run yet, and what each of them waits for.
func (v view) following() []item {
	begun, there := 0, 0
	for _, vm := range v.VMs {
		switch {
		case v.starting(vm):
			begun++
		case vm.Result == resultDone || vm.Result == resultUnproven:
			there++
		}
	}
	first := "the coordinator (host_error)"
	if !v.isHost() {
		first = "the hook that was called for it"
	}
	return append([]item{do(fmt.Sprintf("Recovered %d, %d still starting. One process follows them until they run: %s while it lives, then oneft resume, run by its timer. To follow them now:", there, begun, first), v.resume())},
		v.perWait(v.starting)...)
}

// waitsFor is what a VM waits for where it was seen last. A reason of a later version is none.
func waitsFor(vm incident.VM) wording.Wait {
	hop, moved := lastHop(vm)
	if _, known := phaseOfWait(hop.Waits); !moved || !known {
		return wording.WaitNothing
	}
	return hop.Waits
}

// waiting is what to do while something is waited for.
type waiting struct {
	wait     wording.Wait
	text     string
	commands []any // of forVMs
}

// waits are what VMs wait for in the order of their urgency: what needs an operator first.
func (v view) waits() []waiting {
	cleanup := waiting{wording.WaitCleanup, "oned cleans up on the failed host. A clean-up that cannot succeed is ended automatically; nothing else is needed. Its progress", []any{look}}
	if v.isHost() && !v.Proven {
		cleanup.text = fmt.Sprintf("oned cleans up on host %d, which is not proven off: this ends when the host answers, or never. Once somebody has verified that it is off, confirm it", v.ID)
		cleanup.commands = []any{v.resume() + " --confirm-off"}
	}
	return []waiting{
		{wording.WaitOwner, "on hold until somebody releases it", []any{each("onevm release %d")}},
		{wording.WaitRoom, "no host has room. Free capacity or enable a host; nothing else is needed. What the scheduler says", []any{"onehost list", look}},
		{wording.WaitScheduler, "the scheduler has not placed it yet; as shipped it starts few VMs at a time. Is it running? Up to 6.10 it is a service of its own, since 7.0 oned runs it",
			[]any{"systemctl status opennebula-scheduler opennebula", "tail /var/log/one/sched.log"}},
		cleanup,
		{wording.WaitDisks, "the disks are being copied or made, which takes as long as the datastore needs. Their progress", []any{look}},
		{wording.WaitBoot, "booting on the new host. Its progress", []any{look}},
		{wording.WaitNothing, "on its way. Where it is", []any{look}},
	}
}

// perWait is what each of the chosen VMs waits for, since when, and what to do about it.
func (v view) perWait(chosen func(incident.VM) bool) (items []item) {
	for _, w := range v.waits() {
		var ids []int
		var since time.Time
		for _, vm := range v.VMs {
			if !chosen(vm) || waitsFor(vm) != w.wait {
				continue
			}
			ids = append(ids, vm.ID)
			if hop, moved := lastHop(vm); moved && (since.IsZero() || hop.At.Before(since)) {
				since = hop.At
			}
		}
		if len(ids) == 0 {
			continue
		}
		vms := someVMs(ids)
		if !since.IsZero() {
			vms += fmt.Sprintf(", since %s%s", v.clock(since), cmp.Or(text.Ahead(since, v.end()), " ("+took(v.end().Sub(since))+")"))
		}
		items = append(items, forVMs(vms, ids, w.text, w.commands...))
	}
	return items
}

// each is a command that each VM needs, with %d for its ID.
type each string

const look each = "onevm show %d"

// commandsShown is how many commands are written out when each VM has its own.
const commandsShown = 2

// forVMs is what to do for VMs: commands are strings, or each for the first of them.
func forVMs(who string, ids []int, text string, commands ...any) item {
	end := ":"
	var all []string
	for _, command := range commands {
		format, perVM := command.(each)
		if !perVM {
			all = append(all, fmt.Sprint(command))
			continue
		}
		for _, id := range ids[:min(len(ids), commandsShown)] {
			all = append(all, fmt.Sprintf(string(format), id))
		}
		if len(ids) > commandsShown {
			end = " (the same for each of them):"
		}
	}
	return item{who + ": " + text + end, all}
}
