package notify

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/process"
)

// bubble runs a test in virtual time; the files are made outside of it.
func bubble(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	b := newBench(t)
	synctest.Test(t, func(t *testing.T) { b.t = t; test(t, b) })
}

// A thousand processes at once are one message and one digest, and each incident is in
// exactly one of them, of the digest unless it has more than it shows.
func TestStorm(t *testing.T) {
	t.Parallel()
	const all, processes = 1000, 20
	bubble(t, func(t *testing.T, b *bench) {
		for i := range all {
			b.record(i+1, []incident.Status{incident.Done, incident.Incomplete}[i%2])
		}
		began := time.Now()
		var wg sync.WaitGroup
		for p := range processes {
			wg.Go(func() {
				for i := p; i < all; i += processes {
					n := b.process(mail("hold", "end"))
					n.Enqueue(End, i+1)
					wg.Go(func() { n.Deliver(t.Context()) })
				}
			})
		}
		wg.Wait()
		told := make(map[string]int)
		digests := 0
		for i, c := range b.calls {
			if i == 0 {
				if c.env["FT_EVENT"] != "end" || c.at != began {
					t.Errorf("the first message: %v at %s", c.env, c.at)
				}
				told[c.env["FT_INCIDENT"]]++
				continue
			}
			if pause := c.at.Sub(b.calls[i-1].at); pause < gatherTime {
				t.Errorf("%s after the message before", pause)
			}
			var total int
			if _, err := fmt.Sscanf(c.env["FT_SUMMARY"], "%d incidents: ", &total); err != nil || c.env["FT_EVENT"] != "digest" {
				t.Fatalf("%v: %v", err, c.env)
			}
			digests += total
			for _, number := range c.incidents(t) {
				told[fmt.Sprint(number)]++
			}
		}
		if len(told) != 1+maxIncidents {
			t.Errorf("%d incidents were shown", len(told))
		}
		if digests != all-1 || len(b.calls) != 2 {
			t.Errorf("%d messages with %d incidents in digests", len(b.calls), digests)
		}
		for number, times := range told {
			if times != 1 {
				t.Errorf("incident %s is in %d messages", number, times)
			}
		}
		b.isEmpty()
	})
}

// A digest has the newest 200 incidents without their events and counts all.
func TestDigest(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, b *bench) {
		n := b.process(mail("end"))
		for i := range 300 {
			b.record(i+1, incident.Done, func(r *incident.Record) {
				switch {
				case i%100 == 7:
					r.Status = incident.Incomplete
				case i == 40:
					r.Kind, r.Status = "VM", incident.CameBack
				}
			})
			n.Enqueue(End, i+1)
		}
		n.Deliver(t.Context())
		if len(b.calls) != 2 {
			t.Fatalf("told %q", b.events())
		}
		c := b.calls[1]
		numbers := c.incidents(t)
		if len(numbers) != 200 || numbers[0] != 101 || numbers[199] != 300 || !strings.HasPrefix(c.stdin, `{"version":1,"digest":299,"incidents":[{`) {
			t.Errorf("%d incidents: %.200s", len(numbers), c.stdin)
		}
		if strings.Contains(c.stdin, "ERROR") || strings.Count(c.stdin, `"events":[]`) != 200 {
			t.Errorf("events are in the digest: %.400s", c.stdin)
		}
		want := map[string]string{"FT_EVENT": "digest", "FT_INCIDENT": "", "FT_OBJECT": "298 hosts, 1 VM", "FT_STATUS": "incomplete",
			"FT_SUMMARY": "299 incidents: 295 done, 1 came back, 3 incomplete"}
		if fmt.Sprint(c.env) != fmt.Sprint(want) {
			t.Errorf("got %q", c.env)
		}
	})
}

// Records with very many VMs do not make a digest of any size.
func TestDigestSize(t *testing.T) {
	vms := make([]incident.VM, 1000)
	for i := range vms {
		vms[i].Detail = strings.Repeat("x", 1000)
	}
	records := make([]incident.Record, 10)
	for i := range records {
		records[i] = incident.Record{Number: i + 1, VMs: vms}
	}
	m, err := several(records)
	if err != nil || len(m.stdin) > maxDigest+1000 || !strings.Contains(string(m.stdin), `"digest":10,`) {
		t.Errorf("%v: %d bytes", err, len(m.stdin))
	}
	if numbers := (call{stdin: string(m.stdin)}).incidents(t); !slices.Equal(numbers, []int{8, 9, 10}) {
		t.Errorf("got %v", numbers)
	}
}

// What comes soon after a message waits; one event is not made a digest. An incident whose
// end is known is told once.
func TestGathering(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		for i := range 9 {
			b.record(i+1, incident.Done)
		}
		n := b.process(mail("begin", "hold", "end"))
		began := time.Now()
		tell := func(after time.Duration, kind Kind, number int) {
			time.Sleep(time.Until(began.Add(after)))
			n.Enqueue(kind, number)
			go n.Deliver(t.Context())
		}
		tell(0, Begin, 1)
		tell(10*time.Second, Hold, 1)
		tell(20*time.Second, End, 1)
		tell(45*time.Second, Begin, 2)
		tell(50*time.Second, Begin, 3)
		tell(100*time.Second, End, 3) // 40 s after the digest
		time.Sleep(time.Minute)
		synctest.Wait()
		b.toldThat([]string{"begin 1", "end 1", "digest [2 3]", "end 3"})
		for i, want := range []time.Duration{0, 30, 60, 100} {
			if at := b.calls[i].at.Sub(began); at != want*time.Second {
				t.Errorf("message %d after %s", i+1, at)
			}
		}
		b.isEmpty()
	})
}

// What nobody hears of is no message that others have to wait for.
func TestUnwantedIsNoSending(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		n := b.process(mail("problem"))
		for i, status := range []incident.Status{incident.Done, incident.Done, incident.Failed, incident.Done} {
			b.record(i+1, status)
			n.Enqueue(End, i+1)
		}
		began := time.Now()
		n.Deliver(t.Context())
		b.toldThat([]string{"end 3"})
		if at := b.calls[0].at.Sub(began); at != 0 {
			t.Errorf("told after %s", at)
		}
		b.isEmpty()
	})
}

// An event that comes while another process delivers is left to it.
func TestOthersAreLeftToTheDeliverer(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.record(1, incident.Done)
		b.record(2, incident.Done)
		first, second := b.process(mail("end")), b.process(mail("end"))
		first.run = func(ctx context.Context, limit time.Duration, p process.Program) process.Result {
			if text, err := os.ReadFile(filepath.Join(b.spoolDir(), lockName)); err != nil || len(text) == 0 {
				t.Errorf("when it was sent is not known if the process is killed now: %v", err)
			}
			time.Sleep(40 * time.Second) // longer than events are gathered
			return b.run(ctx, limit, p)
		}
		began := time.Now()
		first.Enqueue(End, 1)
		var wg sync.WaitGroup
		wg.Go(func() { first.Deliver(t.Context()) })
		time.Sleep(time.Second)
		second.Enqueue(End, 2)
		second.Deliver(t.Context())
		if took := time.Since(began); took != time.Second {
			t.Errorf("it waited for %s", took-time.Second)
		}
		wg.Wait()
		b.toldThat([]string{"end 1", "end 2"})
		// Gathering begins again when the slow command has ended.
		if at := b.calls[1].at.Sub(began); at != 110*time.Second {
			t.Errorf("the second message after %s", at)
		}
	})
}

// An event that comes when the spool was looked at for the last time, but is still locked,
// is not left lying.
func TestNoLostWakeup(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.record(1, incident.Done)
		b.record(2, incident.Done)
		n, other := b.process(mail("end")), b.process(mail("end"))
		n.unlock = func(l lock) {
			if n.unlock = func(l lock) { l.release() }; len(b.events()) != 1 {
				t.Errorf("told %q before", b.events())
			}
			other.Enqueue(End, 2)
			other.Deliver(t.Context()) // which relies on n
			l.release()
		}
		n.Enqueue(End, 1)
		n.Deliver(t.Context())
		b.toldThat([]string{"end 1", "end 2"})
		b.isEmpty()
	})
}

// When the time is over nothing else is begun.
func TestTimeOver(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.record(2, incident.Done)
		n := b.process(mail("end"))
		n.Enqueue(End, 1) // which the journal does not have
		n.Enqueue(End, 2)
		ctx, cancel := context.WithCancel(t.Context())
		n.say = func(string, ...any) { cancel() }
		n.Deliver(ctx)
		if got := b.files(); len(b.events()) > 0 || !slices.Equal(got, []string{"end-2"}) {
			t.Errorf("told %q, in the spool is %v", b.events(), got)
		}
	})
}

// Who has not the time leaves it to the next process, at once.
func TestNoTime(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.record(1, incident.Done)
		b.record(2, incident.Done)
		b.record(3, incident.Done)
		n := b.process(mail("end"))
		n.Enqueue(End, 1)
		n.Deliver(t.Context())
		began := time.Now()
		n.Enqueue(End, 2)
		short, cancel := context.WithTimeout(t.Context(), 29*time.Second)
		defer cancel()
		n.Deliver(short)
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %s", took)
		}
		// One that does not know when it will be ended waits, and gives the lock back.
		ended, end := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, end)
		n.Deliver(ended)
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("it took %s", took)
		}
		n.Deliver(ended)
		b.toldThat([]string{"end 1"})
		if got := b.files(); !slices.Equal(got, []string{"end-2"}) {
			t.Errorf("in the spool is %v", got)
		}
		n.Enqueue(End, 3)
		b.process(mail("end")).Deliver(t.Context())
		b.toldThat([]string{"end 1", "digest [2 3]"})
	})
}

// A clock that was set back, or a damaged file, holds nothing up.
func TestLastSent(t *testing.T) {
	for _, content := range []string{"", "x", "-5", "99999999999999999999999", "\x00\x00", fmt.Sprint(time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC).UnixMilli())} {
		bubble(t, func(t *testing.T, b *bench) {
			b.record(1, incident.Done)
			n := b.process(mail("end"))
			n.Enqueue(End, 1)
			path := filepath.Join(b.spoolDir(), lockName)
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			began := time.Now() // 2000-01-01 in a bubble
			n.Deliver(t.Context())
			if took := time.Since(began); took != 0 {
				t.Errorf("%q: it took %s", content, took)
			}
			b.toldThat([]string{"end 1"})
			text, err := os.ReadFile(path)
			if want := fmt.Sprintf("%-20d\n", began.UnixMilli()); err != nil || !strings.HasPrefix(string(text), want) {
				t.Errorf("%q became %q, %v", content, text, err)
			}
		})
	}
}

// Numbers of a journal that was thrown away are given again, and told again.
func TestNewJournal(t *testing.T) {
	b := newBench(t)
	b.record(1, incident.Done)
	n := b.process(mail("end"))
	n.Enqueue(End, 1)
	n.Deliver(t.Context())
	old := time.Now().Add(-2 * time.Hour)
	marker := filepath.Join(b.spoolDir(), toldName, "end-1")
	if err := os.Chtimes(marker, old, old); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(b.spoolDir(), lockName), 0); err != nil {
		t.Fatal(err)
	}
	n.Enqueue(End, 1)
	n.Deliver(t.Context())
	b.toldThat([]string{"end 1", "end 1"})
	// And what was told is forgotten after a week.
	week := time.Now().Add(-toldAge - time.Minute)
	if err := os.Chtimes(marker, week, week); err != nil {
		t.Fatal(err)
	}
	b.record(2, incident.Done)
	n.Enqueue(End, 2)
	if err := os.Truncate(filepath.Join(b.spoolDir(), lockName), 0); err != nil {
		t.Fatal(err)
	}
	n.Deliver(t.Context())
	entries, err := os.ReadDir(filepath.Join(b.spoolDir(), toldName))
	if err != nil || len(entries) != 1 || entries[0].Name() != "end-2" {
		t.Errorf("told were %v, %v", entries, err)
	}
}
