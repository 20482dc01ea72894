// Package pause is the maintenance of a cloud: while it lasts nothing is fenced and no VM is touched by the one-ft of this
// front-end. It is one small file in the state directory, and it always ends on its own.
package pause

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// State is a pause. The zero State is none.
type State struct {
	Began  time.Time `json:"began"`
	Until  time.Time `json:"until"`
	By     string    `json:"by"`     // who asked for it
	Reason string    `json:"reason"` // printable, as it was given
}

// Longest is the longest pause: who needs more than a day asks for it again, and nobody forgets that HA is off. A choice.
const Longest = 24 * time.Hour

const (
	maxState  = 64 << 10 // bytes of the file
	maxReason = 200      // characters that are kept and shown
)

// New makes a pause from now on. The error says what is wrong with what was asked for.
func New(now time.Time, length time.Duration, by, reason string) (State, error) {
	reason = strings.TrimSpace(reason)
	switch {
	case length < time.Minute || length > Longest:
		return State{}, fmt.Errorf("a pause of %s: allowed are 1m to %s, such as 2h", length, Longest)
	case reason == "":
		return State{}, errors.New(`a pause needs a reason, for whoever wonders why nothing is recovered, such as "new switches"`)
	}
	now = now.Truncate(time.Second)
	return State{Began: now, Until: now.Add(length), By: text.Short(by, maxReason), Reason: text.Short(reason, maxReason)}, nil
}

// Active reports whether the pause lasts at a moment. One that would last for longer than the longest is none: its file is damaged,
// or the clock was set back, and HA must not be off without an end.
func (s State) Active(now time.Time) bool {
	left := s.Until.Sub(now)
	return !s.Until.IsZero() && left > 0 && left <= Longest
}

// Message says why nothing is done; the zero Message when nothing is paused.
func (s State) Message(now time.Time) wording.Message {
	if !s.Active(now) {
		return wording.Message{}
	}
	return wording.Of(wording.Paused, s.Until.Format(time.DateTime), text.Printable(s.By), text.Printable(s.Reason))
}

// Read reads the pause of a front-end; the zero State without one. The error is about a file that cannot be read, which pauses
// nothing.
func Read(dir statedir.Dir) (s State, err error) {
	data, err := statedir.ReadSmall(dir.Pause(), maxState)
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		return State{}, fmt.Errorf("read the pause: %w", err)
	}
	return s, nil
}

// Set begins a pause, or replaces one.
func Set(dir statedir.Dir, s State) error {
	data, err := json.Marshal(s)
	if err == nil {
		err = statedir.MakeDir(string(dir))
	}
	if err == nil {
		err = statedir.Replace(dir.Pause(), data)
	}
	if err != nil {
		return fmt.Errorf("write the pause: %w", err)
	}
	return nil
}

// End ends the pause.
func End(dir statedir.Dir) error {
	if err := statedir.Remove(dir.Pause()); err != nil {
		return fmt.Errorf("end the pause: %w", err)
	}
	return nil
}
