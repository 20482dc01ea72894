package recovery

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/one"
)

// Budget bounds what is done to one VM without an operator: a VM whose image is broken must not be recreated forever.
type Budget struct {
	Attempts int           // at most so many within Window; 0 is none at all
	Window   time.Duration // of time before now
	BackOff  time.Duration // from the first attempt to the second; it doubles with each
	RanWell  time.Duration // a VM that ran for so long starts with a full budget
}

// Spent is what a VM has used of its budget.
type Spent struct {
	Attempts int           // within the window, since the VM last ran well
	Limit    int           // after FT_MAX_ATTEMPTS
	Wait     time.Duration // before the next attempt
	// Exhausted: no attempt is left until Until.
	Exhausted bool
	Until     time.Time
}

// attrMaxAttempts lowers or, from an admin, changes the number of attempts.
const attrMaxAttempts = "FT_MAX_ATTEMPTS"

// maxDoublings keeps the back-off within what a duration can hold.
const maxDoublings = 16

// Judge finds what a VM has used of its budget. noted are the attempts that one-ft has written down itself. Recreates are
// counted in the history of the VM, too: oned writes it, all front-ends of a cluster share it, and no owner can change it.
// The larger number counts. The clock of the history is that of the front-end. host is where the VM is; nil for nowhere.
func (b Budget) Judge(vm one.VM, host *one.Host, noted []time.Time, now time.Time) Spent {
	s := Spent{Limit: b.limit(vm, host)}
	from := b.begin(vm, now)
	recent := func(times []time.Time) (kept []time.Time) {
		for _, t := range times {
			if t.After(from) && !t.After(now) {
				kept = append(kept, t)
			}
		}
		slices.SortFunc(kept, time.Time.Compare)
		return kept
	}
	all := recent(noted)
	if recreated := recent(recreates(vm)); len(recreated) > len(all) {
		all = recreated
	}
	s.Attempts = len(all)
	switch {
	case s.Attempts >= s.Limit:
		s.Exhausted = true
		if s.Attempts > 0 && s.Limit > 0 {
			s.Until = all[len(all)-s.Limit].Add(b.Window)
		}
	case s.Attempts > 0:
		backOff := b.BackOff << min(s.Attempts-1, maxDoublings)
		s.Wait = max(0, all[len(all)-1].Add(backOff).Sub(now))
	}
	return s
}

// begin is from when on attempts count: the window, or the last time that the VM began to run for long enough.
func (b Budget) begin(vm one.VM, now time.Time) time.Time {
	from := now.Add(-b.Window)
	for _, r := range vm.History {
		end := time.Unix(r.RunningEnd, 0)
		if r.RunningEnd == 0 {
			if !vm.Is(one.Running, one.Unknown) {
				continue // oned enters the start when the boot begins; it never ran
			}
			end = now
		}
		if start := time.Unix(r.RunningStart, 0); r.RunningStart > 0 && end.Sub(start) >= b.RanWell && start.After(from) {
			from = start
		}
	}
	return from
}

// recreates are when a VM was recreated, by anybody: when it was placed again after a record that a recreate closed. Up to
// 4.12 a FAILED VM's record is closed without it: there, before there were clusters, only what is noted counts.
func recreates(vm one.VM) (times []time.Time) {
	for i, r := range vm.History {
		switch {
		case r.Action != one.ActionRecreate:
		case i+1 < len(vm.History) && vm.History[i+1].Start >= r.End:
			times = append(times, time.Unix(vm.History[i+1].Start, 0))
		case r.End > 0:
			times = append(times, time.Unix(r.End, 0))
		}
	}
	return times
}

// limit is the number of attempts: the host's template changes it, and the owner of the VM may lower it.
func (b Budget) limit(vm one.VM, host *one.Host) int {
	limit := b.Attempts
	if host != nil {
		if n, set := attempts(host.Template); set {
			limit = n
		}
	}
	for _, template := range []map[string]string{vm.UserTemplate, vm.Template} {
		if n, set := attempts(template); set {
			return min(limit, n)
		}
	}
	return limit
}

// attempts reads FT_MAX_ATTEMPTS, 0 to 100; anything else is not set.
func attempts(template map[string]string) (int, bool) {
	const most = 100
	n, err := strconv.Atoi(strings.TrimSpace(template[attrMaxAttempts]))
	return n, err == nil && n >= 0 && n <= most
}
