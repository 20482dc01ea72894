package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
)

// outcome is what one way to a target came to.
type outcome struct {
	reach  Reach
	detail string
	// minor: it was not to be expected to work on this host, such as IPv6 where that is switched off: any other way
	// says more.
	minor bool
}

// rank orders outcomes. Unknown hides Unreachable: the way that could not be tried might have been the one that
// works.
func (o outcome) rank() int {
	switch {
	case o.minor:
		return 0
	case o.reach == Unreachable:
		return 1
	case o.reach == Unknown:
		return 2
	}
	return 1 + int(o.reach)
}

func unknown(format string, args ...any) outcome {
	return outcome{reach: Unknown, detail: fmt.Sprintf(format, args...)}
}

func reachable(format string, args ...any) outcome {
	return outcome{reach: Reachable, detail: fmt.Sprintf(format, args...)}
}

func failed(where any, err error) outcome {
	reach, why := classify(err)
	return outcome{reach: reach, detail: fmt.Sprintf("%v: %s", where, why), minor: reach == Unknown && errors.Is(err, syscall.EAFNOSUPPORT)}
}

// try is one way to find out whether a target answers. It returns soon after its context ends.
type try func(ctx context.Context) outcome

// race tries all ways at the same time and returns the best outcome, with the details of all when none was an answer.
// It returns when all have ended; the first that is Reachable ends the others.
func race(ctx context.Context, tries []try) outcome {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan int, len(tries))
	all := make([]outcome, len(tries))
	for i, t := range tries {
		go func() {
			all[i] = t(ctx)
			ended <- i
		}()
	}
	winner := -1
	for range tries {
		if i := <-ended; winner < 0 && all[i].reach == Reachable {
			winner = i
			cancel()
		}
	}
	if winner >= 0 {
		return all[winner]
	}
	return best(all)
}

// best is the best outcome. Details are joined unless the machine itself answered.
func best(all []outcome) outcome {
	if len(all) == 0 {
		return unknown("there was nothing to try")
	}
	top := slices.MaxFunc(all, func(a, b outcome) int { return a.rank() - b.rank() })
	if top.reach < Refused {
		var details []string
		for _, o := range all {
			if !slices.Contains(details, o.detail) {
				details = append(details, o.detail)
			}
		}
		top.detail = strings.Join(details, "; ")
	}
	return top
}
