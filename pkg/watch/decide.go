// Package watch decides for oneft watch, which asks the way to all hosts every few seconds: it has people notified, or has a host
// fenced and its VMs recovered, when one does not answer although oned calls it MONITORED. oned never calls a host failed that
// is frozen, and calls one behind a router failed minutes after its death.
//
// It decides, and is pure: what a round found goes in, what is to be done comes out. Package reconcile does the rest: oned, the
// survey, notifications, and the coordinator, which takes a host through the storm guard, second opinions and the fence as if
// oned had called it failed.
package watch

import (
	"slices"
	"sort"
	"time"

	"one-ft/pkg/one"
	"one-ft/pkg/reach"
	"one-ft/pkg/recovery"
)

const (
	// Every is the time between the begins of two rounds. A choice: a connection to each host costs it a fork of sshd.
	Every = 5 * time.Second
	// Tell is after how long people are notified of a silent host: a network that is configured again, or a port of a switch that
	// comes up (spanning tree: 30 s), is nothing for them. A choice.
	Tell = 30 * time.Second
	// maxGap is the longest time between two rounds of one silence. This machine, or this process, stood still in a longer one.
	maxGap = 3 * Every
)

// Policy says what is done about a silent host.
type Policy struct {
	// Act is after how long it is fenced and recovered; 0 is never.
	Act   time.Duration
	Guard recovery.GuardPolicy
}

// Outage is that a host does not answer although oned calls it MONITORED.
type Outage struct {
	Host  int       `json:"host"`
	Name  string    `json:"name"`
	Since time.Time `json:"since"`
	// Frozen: its kernel takes connections, and nothing else on it answers.
	Frozen bool `json:"frozen,omitempty"`
	// Heard: oned has monitored it since, so it lives, and the way to it is broken.
	Heard bool `json:"heard,omitempty"`
	Told  bool `json:"told,omitempty"`
	// Acted: it was handed over to be fenced and recovered.
	Acted bool `json:"acted,omitempty"`

	streak time.Time // since when each round found it silent; the zero time after one in which it could not be asked
}

// Seen is a host as a round found it. LastContact of the host is when oned last monitored it, where that is known.
type Seen struct {
	Host   one.Host
	Answer reach.Answer
	// Fenced: something is configured that switches its power.
	Fenced bool
}

// Decision is what is to be done after a round.
type Decision struct {
	Tell, Act []Outage
	Over      []Outage // people were notified of them, and they answer again
	// Lost is how many hosts in service do not answer this front-end, when that is so many that its own network is the likelier
	// culprit; nil when it is not.
	Lost *recovery.Count
}

// Watch is what is known of all hosts.
type Watch struct {
	policy   Policy
	answered map[int]bool // they have answered this process: the way to them can be asked
	outages  map[int]*Outage
	last     time.Time // when the last round began
}

// New makes a Watch that has seen nothing; told are outages that a process before has told of.
func New(p Policy, told []Outage) *Watch {
	w := &Watch{policy: p, answered: map[int]bool{}, outages: map[int]*Outage{}}
	for _, o := range told {
		w.outages[o.Host] = &o
	}
	return w
}

// Outages are those that are known, by the IDs of their hosts.
func (w *Watch) Outages() []Outage {
	all := []Outage{}
	for _, o := range w.outages {
		all = append(all, *o)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Host < all[j].Host }) // smaller than slices.SortFunc by 13 kB
	return all
}

// Round takes what a round that began at now found of all hosts.
func (w *Watch) Round(now time.Time, all []Seen) (d Decision) {
	still := w.last.IsZero() || now.Sub(w.last) > maxGap
	w.last = now
	lost, answers, hosts := map[int]bool{}, 0, make([]one.Host, len(all))
	for i, s := range all {
		hosts[i] = s.Host
		d.Over = append(d.Over, w.look(now, s, still)...)
		lost[s.Host.ID] = w.outages[s.Host.ID] != nil && s.Answer.Dumb()
		if s.Answer.Alive() && !s.Answer.Dumb() {
			answers++
		}
	}
	for id := range w.outages { // of hosts that are gone
		if !slices.ContainsFunc(hosts, func(h one.Host) bool { return h.ID == id }) {
			delete(w.outages, id)
		}
	}
	for _, s := range all {
		o := w.outages[s.Host.ID]
		if o == nil || !s.Answer.Dumb() {
			continue
		}
		if v := recovery.Guard(hosts, nil, now, w.policy.Guard, o.Host, lost); v.Hold || answers == 0 {
			d.Lost = &v.Worst
			continue
		}
		if now.Sub(o.Since) >= Tell && !o.Told {
			o.Told = true
			d.Tell = append(d.Tell, *o)
		}
		if w.acts(*o, s, now) {
			o.Acted = true
			d.Act = append(d.Act, *o)
		}
	}
	return d
}

// look takes what a round found of one host. still: this process stood still before, so no silence has lasted.
func (w *Watch) look(now time.Time, s Seen, still bool) (over []Outage) {
	id := s.Host.ID
	o, silent := w.outages[id]
	switch {
	case !s.Host.State.Back(): // oned calls it failed itself, or an admin has taken it out of service
		delete(w.outages, id)
	case s.Answer.Dumb():
		if !silent {
			o = &Outage{Host: id, Name: s.Host.Name, Since: now}
			w.outages[id] = o
		}
		if o.streak.IsZero() || still {
			o.streak = now
		}
		o.Frozen = s.Answer == reach.Mute
		o.Heard = recovery.HeardSince(s.Host, o.Since)
	case s.Answer.Alive():
		w.answered[id] = true
		delete(w.outages, id)
		if silent && o.Told {
			return []Outage{*o}
		}
	case silent:
		o.streak = time.Time{}
	}
	return nil
}

// acts reports whether a host is to be fenced and recovered now: it answered before, has been silent in each round for long
// enough, oned has not heard of it either, its power can be switched, and there are VMs to recover.
func (w *Watch) acts(o Outage, s Seen, now time.Time) bool {
	return w.policy.Act > 0 && now.Sub(o.streak) >= w.policy.Act && !o.Acted && !o.Heard && w.answered[o.Host] && s.Fenced && len(s.Host.VMs) > 0
}
