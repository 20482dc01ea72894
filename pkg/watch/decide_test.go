package watch

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"one-ft/pkg/one"
	"one-ft/pkg/reach"
	"one-ft/pkg/recovery"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// policy is that of a cloud as the configuration has it by default, with act: 45s.
func policy(act time.Duration) Policy {
	return Policy{Act: act, Guard: recovery.GuardPolicy{Share: 0.5, Hosts: 3, Window: time.Hour}}
}

// seen is a round: host 0 and so on, MONITORED, with a VM and fencing.
func seen(answers ...reach.Answer) (all []Seen) {
	for id, a := range answers {
		all = append(all, Seen{Host: one.Host{ID: id, Name: fmt.Sprint("node", id), State: one.HostMonitored, VMs: []int{id}}, Answer: a, Fenced: true})
	}
	return all
}

// rounds makes rounds, Every apart, and names what was decided in each: the seconds, and the hosts.
func rounds(w *Watch, from time.Time, n int, round func(i int) []Seen) (said []string) {
	for i := range n {
		d := w.Round(from.Add(time.Duration(i)*Every), round(i))
		for what, all := range map[string][]Outage{"tell": d.Tell, "act": d.Act, "over": d.Over} {
			for _, o := range all {
				said = append(said, fmt.Sprintf("%s %d at %ds", what, o.Host, i*int(Every.Seconds())))
			}
		}
		if d.Lost != nil {
			said = append(said, fmt.Sprintf("lost %d of %d at %ds", d.Lost.Failed, d.Lost.InService, i*int(Every.Seconds())))
		}
	}
	slices.Sort(said)
	return slices.Compact(said)
}

const (
	yes    = reach.Reachable
	silent = reach.Silent
	mute   = reach.Mute
)

func TestRounds(t *testing.T) {
	t.Parallel()
	all := func(answers ...reach.Answer) func(int) []Seen { return func(int) []Seen { return seen(answers...) } }
	after := func(n int, before, then func(int) []Seen) func(int) []Seen {
		return func(i int) []Seen {
			if i < n {
				return before(i)
			}
			return then(i)
		}
	}
	change := func(of func(int) []Seen, change func(*Seen)) func(int) []Seen {
		return func(i int) []Seen {
			s := of(i)
			change(&s[0])
			return s
		}
	}
	calm, dies := all(yes, yes, yes), after(1, all(yes, yes, yes), all(silent, yes, yes))
	for name, c := range map[string]struct {
		act    time.Duration
		n      int
		rounds func(int) []Seen
		want   string
	}{
		"calm":                         {45 * time.Second, 20, calm, "[]"},
		"dies":                         {45 * time.Second, 20, dies, "[act 0 at 50s tell 0 at 35s]"},
		"frozen":                       {45 * time.Second, 20, after(1, calm, all(mute, yes, yes)), "[act 0 at 50s tell 0 at 35s]"},
		"told only":                    {0, 20, dies, "[tell 0 at 35s]"},
		"refuses, so its machine runs": {45 * time.Second, 20, after(1, calm, all(reach.Refused, yes, yes)), "[]"},
		"cannot be asked":              {45 * time.Second, 20, after(1, calm, all(reach.Unknown, yes, yes)), "[]"},
		"back in time":                 {45 * time.Second, 20, after(6, dies, calm), "[]"},
		"back after it was told of":    {45 * time.Second, 20, after(9, dies, calm), "[over 0 at 45s tell 0 at 35s]"},
		"never answered":               {45 * time.Second, 20, all(silent, yes, yes), "[tell 0 at 30s]"},
		"no fencing":                   {45 * time.Second, 20, change(dies, func(s *Seen) { s.Fenced = false }), "[tell 0 at 35s]"},
		"no VMs":                       {45 * time.Second, 20, change(dies, func(s *Seen) { s.Host.VMs = nil }), "[tell 0 at 35s]"},
		"disabled":                     {45 * time.Second, 20, change(dies, func(s *Seen) { s.Host.State = one.HostDisabled }), "[]"},
		"in ERROR":                     {45 * time.Second, 20, change(dies, func(s *Seen) { s.Host.State = one.HostError }), "[]"},
		"oned hears of it":             {45 * time.Second, 20, change(dies, func(s *Seen) { s.Host.LastContact = noon.Add(time.Minute).Unix() }), "[tell 0 at 35s]"},
		"oned heard of it before":      {45 * time.Second, 20, change(dies, func(s *Seen) { s.Host.LastContact = noon.Unix() }), "[act 0 at 50s tell 0 at 35s]"},
		"nobody answers":               {45 * time.Second, 3, after(1, all(yes, yes), all(silent, mute)), "[lost 2 of 2 at 10s lost 2 of 2 at 5s]"},
		"a storm":                      {45 * time.Second, 2, after(1, all(yes, yes, yes, yes), all(silent, silent, silent, yes)), "[lost 3 of 4 at 5s]"},
		"only host":                    {45 * time.Second, 2, after(1, all(yes), all(silent)), "[lost 1 of 1 at 5s]"},
		"unknown in between": {45 * time.Second, 20, func(i int) []Seen {
			if i == 5 {
				return seen(reach.Unknown, yes, yes)
			}
			return dies(i)
		}, "[act 0 at 75s tell 0 at 35s]"},
	} {
		if got := fmt.Sprint(rounds(New(policy(c.act), nil), noon, c.n, c.rounds)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// A process that stood still has not seen a host silent all the time; people were told once, whoever told them.
func TestStandsStill(t *testing.T) {
	t.Parallel()
	w := New(policy(45*time.Second), nil)
	rounds(w, noon, 1, func(int) []Seen { return seen(yes, yes) })
	rounds(w, noon.Add(Every), 1, func(int) []Seen { return seen(silent, yes) })
	if got := fmt.Sprint(rounds(w, noon.Add(10*time.Minute), 20, func(int) []Seen { return seen(silent, yes) })); got != "[act 0 at 45s tell 0 at 0s]" {
		t.Error(got)
	}
	again := New(policy(0), w.Outages())
	if got := rounds(again, noon.Add(20*time.Minute), 20, func(int) []Seen { return seen(silent, yes) }); len(got) > 0 {
		t.Errorf("told again: %s", got)
	}
	if got := fmt.Sprint(rounds(again, noon.Add(30*time.Minute), 1, func(int) []Seen { return seen(yes, yes) })); got != "[over 0 at 0s]" {
		t.Error(got)
	}
}

// Whatever hosts answer, nothing is done about one unless it has answered before and has been silent since for long enough, while
// another one answered in that round, and it was no storm.
func TestActsOnlyOnSilence(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "hosts")
		p := policy(45 * time.Second)
		w, now := New(p, nil), noon
		lastWord, answered := make([]time.Time, n), make([]bool, n)
		for range rapid.IntRange(1, 60).Draw(t, "rounds") {
			now = now.Add(Every)
			answers, dumb := make([]reach.Answer, n), 0
			for i := range answers {
				answers[i] = rapid.SampledFrom([]reach.Answer{yes, silent, silent, silent, silent, mute, reach.Unknown}).Draw(t, "answer")
				if !answers[i].Dumb() {
					lastWord[i], answered[i] = now, answered[i] || answers[i].Alive()
				} else {
					dumb++
				}
			}
			for _, o := range w.Round(now, seen(answers...)).Act {
				others := slices.ContainsFunc(answers, func(a reach.Answer) bool { return a == yes })
				storm := dumb >= p.Guard.Hosts && float64(dumb) > p.Guard.Share*float64(n)
				if !answered[o.Host] || now.Sub(lastWord[o.Host]) <= p.Act || !others || storm {
					t.Fatalf("host %d at %s: %v", o.Host, now, answers)
				}
			}
		}
	})
}
