package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
	"one-ft/test/sim/lab"
)

// storm is a cloud in which many hosts fail at once, with the real executable as its hook and
// as many hooks at the same time as oned or its hook manager run. A person has said that
// the hosts are off: the guard is overridden.
type storm struct {
	version string
	hosts   int
	failed  int // of them
	each    int // VMs on every host
	// spread is the time in which the hosts fail, one after the other.
	spread  time.Duration
	confirm time.Duration // --wait
	before  int           // incidents that the journal has from earlier
}

// maxLate is the same for storms of any size: the calls grow with the hosts.
func (s storm) maxLate() time.Duration { return maxLate * time.Duration(max(1, s.failed/100)) }

// maxLate is within how long after the confirm time the last VM must have been recreated.
// Batches of 10 hooks would need nine more confirm times. It is what the calls need on a
// machine with two processors, several times over.
const (
	maxLate = time.Minute
	// maxHandOver is the same for half of the hooks that hand their host over, which is
	// to take less than a second on a machine with nothing else to do.
	maxHandOver = 3 * time.Second
	// maxStorm bounds the memory of the process that works on all hosts, in bytes for each hundred of
	// them. On 4.4 it reads all VMs that wait for a host at once.
	maxStorm = 192 << 20
)

// measured is what a storm came to.
type measured struct {
	late     time.Duration // last recreate after last failure, without the confirm time
	calls    int
	bytes    int64           // answers of oned
	memory   int64           // peak of the process that worked on the hosts
	handed   []time.Duration // how long hooks took that handed their host over, ascending
	writes   writes
	journal  int64         // bytes at the end
	pending  int           // reads of all VMs that wait for a host
	took     time.Duration // in all
	inverted int           // recreates before one of a higher priority that was ready
}

// begin starts the cloud with a journal of earlier incidents and random priorities.
func (s storm) begin(t *testing.T, bin string) *lab.Lab {
	t.Helper()
	dir, err := os.MkdirTemp("", "storm") // not t.TempDir: a socket in it needs a short name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // a hook may have been killed while it wrote
	cfg := lab.Config{
		Version: s.version, Hosts: s.hosts, VMs: s.hosts * s.each, Dir: dir, Stdin: true, HookTimeout: 10 * time.Minute,
		// The scheduler never runs, so that each run meets the same.
		Step: time.Millisecond, Interval: time.Hour, Sched: time.Hour,
	}
	what := "$TEMPLATE"
	if s.old() {
		what, cfg.Stdin = "$ID", false
	}
	cfg.HostHook = fmt.Sprintf("%s %s -r n --override-storm --wait %s", filepath.Join(bin, "host_error"), what, s.confirm)
	l, err := lab.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	verifyLeft(t, dir)
	random := rand.New(rand.NewPCG(1, 1))
	for id := range s.hosts * s.each {
		if id%s.hosts < s.failed {
			err := l.Cloud().UpdateVM(id, func(v *cloud.VM) { v.UserTemplate = map[string]string{"FT_PRIORITY": strconv.Itoa(random.IntN(101))} })
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if openJournal(t, l); s.before > 0 {
		fillJournal(t, filepath.Join(stateDir(l), "incidents"), s.failed, s.before, s.each)
	}
	return l
}

// old reports whether oned runs the hooks itself, for each failed cycle.
func (s storm) old() bool { return strings.HasPrefix(s.version, "4.") }

func openJournal(t *testing.T, l *lab.Lab) *incident.Journal {
	t.Helper()
	journal, err := incident.OpenJournal(filepath.Join(stateDir(l), "incidents"))
	if err != nil {
		t.Fatal(err)
	}
	return journal
}

// stateDir is where one-ft keeps its state in a lab.
func stateDir(l *lab.Lab) string { return filepath.Join(l.Dir(), "var", "one-ft") }

// run has the hosts fail and measures until all hooks have ended.
func (s storm) run(t *testing.T, bin string) measured {
	t.Helper()
	l := s.begin(t, bin)
	var due atomic.Int64 // hooks
	l.Cloud().OnHostState(func(e cloud.HostEvent) {
		if e.State == one.HostError && (s.old() || !e.Prev.Failed()) {
			due.Add(1)
		}
	})
	m := measured{}
	watched := watchWrites(t, stateDir(l))
	done, peak := make(chan struct{}), make(chan int64)
	go func() { peak <- coordinatorMemory(filepath.Join(stateDir(l), "locks"), done) }()
	start := time.Now()
	last := s.fail(t, l)
	ctx, cancel := context.WithTimeout(t.Context(), s.confirm+2*s.maxLate())
	defer cancel()
	for ended := int64(-1); ended != due.Load(); {
		ended = due.Load()
		if err := l.Wait(ctx, lab.Goal{Hooks: int(ended)}); err != nil {
			t.Fatalf("%s: %v", s.version, err)
		}
	}
	close(done)
	m.took = time.Since(start)
	m.memory, m.writes = <-peak, watched()
	m.handed = s.hooks(t, l)
	s.judge(t, l, &m, last)
	return m
}

// fail has the hosts fail, one after the other, and returns when the last one did.
func (s storm) fail(t *testing.T, l *lab.Lab) (last time.Time) {
	t.Helper()
	tick := time.NewTicker(max(s.spread/time.Duration(s.failed), time.Nanosecond))
	defer tick.Stop()
	for id := range s.failed {
		if s.spread > 0 {
			<-tick.C
		}
		last = time.Now()
		if err := l.Cloud().PowerOff(id); err != nil {
			t.Fatal(err)
		}
		// oned would notice at the next monitoring, and call its VMs UNKNOWN 0.1 s later: those that stay RUNNING say that
		// it lives.
		for vm := id; vm < s.hosts*s.each; vm += s.hosts {
			if err := l.Cloud().UpdateVM(vm, func(v *cloud.VM) { v.LCM = one.Unknown }); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Cloud().SetHostState(id, one.HostError); err != nil {
			t.Fatal(err)
		}
	}
	return last
}

// check holds a storm to what is promised, with bounds for machines that do other things.
func (s storm) check(t *testing.T, m measured) {
	t.Helper()
	if *full && m.late > s.maxLate() {
		t.Errorf("%s: the last VM was recreated %s after the confirm time, want at most %s", s.version, m.late, s.maxLate())
	}
	// Some reads come with the seconds: of the pool, and of the hosts until their VMs have left.
	each := 4 * s.each
	if s.old() {
		each += s.each // before 5.12 each VM that is followed is read by itself
	}
	if most := s.failed*(each+30) + int((s.spread+s.confirm+m.late)/time.Second)*10; m.calls > most {
		t.Errorf("%s: %d calls, want at most %d", s.version, m.calls, most)
	}
	if most := 3 + int(m.took/time.Second); m.pending > most {
		t.Errorf("%s: all VMs that wait for a host were read %d times in %s, want at most %d", s.version, m.pending, m.took, most)
	}
	if most := int64(maxStorm * max(1, s.failed/100)); m.memory > most {
		t.Errorf("%s, %d hosts: %d bytes of memory, want at most %d", s.version, s.failed, m.memory, most)
	}
	// Without a confirm time all may have been done before the next one failed.
	if s.confirm > 0 && (len(m.handed) < s.failed/2 || *full && m.handed[len(m.handed)/2] > maxHandOver) {
		t.Errorf("%s: %d of %d hooks handed their host over, which took %v", s.version, len(m.handed), s.failed, m.handed)
	}
	if *full && m.inverted > s.failed*s.each/20 { // which of many hooks is handed over first is a matter of time
		t.Errorf("%s: %d VMs were recreated before one of a higher priority", s.version, m.inverted)
	}
}

// TestScaleOfStorms has many hosts fail at once, prints what that came to as a table, and checks
// it.
func TestScaleOfStorms(t *testing.T) {
	small := storm{hosts: 60, failed: 20, each: 5, spread: 500 * time.Millisecond, confirm: time.Second}
	storms := []storm{small, small}
	storms[0].version, storms[1].version = "4.4.1", "7.4.1"
	storms[1].confirm = 0 // more hosts fail while the first ones are looked at
	if *full {
		storms = nil
		for _, version := range []string{"4.4.1", "7.4.1"} {
			large := storm{version: version, hosts: 1000, failed: 100, each: 40, before: 1000, spread: 6 * time.Second, confirm: 30 * time.Second}
			half := large
			half.failed, half.confirm = 500, 10*time.Second
			storms = append(storms, large, half)
		}
	}
	bin := build(t)
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "version\thosts failed\tVMs\twithin s\tconfirm s\tlast recreate s\tcalls\tper VM\tMB received\tpeak MB\thanded over\tmedian s\tlongest s\tfile writes\tMB\tjournal MB\tout of order\t")
	for _, s := range storms {
		m := s.run(t, bin)
		s.check(t, m)
		median, longest := 0.0, 0.0
		if n := len(m.handed); n > 0 {
			median, longest = m.handed[n/2].Seconds(), m.handed[n-1].Seconds()
		}
		mb := func(n int64) float64 { return float64(n) / (1 << 20) }
		fmt.Fprintf(w, "%s\t%d\t%d\t%.0f\t%.0f\t+%.1f\t%d\t%.2f\t%.1f\t%.1f\t%d\t%.2f\t%.2f\t%d\t%.1f\t%.1f\t%d\t\n", s.version, s.failed, s.failed*s.each,
			s.spread.Seconds(), s.confirm.Seconds(), m.late.Seconds(), m.calls, float64(m.calls)/float64(s.failed*s.each), mb(m.bytes), mb(m.memory),
			len(m.handed), median, longest, m.writes.files, mb(m.writes.bytes), mb(m.journal), m.inverted)
	}
	_ = w.Flush()
	t.Log("\n" + table.String())
}
