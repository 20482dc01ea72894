package failover

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"one-ft/pkg/one"
	"one-ft/pkg/onedconf"
	"one-ft/pkg/wording"
)

// DefaultInterval is the time between two monitorings of a host where neither
// oned nor monitord.conf tells: MONITORING_INTERVAL_HOST of monitord, 6.0 to 7.4.
const DefaultInterval = 180 * time.Second

// watchEvery is how often the host is looked at while waiting. A host that is back
// stays MONITORED for at least one monitoring interval, and no interval is shorter
// than a few seconds.
const watchEvery = time.Second

// Interval finds the time between two monitorings of a host: from oned's configuration
// (before 6.0), else from monitord.conf (path; may be missing), else
// DefaultInterval. The second result says where it came from, and what kept monitord.conf
// from being read; it is printable.
func Interval(ctx context.Context, cloud Cloud, monitord string) (time.Duration, string, error) {
	seconds, err := cloud.MonitoringInterval(ctx)
	if err != nil {
		return 0, "", err
	}
	if seconds > 0 {
		return time.Duration(seconds) * time.Second, "configuration of oned", nil
	}
	all, err := onedconf.ReadFile(monitord)
	switch interval, found := monitordInterval(all); {
	case errors.Is(err, fs.ErrNotExist):
		return DefaultInterval, "default of monitord", nil
	case err != nil:
		return DefaultInterval, one.Printable(fmt.Sprintf("default of monitord, because its configuration cannot be read: %v", err)), nil
	case found:
		return interval, monitord, nil
	}
	return DefaultInterval, "default of monitord", nil
}

// monitordInterval finds MONITORING_INTERVAL_HOST in a monitord.conf; found is false when it is not
// there, or not between a second and one.MaxInterval.
func monitordInterval(conf []onedconf.Attribute) (interval time.Duration, found bool) {
	a, found := onedconf.Find(conf, "MONITORING_INTERVAL_HOST")
	n, ok := onedconf.Number(a.Value)
	if !found || !ok || n <= 0 || n > one.MaxInterval {
		return 0, false
	}
	return time.Duration(n) * time.Second, true
}

// confirm watches the host for a time. It ends at once when oned has
// monitored the host; nothing else is "back". oned not answering at the end of
// the time is an error: then nothing is known about the host.
// watched is since when a process before has done so already; the zero time for not.
func (r *runner) confirm(ctx context.Context, period time.Duration, watched time.Time) (stage, error) {
	end := time.Now().Add(period)
	if !watched.IsZero() && watched.Add(period).Before(end) {
		end = watched.Add(period)
		r.say(-1, wording.WatchContinued, watched, max(0, time.Until(end).Round(time.Second)), period)
	} else {
		r.say(-1, wording.Watch, period)
	}
	var contact int64
	for first := true; ; first = false {
		look := r.host
		if first || time.Until(end) <= watchEvery {
			look = r.hostItself // the pool does not tell when it was last monitored
		}
		host, err := look(ctx)
		if err == nil && contact > 0 && host.LastContact > contact && !host.State.Back() {
			// It was back between two looks: oned was slow, or away.
			r.say(-1, wording.WatchAnew)
			end = time.Now().Add(period)
		}
		contact = max(contact, host.LastContact)
		left := time.Until(end)
		r.turns.expect(r.hostID, left < gather)
		switch {
		case err != nil && (left <= 0 || !one.Temporary(err)):
			return stage{}, fmt.Errorf("watch the host: %w", err)
		case err != nil:
			r.say(-1, wording.WatchBlind, err)
		case host.State.Back():
			return stage{back: true}, nil
		}
		if left <= 0 {
			return stage{}, nil
		}
		if by := r.wanted(); by != "" {
			return stage{left: by}, nil
		}
		if !wait(ctx, min(watchEvery, left)) {
			return stage{}, fmt.Errorf("watch the host: %w", ctx.Err())
		}
	}
}
