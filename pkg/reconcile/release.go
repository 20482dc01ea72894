package reconcile

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/failover"
	"one-ft/pkg/hostmark"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// Released is what became of a host in quarantine.
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

// Problems is why the host was not given back.
func (r Released) Problems() []string {
	if r.Refused {
		return []string{r.Line()}
	}
	return nil
}

// ExitCode is 3 when the host was not given back because that would not have been safe.
func (r Released) ExitCode() int {
	if r.Refused {
		return app.ExitRefused
	}
	return app.ExitDone
}

// ReleaseHost gives a host in quarantine back to the scheduler because a person says so. Without force it refuses while
// old guests run on the host, or nothing has been heard of it since: from 6.2 on oned calls a host that is enabled
// MONITORED at once, whether it lives or not (src/host/Host.cc). It also refuses while oned may not yet list old
// guests that run there: on 6.10, live, a host that was back for two minutes was given back with nine of them, which
// were listed a few seconds later. Up to 4.14 oned does not look at such a host at all.
func ReleaseHost(ctx context.Context, s app.Session, id int, force bool) (app.Answer, error) {
	host, q, err := hostInQuarantine(ctx, s.Client, id)
	if err != nil {
		return nil, err
	}
	answer := Released{HostID: id, Name: host.Name}
	state, now := recovery.MayRelease(host, q, time.Now())
	switch {
	case force:
	case state == recovery.ReleaseZombies:
		answer.Refused, answer.Summary = true, fmt.Sprintf("old guests still run on it (ZOMBIES: %s): end them there, then run this again, or add --force", one.Printable(strings.Join(recovery.Zombies(host), ", ")))
	case state == recovery.ReleaseSilent && !s.Version.Before(5, 0):
		answer.Refused, answer.Summary = true, fmt.Sprintf("oned has not monitored it since it was taken out of scheduling at %s: it would be given VMs although it may be dead; when it runs without its old guests, add --force", q.At.Format(time.DateTime))
	case state == recovery.ReleaseWatch && !s.Version.Before(5, 0):
		answer.Refused, answer.Summary = true, "it is monitored again, but oned lists old guests only after some minutes: see whether any runs there (virsh list), then add --force; or wait, oneft resume gives it back by itself"
		if now != q && !s.DryRun { // where no timer runs oneft resume this is what remembers since when it is clean
			if err := s.Client.AnnotateHost(ctx, id, hostmark.AttrQuarantine, now.String()); err != nil {
				s.Log.Say(wording.Trouble, err)
			}
		}
	}
	if answer.Refused || s.DryRun {
		if s.DryRun && !answer.Refused {
			answer.Summary = "it would be given back to the scheduler"
		}
		return answer, nil
	}
	if err := release(ctx, s, id, q, "by a person"); err != nil {
		return nil, err
	}
	answer.Done, answer.Summary = true, "given back to the scheduler"
	return answer, nil
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
func release(ctx context.Context, s app.Session, id int, q hostmark.Quarantine, why string) error {
	if err := s.Client.SetSchedulable(ctx, id, true); err != nil {
		return err
	}
	if err := s.Client.AnnotateHost(ctx, id, hostmark.AttrQuarantine, ""); err != nil {
		s.Log.Say(wording.ReleaseMarked, hostmark.AttrQuarantine, err)
	}
	released := wording.Of(wording.Released, why)
	s.Log.VM(wording.Info, -1, released.After(fmt.Sprintf("host %d", id)))
	name, _ := incident.KnownFrontEndName(s.StateDir)
	if q.FrontEnd != name || q.Incident == 0 {
		return nil
	}
	journal, err := incident.OpenJournal(filepath.Join(s.StateDir, "incidents"))
	if err == nil {
		err = journal.Note(q.Incident, incident.Event{Step: incident.StepEnd, VM: -1, Level: string(wording.Info), Kind: released.Kind, Text: released.String()})
	}
	if err != nil && !errors.Is(err, incident.ErrNoIncident) {
		s.Log.Say(wording.Trouble, err)
	}
	return nil
}

// releaseClean gives those hosts back that are monitored again without their old guests, and says what keeps the
// others in quarantine.
func (w *sweeper) releaseClean(ctx context.Context) (lines []string) {
	hosts, err := w.s.Client.Hosts(ctx)
	if err != nil {
		return nil // the sweep says so
	}
	for _, h := range hosts {
		if _, in := hostmark.QuarantineOf(h); !in || w.holder("host", h.ID) != "" {
			continue
		}
		host, q, err := hostInQuarantine(ctx, w.s.Client, h.ID)
		if err != nil {
			continue // it was enabled meanwhile
		}
		state, now := recovery.MayRelease(host, q, time.Now())
		what := fmt.Sprintf("host %d (%s) is in quarantine", h.ID, h.Name)
		switch {
		case w.s.DryRun:
			lines = append(lines, what+": "+keeps(state, host))
			continue
		case state == recovery.ReleaseNow:
			err = release(ctx, w.s, h.ID, q, "by itself: it is monitored again, and none of its old guests runs")
		case now != q:
			err = w.s.Client.AnnotateHost(ctx, h.ID, hostmark.AttrQuarantine, now.String())
		}
		if err != nil {
			w.s.Log.Say(wording.Trouble, err)
		}
		if state == recovery.ReleaseZombies {
			lines = append(lines, what+": "+keeps(state, host))
		}
	}
	return lines
}

// keeps says what keeps a host in quarantine.
func keeps(state recovery.Release, host one.Host) string {
	switch state {
	case recovery.ReleaseZombies:
		return fmt.Sprintf("old guests still run on it (ZOMBIES: %s); end them, or oneft release %d --force", one.Printable(strings.Join(recovery.Zombies(host), ", ")), host.ID)
	case recovery.ReleaseSilent:
		return "it has not been monitored since"
	case recovery.ReleaseWatch:
		return "it is monitored again without old guests, and is given back soon"
	}
	return "it would be given back to the scheduler"
}
