package isolation

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/hostmark"
	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

// Reported is what oned says of this host.
type Reported string

// What oned can say. DISABLED is said by an admin of a host that goes on working, so it renews a lease; OFFLINE is
// said of a host that is off, and ends it.
const (
	ReportedNothing   Reported = ""
	ReportedMonitored Reported = "MONITORED"
	ReportedInit      Reported = "INIT"
	ReportedError     Reported = "ERROR"
	ReportedDisabled  Reported = "DISABLED"
	ReportedOffline   Reported = "OFFLINE"
	ReportedOther     Reported = "something unknown" // a state that no version up to 7.4 has
)

// reportedOf sorts the states of a host. One in quarantine has failed: no admin wants its VMs to go on there.
func reportedOf(h one.Host) Reported {
	s := h.State
	switch {
	case s == one.HostOffline:
		return ReportedOffline
	case s.Failed(), s.SetByAdmin() && h.Template[hostmark.AttrQuarantine] != "":
		return ReportedError
	case s.Back():
		return ReportedMonitored
	case s.Starting():
		return ReportedInit
	case s.SetByAdmin():
		return ReportedDisabled
	}
	return ReportedOther
}

// Answer is what a front-end, or all of them together, said in one round.
type Answer struct {
	Reported Reported
	Asked    time.Duration // when the first request of it was sent, since the boot
	Err      error         // why there is no answer; then the rest says nothing
}

// Quorum finds what oned says from the answers of all configured front-ends, one each.
//
// In an HA cluster each server answers such a question independently: a follower from its database, and a leader that
// was cut off from the others goes on believing that it leads (src/rm/Request.cc and src/raft, 6.10). So more than
// half have to answer, and what is worst for the host counts. A state that another leader has told anybody was
// written by more than half of the servers first: one of those that answer here knows it, at the latest with the next
// heartbeat of the cluster (BROADCAST_TIMEOUT_MS of oned.conf, 0.5 s), which the margin of a lease covers.
//
// The answer's time is when the first of the requests was sent that it rests on; via is the index of the front-end
// that counts, -1 for none.
func Quorum(answers []Answer) (word Answer, via int) {
	var why error
	via = -1
	answered := 0
	for i, a := range answers {
		if a.Err != nil {
			why = cmp.Or(why, a.Err)
			continue
		}
		if answered++; answered == 1 {
			word.Asked = a.Asked
		}
		word.Asked = min(word.Asked, a.Asked)
		if via < 0 || rank(a.Reported) < rank(answers[via].Reported) {
			via, word.Reported = i, a.Reported
		}
	}
	if 2*answered > len(answers) {
		return word, via
	}
	if answered > 0 {
		why = fmt.Errorf("only %d of %d front-ends answer, which may be cut off from the others: %w", answered, len(answers), why)
	}
	return Answer{Err: why}, -1
}

// rank orders what oned can say, what is worst for the host first.
func rank(r Reported) int {
	return slices.Index([]Reported{ReportedError, ReportedOffline, ReportedOther, ReportedNothing, ReportedInit, ReportedDisabled,
		ReportedMonitored}, r)
}

// Stale reports whether a guest of a VM that runs on a host is a stale copy, with the reason: oned has the VM on
// another host, is placing it again, or has ended it. A VM that is migrating may still run at its source.
func Stale(vm one.VM, hostID int) (why wording.Message, stale bool) {
	switch {
	case vm.State == one.Done:
		return wording.Of(wording.StaleEnded), true
	case vm.State == one.Pending, vm.State == one.Hold, vm.Is(one.CleanupResubmit):
		return wording.Of(wording.StalePlaced, vm.Status()), true
	}
	last, placed := vm.Last()
	if !placed || last.HostID == hostID {
		return why, false
	}
	if source, known := vm.Previous(); known && vm.Migrating() && source.HostID == hostID {
		return why, false
	}
	return wording.Of(wording.StaleElsewhere, last.HostID, last.Host, vm.Status()), true
}
