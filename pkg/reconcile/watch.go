package reconcile

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/coordinator"
	"one-ft/pkg/failfast"
	"one-ft/pkg/fence"
	"one-ft/pkg/fence/fencing"
	"one-ft/pkg/incident"
	"one-ft/pkg/journaling"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/reach"
	"one-ft/pkg/recovery"
	"one-ft/pkg/text"
	"one-ft/pkg/watch"
	"one-ft/pkg/wording"
)

const (
	// readEvery is how often oned is asked for its hosts while all of them answer; while one is silent each round asks. A choice:
	// the pool of 1,000 hosts is some megabytes.
	readEvery = 30 * time.Second
	// readLimit bounds what a round asks oned: a round that waits for an oned that restarts sees no host die.
	readLimit = 10 * time.Second
	// tooOld is from when on what oned last said of its hosts is too old to decide by.
	tooOld = time.Minute
	// monitoringEvery is how often the processes of this machine are looked at.
	monitoringEvery = time.Minute
)

// watcher is oneft watch at work.
type watcher struct {
	s      app.Session
	asker  reach.Asker
	fences fencing.Resolver
	notify *journaling.Notifications
	watch  *watch.Watch
	work   sync.WaitGroup // incidents

	hosts   []one.Host
	read    time.Time // when they were
	leads   bool
	fenced  map[int]bool // their power can be switched
	blind   string       // why oned could not be asked, as it was last said
	lost    bool         // it was said that too many hosts do not answer
	stuck   int          // restarts of monitoring that hang, as was last said
	checked time.Time    // when they were looked for
	written watch.State  // what the file has
}

// Watch watches until the context ends. alive gets how it stands after each round, for a service manager.
func Watch(ctx context.Context, s app.Session, alive func(status string)) (app.Answer, error) {
	s.Attended = false // nobody waits for the end of an incident here
	v := s.Config.Values()
	release, err := s.Locks.Acquire("watch", 0)
	var busy *incident.BusyError
	if errors.As(err, &busy) {
		return nil, app.Usagef("oneft watch runs already (%s): one on each front-end is enough", busy.Holder)
	} else if err == nil {
		defer release()
	}
	w := &watcher{s: s, asker: coordinator.NewAsker(s), fences: coordinator.NewFences(s, nil), notify: journaling.NewNotifications(s)}
	defer w.notify.Close()
	defer w.work.Wait() // what is begun is left open for oneft resume
	w.asker.Banner = true
	if v.WatchAct > 0 {
		if err := w.mayAct(ctx); err != nil {
			return nil, err
		}
	}
	w.begin(watch.Read(s.StateDir).Outages)
	s.Log.Say(wording.WatchBegan, watch.Every, watch.Tell)
	for ctx.Err() == nil {
		began := time.Now()
		w.round(ctx)
		alive(w.status())
		process.Pause(ctx, watch.Every-time.Since(began))
	}
	return coordinator.Batch{Alone: true, Lines: []string{"oneft watch has ended"}}, nil
}

// begin forgets what was seen but for what people were told.
func (w *watcher) begin(told []watch.Outage) {
	v := w.s.Config.Values()
	p := watch.Policy{Act: v.WatchAct, Guard: recovery.GuardPolicy{Share: float64(v.StormShare) / 100, Hosts: v.StormHosts, Window: v.StormWindow, PerCluster: v.StormPerCluster}}
	w.watch = watch.New(p, told)
}

// mayAct refuses to act where no host has fencing that switches its power, and names the hosts without it.
func (w *watcher) mayAct(ctx context.Context) error {
	hosts, err := w.s.Client.Hosts(ctx)
	if err != nil {
		return err
	}
	var without []string
	for _, h := range hosts {
		if !h.State.SetByAdmin() && !w.switches(h) {
			without = append(without, fmt.Sprintf("%d (%s)", h.ID, h.Name))
		}
	}
	switch {
	case len(hosts) > 0 && len(without) == len(hosts):
		return app.Usagef("watch.act in %s needs fencing that switches power, and no host has any: give hosts FENCE_AGENT, or a level with agent or command under fence, or remove watch.act; a lease or the word of an admin proves nothing of a host that oned calls MONITORED", w.s.Config.Path)
	case len(without) > 0:
		w.s.Log.Say(wording.WatchNotFenced, text.Some(without, 10))
	}
	return nil
}

// switches reports whether something is configured that switches the power of a host.
func (w *watcher) switches(h one.Host) bool {
	s, err := w.fences.Settings(h)
	return err == nil && slices.ContainsFunc(s.Levels, func(l fence.Level) bool {
		return !slices.ContainsFunc(l.Devices, func(d fence.Device) bool { return d.Kind != fence.KindAgent && d.Kind != fence.KindCommand })
	})
}

// round asks all hosts once, and does what is to be done.
func (w *watcher) round(ctx context.Context) {
	defer w.write()
	now := time.Now()
	if now.Sub(w.read) >= readEvery || len(w.watch.Outages()) > 0 {
		w.readHosts(ctx)
	}
	if !w.leads {
		return
	}
	if now.Sub(w.checked) >= monitoringEvery {
		w.checked = now
		w.monitoring()
	}
	seen := w.ask(ctx)
	if ctx.Err() != nil || now.Sub(w.read) > tooOld {
		return
	}
	d := w.watch.Round(now, seen)
	for _, o := range d.Over {
		w.s.Log.Say(wording.AnswersAgain, o.Host, o.Name, o.Since)
	}
	if w.lost != (d.Lost != nil) {
		if w.lost = d.Lost != nil; w.lost {
			w.s.Log.Say(wording.WatchLost, d.Lost.Failed, d.Lost.InService, d.Lost.Where)
		}
	}
	for _, o := range d.Tell {
		w.tell(o)
	}
	w.act(ctx, d.Act)
}

// readHosts asks oned whether it leads, and for its hosts.
func (w *watcher) readHosts(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	sent := time.Now()
	follower, err := w.s.Client.Follows(ctx)
	var hosts []one.Host
	if err == nil && !follower {
		hosts, err = w.s.Client.Hosts(ctx)
	}
	if err != nil {
		if w.blind != err.Error() && ctx.Err() == nil {
			w.s.Log.Say(wording.WatchBlindOned, err)
		}
		w.blind = err.Error()
		return
	}
	if !w.read.IsZero() && w.leads == follower { // it became leader, or is none any more
		w.begin(nil)
	}
	if w.leads = !follower; follower && w.read.IsZero() {
		w.s.Log.Say(wording.WatchFollows)
	}
	w.hosts, w.read, w.blind = hosts, sent, ""
	w.fenced = map[int]bool{}
	if w.s.Config.Values().WatchAct > 0 {
		for _, h := range hosts {
			w.fenced[h.ID] = w.switches(h)
		}
	}
	if len(w.watch.Outages()) > 0 {
		if heard, err := w.s.Client.HeardOf(ctx); err == nil { // before 5.12 the pool tells
			for i, h := range hosts {
				hosts[i].LastContact = heard[h.ID]
			}
		}
	}
}

// ask asks the way to all hosts that are not out of service.
func (w *watcher) ask(ctx context.Context) (all []watch.Seen) {
	ctx, cancel := context.WithTimeout(ctx, watch.Every)
	defer cancel()
	var asked []one.Host
	for _, h := range w.hosts {
		if !h.State.SetByAdmin() {
			asked = append(asked, h)
		}
	}
	q := w.asker.Ask(ctx, coordinator.Targets(asked))
	for _, h := range w.hosts {
		all = append(all, watch.Seen{Host: h, Answer: q.Of(ctx, h.ID).Answer, Fenced: w.fenced[h.ID]})
	}
	if w.asker.Memory != nil && !w.s.DryRun {
		_ = w.asker.Memory.Save(nil) // the next process asks ssh again
	}
	return all
}

// tell notifies people of a silent host, once.
func (w *watcher) tell(o watch.Outage) {
	m := watch.Message(o)
	w.s.Log.VM(m.Level(), -1, m)
	w.notify.Silent(fmt.Sprintf("host %d (%s)", o.Host, o.Name), m.String())
}

// act hands silent hosts over to the coordinator, all together.
func (w *watcher) act(ctx context.Context, all []watch.Outage) {
	v := w.s.Config.Values()
	var requests []incident.Request
	for _, o := range all {
		w.s.Log.Say(wording.WatchActs, o.Host, o.Name, o.Since)
		q := coordinator.NewRequest(w.s, incident.Request{Kind: "host", ID: o.Host, Action: v.ResumeHosts, Idle: v.ResumeSuspended, Silent: o.Since, Fencing: config.FencingRequired})
		q.Call, q.AnyState, q.Timeout = []string{"watch"}, false, 0
		requests = append(requests, q)
	}
	if w.s.DryRun || len(requests) == 0 {
		return
	}
	s := w.s
	if len(all) == 1 { // of several the coordinator says which host a line is about, and how it ended
		s.Log = s.Log.Of("host", all[0].Host)
	}
	w.work.Go(func() {
		for _, r := range coordinator.Coordinate(ctx, s, requests, w.notify) {
			switch {
			case len(all) > 1 || r.ID != all[0].Host:
			case r.Err != nil:
				s.Log.Say(wording.Failed, r.Err)
			default:
				s.Log.Answer(wording.Info, r.Report)
			}
		}
	})
}

// monitoring looks for restarts of the monitoring that hang.
func (w *watcher) monitoring() {
	client, err := failfast.NewClient(w.s.Drivers(), w.s.StateDir)
	if err != nil {
		return
	}
	hanging, err := client.Hanging(time.Now())
	if err != nil || len(hanging) == w.stuck {
		return
	}
	if len(hanging) > w.stuck {
		w.s.Log.Say(wording.MonitoringHangs, len(hanging), strings.Join(failfast.PIDs(hanging), " "))
	}
	w.stuck = len(hanging)
}

// status is how it stands, in a line.
func (w *watcher) status() string {
	switch n := len(w.watch.Outages()); {
	case w.blind != "":
		return "oned does not answer"
	case !w.leads:
		return "this front-end is a Raft follower"
	case n > 0:
		return fmt.Sprintf("%s of %d silent", text.Plural(n, "host"), len(w.hosts))
	}
	return text.Plural(len(w.hosts), "host")
}

// write writes down what is seen. An error is no trouble: others do not know then.
func (w *watcher) write() {
	if w.s.DryRun {
		return
	}
	s := watch.State{At: time.Now().Truncate(time.Minute), Outages: w.watch.Outages()}
	if reflect.DeepEqual(s, w.written) {
		return
	}
	if err := watch.Write(w.s.StateDir, s); err == nil {
		w.written = s
	}
}
