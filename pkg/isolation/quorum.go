package isolation

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

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
