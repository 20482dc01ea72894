package play

import (
	"encoding/json"
	"fmt"
	"strings"

	"one-ft/pkg/incident"
)

// agree runs all tools that say what would be done with a host, at the same moment, and holds what they say against each
// other and against what is expected: the answer of each is the same incident.Standing. Nobody of them changes anything.
func (w *world) agree(f *frontEnd, host int, expected string) {
	asked := []struct {
		name  string
		words []string
		said  func(text []byte) (incident.Standing, bool)
	}{
		{"dry run", []string{"host_error", fmt.Sprint(host), "-r", "n", "--dry-run", "--json"}, standingOf},
		{"drill", []string{"oneft", "drill", "--json", fmt.Sprint(host)}, standingOf},
		{"check", []string{"oneft", "check", "--no-fencing", "--json"}, standingIn(host)},
		{"resume", []string{"oneft", "resume", "--dry-run", "--json"}, standingIn(host)},
		{"incidents", []string{"oneft", "incidents", "--json"}, standingInJournal(host)},
	}
	processes := make([]*process, len(asked))
	for i, a := range asked {
		processes[i] = f.start(a.words[0], a.words[1:], "", true)
	}
	var first incident.Standing
	var parts []string
	for i, a := range asked {
		<-processes[i].done
		s, says := a.said(processes[i].stdout.Bytes())
		text := "nothing"
		if says {
			text = fmt.Sprintf("%s %d/%d", s.State, s.Failed, s.InService)
			if s.Silent > 0 {
				text += fmt.Sprintf(" silent=%d", s.Silent)
			}
		}
		parts = append(parts, a.name+": "+text)
		switch {
		case i == 0:
			first = s
			if string(s.State) != expected && (expected != "held" || !s.Holds()) {
				w.problem("the dry run says of host%d: %s, expected is %s: %s", host, s.State, expected, processes[i].stdout.String()+processes[i].stderr.String())
			}
		case !says && !first.Holds(): // nothing is in the way of a host that has failed, or it has not
		case !s.Same(first):
			w.problem("%s says of host%d: %+v, the dry run %+v: %s", a.name, host, s, first, processes[i].stderr.String())
		}
	}
	w.log.add(rankEnd, "tools", -1, "host%d: %s", host, strings.Join(parts, "; "))
}

// standingOf reads a report about one host.
func standingOf(text []byte) (incident.Standing, bool) {
	var r struct{ Standing *incident.Standing }
	if json.Unmarshal(text, &r) != nil || r.Standing == nil {
		return incident.Standing{}, false
	}
	return *r.Standing, true
}

// standingIn reads a report about several.
func standingIn(host int) func([]byte) (incident.Standing, bool) {
	return func(text []byte) (incident.Standing, bool) {
		var r struct{ Standings []incident.HostStanding }
		if json.Unmarshal(text, &r) == nil {
			for _, s := range r.Standings {
				if s.Host == host {
					return s.Standing, true
				}
			}
		}
		return incident.Standing{}, false
	}
}

// standingInJournal reads the newest incident of a host.
func standingInJournal(host int) func([]byte) (incident.Standing, bool) {
	return func(text []byte) (incident.Standing, bool) {
		var all []incident.Record
		if json.Unmarshal(text, &all) == nil {
			for _, r := range all {
				if r.Kind == "host" && r.ID == host {
					s := r.Stands()
					return s, s.Holds()
				}
			}
		}
		return incident.Standing{}, false
	}
}
