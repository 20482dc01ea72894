package crash_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"one-ft/pkg/incident"
)

const (
	// workers is how many points are tried at the same time: a run waits most of its time.
	workers = 4
	// beyond is how many points in a row a process has to survive until there are no more:
	// their number differs a little from run to run.
	beyond = 3
	// shown is how many points that went wrong are told in full.
	shown = 5
)

// numbers are left out when points are counted by what went wrong.
var numbers = regexp.MustCompile(`\d+`)

// first lets the first event of a point come. It returns where the process was killed, "" when it
// ended by itself because it has fewer points.
type first func(ctx context.Context, w *world, f frontEnd, point int) (where string, err error)

// result is what came out at a point.
type result struct {
	where string // the process was killed; "" when it was not
	// status is that of the incident on the disk after that, "" without one.
	status incident.Status
	wrong  []string
}

// sweep tries the points from 1 on until there are no more, each with a cloud and a front-end of its
// own. It returns how many there are, and how many of them left the incident in which status.
func sweep(t *testing.T, version string, run first) (int, map[incident.Status]int) {
	t.Helper()
	dir := t.TempDir()
	s := &points{t: t, survived: map[int]bool{}, wrong: map[string][]string{}, statuses: map[incident.Status]int{}}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for point, more := s.next(); more; point, more = s.next() {
				s.tried(point, try(t.Context(), version, dir, point, run))
			}
		})
	}
	wg.Wait()
	s.report()
	return s.last, s.statuses
}

// try kills one process at a point, lets the next event come, and says what is wrong then.
func try(ctx context.Context, version, dir string, point int, run first) (res result) {
	w, err := newWorld(version)
	if err != nil {
		return result{wrong: []string{err.Error()}}
	}
	defer w.close()
	f, err := newFrontEnd(dir)
	if err != nil {
		return result{wrong: []string{err.Error()}}
	}
	defer os.RemoveAll(f.dir)
	if res.where, err = run(ctx, w, f, point); err != nil {
		res.wrong = append(res.wrong, "first event: "+err.Error())
	}
	before, err := f.incidents()
	if err != nil {
		res.wrong = append(res.wrong, "after the kill: "+err.Error())
	}
	if len(before) > 0 {
		res.status = before[0].Status
	}
	if err := f.handled(ctx, w); err != nil {
		res.wrong = append(res.wrong, "next event: "+err.Error())
	}
	res.wrong = append(res.wrong, verdict(ctx, w, f, before)...)
	if len(res.wrong) > 0 {
		res.wrong = append(res.wrong, "log:\n"+f.log())
	}
	return res
}

// verdict is everything that must hold when the last event was handled.
func verdict(ctx context.Context, w *world, f frontEnd, before []incident.Record) []string {
	wrong := w.once(ctx)
	after, err := f.incidents()
	if err != nil {
		wrong = append(wrong, err.Error())
	}
	wrong = append(wrong, kept(before, after)...)
	wrong = append(wrong, recorded(after)...)
	return append(wrong, f.tidy(after)...)
}

// points is how far a sweep is.
type points struct {
	t  *testing.T
	mu sync.Mutex
	// last is the last point at which a process was killed.
	last     int
	begun    int
	ended    bool
	survived map[int]bool
	statuses map[incident.Status]int
	wrong    map[string][]string // by the point
	order    []string
}

// next gives the next point; more is false when there is none.
func (s *points) next() (point int, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.t.Context().Err() != nil {
		return 0, false
	}
	s.begun++
	return s.begun, true
}

// tried takes what came out at a point.
func (s *points) tried(point int, res result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	where := res.where
	if where == "" {
		where = "not killed"
		s.survived[point] = true
	} else {
		s.last = max(s.last, point)
		s.statuses[res.status]++
	}
	for from := point - beyond + 1; from <= point; from++ {
		all := true
		for p := from; p < from+beyond; p++ {
			all = all && s.survived[p]
		}
		s.ended = s.ended || all
	}
	if len(res.wrong) > 0 {
		name := fmt.Sprintf("point %d (%s)", point, where)
		s.order, s.wrong[name] = append(s.order, name), res.wrong
	}
}

// report tells the first points that went wrong, and how many did in which way.
func (s *points) report() {
	s.t.Helper()
	kinds := map[string]int{}
	for i, name := range s.order {
		if i < shown {
			s.t.Errorf("%s: %s", name, strings.Join(s.wrong[name], "\n\t"))
		}
		for _, text := range s.wrong[name] {
			if kind, _, _ := strings.Cut(numbers.ReplaceAllString(text, "N"), ":"); kind != "log" {
				kinds[kind]++
			}
		}
	}
	if len(s.order) == 0 {
		return
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		s.t.Logf("%d times: %s", kinds[kind], kind)
	}
	s.t.Errorf("%d of %d points went wrong", len(s.order), s.begun)
}
