// Package timing finds times that are right one by one and make no sense together: how long a failed host is watched,
// fenced, held and acted on, and what ends that before. It is pure. The limits of single values are those of package config.
package timing

import (
	"time"

	"one-ft/pkg/wording"
)

// Input are the times of one hook for failed hosts. What is 0 is not known, or not limited.
type Input struct {
	// Watch is for how long a failed host is watched before anything is done, 0 when it is fenced at once; Cycle is a
	// monitoring cycle.
	Watch, Cycle time.Duration
	// Fencing is how long proving a host off takes at most after that, and Lease how long a lease is waited for, counted from
	// ERROR: each of the host for which it takes longest.
	Fencing, Lease time.Duration
	// Window, CoolDown and GiveUp are those of the storm guard, Acting is the time-out of acting and verifying.
	Window, CoolDown, GiveUp, Acting time.Duration
	// Limit is the TIMEOUT of the hook.
	Limit time.Duration
	// Attempts within Span, with BackOff after the first, which doubles with each, are what is done to one VM.
	Attempts      int
	Span, BackOff time.Duration
}

// Finding is what makes no sense, and what to do about it.
type Finding struct{ What, Fix wording.Message }

const (
	// enough is what storm.give_up is by default, for the same reason: what has not healed after ten monitoring cycles
	// of 180 s does not heal on its own. A choice.
	enough = 30 * time.Minute
	// sensible is how many cycles a host is watched as README has it.
	sensible = 2
	// look is the time between two looks of the storm guard: a host that is still in ERROR a cycle after a storm is seen once more.
	look = 10 * time.Second
	// maxDoublings keeps a back-off within what a duration can hold.
	maxDoublings = 16
)

// Judge finds what makes no sense, the worst first. Nothing that it finds changes what is done.
func Judge(in Input) (found []Finding) {
	add := func(wrong bool, what, fix wording.Message) {
		if wrong {
			found = append(found, Finding{what, fix})
		}
	}
	known := func(d time.Duration) bool { return d > 0 }
	before := in.Watch + in.Fencing
	all := before + in.GiveUp + in.Acting
	killed := known(in.Limit) && in.Limit < before
	add(killed, wording.Of(wording.HookKilled, in.Limit, in.Watch, in.Fencing), fixTimeout(all))
	add(known(in.Window) && in.Watch+in.Cycle >= in.Window, wording.Of(wording.WatchHides, in.Watch, in.Window), wording.Of(wording.FixWindow, 2*(in.Watch+in.Cycle)))
	calm := max(in.CoolDown, in.Cycle+look) // as the guard has it
	add(known(in.GiveUp) && in.GiveUp <= calm, wording.Of(wording.StormNoEnd, calm, in.GiveUp), wording.Of(wording.FixGiveUp, 2*calm))
	add(!killed && known(in.Limit) && in.Limit < all, wording.Of(wording.HookShort, in.Limit, in.Watch, in.Fencing, in.GiveUp, in.Acting, all), fixTimeout(all))
	add(in.Watch > enough, wording.Of(wording.WatchTooLong, in.Watch, enough), wording.Of(wording.FixWatch, sensible))
	add(known(in.Watch) && in.Lease > in.Watch, wording.Of(wording.LeaseBehind, in.Lease, in.Watch), wording.Of(wording.FixLease, in.Lease))
	spent := in.spent()
	add(known(in.Span) && spent >= in.Span, wording.Of(wording.BudgetNoEnd, in.Attempts, spent, in.Span), wording.Of(wording.FixBudget, 2*spent))
	return found
}

func fixTimeout(all time.Duration) wording.Message {
	return wording.Of(wording.FixTimeout, int64(all.Round(time.Second)/time.Second))
}

// spent is how long it takes at least until all attempts at a VM are used up: from the first to the last one.
func (in Input) spent() (sum time.Duration) {
	for n := range in.Attempts - 1 {
		sum += in.BackOff << min(n, maxDoublings)
	}
	return sum
}
