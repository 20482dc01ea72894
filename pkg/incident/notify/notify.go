// Package notify sends notifications of incidents with the commands of the configuration: a mail, a pager, a ticket.
//
// All one-ft processes of a front-end share a directory, the spool: Enqueue puts an event there, and Deliver lets one
// process at a time run the commands for what is there. So a thousand failures at once are one message and then a
// digest every 30 s. Each event is delivered at most once by each command, whichever process is killed when: it
// leaves the spool before the first command runs. A command that fails is retried once; then the event is only in the
// log.
package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/incident"
	"one-ft/pkg/process"
	"one-ft/pkg/text"
)

// Kind is what happened to an incident.
type Kind string

// The kinds, in their order.
const (
	Begin Kind = config.NotifyBegin
	Hold  Kind = config.NotifyHold
	End   Kind = config.NotifyEnd
)

// on reports whether a command may be for events of this kind: "problem" is an end with something left to do.
func on(c config.Notification, k Kind) bool {
	return slices.Contains(c.On, string(k)) || k == End && slices.Contains(c.On, config.NotifyProblem)
}

// wants reports whether a command is for an event of an incident with this status: unproven is a problem, done and came
// back are none.
func wants(c config.Notification, e event, s incident.Status) bool {
	if e.only != "" && e.only != id(c) {
		return false
	}
	return slices.Contains(c.On, string(e.kind)) || on(c, e.kind) && s != incident.Done && s != incident.CameBack
}

// id stands for a command in names of files: its arguments may be confidential.
func id(c config.Notification) string {
	sum := sha256.Sum256([]byte(strings.Join(c.Command, "\x00")))
	return hex.EncodeToString(sum[:idBytes])
}

// idBytes is enough to tell ten commands apart.
const idBytes = 6

// Notifier runs the commands. It is safe for concurrent use. A nil Notifier, and one without commands, does nothing.
type Notifier struct {
	spool    spool
	journal  *incident.Journal
	commands []config.Notification
	say      func(format string, args ...any)
	run      process.Runner
	unlock   func(lock)
}

// diskLimit is the most time that Enqueue waits for the disk. One that hangs must not hold a recovery up.
const diskLimit = 5 * time.Second

// New makes a Notifier. dir is the spool, which is made when the first event is put there. run runs the commands; nil
// is process.Run. say gets a printable line for each thing that goes wrong, and may be called by several goroutines.
func New(dir string, journal *incident.Journal, commands []config.Notification, run process.Runner, say func(format string, args ...any)) *Notifier {
	if run == nil {
		run = process.Run
	}
	return &Notifier{spool: spool{dir}, journal: journal, commands: commands, say: say, run: run, unlock: func(l lock) { l.release() }}
}

// Enqueue puts an event of the incident with this number into the spool, on the disk when it returns. What is there
// already stays as it is, and what no command is for is left out. It waits for no command; for the disk at most 5 s.
// Of an End the journal has the status before.
func (n *Notifier) Enqueue(kind Kind, number int) {
	if n == nil || !slices.ContainsFunc(n.commands, func(c config.Notification) bool { return on(c, kind) }) {
		return
	}
	if number < 1 {
		n.say("no notification of the %s of an incident that is not in the journal", kind)
		return
	}
	e := event{kind: kind, number: number}
	ctx, cancel := context.WithTimeoutCause(context.Background(), diskLimit, fmt.Errorf("the write timed out after %s", diskLimit))
	defer cancel()
	_, err := process.Bounded(ctx, func() (struct{}, error) { return struct{}{}, n.spool.add(e) })
	if err != nil {
		n.say("notification of %s may be lost: %s", e, text.Short(err.Error(), maxSaid))
	}
}

// Requeue is Enqueue for an event that was delivered before and means something else now: an incident that was left
// undone has ended otherwise.
func (n *Notifier) Requeue(kind Kind, number int) {
	if n == nil {
		return
	}
	_ = os.Remove(filepath.Join(n.spool.path(toldName), event{kind: kind, number: number}.name())) // else it is not sent, which is all that can happen
	n.Enqueue(kind, number)
}
