package coordinator

import (
	"context"
	"errors"
	"sync"

	"one-ft/pkg/app"
	"one-ft/pkg/failfast"
	"one-ft/pkg/failover"
	"one-ft/pkg/one"
	"one-ft/pkg/reach"
	"one-ft/pkg/statedir"
)

const sshPort = 22 // RFC 4251

// NewAsker asks the way from this front-end to hosts as the drivers of oned connect to them. What it learns is kept in the
// state directory, unless this is a dry run.
func NewAsker(s app.Session) reach.Asker {
	v := s.Config.Values()
	a := reach.Asker{Dial: s.Dial, Port: v.SurveyPort, Skip: v.SurveySkip}
	client, err := failfast.NewClient(s.Drivers(), s.StateDir)
	if err != nil {
		a.Resolve = func(_ context.Context, names []string) []failfast.Answer {
			all := make([]failfast.Answer, len(names))
			for i := range all {
				if all[i].Err = err; errors.Is(err, failfast.ErrNoSSH) { // nor a configuration of it
					all[i] = failfast.Answer{Settings: failfast.Settings{HostName: names[i], Port: sshPort}}
				}
			}
			return all
		}
		return a
	}
	a.Resolve = client.ResolveWays
	a.Memory = reach.Open(statedir.Dir(s.StateDir).Ways(), reach.SSHSources(client.User.Home))
	return a
}

// Targets are hosts to be asked.
func Targets(hosts []one.Host) (all []reach.Target) {
	for _, h := range hosts {
		all = append(all, reach.Target{ID: h.ID, Name: h.Name})
	}
	return all
}

// Warm has ssh asked how it connects to hosts of which that is not known, so that the next recovery need not. It is cheap
// when all is known. All that is lost without is time.
func Warm(ctx context.Context, s app.Session, hosts []one.Host) error {
	names := make([]string, len(hosts))
	for i, h := range hosts {
		names[i] = h.Name
	}
	return NewAsker(s).Warm(ctx, names)
}

// newSurvey is the failover.Survey of a session, until its context ends. Where silent hosts are acted on (watch.act) a host
// whose kernel alone answers is known for that.
func newSurvey(ctx context.Context, s app.Session, silent bool) failover.Survey {
	return surveyWith(ctx, s, sync.OnceValue(func() reach.Asker {
		a := NewAsker(s)
		a.Banner = silent || s.Config.Values().WatchAct > 0
		return a
	}))
}

func surveyWith(ctx context.Context, s app.Session, asker func() reach.Asker) failover.Survey {
	return func(hosts []one.Host) *reach.Inquiry {
		a := asker()
		if a.Memory != nil && !s.DryRun {
			a.Learned = func() { _ = a.Memory.Save(nil) } // else the next process asks ssh again
		}
		q := a.Ask(ctx, Targets(hosts))
		if a.Memory != nil && !s.DryRun && len(hosts) > 1 {
			go func() {
				q.All(ctx)
				_ = a.Memory.Save(nil) // the next process asks ssh again
			}()
		}
		return q
	}
}
