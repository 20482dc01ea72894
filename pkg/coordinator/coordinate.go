// Package coordinator has one process work on all failed hosts: hooks hand theirs over and end.
package coordinator

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/failover"
	"one-ft/pkg/incident"
	"one-ft/pkg/journaling"
	"one-ft/pkg/wording"
)

// spoolEvery is how often the process that works on all hosts looks for new ones. Looking
// reads one small directory.
const spoolEvery = 200 * time.Millisecond

// How often the process that works on all hosts says that it is at work, and after which time
// without that it is taken to hang. Nothing that it waits for keeps it from that. A choice.
const (
	sayAlive = 5 * time.Second
	hung     = time.Minute
)

// named is how long a process that has handed a host over waits to hear the number of its
// incident: its hook is to end within a second. With more than crowd hosts handed over it looks
// only once: others wait for its place among the hooks, and their hosts for being watched.
const named = 600 * time.Millisecond

// Coordinate hands hosts over to the process that works on all of them, or becomes it. Then
// it ends when nothing is left to do. Every request is on the disk before: whoever dies leaves
// it to the next process.
func Coordinate(ctx context.Context, s app.Session, requests []incident.Request, notify *journaling.Notifications) (app.Answer, error) {
	spool, err := incident.OpenSpool(filepath.Join(s.StateDir, "spool", endpointDir(s.Client.Endpoint())))
	for _, q := range requests {
		if err == nil {
			err = spool.Put(q)
		}
	}
	if err != nil {
		s.Log.Say(wording.NotHandedOver, err)
		return alone(ctx, s, requests, notify)
	}
	incident.RemoveLeftovers(s.StateDir, time.Now())
	c := &coordinator{s: s, spool: spool, notify: notify, shared: newShared(s), own: requests, done: map[int]string{}}
	for {
		release, err := s.Locks.Acquire("coordinator-"+endpointDir(s.Client.Endpoint()), 0)
		var busy *incident.BusyError
		switch {
		case errors.As(err, &busy) && c.hangs(ctx):
			s.Log.Say(wording.CoordinatorHangs, busy.Holder, hung)
			return alone(ctx, s, requests, notify)
		case errors.As(err, &busy):
			return c.answer(handedOver(s, spool, requests, busy.Holder, c.reports))
		case err != nil:
			s.Log.Say(wording.NotHandedOver, err)
			return alone(ctx, s, requests, notify)
		}
		c.loop(ctx)
		release()
		c.prune()
		if left, _ := spool.List(); len(left) == 0 || ctx.Err() != nil || c.stuck(left) {
			return c.answer(nil)
		}
	}
}

// endpointDir keeps clouds apart whose front-ends share a machine and a state directory.
func endpointDir(endpoint string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(endpoint)) // never fails
	return fmt.Sprintf("%08x", h.Sum32())
}

// alone works on hosts without the others.
func alone(ctx context.Context, s app.Session, requests []incident.Request, notify *journaling.Notifications) (app.Answer, error) {
	c := &coordinator{own: requests}
	for _, q := range requests {
		report, err := RunHost(ctx, s, q, notify)
		c.add(Result{ID: q.ID, Report: report, Err: err})
	}
	return c.answer(nil)
}

// handedOver are the reports about hosts that another process works on.
func handedOver(s app.Session, spool *incident.Spool, requests []incident.Request, holder string, have []Result) (reports []Result) {
	journal, err := incident.OpenJournal(filepath.Join(s.StateDir, "incidents"))
	all, _ := spool.List() // whoever works on them tells of errors
	for _, q := range requests {
		if indexOf(have, q.ID) >= 0 {
			continue
		}
		r := failover.Report{Object: fmt.Sprintf("host %d", q.ID)}
		r.Elsewhere = r.Sum(wording.HandedOverTo, holder)
		for end := time.Now().Add(named); err == nil && len(requests) == 1; {
			if open, is, _ := journal.OpenOf("host", q.ID); is {
				r.Incident = open.Number
				if open.Began.Before(q.At) {
					r.Sum(wording.AlreadyHandled, q.ID, holder)
				}
				break
			}
			if time.Now().After(end) || len(all) > failover.Crowd {
				break
			}
			time.Sleep(spoolEvery / 2)
		}
		reports = append(reports, Result{ID: q.ID, Report: r})
	}
	return reports
}

// coordinator works on all hosts that are handed to it.
type coordinator struct {
	s      app.Session
	spool  *incident.Spool
	notify *journaling.Notifications
	shared *shared
	own    []incident.Request // what this process was called for

	reports []Result
	done    map[int]string // requests that could not be removed
	alive   time.Time      // when it last said that it is at work
	warned  string         // what was last said about the spool
}

// warn tells of errors, those of a disk that is broken once and not in each round.
func (c *coordinator) warn(failed []error) {
	text := ""
	if len(failed) > 0 {
		text = errors.Join(failed...).Error()
	}
	if text != "" && text != c.warned {
		for _, err := range failed {
			c.s.Log.Say(wording.Trouble, err)
		}
	}
	c.warned = text
}

// hangs reports whether the process that works on all hosts has been stopped, or its disk does
// not answer: then nobody would work on those that are handed to it.
func (c *coordinator) hangs(ctx context.Context) bool {
	for range 2 { // one that has only just got the lock says so in a moment
		if last, known := c.spool.LastAlive(); !known || time.Since(last) <= hung {
			return false
		}
		select {
		case <-ctx.Done():
		case <-time.After(spoolEvery):
		}
	}
	return true
}

// Result is what became of one host or VM.
type Result struct {
	ID     int
	Report failover.Report
	Err    error
	handed incident.Handed
}

func indexOf(all []Result, id int) int {
	return slices.IndexFunc(all, func(r Result) bool { return r.ID == id })
}

// loop works until the spool is empty and nothing runs.
func (c *coordinator) loop(ctx context.Context) {
	running := map[int]incident.Handed{}
	results := make(chan Result)
	tick := time.NewTicker(spoolEvery)
	defer tick.Stop()
	for {
		if now := time.Now(); now.Sub(c.alive) >= sayAlive {
			c.alive = now
			c.spool.Alive(now)
		}
		if ctx.Err() == nil {
			handed, failed := c.spool.List()
			c.warn(failed)
			for _, h := range handed {
				if first, is := running[h.ID]; is || c.done[h.ID] == h.Text() {
					if is && h.Override && !first.Override {
						c.shared.Override(h.ID)
					}
					continue
				}
				if time.Since(h.At) > failover.Forgotten {
					c.drop(h)
					continue
				}
				running[h.ID] = h
				c.shared.Take(h.ID)
				go func() { results <- c.work(ctx, h) }()
			}
		}
		if len(running) == 0 {
			return
		}
		select {
		case r := <-results:
			delete(running, r.ID)
			c.shared.Leave(r.ID)
			c.finish(ctx, r)
		case <-tick.C:
		}
	}
}

// drop takes a request off the spool that nobody worked on for so long that it may be about an
// outage before. oneft resume finds the host if it still needs something.
func (c *coordinator) drop(h incident.Handed) {
	c.s.Log.Say(wording.RequestTooOld, h.ID, h.At.Format(time.DateTime))
	if _, err := c.spool.Done(h); err != nil {
		c.done[h.ID] = h.Text()
		c.s.Log.Say(wording.Trouble, err)
	}
}

// prune removes old incidents.
func (c *coordinator) prune() {
	journal, err := incident.OpenJournal(filepath.Join(c.s.StateDir, "incidents"))
	if err != nil {
		return // the reports say so
	}
	journaling.Prune(journal)
}

// finish takes a host off the spool. When another event for it has come meanwhile it is
// looked at again: it may have been back and have failed anew.
func (c *coordinator) finish(ctx context.Context, r Result) {
	c.add(r)
	if ctx.Err() != nil {
		return // it stays there for the next process
	}
	if _, err := c.spool.Done(r.handed); err != nil {
		c.done[r.ID] = r.handed.Text()
		c.s.Log.Say(wording.Trouble, err)
	}
}

// add keeps a result; of two for one host the one with more to say.
func (c *coordinator) add(r Result) {
	i := indexOf(c.reports, r.ID)
	switch {
	case i < 0:
		c.reports = append(c.reports, r)
	case r.Report.Incident > 0 || r.Err != nil:
		c.reports[i] = r
	}
}

// stuck reports whether all requests are ones that could not be removed.
func (c *coordinator) stuck(left []incident.Handed) bool {
	return !slices.ContainsFunc(left, func(h incident.Handed) bool { return c.done[h.ID] != h.Text() })
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

// answer is the report of the only host, or one about all.
func (c *coordinator) answer(more []Result) (app.Answer, error) {
	all := append(c.reports, more...)
	if len(all) == 1 {
		return all[0].Report, all[0].Err
	}
	return NewBatch(all, c.own), nil
}
