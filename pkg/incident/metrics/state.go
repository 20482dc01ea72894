package metrics

import (
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
)

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
	// LastIncident is when the last incident of a kind ended, in Unix seconds.
	LastIncident map[string]float64 `json:"last_incident"`
	// Running is how long it took until VMs ran again, by the kind of the incident. Files of one-ft without it have
	// none, and such a one-ft reads files that have it.
	Running map[string]histogram `json:"error_to_running,omitempty"`
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
	if held(r) {
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
