// Package metrics counts incidents and their results for Prometheus: a file of cumulative counters that does not
// forget what is pruned from the journal, and a text file for node_exporter's textfile collector.
package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
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
	return update(ctx, stateFile, promFile, failed, func(s *state) { s.add(r, now) })
}

// AddSilent counts a host that did not answer although oned called it MONITORED; see Add.
func AddSilent(ctx context.Context, stateFile, promFile string) error {
	failed := func(err error) error { return fmt.Errorf("count a silent host: %w", err) }
	return update(ctx, stateFile, promFile, failed, func(s *state) { s.SilentHosts++ })
}

// Swept is what a run of oneft resume has seen. A zero time is for none.
type Swept struct {
	At time.Time `json:"at"` // when it looked
	// Open incidents are worked on, or will be resumed. Held ones wait for a storm or the like to clear, and Following ones for VMs
	// that are on their way: neither counts as open.
	Open      Now `json:"open"`
	Held      Now `json:"held"`
	Following Now `json:"following"`
	// Quarantined are the hosts that are out of scheduling.
	Quarantined Now `json:"quarantined"`
	// LeftHosts and LeftVMs failed, and are left to an operator.
	LeftHosts int `json:"left_hosts"`
	LeftVMs   int `json:"left_vms"`
	// Marks are the hosts to which ssh fails at once.
	Marks int `json:"marks"`
}

// Now is how many there are now, and since when there is the oldest of them.
type Now struct {
	Count int       `json:"count"`
	Since time.Time `json:"since,omitzero"`
}

// Add counts one that began at a time.
func (n *Now) Add(began time.Time) {
	if n.Count++; n.Since.IsZero() || began.Before(n.Since) {
		n.Since = began
	}
}

// Set replaces what the last run of oneft resume has seen; see Add.
func Set(ctx context.Context, stateFile, promFile string, now Swept) error {
	failed := func(err error) error { return fmt.Errorf("write what oneft resume has seen: %w", err) }
	return update(ctx, stateFile, promFile, failed, func(s *state) { s.Swept = &now })
}

// update changes the counters, and writes them.
func update(ctx context.Context, stateFile, promFile string, failed func(error) error, change func(*state)) error {
	_, release, err := statedir.LockFile(ctx, stateFile+".lock", lockLimit)
	if err != nil {
		return failed(err)
	}
	defer release()
	s, damage := load(stateFile)
	if damage != nil && !errors.Is(damage, ErrDamaged) {
		return failed(damage)
	}
	change(&s)
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
// The incident has ended. A clock that was set back makes 0.
func stepSeconds(r incident.Record) map[incident.Step]float64 {
	var firsts []incident.Event
	for _, e := range r.Events {
		if !slices.ContainsFunc(firsts, func(f incident.Event) bool { return f.Step == e.Step }) {
			firsts = append(firsts, e)
		}
	}
	seconds := make(map[incident.Step]float64, len(firsts))
	for i, e := range firsts {
		until := *r.Ended
		if i+1 < len(firsts) {
			until = firsts[i+1].At
		}
		seconds[e.Step] = max(0, until.Sub(e.At).Seconds())
	}
	return seconds
}

const (
	stateVersion = 1
	// maxState bounds the file of counters in bytes; it has some kilobytes.
	maxState = 1 << 20
	// maxSeconds bounds a sum of seconds: thirty million years.
	maxSeconds = 1e15
)

// state are the counters.
type state struct {
	Version int `json:"version"`
	// Incidents are by kind and status, VMs by action and result.
	Incidents map[string]map[string]uint64 `json:"incidents"`
	VMs       map[string]map[string]uint64 `json:"vms"`
	// StepSeconds and StepCount are by step.
	StepSeconds map[string]float64 `json:"step_seconds"`
	StepCount   map[string]uint64  `json:"step_count"`
	StormHolds  uint64             `json:"storm_holds"`
	// SilentHosts is how often oneft watch told of a host. Files of one-ft without it have none.
	SilentHosts uint64 `json:"silent_hosts,omitempty"`
	// LastIncident is when the last incident of a kind ended, in Unix seconds.
	LastIncident map[string]float64 `json:"last_incident"`
	// Running is how long it took until VMs ran again, by the kind of the incident. Files of one-ft without it have
	// none, and such a one-ft reads files that have it.
	Running map[string]histogram `json:"error_to_running,omitempty"`
	// Swept is nil before the first run of oneft resume.
	Swept *Swept `json:"swept,omitempty"`
}

// other is the value of a label that has no known one: the number of series is bounded, whatever stands in a record.
const other = "other"

// set are the values that a label has.
type set []string

// known is the value itself, or other.
func (s set) known(value string) string {
	if slices.Contains(s, value) {
		return value
	}
	return other
}

func kinds() set { return set{"host", "VM"} }

func statuses() set {
	return setOf(slices.DeleteFunc(incident.Statuses(), func(s incident.Status) bool { return !s.Ended() }))
}

func steps() set { return setOf(incident.Steps()) }

func setOf[S ~string](all []S) (values set) {
	for _, s := range all {
		values = append(values, string(s))
	}
	return values
}

// actions are those of recovery.Verb, which incident.VM.Action holds.
func actions() set {
	return set{"recreate", "resume, then recreate", "delete", "resched", "migrate", "recover failure", "retry", "boot", "leave", "already being recovered"}
}

// results are those of incident.VM.Result.
func results() set {
	return set{"done", "already", "left", "incomplete", "refused", "unproven", "starting"}
}

// newState counts from zero.
func newState() state {
	return state{
		Version: stateVersion, Incidents: map[string]map[string]uint64{}, VMs: map[string]map[string]uint64{},
		StepSeconds: map[string]float64{}, StepCount: map[string]uint64{}, LastIncident: map[string]float64{},
		Running: map[string]histogram{},
	}
}

// add counts an incident that has ended.
func (s *state) add(r incident.Record, now time.Time) {
	kind := kinds().known(r.Kind)
	count(s.Incidents, kind, statuses().known(string(r.Status)))
	for _, vm := range r.VMs {
		count(s.VMs, actions().known(vm.Action), results().known(vm.Result))
	}
	for step, seconds := range stepSeconds(r) {
		label := steps().known(string(step))
		s.StepCount[label]++
		if sum := s.StepSeconds[label] + seconds; sum <= maxSeconds {
			s.StepSeconds[label] = sum
		}
	}
	if slices.ContainsFunc(r.Events, func(e incident.Event) bool { return e.Kind.Is(wording.Held) }) {
		s.StormHolds++
	}
	h := s.Running[kind]
	for _, seconds := range runningSeconds(r) {
		h = h.observe(seconds)
	}
	if len(h.Buckets) > 0 {
		s.Running[kind] = h
	}
	ended := *r.Ended
	if ended.After(now) {
		ended = now
	}
	s.LastIncident[kind] = max(s.LastIncident[kind], float64(ended.UnixMilli())/1000)
}

// count adds one.
func count(counters map[string]map[string]uint64, a, b string) {
	if counters[a] == nil {
		counters[a] = map[string]uint64{}
	}
	counters[a][b]++
}

// encode is what decode reads.
func (s state) encode() ([]byte, error) {
	text, err := json.MarshalIndent(s, "", "  ")
	return append(text, '\n'), err
}

// load reads the counters; without a file they are zero. A damaged file is set aside; then the error is ErrDamaged,
// and the counters are zero.
func load(path string) (state, error) {
	var s state
	counters, why := statedir.ReadSmall(path, maxState)
	switch {
	case errors.Is(why, fs.ErrNotExist):
		return newState(), nil
	case why == nil:
		if s, why = decode(counters); why == nil || errors.Is(why, errLater) {
			return s, why
		}
	case !errors.Is(why, statedir.ErrTooLarge):
		if info, err := os.Lstat(path); err != nil || info.Mode().IsRegular() {
			return state{}, why
		}
	}
	aside := path + ".damaged"
	if err := os.Rename(path, aside); err != nil {
		return state{}, fmt.Errorf("%s is damaged: %w; it could not be set aside: %w", path, why, err)
	}
	return newState(), fmt.Errorf("%w: %s is now %s: %w", ErrDamaged, path, aside, why)
}

// errLater means that a later one-ft wrote the file.
var errLater = errors.New("the counters were written by a later one-ft; use that one")

// decode reads counters and refuses what encode does not write.
func decode(counters []byte) (state, error) {
	var version struct {
		Version int `json:"version"`
	}
	if json.Unmarshal(counters, &version) == nil && version.Version > stateVersion {
		return state{}, errLater
	}
	s := newState()
	s.Version = 0
	if err := json.Unmarshal(counters, &s); err != nil {
		return state{}, errors.New(text.Printable(err.Error()))
	}
	// Labels that are not known here do not matter: they are of another one-ft.
	ok := s.Version == stateVersion && s.Incidents != nil && s.VMs != nil && s.StepCount != nil && s.StepSeconds != nil && s.LastIncident != nil && s.Running != nil
	for _, numbers := range []map[string]float64{s.StepSeconds, s.LastIncident} {
		for _, n := range numbers {
			ok = ok && n >= 0 && n <= maxSeconds
		}
	}
	for _, h := range s.Running {
		ok = ok && h.Sum >= 0 && h.Sum <= maxSeconds
		for _, n := range h.Buckets {
			ok = ok && n <= maxCount
		}
	}
	if !ok {
		return state{}, errors.New("it has other content than counters")
	}
	return s, nil
}
