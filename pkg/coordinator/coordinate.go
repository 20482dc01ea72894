// Package coordinator has one process work on all failed hosts: hooks hand theirs over and end.
package coordinator

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/failover"
	"one-ft/pkg/incident"
	"one-ft/pkg/journaling"
	"one-ft/pkg/process"
	"one-ft/pkg/statedir"
	"one-ft/pkg/wording"
)

const (
	// spoolEvery is how often the coordinator reads the spool, which is one small directory, and spoolSoon how often for burst after a
	// host was handed over: hosts fail together, and hooks wait for the number of an incident. Choices.
	spoolEvery = 200 * time.Millisecond
	spoolSoon  = 20 * time.Millisecond
	burst      = 5 * time.Second
	// sayAlive is how often the coordinator says that it works, and hung after which time without that it is taken to hang.
	// Nothing that it waits for keeps it from that. A choice.
	sayAlive = 5 * time.Second
	hung     = time.Minute
	// named is how long a process that has handed a host over waits for the number of its incident: its hook is to end within a
	// second. With more than failover.Crowd hosts handed over it looks once: others wait for its place among the hooks, and
	// their hosts for being watched. Then it looks at crowdLook records: each costs 15 µs, and 500 hooks would look at all.
	named     = 600 * time.Millisecond
	crowdLook = 200
)

// Result is how the work on one host or VM ended.
type Result struct {
	ID     int
	Report failover.Report
	Err    error
	handed incident.Handed
}

// coordinator works on all hosts that are handed to it.
type coordinator struct {
	s      app.Session
	spool  *incident.Spool
	notify *journaling.Notifications
	shared *shared
	own    []incident.Request // what this process was called for

	results map[int]Result // by host
	stuck   map[int]string // the text of requests that could not be removed, by host
	alive   time.Time      // when it last said that it works
	warned  string         // what was last said about the spool
}

// Coordinate hands hosts over to the coordinator, or becomes it. Then it ends when nothing is left to do. Every request is in a
// file before: whoever dies leaves it to the next process. It is on the disk before a hook ends that hands it over, or
// leaves it; who works on it does not wait for that, because its incident is on the disk before anything is done.
func Coordinate(ctx context.Context, s app.Session, requests []incident.Request, notify *journaling.Notifications) []Result {
	return coordinate(ctx, s, requests, notify, func() func() { return func() {} })
}

// coordinate is Coordinate that begins something beside the work, and ends it with the work; not where hosts are handed over.
func coordinate(ctx context.Context, s app.Session, requests []incident.Request, notify *journaling.Notifications, aside func() (end func())) []Result {
	life, end := context.WithCancel(ctx)
	defer end()
	c := &coordinator{s: s, notify: notify, shared: newShared(life, s), own: requests, results: map[int]Result{}, stuck: map[int]string{}}
	cloud := endpointDir(s.Client.Endpoint())
	var err error
	c.spool, err = incident.OpenSpool(statedir.Dir(s.StateDir).Spool(cloud))
	for _, q := range requests {
		if err == nil {
			err = c.spool.Put(q)
		}
	}
	synced := func() error { return nil }
	if err == nil {
		spool := c.spool
		synced = beside(func() error { return spool.Sync(requests) })
		incident.RemoveLeftovers(s.StateDir, time.Now())
	}
	for err == nil {
		var release func()
		var busy *incident.BusyError
		switch release, err = s.Locks.Acquire("coordinator-"+cloud, 0); {
		case errors.As(err, &busy) && c.hangs(ctx):
			s.Log.Say(wording.CoordinatorHangs, busy.Holder, hung)
			return c.alone(ctx)
		case errors.As(err, &busy):
			all := c.handedOver(busy.Holder)
			if err = onDisk(synced); err == nil {
				return all
			}
			continue
		case err != nil:
			continue
		}
		told := aside()
		c.loop(ctx)
		told()
		release()
		if ctx.Err() != nil {
			_ = onDisk(synced) // what it leaves is for the next process, also after a loss of power
		}
		if journal, err := openJournal(s); err == nil { // the reports say why not
			journaling.Prune(journal)
		}
		if left, _ := c.spool.List(); ctx.Err() != nil || !slices.ContainsFunc(left, func(h incident.Handed) bool { return !c.isStuck(h) }) {
			return c.all()
		}
	}
	s.Log.Say(wording.NotHandedOver, err)
	return c.alone(ctx)
}

// diskLimit is how long a request that is left to another process is waited for. A choice.
const diskLimit = 10 * time.Second

// onDisk waits until requests are on the disk, for a bounded time: the disk may never answer.
func onDisk(synced func() error) error {
	ctx, stop := context.WithTimeout(context.Background(), diskLimit)
	defer stop()
	_, err := process.Bounded(ctx, func() (struct{}, error) { return struct{}{}, synced() })
	return err
}

// endpointDir keeps clouds apart whose front-ends share a machine and a state directory.
func endpointDir(endpoint string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(endpoint)) // never fails
	return fmt.Sprintf("%08x", h.Sum32())
}

// hangs reports whether the coordinator has been stopped, or its disk does not answer: nobody would work on hosts handed to it.
func (c *coordinator) hangs(ctx context.Context) bool {
	for range 2 { // one that has only just got the lock says so in a moment
		if last, known := c.spool.LastAlive(); !known || time.Since(last) <= hung {
			return false
		}
		process.Pause(ctx, spoolEvery)
	}
	return true
}

// alone works on hosts without the others.
func (c *coordinator) alone(ctx context.Context) []Result {
	for _, q := range c.own {
		report, err := RunHost(ctx, c.s, q, c.notify)
		c.add(Result{ID: q.ID, Report: report, Err: err})
	}
	return c.all()
}

// handedOver adds the reports about hosts that another process works on.
func (c *coordinator) handedOver(holder string) []Result {
	journal, err := openJournal(c.s)
	crowd := c.spool.Count() > failover.Crowd
	for _, q := range c.own {
		if _, done := c.results[q.ID]; done {
			continue
		}
		why, number := wording.Of(wording.HandedOverTo, holder), 0
		look := 0 // at all
		if crowd {
			look = crowdLook
		}
		for end := time.Now().Add(named); err == nil && len(c.own) == 1; time.Sleep(spoolSoon) {
			if open, is, _ := journal.OpenAmong("host", q.ID, look); is {
				number = open.Number
				if open.Began.Before(q.At) {
					why = wording.Of(wording.AlreadyHandled, q.ID, holder)
				}
				break
			}
			if time.Now().After(end) || crowd {
				break
			}
		}
		c.results[q.ID] = Result{ID: q.ID, Report: failover.Elsewhere(q.ID, number, why)}
	}
	return c.all()
}

// loop works until the spool is empty and nothing runs.
func (c *coordinator) loop(ctx context.Context) {
	running := map[int]incident.Handed{}
	results := make(chan Result)
	var last time.Time // when a host was handed over
	for {
		if now := time.Now(); now.Sub(c.alive) >= sayAlive {
			c.alive = now
			c.spool.Alive(now)
		}
		if ctx.Err() == nil {
			for _, h := range c.begin(running) {
				running[h.ID], last = h, time.Now()
				c.shared.Take(h.ID)
				go func() { results <- c.work(ctx, h) }()
			}
		}
		if len(running) == 0 {
			return
		}
		pause := spoolEvery
		if time.Since(last) < burst {
			pause = spoolSoon
		}
		select {
		case r := <-results:
			delete(running, r.ID)
			c.shared.Leave(r.ID)
			c.add(r)
			if ctx.Err() == nil { // else it stays there for the next process
				c.remove(r.handed)
			}
		case <-time.After(pause):
		}
	}
}

// begin finds the requests whose work begins now. A later one for a host that is worked on overrides a storm, or waits.
func (c *coordinator) begin(running map[int]incident.Handed) (all []incident.Handed) {
	handed, failed := c.spool.List()
	c.warn(failed)
	for _, h := range handed {
		first, is := running[h.ID]
		switch {
		case is && h.Override && !first.Override:
			c.shared.Override(h.ID)
		case is || c.isStuck(h):
		case time.Since(h.At) > failover.Forgotten: // it may be about an outage before
			c.s.Log.Say(wording.RequestTooOld, h.ID, h.At.Format(time.DateTime))
			c.remove(h)
		default:
			all = append(all, h)
		}
	}
	return all
}

// warn tells of a broken disk once, and not in each round.
func (c *coordinator) warn(failed []error) {
	text := fmt.Sprint(errors.Join(failed...))
	if text != c.warned {
		for _, err := range failed {
			c.s.Log.Say(wording.Trouble, err)
		}
	}
	c.warned = text
}

// work recovers one host, with a log of its own.
func (c *coordinator) work(ctx context.Context, h incident.Handed) Result {
	s := c.s
	only := len(c.own) == 1 && c.own[0].ID == h.ID // the log of the tool is about it
	if !only {
		s.Log = c.s.Log.Of("host", h.ID)
		s.Log.Say(wording.HandedOver, h.Tool+" "+strings.Join(h.Call, " "))
	}
	report, err := runHost(ctx, s, h.Request, c.notify, c.shared)
	switch {
	case only:
	case err != nil:
		s.Log.Say(wording.Failed, err)
	case report.ExitCode() != app.ExitDone:
		s.Log.Answer(wording.Problem, report)
	default:
		s.Log.Answer(wording.Info, report)
	}
	return Result{ID: h.ID, Report: report, Err: err, handed: h}
}

// add keeps a result; of two for one host the one with more to say.
func (c *coordinator) add(r Result) {
	if _, known := c.results[r.ID]; !known || r.Report.Incident > 0 || r.Err != nil {
		c.results[r.ID] = r
	}
}

// all are the results in the order of the IDs.
func (c *coordinator) all() (all []Result) {
	for _, id := range slices.Sorted(maps.Keys(c.results)) {
		all = append(all, c.results[id])
	}
	return all
}

// remove takes a host off the spool. When another event for it has come meanwhile that stays, and the host is recovered once
// more: it may have been back and have failed since.
func (c *coordinator) remove(h incident.Handed) {
	if _, err := c.spool.Done(h); err != nil {
		c.stuck[h.ID] = h.Text
		c.s.Log.Say(wording.Trouble, err)
	}
}

// isStuck reports whether a request is one that could not be removed.
func (c *coordinator) isStuck(h incident.Handed) bool { return c.stuck[h.ID] == h.Text }

// maxAgents is how many fence agents and commands run at the same time: an agent has some 30 MB. A choice.
const maxAgents = 32

// shared is what the recoveries of one process have in common. With one host or VM only it has no failover.Shared.
type shared struct {
	*failover.Shared
	agents chan struct{} // bounds how many fence agents run at the same time

	mu      sync.Mutex
	journal *incident.Journal // opened once: it remembers what its records are about
	started time.Time         // when the front-end was, or became leader
	looked  time.Time         // when that was looked up
}

// newShared makes it; the hosts are asked until the context ends.
func newShared(life context.Context, s app.Session) *shared {
	return &shared{Shared: failover.NewShared(s.Client, s.Parallel, newSurvey(life, s, false)), agents: make(chan struct{}, maxAgents)}
}

func (c *shared) alone() bool { return c.Shared == nil }

// frontEndStarted is when this front-end was started or became leader, looked up once in a second: that reads all of /proc.
func (c *shared) frontEndStarted(of app.Session) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.looked.IsZero() || time.Since(c.looked) >= time.Second {
		c.started, c.looked = of.Started(), time.Now()
	}
	return c.started
}

// openJournal opens the journal, and again until that works.
func (c *shared) openJournal(s app.Session) (_ *incident.Journal, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.journal == nil {
		c.journal, err = openJournal(s)
	}
	return c.journal, err
}

func openJournal(s app.Session) (*incident.Journal, error) {
	journal, err := incident.OpenJournal(statedir.Dir(s.StateDir).Incidents())
	return journal, s.StateUnusable(err)
}
