package coordinator

import (
	"cmp"
	"context"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/failover"
	"one-ft/pkg/incident"
	"one-ft/pkg/wording"
)

// NewRequest adds to a request, of which kind, ID and action are known, what flags and the configuration say to all tools.
func NewRequest(s app.Session, q incident.Request) incident.Request {
	q.Tool, q.Call, q.AnyState = s.Tool, s.Call, s.AnyState
	if s.Event.FromTemplate {
		q.Event = &s.Event
	}
	if s.TimeoutGiven {
		q.Timeout = s.Timeout.Seconds()
	}
	if q.At.IsZero() {
		q.At = time.Now().Truncate(time.Millisecond)
	}
	return Complete(s, q)
}

// Complete gives a request what it leaves to the flags that all tools share and to the configuration: a new one, and one
// that an earlier version or another front-end has written.
func Complete(s app.Session, q incident.Request) incident.Request {
	if q.Kind == "host" {
		v := s.Config.Values()
		q.Fencing = cmp.Or(q.Fencing, v.Fencing)
		if len(q.Opinions) == 0 {
			q.Opinions = v.Confirm
		}
		if !s.VerifyGiven {
			q.Verify = cmp.Or(q.Verify, failover.VerifyRunning) // the VMs of a host are followed until they run
		}
	}
	q.Verify = cmp.Or(q.Verify, s.Verify)
	return q
}

// Watch is how long to watch a host: wait, or so many cycles of interval; an interval of 0 is that of oned.
func Watch(ctx context.Context, s app.Session, wait time.Duration, cycles int, interval time.Duration) (time.Duration, error) {
	if cycles > 0 && interval == 0 && !s.DryRun {
		var source string
		var err error
		if interval, source, err = s.Client.Interval(ctx, monitord(s)); err != nil {
			return 0, err
		}
		s.Log.Say(wording.MonitoringCycle, interval, source)
	}
	return wait + time.Duration(cycles)*interval, nil
}

// monitord is the configuration file of monitord.
func monitord(s app.Session) string { return filepath.Join(s.Paths.Etc, "monitord.conf") }

// NoBudgetFlag is a flag of executables that act on single VMs.
func NoBudgetFlag() cli.Flag {
	return &cli.BoolFlag{Name: "no-budget", Usage: "manual override: ignore retry budget and rate limit"}
}
