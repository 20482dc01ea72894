package coordinator

import (
	"context"
	"os"
	"sync"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/failover"
	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/reach"
	"one-ft/pkg/statedir"
)

// Onlooker says what stands between failed hosts and the recovery of their VMs, for tools that recover nothing. It is for one
// goroutine.
type Onlooker struct {
	s     app.Session
	asker func() reach.Asker
	look  *failover.Onlooker
}

// NewOnlooker makes one that asks the way to hosts until the context ends.
func NewOnlooker(ctx context.Context, s app.Session) *Onlooker {
	asker := sync.OnceValue(func() reach.Asker { return NewAsker(s) })
	return &Onlooker{s: s, asker: asker, look: failover.NewOnlooker(s.Client, surveyWith(ctx, s, asker))}
}

// Ways are what the hosts in service answer.
func (l *Onlooker) Ways(ctx context.Context) ([]reach.Way, error) { return l.look.Ways(ctx) }

// Remember keeps how ssh connects to these hosts, so that the next recovery need not ask it. All that is lost without is time.
func (l *Onlooker) Remember(hosts []one.Host) {
	if _, err := os.Stat(l.s.StateDir); err != nil {
		return
	}
	names := make(map[string]bool, len(hosts))
	for _, h := range hosts {
		names[h.Name] = true
	}
	_ = l.asker().Memory.Save(names)
}

// Stand judges a host as a recovery with this request would.
func (l *Onlooker) Stand(ctx context.Context, q incident.Request, host one.Host) incident.HostStanding {
	s := l.s
	s.DryRun = true
	w := work{s: s, q: Complete(s, q), shared: &shared{}}
	o := NewFences(s, nil).Outlook(ctx, fence.Mode(w.q.Fencing), host)
	p := failover.Standpoint{
		Storm: w.storm(), Alive: s.Config.Values().SurveyAlive, Unproven: o.Verdict == fence.Unproven && !w.q.AnyState && !w.q.ConfirmedOff,
	}
	p.Stood, p.Begun = stood(s, host.ID)
	return incident.HostStanding{Host: host.ID, Name: host.Name, Standing: l.look.Stand(ctx, host, p, w.hostJob(), w.options())}
}

// stood is what the process that works on a host has judged, and since when it works on it; zero values for none.
func stood(s app.Session, host int) (incident.Standing, time.Time) {
	dir := statedir.Dir(s.StateDir).Incidents()
	if _, err := os.Stat(dir); err != nil {
		return incident.Standing{}, time.Time{} // and none is made
	}
	journal, err := incident.OpenJournal(dir)
	if err != nil {
		return incident.Standing{}, time.Time{}
	}
	r, open, err := journal.OpenOf("host", host)
	if err != nil || !open || r.Status != incident.Open {
		return incident.Standing{}, time.Time{}
	}
	return r.Stands(), r.Began
}
