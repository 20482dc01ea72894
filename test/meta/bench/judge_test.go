package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/incident"
	"one-ft/test/sim/lab"
)

// hooks gives how long the hooks took that handed their host over, ascending. A hook says nothing when all is well, so the log tells which they were: the shortest of the
// hooks for a host.
func (s storm) hooks(t *testing.T, l *lab.Lab) (handed []time.Duration) {
	t.Helper()
	took := map[string][]time.Duration{}
	for _, run := range l.Runs() {
		if run.Exit != 0 {
			t.Errorf("%s: %s: exit %d: %s%s%s", s.version, run.What, run.Exit, run.Stdout, run.Stderr, run.Problem)
		}
		host, _, _ := strings.Cut(run.What, " (")
		took[host] = append(took[host], run.Ended.Sub(run.Started))
	}
	log, err := os.ReadFile(filepath.Join(l.Dir(), "var", "host_error.log"))
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, match := range handedOver.FindAllStringSubmatch(string(log), -1) {
		counts["host "+match[1]]++
	}
	for host, all := range took {
		slices.Sort(all)
		handed = append(handed, all[:counts[host]]...)
	}
	slices.Sort(handed)
	return handed
}

// handedOver is what a hook that has handed its host over leaves in the log.
var handedOver = regexp.MustCompile(`host (\d+)(?:: handed over to| is already being handled by)`)

// recreate is one that oned accepted.
type recreate struct {
	vm, priority int
	at           time.Time // when it was called
	ready        time.Time // when its host was ready to be acted on
}

// judge reads the calls and the journal.
func (s storm) judge(t *testing.T, l *lab.Lab, m *measured, failed time.Time) {
	t.Helper()
	ready, priority := map[int]time.Time{}, map[int]int{}
	records, problems := openJournal(t, l).List(s.failed)
	for _, r := range records {
		// The scheduler never runs, so the VMs are on their way for ever.
		if r.Status != incident.Following || len(r.VMs) != s.each {
			t.Errorf("%s: incident %d of host %d: %s, %d VMs: %s", s.version, r.Number, r.ID, r.Status, len(r.VMs), r.Summary)
		}
		act := slices.IndexFunc(r.Events, func(e incident.Event) bool { return e.Step == incident.StepAct })
		for _, v := range r.VMs {
			priority[v.ID] = v.Priority
			if act >= 0 {
				ready[v.ID] = r.Events[act].At
			}
		}
		if info, err := os.Stat(filepath.Join(stateDir(l), "incidents", fmt.Sprintf("incident-%06d.json", r.Number))); err == nil {
			m.journal += info.Size()
		}
	}
	if len(problems) > 0 || len(ready) != s.failed*s.each {
		t.Errorf("%s: %d VMs in the journal, want %d: %v", s.version, len(ready), s.failed*s.each, problems)
	}
	var all []recreate
	times := map[int]int{}
	for _, c := range l.Cloud().Calls() {
		m.calls++
		m.bytes += int64(max(c.BytesOut, 0))
		if c.Method == "one.vmpool.info" {
			m.pending++
		}
		vm := -1
		switch {
		case !c.OK || len(c.Args) < 2:
		case c.Method == "one.vm.action" && c.Args[0] == "delete-recreate":
			vm = c.Args[1].(int)
		case c.Method == "one.vm.recover" && c.Args[1] == 4:
			vm = c.Args[0].(int)
		}
		if vm >= 0 {
			times[vm]++
			all = append(all, recreate{vm: vm, priority: priority[vm], at: c.At, ready: ready[vm]})
		}
	}
	for id := range s.hosts * s.each {
		if want := map[bool]int{true: 1}[id%s.hosts < s.failed]; times[id] != want {
			t.Errorf("%s: VM %d was recreated %d times, want %d", s.version, id, times[id], want)
		}
	}
	if len(all) > 0 {
		slices.SortFunc(all, func(a, b recreate) int { return a.at.Compare(b.at) })
		m.late, m.inverted = all[len(all)-1].at.Sub(failed)-s.confirm, inversions(all)
	}
}

// inversions counts the recreates that were called before one of a higher priority that was
// ready then. Calls that were under way at the same time, a parallel number of them, and a VM
// that was ready only just before have no order.
func inversions(all []recreate) (n int) {
	const parallel, settled, apart = 8, 250 * time.Millisecond, 100 * time.Millisecond
	for i, low := range all {
		rest := all[min(i+2*parallel, len(all)):]
		if slices.ContainsFunc(rest, func(r recreate) bool {
			return r.priority > low.priority && low.at.Sub(r.ready) > settled && r.at.Sub(low.at) > apart
		}) {
			n++
		}
	}
	return n
}

// coordinatorMemory is the peak of the memory of the processes that work on all hosts, one
// after the other, until done is closed.
func coordinatorMemory(locks string, done <-chan struct{}) (peak int64) {
	for {
		for _, file := range globbed(filepath.Join(locks, "coordinator-*")) {
			text, _ := os.ReadFile(file)
			_, digits, _ := strings.Cut(string(text), "pid ")
			if pid, err := strconv.Atoi(strings.TrimSpace(digits)); err == nil {
				peak = max(peak, memoryOf(pid))
			}
		}
		select {
		case <-done:
			return peak
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func globbed(pattern string) []string {
	files, _ := filepath.Glob(pattern) // the pattern is well formed
	return files
}
