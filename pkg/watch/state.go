package watch

import (
	"encoding/json"
	"time"

	"one-ft/pkg/statedir"
	"one-ft/pkg/wording"
)

// State is what oneft watch sees, for others.
type State struct {
	// At is about when it was written: it is written again each minute.
	At      time.Time `json:"at"`
	Outages []Outage  `json:"outages"`
}

// Fresh is how old a State of a running oneft watch is at most.
const Fresh = 2 * time.Minute

// maxState bounds the file in bytes.
const maxState = 1 << 20

// Read reads what oneft watch sees; the zero State where it never ran, or its file cannot be read.
func Read(dir string) (s State) {
	data, err := statedir.ReadSmall(statedir.Dir(dir).Watch(), maxState)
	if err != nil || json.Unmarshal(data, &s) != nil {
		return State{}
	}
	return s
}

// Write writes a State down, for Read.
func Write(dir string, s State) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return statedir.File{Volatile: true}.Replace(statedir.Dir(dir).Watch(), data)
}

// Message says what is known of a silent host, and what to do.
func Message(o Outage) wording.Message {
	kind := wording.WatchSilent
	switch {
	case o.Heard:
		kind = wording.WatchHeard
	case o.Frozen:
		kind = wording.WatchFrozen
	}
	return wording.Of(kind, o.Host, o.Name, o.Since)
}
