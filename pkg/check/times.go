package check

import "one-ft/pkg/wording"

// times is about times of hooks and configuration that make no sense together.
func (e *evaluation) times() {
	for _, f := range e.Times {
		found := Finding{Severity: Warning, What: f.What.String(), Fix: f.Fix.String()}
		switch {
		case f.What.Kind == wording.HookKilled:
			found.Severity, found.Stops = Problem, StopsEverything
		case f.What.Level() == wording.Problem:
			found.Severity = Problem
		}
		e.add(found)
	}
	if len(e.Times) == 0 {
		e.ok("the times of hooks and configuration fit together")
	}
}
