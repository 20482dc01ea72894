// Package metrics counts incidents and their results for Prometheus: a file of cumulative counters that does not
// forget what is pruned from the journal, and a text file for node_exporter's textfile collector.
package metrics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/statedir"
	"one-ft/pkg/wording"
)

// lockLimit is the most time that Add waits for other processes; each takes some milliseconds.
const lockLimit = 10 * time.Second

// ErrDamaged means that the file of counters was damaged. It was set aside, and Add has counted from zero and written
// both files: Prometheus copes with counters that start again.
var ErrDamaged = errors.New("the counters were damaged and start again from zero")

// Add counts an incident that has ended, in stateFile, and writes all counters to promFile, which node_exporter
// reads, or "" for none. Both are absolute paths; their directories exist. One process does it at a time; Add waits
// for others for 10 s at most. now is the time; the end of an incident does not count as later. If only promFile
// could not be written, it is counted all the same.
func Add(ctx context.Context, stateFile, promFile string, r incident.Record, now time.Time) error {
	failed := func(err error) error { return fmt.Errorf("count incident %d: %w", r.Number, err) }
	if r.Ended == nil || r.Status.Unfinished() {
		return failed(errors.New("it has not ended"))
	}
	_, release, err := statedir.LockFile(ctx, stateFile+".lock", lockLimit)
	if err != nil {
		return failed(err)
	}
	defer release()
	s, damage := load(stateFile)
	if damage != nil && !errors.Is(damage, ErrDamaged) {
		return failed(damage)
	}
	s.add(r, now)
	counters, err := s.encode()
	if err == nil {
		err = statedir.File{Mode: 0o640}.Replace(stateFile, counters)
	}
	if err != nil {
		return errors.Join(damage, failed(err))
	}
	if promFile != "" {
		if err := statedir.Replace(promFile, s.exposition()); err != nil { // for all: node_exporter is another user
			return errors.Join(damage, fmt.Errorf("write the metrics: %w", err))
		}
	}
	return damage
}

// stepSeconds gives how long each step of an incident took, in seconds: from its first event to the first event of
// the step that came next, and the last one to the end of the incident. A step that comes again later is no new one.
// A clock that was set back makes 0.
func stepSeconds(r incident.Record) map[incident.Step]float64 {
	var firsts []incident.Event
	for _, e := range r.Events {
		if !slices.ContainsFunc(firsts, func(f incident.Event) bool { return f.Step == e.Step }) {
			firsts = append(firsts, e)
		}
	}
	seconds := make(map[incident.Step]float64, len(firsts))
	for i, e := range firsts {
		until := e.At
		switch {
		case i+1 < len(firsts):
			until = firsts[i+1].At
		case r.Ended != nil:
			until = *r.Ended
		}
		seconds[e.Step] = max(0, until.Sub(e.At).Seconds())
	}
	return seconds
}

// held reports whether an incident was held because many hosts had failed.
func held(r incident.Record) bool {
	return slices.ContainsFunc(r.Events, func(e incident.Event) bool { return e.Kind.Is(wording.Held) })
}
