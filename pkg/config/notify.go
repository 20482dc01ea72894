package config

import (
	"fmt"
	"slices"
	"time"
)

// Notification is a command that notifies admins.
type Notification struct {
	// Command is a program by its absolute path, and its arguments.
	Command []string `yaml:"command"`
	// On says when: one or more of NotifySilent, NotifyBegin, NotifyHold, NotifyEnd and NotifyProblem, each once.
	// NotifyEnd contradicts NotifyProblem, which is a part of it. Default: DefaultNotifyOn.
	On []string `yaml:"on"`
	// Timeout is the most time for one run of the command, 1s to 10m.
	Timeout time.Duration `yaml:"timeout"`
}

// Values of Notification.On.
const (
	NotifySilent  = "silent"  // oneft watch: a host does not answer, and oned calls it MONITORED
	NotifyBegin   = "begin"   // an incident began
	NotifyHold    = "hold"    // an incident is held, because so much fails at once
	NotifyEnd     = "end"     // an incident ended
	NotifyProblem = "problem" // an incident ended and left something undone
)

const (
	// MaxNotifications is the most commands that notify admins.
	MaxNotifications = 10
	// DefaultNotifyTimeout is enough to hand a message over, and not to deliver it. A choice.
	DefaultNotifyTimeout = 30 * time.Second
)

// DefaultNotifyOn returns what a command is for when the file does not say it: an end means that the
// VMs run again or what is left to do, and a hold and a silent host may need an admin. A notification of what is over a minute later makes admins stop
// reading.
func DefaultNotifyOn() []string { return []string{NotifySilent, NotifyHold, NotifyEnd} }

const exampleTell = "[/usr/local/bin/tell, --pager]"

// readNotify reads notify, and refuses a command that is there twice: it would be run twice for one
// event.
func readNotify(n node) ([]Notification, error) {
	var lines []int
	var list []Notification
	err := n.items("a list of commands, such as [{command: "+exampleTell+"}]", func(item node) error {
		fresh, err := readNotification(item)
		same := func(other Notification) bool { return slices.Equal(other.Command, fresh.Command) }
		if i := slices.IndexFunc(list, same); err == nil && i >= 0 {
			err = item.wrong("each command once, with all that it is for under on", "the command of line %d again", lines[i])
		}
		list, lines = append(list, fresh), append(lines, item.line)
		return err
	})
	if err == nil && len(list) > MaxNotifications {
		err = n.wrong(fmt.Sprintf("at most %d", MaxNotifications), "%d commands", len(list))
	}
	return list, err
}

func readNotification(item node) (Notification, error) {
	n := Notification{On: DefaultNotifyOn(), Timeout: DefaultNotifyTimeout}
	_, err := item.mapping(table{
		as("command", &n.Command, program(exampleTell)),
		as("on", &n.On, from(readOn)),
		as("timeout", &n.Timeout, times(time.Second, 10*time.Minute)),
	})
	if err == nil && n.Command == nil {
		err = item.wrong("a command with an absolute path, such as "+exampleTell, "no command")
	}
	return n, err
}

func readOn(n node) ([]string, error) {
	var seen []string
	err := n.items("a list of silent, begin, hold, end and problem, such as [silent, hold, end]", func(item node) error {
		word, err := oneOf(NotifySilent, NotifyBegin, NotifyHold, NotifyEnd, NotifyProblem).read(item)
		other := map[string]string{NotifyEnd: NotifyProblem, NotifyProblem: NotifyEnd}[word]
		switch {
		case err != nil:
			return err
		case slices.Contains(seen, word):
			return item.wrong("each word once", "%q is there twice", word)
		case slices.Contains(seen, other):
			return item.wrong("end for every end, or problem for those that left something undone", "contradicts %s", other)
		}
		seen = append(seen, word)
		return nil
	})
	return seen, err
}
