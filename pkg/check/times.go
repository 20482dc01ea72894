package check

import "one-ft/pkg/wording"

// pause is about maintenance, in which nothing is recovered.
func (e *evaluation) pause() {
	if e.Closed != nil {
		e.skip("whether one-ft is paused: %v", e.Closed)
		return
	}
	if e.PauseErr != nil {
		e.warn("oneft unpause", "%v; it pauses nothing", e.PauseErr)
	}
	if why := e.Pause.Message(e.Now); !why.IsZero() {
		e.stop("oneft unpause, or wait for its end", "%s", why)
	} else {
		e.ok("one-ft is not paused")
	}
}

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
