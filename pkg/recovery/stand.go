package recovery

import (
	"time"

	"one-ft/pkg/incident"
)

// Waits are until when a guard waits although no storm holds it; the zero time for not at all.
type Waits struct {
	Young   time.Time // oned has only just started or become leader
	Settled time.Time // others may follow into ERROR; it counts only where the guard is blind
	Calm    time.Time // the cool-down of a storm that is over
}

// Reply is what the way to a failed host says that nothing would prove off: where it answers.
type Reply struct {
	Answers bool
	Address string
	Until   time.Time // it is watched until then, and refused
}

// Stand decides what stands between a failed host and the recovery of its VMs: everything that judges that goes through here.
func Stand(v Verdict, w Waits, way Reply, now time.Time) incident.Standing {
	s := incident.Standing{State: incident.StandClear, Failed: v.Worst.Failed, InService: v.Worst.InService, Silent: v.Worst.Silent, Quarantined: v.Worst.Quarantined, Where: v.Worst.Where}
	switch {
	case v.Hold:
		s.State = incident.StandStorm
	case now.Before(w.Young):
		s.State, s.Until = incident.StandYoung, w.Young
	case v.Blind && now.Before(w.Settled):
		s.State, s.Until = incident.StandSettling, w.Settled
	case now.Before(w.Calm):
		s.State, s.Until = incident.StandEbbing, w.Calm
	case way.Answers:
		s.State, s.Until, s.Address = incident.StandAnswers, way.Until, way.Address
	}
	return s
}
