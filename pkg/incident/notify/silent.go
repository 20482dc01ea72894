package notify

import (
	"context"
	"slices"
	"sync"

	"one-ft/pkg/config"
	"one-ft/pkg/incident"
	"one-ft/pkg/process"
	"one-ft/pkg/text"
)

// silent is what a command gets about a host that does not answer.
type silent struct {
	Version int    `json:"version"`
	Event   string `json:"event"`
	Object  string `json:"object"`
	Summary string `json:"summary"`
}

// Silent runs the commands that are for a host which does not answer although oned calls it MONITORED, about which there is no
// incident. It waits for them; one that fails is retried once.
func (n *Notifier) Silent(ctx context.Context, object, summary string) {
	if n == nil {
		return
	}
	stdin, err := encode(silent{incident.RecordVersion, config.NotifySilent, text.Short(object, maxSaid), text.Short(summary, maxSaid)})
	if err != nil {
		n.say("no notification of %s: %s", text.Short(object, maxSaid), text.Short(err.Error(), maxSaid))
		return
	}
	m := message{about: text.Short(object, maxSaid), env: environment(config.NotifySilent, "", object, config.NotifySilent, summary), stdin: stdin}
	var all sync.WaitGroup
	for _, c := range n.commands {
		if slices.Contains(c.On, config.NotifySilent) {
			all.Go(func() { n.tellOf(ctx, c, m) })
		}
	}
	all.Wait()
}

// tellOf runs a command, and once more if it fails.
func (n *Notifier) tellOf(ctx context.Context, c config.Notification, m message) {
	program := text.Short(c.Command[0], maxSaid)
	why := n.attempt(ctx, c, m)
	if why != "" && process.Pause(ctx, retryPause) {
		n.say("%s failed to notify of %s: %s; retrying once", program, m.about, why)
		why = n.attempt(ctx, c, m)
	}
	if why != "" {
		n.say("%s failed to notify of %s: %s; given up", program, m.about, why)
	}
}
