package fence

import (
	"context"
	"errors"
	"slices"
	"strings"

	"one-ft/pkg/text"
)

// Mode says whether a host has to be proven off before its VMs are started elsewhere.
type Mode string

// The values of --fencing, and of fencing in the configuration.
const (
	ModeAuto     Mode = "auto"     // fence if anything is configured for the host, else warn
	ModeRequired Mode = "required" // no proof, no action
	ModeOff      Mode = "off"      // an admin decided so
)

// Verdict is what the attempt to prove a host off would come to. The names are stable in JSON.
type Verdict string

// The verdicts.
const (
	Provable Verdict = "provable" // a level can be used; whether its devices answer is not known
	Unproven Verdict = "unproven" // VMs would be started elsewhere without a proof
	Refused  Verdict = "refused"  // no VM would be touched
)

// Reason is why a host would not be proven off. The names are stable in JSON.
type Reason string

// The reasons.
const (
	FencingOff    Reason = "fencing_off"
	NotConfigured Reason = "not_configured"
	Misconfigured Reason = "misconfigured" // the template or the configuration is wrong
	NotReady      Reason = "not_ready"     // no level can be used, see Outlook.Problems
	Unconfirmed   Reason = "unconfirmed"   // only an admin can say that the host is off
)

// Outlook is what proving a host off would come to, as far as the front-end can tell without running a device. Dry runs,
// drills and the question before acting without a proof all ask Foresee.
type Outlook struct {
	Verdict Verdict `json:"verdict"`
	Reason  Reason  `json:"reason,omitempty"` // "" when the host is provable
	// Problems are those of all levels. A provable host may have some, too.
	Problems []*Problem `json:"problems,omitempty"`
	// Leased: only a lease would prove it (Proof.Leased).
	Leased bool `json:"leased,omitempty"`
	// Detail is the reason for people, in one line; "" when the host is provable.
	Detail string `json:"detail,omitempty"`
}

// Foresee says what proving a host off would come to. err is why there are no settings, such as
// ErrNotConfigured. It runs no device.
func Foresee(ctx context.Context, mode Mode, host Host, s Settings, err error) Outlook {
	switch none := errors.Is(err, ErrNotConfigured) || err == nil && len(s.Levels) == 0; {
	case mode == ModeOff:
		return Outlook{Verdict: Unproven, Reason: FencingOff, Detail: "fencing is off"}
	case none && mode == ModeRequired:
		return Outlook{Verdict: Refused, Reason: NotConfigured, Detail: "fencing is required, and none is configured for this host"}
	case none:
		return Outlook{Verdict: Unproven, Reason: NotConfigured, Detail: ErrNotConfigured.Error()}
	case err != nil:
		return Outlook{Verdict: Refused, Reason: Misconfigured, Detail: text.Printable(err.Error())}
	}
	problems, usable := Ready(ctx, host, s, nil)
	if usable > 0 {
		return Outlook{Verdict: Provable, Problems: problems, Leased: s.onlyLeases(problems)}
	}
	o := Outlook{Verdict: Refused, Reason: Unconfirmed, Problems: problems, Detail: joined(problems, len(problems) > 1)}
	if len(broken(problems)) > 0 {
		o.Reason = NotReady
	}
	return o
}

// onlyLeases reports whether all levels that can be used are leases.
func (s Settings) onlyLeases(problems []*Problem) bool {
	for i, level := range s.Levels {
		broken := slices.ContainsFunc(problems, func(p *Problem) bool { return p.Level == i+1 })
		if !broken && level.Devices[0].Kind != KindLease {
			return false
		}
	}
	return true
}

// broken are the problems without those that an admin can solve by a word.
func broken(all []*Problem) []*Problem {
	return slices.DeleteFunc(slices.Clone(all), func(p *Problem) bool { return p.Kind == NeedsConfirm })
}

// joined joins problems, each with its level if that is to be shown.
func joined(all []*Problem, levels bool) string {
	words := make([]string, len(all))
	for i, p := range all {
		words[i] = p.Detail
		if levels {
			words[i] = levelName(p.Level, "") + ": " + p.Detail
		}
	}
	return strings.Join(words, "; ")
}

// Warning is about levels that cannot be used although another one can; "" when all can. A level that
// waits for an admin is meant to be the last resort, and no problem.
func (o Outlook) Warning() string {
	if o.Verdict != Provable {
		return ""
	}
	return joined(broken(o.Problems), true)
}

// Lines are notes before a table, a line each; none for a host that is simply provable.
func (o Outlook) Lines() []string {
	switch {
	case o.Verdict == Refused:
		return []string{"fencing: this host would be REFUSED, and none of its VMs touched: " + o.Detail}
	case o.Verdict == Unproven:
		return []string{"fencing: nothing would prove that this host is off (" + o.Detail + "): its VMs would be handled UNPROVEN; those that it still runs would run twice"}
	case o.Warning() != "":
		return []string{"warning: fencing, " + o.Warning() + "; another level can be used"}
	}
	return nil
}

// Row is the note for one VM that something would be done about, with at most 100 characters of the reason; "" for none.
func (o Outlook) Row(deletes bool) string {
	switch {
	case o.Verdict == Refused:
		return "would be REFUSED: " + text.Short(o.Detail, 100)
	case o.Verdict == Unproven && deletes:
		return "would be deleted UNPROVEN"
	case o.Verdict == Unproven:
		return "would be started elsewhere UNPROVEN"
	}
	return ""
}
