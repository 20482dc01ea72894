package failover

import (
	"context"
	"fmt"
	"time"

	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

// watchEvery is how often the host is looked at while waiting. A host that is back
// stays MONITORED for at least one monitoring interval, and no interval is shorter
// than a few seconds.
const watchEvery = time.Second

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
