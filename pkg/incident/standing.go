package incident

import (
	"fmt"
	"time"

	"one-ft/pkg/wording"
)

// Stand says what stands between a failed host and the recovery of its VMs. The values are stable: they stand in the journal
// and in reports.
type Stand string

// What may stand there.
const (
	StandClear    Stand = "clear"    // nothing
	StandStorm    Stand = "storm"    // so many hosts fail at once that the front-end is the likelier culprit
	StandEbbing   Stand = "ebbing"   // it is over, and has to stay away for the cool-down
	StandYoung    Stand = "young"    // oned has only just started or become leader
	StandSettling Stand = "settling" // so many hosts cannot be asked that others are given time to follow into ERROR
	StandAnswers  Stand = "answers"  // nothing proves the host off, and it answers
	StandNowhere  Stand = "nowhere"  // no host is left that may take any of the VMs
	StandUnknown  Stand = "unknown"  // the hosts cannot be judged: Standing.Error
)

// Standing is what stands between a failed host and the recovery of its VMs, as it was judged at a moment. The process that
// recovers the host writes it into its incident; dry runs, drills, checks and lists of what a timer would do have the same.
type Standing struct {
	State Stand `json:"state"`
	// Failed of InService hosts of Where count as failed; oned does not call Silent of them so, and they do not answer.
	Failed    int `json:"failed"`
	InService int `json:"in_service"`
	Silent    int `json:"silent,omitempty"`
	// Quarantined of Failed are out of scheduling since they failed, and nothing was heard of them.
	Quarantined int    `json:"quarantined,omitempty"`
	Where       string `json:"where,omitempty"`
	// Address is where the host answers, when it does and that matters.
	Address string `json:"address,omitempty"`
	Error   string `json:"error,omitempty"`
	// Until is when it ends on its own; the zero time for not, or not known.
	Until time.Time `json:"until,omitzero"`
	// Since is when the recovery began that judged it: a storm does not grow old while it is held.
	Since time.Time `json:"since,omitzero"`
}

// Same reports whether two standings say the same, whenever it was.
func (s Standing) Same(as Standing) bool {
	s.Since, s.Until, as.Since, as.Until = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return s == as
}

// Holds reports whether the VMs of the host are not touched now.
func (s Standing) Holds() bool { return s.State != StandClear && s.State != "" }

// Refuses reports whether they would not be touched now, for longer than the moment in which others are given time to follow:
// that is a wait and no refusal, in every tool that only looks.
func (s Standing) Refuses() bool { return s.Holds() && s.State != StandSettling }

// Stormy reports whether a storm is held, or was a moment ago.
func (s Standing) Stormy() bool { return s.State == StandStorm || s.State == StandEbbing }

// Message says it.
func (s Standing) Message(now time.Time) wording.Message {
	left := max(0, s.Until.Sub(now)).Round(time.Second)
	count := []any{s.Failed, s.InService, s.Where, wording.AlsoFailed{Silent: s.Silent, Quarantined: s.Quarantined}}
	switch s.State {
	case StandStorm:
		return wording.Of(wording.Held, count...)
	case StandEbbing:
		return wording.Of(wording.Ebbing, count...)
	case StandYoung:
		return wording.Of(wording.OnedYoung, left)
	case StandSettling:
		return wording.Of(wording.Settling, left)
	case StandAnswers:
		return wording.Of(wording.HostAnswers, s.Address, left)
	case StandNowhere:
		return wording.Of(wording.NowhereHeld)
	case StandUnknown:
		return wording.Of(wording.GuardBlind, wording.Words(s.Error))
	}
	return wording.Of(wording.GuardPassed, count...)
}

// HostStanding is the Standing of one host.
type HostStanding struct {
	Host int    `json:"host"`
	Name string `json:"name"`
	Standing
}

// Line is it in one line, for people.
func (h HostStanding) Line(now time.Time) string {
	return fmt.Sprintf("host %d (%s): %s", h.Host, h.Name, h.Message(now))
}
