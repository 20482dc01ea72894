package isolation

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/one"
)

// Answer is what one front-end said in one round.
type Answer struct {
	Raft  one.Raft
	Says  Says
	Asked time.Duration // when the first request of it was sent, since the boot
	Err   error         // why there is no answer; then the rest says nothing
}

// Agree finds what oned says from the answers of all configured front-ends, one each. Only
// a front-end that is in charge counts: one without a cluster, or the leader of one. A
// leader that was cut off from the others still believes that it leads (it answers
// from its memory: src/rm/Request.cc, 6.10); so, of several front-ends more than half have to
// answer, and none may know of a later election. Who was elected later got the vote
// of at least one of them, after it had answered here.
//
// via is the index of the front-end that counts, -1 for none; asked is when the first of
// the requests was sent that the answer rests on.
func Agree(answers []Answer) (says Says, asked time.Duration, via int, why error) {
	via = -1
	var answered, clustered []int
	for i, a := range answers {
		if a.Err != nil {
			why = cmp.Or(why, a.Err)
			continue
		}
		answered = append(answered, i)
		if a.Raft.State != one.RaftSolo {
			clustered = append(clustered, i)
		}
	}
	if len(answered) == 0 {
		return SaysNothing, 0, -1, why
	}
	if len(clustered) == 0 {
		// Several addresses of one front-end. Should they differ, one of them is not it:
		// the worst counts.
		via = slices.MinFunc(answered, func(i, j int) int { return cmp.Compare(rank(answers[i].Says), rank(answers[j].Says)) })
		return answers[via].Says, earliest(answers, answered), via, nil
	}
	for _, i := range clustered {
		if r := answers[i].Raft; r.State == one.RaftLeader && (via < 0 || r.Term > answers[via].Raft.Term) {
			via = i
		}
	}
	switch {
	case via < 0:
		return SaysNothing, 0, -1, fmt.Errorf("none of the %d front-ends that answer is the leader of its cluster", len(answered))
	case len(clustered) < len(answered):
		return SaysNothing, 0, -1, fmt.Errorf("of the front-ends some are in a cluster and some are not")
	case 2*len(clustered) <= len(answers):
		return SaysNothing, 0, -1, fmt.Errorf("only %d of %d front-ends answer: the leader may be cut off from the others", len(clustered), len(answers))
	}
	for _, i := range clustered {
		if answers[i].Raft.Term > answers[via].Raft.Term {
			return SaysNothing, 0, -1, fmt.Errorf("a front-end knows of a later election than the leader does")
		}
	}
	return answers[via].Says, earliest(answers, clustered), via, nil
}

// rank orders what oned can say, what is worst for the host first.
func rank(s Says) int {
	return slices.Index([]Says{SaysError, SaysOffline, SaysOther, SaysNothing, SaysInit, SaysDisabled, SaysMonitored}, s)
}

// earliest is when the first request of these answers was sent.
func earliest(answers []Answer, which []int) time.Duration {
	first := answers[which[0]].Asked
	for _, i := range which {
		first = min(first, answers[i].Asked)
	}
	return first
}
