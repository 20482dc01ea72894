package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/incident"
	"one-ft/pkg/process"
	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
)

// gatherTime is the time after a sending within which events are gathered into a digest. A choice.
const gatherTime = 30 * time.Second

// Deliver runs the commands for what is in the spool until it is empty. If another process does it, or the next
// sending is due after the deadline of ctx, it returns at once. What is left when ctx ends stays for the next
// process; a command that runs then is killed, which counts as one of its two tries.
func (n *Notifier) Deliver(ctx context.Context) {
	if n == nil || len(n.commands) == 0 {
		return
	}
	for ctx.Err() == nil {
		// Looking at the spool comes after the lock of the round before was let go: who put an event there while it
		// was held has gone and relies on it.
		events, err := n.spool.list()
		if err != nil {
			n.say("failed to read the notifications: %s", text.Short(err.Error(), maxSaid))
		}
		if len(events) == 0 {
			return
		}
		l, err := n.spool.lock(ctx)
		if err != nil {
			if !errors.Is(err, statedir.ErrLocked) {
				n.say("no notifications are sent: failed to lock them: %s", text.Short(err.Error(), maxSaid))
			}
			return
		}
		empty := n.drain(ctx, l)
		n.unlock(l)
		if !empty {
			return
		}
	}
}

// drain sends until the spool is empty. If it says false, the rest is for the next process.
func (n *Notifier) drain(ctx context.Context, l lock) (empty bool) {
	_ = n.spool.make() // what somebody removed; without it more may be sent twice
	for {
		events, err := n.spool.list()
		if err != nil || len(events) == 0 {
			return err == nil
		}
		left := gatherTime - time.Since(l.lastSent())
		if alone := left <= 0 || left > gatherTime; alone { // the latter if the clock was set back
			first := events[0].number
			events = slices.DeleteFunc(events, func(e event) bool { return e.number != first })
		} else if !sleep(ctx, left) {
			return false
		} else if events, err = n.spool.list(); err != nil {
			return false
		}
		if ctx.Err() != nil || !n.send(ctx, l, events) {
			return false
		}
	}
}

// send takes events out of the spool and runs the commands that are for them, all at the same time. It says false if
// some could not be taken: they are not sent, because they would be sent again and again.
func (n *Notifier) send(ctx context.Context, l lock, events []event) bool {
	events, records, err := n.known(events)
	wanted := func(c config.Notification, e event) bool { return wants(c, e, records[e.number].Status) }
	anybody := slices.ContainsFunc(events, func(e event) bool {
		return slices.ContainsFunc(n.commands, func(c config.Notification) bool { return wanted(c, e) })
	})
	if err == nil && anybody {
		err = l.setLastSent(time.Now())
	}
	var taken []event
	for _, e := range events {
		if err == nil {
			err = n.spool.take(e)
		}
		if err == nil {
			taken = append(taken, e)
		}
	}
	if err != nil {
		n.say("some notifications are not sent yet: %s", text.Short(err.Error(), maxSaid))
	}
	if err := errors.Join(statedir.SyncDir(n.spool.path(toldName)), statedir.SyncDir(n.spool.dir)); err != nil && len(taken) > 0 {
		n.say("notifications may be sent twice: %s", text.Short(err.Error(), maxSaid))
	}
	var all sync.WaitGroup
	for _, c := range n.commands {
		about := latest(slices.DeleteFunc(slices.Clone(taken), func(e event) bool { return !wanted(c, e) }))
		if len(about) > 0 {
			all.Go(func() { n.tell(ctx, c, about, records) })
		}
	}
	all.Wait()
	if anybody && len(taken) > 0 { // commands that hang take longer than events are gathered
		_ = l.setLastSent(time.Now()) // it worked before
	}
	_ = n.spool.forget(time.Now()) // the next process retries
	return err == nil
}

// known takes the events out of the spool that were told before or that the journal does not know, and gives the
// records of the others without their events.
func (n *Notifier) known(events []event) (kept []event, records map[int]incident.Record, err error) {
	records = make(map[int]incident.Record)
	for _, e := range events {
		if _, loaded := records[e.number]; !loaded {
			if r, err := n.journal.Load(e.number); err != nil {
				n.say("no notification of %s: %s", e, text.Short(err.Error(), maxSaid))
			} else {
				r.Events = []incident.Event{}
				records[e.number] = r
			}
		}
		if r, known := records[e.number]; known && !n.spool.told(e, r.Began) {
			kept = append(kept, e)
		} else if err := n.spool.take(e); err != nil {
			return nil, nil, err
		}
	}
	return kept, records, nil
}

// latest keeps the last event of each incident: who learns that it ended need not be told that it began. Events are
// in the order of list.
func latest(events []event) []event {
	var kept []event
	for i, e := range events {
		if i+1 == len(events) || events[i+1].number != e.number {
			kept = append(kept, e)
		}
	}
	return kept
}

// sleep waits and reports whether it did. It does not begin if ctx ends earlier anyway.
func sleep(ctx context.Context, d time.Duration) bool {
	deadline, ends := ctx.Deadline()
	return !(ends && time.Until(deadline) < d) && process.Pause(ctx, d)
}

// retryPause is for a mail server that restarts, say. A choice.
const retryPause = 2 * time.Second

// tell runs a command for events, of which each incident has one, and once more if it fails. If ctx ends before its
// second try, that is left to the next process.
func (n *Notifier) tell(ctx context.Context, c config.Notification, events []event, records map[int]incident.Record) {
	m, err := n.message(events, records)
	if err != nil {
		n.say("no notification: %s", text.Short(err.Error(), maxSaid))
		return
	}
	program := text.Short(c.Command[0], maxSaid)
	last := slices.ContainsFunc(events, func(e event) bool { return e.only != "" })
	for ; ; last = true {
		why := n.attempt(ctx, c, m)
		switch {
		case why == "":
			return
		case last:
			n.say("%s failed to notify of %s: %s; given up", program, m.about, why)
			return
		}
		n.say("%s failed to notify of %s: %s; retrying once", program, m.about, why)
		if ctx.Err() != nil || !sleep(ctx, retryPause) {
			n.leave(c, events)
			return
		}
	}
}

// leave puts events back for a last try of a command by another process.
func (n *Notifier) leave(c config.Notification, events []event) {
	for _, e := range events {
		e.only = id(c)
		if err := n.spool.add(e); err != nil {
			n.say("%s will not notify of %s: %s", text.Short(c.Command[0], maxSaid), e, text.Short(err.Error(), maxSaid))
		}
	}
}

// message is what a command gets for events.
func (n *Notifier) message(events []event, records map[int]incident.Record) (message, error) {
	if len(events) > 1 {
		all := make([]incident.Record, len(events))
		for i, e := range events {
			all[i] = records[e.number]
		}
		return several(all)
	}
	r, err := n.journal.Load(events[0].number)
	if err != nil { // removed or damaged since it was looked at
		r = records[events[0].number]
	}
	return single(events[0], r)
}

// attempt runs a command once and says why it failed, "" if it did not.
func (n *Notifier) attempt(ctx context.Context, c config.Notification, m message) string {
	result := n.run(ctx, c.Timeout, process.Program{Path: c.Command[0], Args: c.Command[1:], Script: true, Env: m.env, Stdin: m.stdin})
	var why string
	switch {
	case result.Err != nil:
		why = result.Err.Error()
	case result.Code != 0:
		why = fmt.Sprintf("exit code %d", result.Code)
	default:
		return ""
	}
	if line := lastLine(result.Output); line != "" {
		why += ": " + line
	}
	return text.Short(why, maxSaid)
}

// lastLine is the last line of an output that is not blank.
func lastLine(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
