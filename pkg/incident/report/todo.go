package report

import (
	"fmt"

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
		items = append(items, do(fmt.Sprintf("Host %d has been out of scheduling since %s, because old guests may still be on it. It is given back automatically once oned monitors it and lists none of them as zombies; once somebody has verified that, right away:",
			v.ID, v.at(since)), v.show(), v.release()))
	}
	switch {
	case len(items) > 0:
		return items
	case v.Status == incident.Done:
		return []item{do("Nothing.")}
	case v.Status == incident.CameBack:
		return []item{do("Nothing. The host came back, and its VMs stayed where they were.")}
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
		last = fmt.Sprintf("the last event was %s ago", took(v.now.Sub(v.Events[n-1].At)))
	}
	on := "on its front-end"
	if v.FrontEnd != "" {
		on = "on " + text.Short(v.FrontEnd, maxName)
	}
	look := []string{v.show()}
	if v.isHook() {
		look = []string{"tail /var/log/one/" + v.tool() + ".log", v.show()}
	}
	return []item{
		do(fmt.Sprintf("It is open: a process is working on it, or was interrupted (%s). Check %s whether it makes progress:", last, on), look...),
		do("If it does not, resume it; if another process is working on it, this says so and changes nothing:", v.resume()),
	}
}

// refused says what has to be true before it may go on.
func (v view) refused() []item {
	if !v.isHost() {
		return nil // its VM says why
	}
	switch is := v.Reason.Is; {
	case is(wording.FencingFailed, wording.FencingUnconfirmed, wording.FencingManual, wording.FencingRequired):
		return []item{
			do(fmt.Sprintf("Find out why host %d could not be proven off. This shows what it would be fenced with, and changes nothing:", v.ID), v.again("--dry-run")),
			do("Once fencing works again, retry:", v.again()),
			do("Only after somebody has verified that the host is off, for example unplugged, confirm it; if the host still runs its VMs, they will run twice:",
				v.resume()+" --confirm-off"),
		}
	case is(wording.StormGivenUp):
		return []item{
			do("Many hosts failed at the same time. Check what they share, such as the network of the front-end, and which hosts are really off:", "onehost list"),
			do("Once the others are monitored again, retry:", v.again()),
			do("Only if you know that the failed hosts are off:", v.again("--override-storm")),
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
