package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/failover"
	"one-ft/pkg/hostmark"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// Released is the answer about a host in quarantine.
type Released struct {
	HostID  int    `json:"host"`
	Name    string `json:"name"`
	Done    bool   `json:"released"`
	Refused bool   `json:"refused"`
	Summary string `json:"summary"`
}

// Line is the answer in one line.
func (r Released) Line() string { return fmt.Sprintf("host %d (%s): %s", r.HostID, r.Name, r.Summary) }

// Table has nothing beside the line.
func (r Released) Table() [][]string { return nil }

// Notes has nothing, either.
func (r Released) Notes() []string { return nil }

// Problems has nothing, either: the line says why the host was not given back.
func (r Released) Problems() []string { return nil }

// ExitCode is 3 when the host was not given back because that would not have been safe.
func (r Released) ExitCode() int {
	if r.Refused {
		return app.ExitRefused
	}
	return app.ExitDone
}

// ReleaseHost gives a host in quarantine back to the scheduler because an admin says so. Without force it refuses while old
// guests run on the host, or nothing has been heard of it since: from 6.2 on oned calls a host that is enabled MONITORED at
// once, whether it lives or not (src/host/Host.cc). It also refuses while oned may not yet list old guests that run there:
// on 6.10, live, a host that was back for two minutes was given back with nine of them, which were listed a few seconds
// later. Up to 4.14 oned does not look at a DISABLED host without VMs at all, and 5.12.0 to 5.12.7 does not store what it finds,
// so there an admin has to have looked.
func ReleaseHost(ctx context.Context, s app.Session, id int, force bool) (app.Answer, error) {
	host, q, err := hostInQuarantine(ctx, s.Client, id)
	if err != nil {
		return nil, err
	}
	answer := Released{HostID: id, Name: host.Name}
	state, now := recovery.MayRelease(s.Dialect, host, q, time.Now())
	switch {
	case force:
	case state == recovery.ReleaseZombies || s.Version.Before(5, 0) && len(recovery.Zombies(host)) > 0:
		answer.Summary = fmt.Sprintf("old guests still run on it (ZOMBIES: %s): end them there, then run this again, or add --force", zombies(host))
	case state != recovery.ReleaseNow && s.Version.Before(5, 0):
		answer.Summary = "OpenNebula " + s.Version.String() + " does not monitor a disabled host without VMs, so nobody knows whether it lives and whether its old guests run there: check it (virsh list), then add --force"
	case state == recovery.ReleaseUnseen:
		answer.Summary = "OpenNebula " + s.Version.String() + " does not tell whether old guests run on a host: check it (virsh list), then add --force"
	case state == recovery.ReleaseSilent:
		answer.Summary = fmt.Sprintf("oned has not monitored it since it was taken out of scheduling at %s: it would be given VMs although it may be dead; when it runs without its old guests, add --force", q.At.Format(time.DateTime)+text.Ahead(q.At, time.Now()))
	case state == recovery.ReleaseWatch:
		answer.Summary = "it is monitored again, but oned lists old guests only after some minutes: check whether any runs there (virsh list), then add --force; or wait, oneft resume gives it back automatically"
		if !s.DryRun { // where no timer runs oneft resume this is what remembers since when it is clean
			remember(ctx, s, id, q, now)
		}
	}
	switch answer.Refused = answer.Summary != ""; {
	case answer.Refused:
	case s.DryRun:
		answer.Summary = "it would be given back to the scheduler"
	default:
		if err := release(ctx, s, id, q, wording.ReleasedByAdmin); err != nil {
			return nil, err
		}
		answer.Done, answer.Summary = true, "given back to the scheduler"
	}
	return answer, nil
}

func zombies(host one.Host) string {
	return text.Printable(strings.Join(recovery.Zombies(host), ", "))
}

// remember writes into the host since when it is monitored again without its old guests.
func remember(ctx context.Context, s app.Session, id int, before, now hostmark.Quarantine) {
	if now == before {
		return
	}
	if err := s.Client.AnnotateHost(ctx, id, hostmark.AttrQuarantine, now.String()); err != nil {
		s.Log.Say(wording.Trouble, err)
	}
}

// hostInQuarantine reads a host that has to be in quarantine, as oned has it, with when it was last monitored.
func hostInQuarantine(ctx context.Context, cloud failover.Cloud, id int) (one.Host, hostmark.Quarantine, error) {
	host, err := cloud.Host(ctx, id)
	if errors.Is(err, one.ErrNotFound) {
		return host, hostmark.Quarantine{}, app.Usagef("oned knows no host %d; onehost list shows the hosts", id)
	}
	if err != nil {
		return host, hostmark.Quarantine{}, err
	}
	q, in := hostmark.QuarantineOf(host)
	switch {
	case !in && host.State.SetByAdmin():
		return host, q, app.Usagef("host %d (%s) is %s, which an admin has set, not one-ft; onehost enable %d gives it back", id, host.Name, host.State, id)
	case !in:
		return host, q, app.Usagef("host %d (%s) is %s and not in quarantine; oneft check names the hosts that are", id, host.Name, host.State)
	}
	if host.LastContact == 0 {
		if last, err := cloud.MonitoredAt(ctx, id); err == nil {
			host.LastContact = last
		}
	}
	return host, q, nil
}

// release gives a host back, takes the mark away, and writes it into the incident if that is in this journal.
func release(ctx context.Context, s app.Session, id int, q hostmark.Quarantine, why wording.Kind) error {
	if err := s.Client.SetSchedulable(ctx, id, true); err != nil {
		return err
	}
	if err := s.Client.AnnotateHost(ctx, id, hostmark.AttrQuarantine, ""); err != nil {
		s.Log.Say(wording.ReleaseMarked, hostmark.AttrQuarantine, err)
	}
	released := wording.Of(wording.Released, wording.Of(why))
	s.Log.VM(wording.Info, -1, released.After(fmt.Sprintf("host %d", id)))
	name, _ := incident.KnownFrontEndName(s.StateDir)
	if q.FrontEnd != name || q.Incident == 0 {
		return nil
	}
	journal, err := incident.OpenJournal(statedir.Dir(s.StateDir).Incidents())
	if err == nil {
		err = journal.Note(q.Incident, incident.Event{Step: incident.StepEnd, VM: -1, Level: wording.Info, Kind: released.Kind.Name(), Text: released.String()})
	}
	if err != nil && !errors.Is(err, incident.ErrNoIncident) {
		s.Log.Say(wording.Trouble, err)
	}
	return nil
}

// releaseClean gives hosts back that are monitored again without old guests, and says what keeps the others in quarantine.
func (w *sweeper) releaseClean(ctx context.Context) (lines []string) {
	hosts, err := w.s.Client.Hosts(ctx)
	if err != nil {
		return nil // the sweep says so
	}
	for _, h := range hosts {
		if _, in := hostmark.QuarantineOf(h); !in || w.s.Locks.Holder("host", h.ID) != "" {
			continue
		}
		host, q, err := hostInQuarantine(ctx, w.s.Client, h.ID)
		if err != nil {
			continue // it was enabled meanwhile
		}
		state, now := recovery.MayRelease(w.s.Dialect, host, q, time.Now())
		if w.s.DryRun || state == recovery.ReleaseZombies || state == recovery.ReleaseUnseen {
			lines = append(lines, fmt.Sprintf("host %d (%s) is in quarantine: %s", h.ID, h.Name, keeps(state, host, w.s.Version)))
		}
		switch {
		case w.s.DryRun:
		case state == recovery.ReleaseNow:
			if err := release(ctx, w.s, h.ID, q, wording.ReleasedClean); err != nil {
				w.s.Log.Say(wording.Trouble, err)
			}
		default:
			remember(ctx, w.s, h.ID, q, now)
		}
	}
	return lines
}

// keeps says what keeps a host in quarantine.
func keeps(state recovery.Release, host one.Host, version one.Version) string {
	switch state {
	case recovery.ReleaseUnseen:
		return fmt.Sprintf("it is monitored again, but OpenNebula %s does not tell whether old guests run on it: check it (virsh list), then oneft release %d --force", version, host.ID)
	case recovery.ReleaseZombies:
		return fmt.Sprintf("old guests still run on it (ZOMBIES: %s); end them, or oneft release %d --force", zombies(host), host.ID)
	case recovery.ReleaseSilent:
		return "oned has not monitored it since it was taken out of scheduling"
	case recovery.ReleaseWatch:
		return "it is monitored again without old guests, and is given back soon"
	}
	return "it would be given back to the scheduler"
}
