package config

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// ResumeKeys say what "oneft resume" does by itself; nil fields are not set.
type ResumeKeys struct {
	// Hosts is for a host in ERROR that no hook was called for: ResumeRecreate,
	// ResumeDelete, ResumeMigrate or ResumeNone.
	Hosts *string `yaml:"hosts,omitempty"`
	// Suspended: suspended and powered-off VMs of it as well. It contradicts Hosts with
	// ResumeNone.
	Suspended *bool `yaml:"suspended,omitempty"`
	// Unknown is for a VM that is UNKNOWN on a host that is fine: ResumeBoot or ResumeNone.
	Unknown *string `yaml:"unknown,omitempty"`
	// Failed is for a VM that failed and whose host is fine: ResumeRecreate, ResumeRetry,
	// ResumeDelete or ResumeNone.
	Failed *string `yaml:"failed,omitempty"`
}

// Values of ResumeKeys.
const (
	ResumeNone     = "none"     // it is only named
	ResumeRecreate = "recreate" // the VM starts anew, as with -r
	ResumeDelete   = "delete"   // the VM is deleted, as with -d
	ResumeMigrate  = "migrate"  // the VM is moved, as with -m; only of a host
	ResumeRetry    = "retry"    // what failed is tried again; only of a failed VM
	ResumeBoot     = "boot"     // the VM is booted again; only of one that is UNKNOWN
)

// Notification is a command that people are told by.
type Notification struct {
	// Command is a program by its absolute path, and its arguments.
	Command []string `yaml:"command"`
	// On says when: one or more of NotifyBegin, NotifyHold, NotifyEnd and NotifyProblem,
	// each once. NotifyEnd contradicts NotifyProblem, which is a part of it. Default:
	// NotifyHold, NotifyEnd.
	On []string `yaml:"on"`
	// Timeout is the most time for one run of the command, 1s to 10m.
	Timeout time.Duration `yaml:"timeout"`
}

// Values of Notification.On.
const (
	NotifyBegin   = "begin"   // an incident began
	NotifyHold    = "hold"    // an incident is held, because so much fails at once
	NotifyEnd     = "end"     // an incident ended
	NotifyProblem = "problem" // an incident ended and left something undone
)

// How these settings are written.
const (
	exampleTell = "[/usr/local/bin/tell, --pager]"
	notifyForm  = "a list of commands, such as [{command: " + exampleTell + "}]"
	onForm      = "a list of begin, hold, end and problem, such as [hold, end]"
)

// parseResume reads resume.
func parseResume(p place) (ResumeKeys, error) {
	var r ResumeKeys
	seen, err := p.mapping(fields{
		"hosts":     set(&r.Hosts, oneOf(ResumeRecreate, ResumeDelete, ResumeMigrate, ResumeNone)),
		"suspended": set(&r.Suspended, yesNo),
		"unknown":   set(&r.Unknown, oneOf(ResumeBoot, ResumeNone)),
		"failed":    set(&r.Failed, oneOf(ResumeRecreate, ResumeRetry, ResumeDelete, ResumeNone)),
	})
	if err != nil {
		return ResumeKeys{}, err
	}
	if v := (File{Resume: r}).Values(); v.ResumeSuspended && v.ResumeHosts == ResumeNone {
		return ResumeKeys{}, contradiction(seen, "suspended", "hosts", "suspended: true only with hosts recreate, delete or migrate")
	}
	return r, nil
}

// parseNotify reads notify, and refuses a command that is there twice: it would be run
// twice for one event.
func parseNotify(p place) ([]Notification, error) {
	var lines []int
	var known []Notification
	list, err := listOf(notifyForm, func(item place) (Notification, error) {
		n, err := parseNotification(item)
		if err != nil {
			return n, err
		}
		same := func(other Notification) bool { return slices.Equal(other.Command, n.Command) }
		if i := slices.IndexFunc(known, same); i >= 0 {
			return n, item.wrong("each command once, with all that it is for under on", "the command of line %d again", lines[i])
		}
		known, lines = append(known, n), append(lines, item.line)
		return n, nil
	})(p)
	if err == nil && len(list) > MaxNotifications {
		err = p.wrong(fmt.Sprintf("at most %d", MaxNotifications), "%d commands", len(list))
	}
	return list, err
}

// parseNotification reads one item of notify.
func parseNotification(p place) (Notification, error) {
	n := Notification{On: DefaultNotifyOn(), Timeout: DefaultNotifyTimeout}
	_, err := p.mapping(fields{
		"command": store(&n.Command, argv(exampleTell)),
		"on":      store(&n.On, parseOn),
		"timeout": store(&n.Timeout, times(time.Second, maxNotifyTimeout)),
	})
	if err == nil && n.Command == nil {
		err = p.wrong("a command with an absolute path, such as "+exampleTell, "no command")
	}
	return n, err
}

// parseOn reads what a command is for.
func parseOn(p place) ([]string, error) {
	var seen []string
	return listOf(onForm, func(item place) (string, error) {
		word, err := oneOf(NotifyBegin, NotifyHold, NotifyEnd, NotifyProblem)(item)
		switch other := otherEnd(word); {
		case err != nil:
			return "", err
		case slices.Contains(seen, word):
			return "", item.wrong("each word once", "%q is there twice", word)
		case other != "" && slices.Contains(seen, other):
			return "", item.wrong("end for every end, or problem for those that left something undone", "contradicts %s", other)
		}
		seen = append(seen, word)
		return word, nil
	})(p)
}

// otherEnd is the other one of the two words for an end, "" of no such word.
func otherEnd(word string) string {
	switch word {
	case NotifyEnd:
		return NotifyProblem
	case NotifyProblem:
		return NotifyEnd
	}
	return ""
}

// metricsSuffix ends the names of the files that node_exporter's textfile collector reads;
// it passes over all others (its collector/textfile.go).
const metricsSuffix = ".prom"

// metricsFile reads the path of a file for node_exporter.
func metricsFile(p place) (string, error) {
	const allowed = "an absolute path that ends in " + metricsSuffix
	text, err := p.scalar(allowed)
	switch name := path.Base(text); {
	case err != nil:
		return "", err
	case !path.IsAbs(text):
		return "", p.wrong(allowed, "not an absolute path")
	case !strings.HasSuffix(text, metricsSuffix) || name == metricsSuffix:
		return "", p.wrong(allowed, "not the name of a file that node_exporter reads")
	}
	return text, nil
}
