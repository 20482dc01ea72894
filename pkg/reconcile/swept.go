package reconcile

import (
	"encoding/json"
	"fmt"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/statedir"
	"one-ft/pkg/wording"
)

// swept is what is remembered of the last run of oneft resume.
type swept struct {
	At time.Time `json:"at"`
}

// LastSweep is when oneft resume ran last on this front-end; the zero time for never, or not known.
func LastSweep(dir statedir.Dir) time.Time {
	const most = 4096 // bytes
	var s swept
	data, err := statedir.ReadSmall(dir.Sweep(), most)
	if err != nil || json.Unmarshal(data, &s) != nil {
		return time.Time{}
	}
	return s.At
}

// noteSweep writes down that oneft resume runs. A disk that does not take that takes no lock and no incident, either.
func noteSweep(s app.Session) error {
	dir := statedir.Dir(s.StateDir)
	data, err := json.Marshal(swept{At: time.Now().Truncate(time.Second)})
	if err == nil && !s.DryRun {
		err = statedir.File{Volatile: true}.Replace(dir.Sweep(), data)
	}
	if err != nil {
		err = s.StateUnusable(fmt.Errorf("failed to write when oneft resume ran: %w", err))
		s.Log.Say(wording.Trouble, err)
	}
	return err
}
