package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/process"
	"one-ft/pkg/text"
)

// retryPause is for a mail server that restarts, say. A choice.
const retryPause = 2 * time.Second

// tell runs a command for events, of which each incident has one, and once more if it fails. If ctx ends before its
// second try, that is left to the next process.
func (n *Notifier) tell(ctx context.Context, c Command, events []event, records map[int]incident.Record) {
	m, err := n.message(events, records)
	if err != nil {
		n.say("no notification: %s", text.Short(err.Error(), maxSaid))
		return
	}
	program := text.Short(c.Argv[0], maxSaid)
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
func (n *Notifier) leave(c Command, events []event) {
	for _, e := range events {
		e.only = c.id()
		if err := n.spool.add(e); err != nil {
			n.say("%s will not notify of %s: %s", text.Short(c.Argv[0], maxSaid), e, text.Short(err.Error(), maxSaid))
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
func (n *Notifier) attempt(ctx context.Context, c Command, m message) string {
	result := n.run(ctx, c.Timeout, process.Program{Path: c.Argv[0], Args: c.Argv[1:], Env: m.env, Stdin: m.stdin})
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
