package incident

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"one-ft/pkg/wording"
)

// TestManyWriters: nothing is lost and everything is in the order in which it happened,
// whoever reads meanwhile.
func TestManyWriters(t *testing.T) {
	j := openJournal(t, t.TempDir())
	c := begin(t, j, 1)
	var wg sync.WaitGroup
	for vm := range 50 {
		wg.Go(func() {
			for i := range 20 {
				c.Event(StepAct, vm, "info", said(fmt.Sprint(i)))
				c.VM(VM{ID: vm, Calls: i + 1})
				c.Proof(fmt.Sprint(vm), true)
			}
			if err := c.Flush(); err != nil {
				t.Error(err)
			}
			r, err := j.Load(1)
			if err != nil {
				t.Error(err)
				return
			}
			own := 0
			for _, e := range r.Events {
				if e.VM == vm {
					own++
				}
			}
			if own != 20 || len(c.Record().Events) < own {
				t.Errorf("%d events of VM %d are on the disk after Flush", own, vm)
			}
		})
	}
	wg.Wait()
	c.End(Done, "")
	c.End(Failed, "the second end")
	c.Event(StepAct, 1, "info", said("too late"))
	r, err := j.Load(1)
	if err != nil || r.Status != Done || len(r.Events) != 1000 || len(r.VMs) != 50 {
		t.Fatalf("%v, %d events, %d VMs, %v", r.Status, len(r.Events), len(r.VMs), err)
	}
	next := map[int]int{}
	for i, e := range r.Events {
		if e.Text != fmt.Sprint(next[e.VM]) || i > 0 && e.At.Before(r.Events[i-1].At) {
			t.Fatalf("event %d: %+v", i, e)
		}
		next[e.VM]++
	}
	for _, vm := range r.VMs {
		if vm.Calls != 20 {
			t.Errorf("%+v", vm)
		}
	}
}

// TestEventDoesNotWrite: while one state is under way to the disk, changes only gather, and
// one write of the latest state follows.
func TestEventDoesNotWrite(t *testing.T) {
	j := openJournal(t, t.TempDir())
	c := begin(t, j, 1)
	c.writing = true // a write that takes long
	for i := range 1000 {
		c.Event(StepAct, i, "info", said(""))
	}
	if r, err := j.Load(1); err != nil || len(r.Events) != 0 || c.tried != 0 {
		t.Errorf("%d events, %v", len(r.Events), err)
	}
	c.write()
	if r, err := j.Load(1); err != nil || len(r.Events) != 1000 || c.writing || c.tried != 1000 || c.latest != nil {
		t.Errorf("%d events, %v", len(r.Events), err)
	}
}

// TestInABubble: nothing waits for the clock, and no goroutine is left.
func TestInABubble(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		j := openJournal(t, dir)
		begun := time.Now()
		ends, closes, leaves := begin(t, j, 1), begin(t, j, 2), begin(t, j, 3)
		for _, c := range []*Writer{ends, closes, leaves} {
			c.Event(StepConfirm, -1, "info", said("before"))
			time.Sleep(time.Hour)
			c.Event(StepConfirm, -1, "info", said("after"))
		}
		ends.End(Refused, "")
		if err := closes.Close(); err != nil || ends.writing || closes.writing {
			t.Error(err)
		}
		synctest.Wait()
		for number, status := range map[int]Status{1: Refused, 2: Open, 3: Open} {
			r, err := j.Load(number)
			if err != nil || len(r.Events) != 2 || r.Status != status || r.Events[1].At.Sub(r.Events[0].At) != time.Hour {
				t.Errorf("%+v, %v", r, err)
			}
		}
		if took := time.Since(begun); took != 3*time.Hour {
			t.Error(took)
		}
	})
}

func TestBounds(t *testing.T) {
	j := openJournal(t, t.TempDir())
	c := begin(t, j, 1)
	long := strings.Repeat("\x00😀", 5000)
	c.writing = true // one write at the end is enough
	c.Event(Step(long), 0, wording.Level(long), said(long))
	for i := range maxEvents + 6 {
		c.Event(StepAct, i+1, "info", said(""))
	}
	c.VM(VM{ID: 1, Name: long, Detail: long, Seconds: math.NaN()})
	c.VM(VM{ID: 2, Detail: strings.Repeat("😀", maxText+1), Seconds: math.Inf(1)})
	c.write()
	c.End("strange", long)
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	r, err := j.Load(1)
	if err != nil || len(r.Events) != maxEvents+1 || r.Events[maxEvents-1].VM != maxEvents-1 || r.Events[maxEvents].Text != moreEvents || r.Status != Failed {
		t.Fatalf("%d events, %v", len(r.Events), err)
	}
	for _, text := range []string{r.Summary, r.Events[0].Text, r.VMs[0].Detail, r.VMs[1].Detail} {
		if n := len([]rune(text)); n != maxText+1 || !strings.HasSuffix(text, "…") {
			t.Errorf("%d: %s", n, text)
		}
	}
	// What the reader would refuse is not written over what it can read.
	if c, err = j.Begin(Record{Kind: "host"}); err != nil {
		t.Fatal(err)
	}
	large := VM{Detail: strings.Repeat("😀", maxText)}
	c.change(func(r *Record) { r.VMs = slices.Repeat([]VM{large}, maxFile/maxText/4) })
	if err := c.Flush(); err == nil || !strings.Contains(err.Error(), "more than 67108864") {
		t.Error(err)
	}
	c.VMs([]VM{large})
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestDiskThatFails: the recovery goes on, the first error is kept, and what could not be
// written is written when the disk works again.
func TestDiskThatFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	j := openJournal(t, dir)
	c := begin(t, j, 1)
	if c.Err() != nil || c.Flush() != nil {
		t.Fatal(c.Err())
	}
	if err := os.Rename(dir, dir+"-gone"); err != nil {
		t.Fatal(err)
	}
	c.Event(StepAct, 1, "info", said("one"))
	if err := c.Flush(); !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "write incident 1: ") {
		t.Error(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.Event(StepAct, 1, "info", said("two"))
	if err := c.Flush(); !errors.Is(err, syscall.ENOTDIR) {
		t.Error(err)
	}
	if err := c.Err(); !errors.Is(err, os.ErrNotExist) {
		t.Error("not the first error:", err)
	}
	if err := errors.Join(os.Remove(dir), os.Rename(dir+"-gone", dir)); err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(); err != nil {
		t.Error(err)
	}
	if r, err := j.Load(1); err != nil || len(r.Events) != 2 || c.Err() == nil {
		t.Errorf("%+v, %v, %v", r, err, c.Err())
	}
	if err := os.Rename(dir, dir+"-gone"); err != nil {
		t.Fatal(err)
	}
	c.End(Done, "")
	if err := c.Close(); err == nil || c.writing {
		t.Error("ended on no disk", err)
	}
	if c, err := j.Begin(Record{Kind: "host"}); c != nil || err == nil {
		t.Error(err)
	}
}

// TestNoCase: without a journal the work goes on.
func TestNoCase(t *testing.T) {
	var c *Writer
	c.Event(StepAct, 1, "info", said(""))
	c.VMs(nil)
	c.VM(VM{})
	c.Proof("", false)
	c.End(Done, "")
	if err := errors.Join(c.Flush(), c.Close(), c.Err()); err != nil || c.Number() != 0 || c.Record().Number != 0 {
		t.Error(err)
	}
}

// TestEncode: whatever a record has is read back, also when its first events were written before, and the lines that are read alone
// stand before the events.
func TestEncode(t *testing.T) {
	t.Parallel()
	words := rapid.SampledFrom([]string{"", "recreate", "a \"quoted\" <word> & more", "\n  \"events\": [", "ünï\u2028"})
	event := rapid.Custom(func(t *rapid.T) Event {
		return Event{Step: StepAct, VM: rapid.IntRange(-1, 9).Draw(t, "vm"), Level: wording.Info, Text: words.Draw(t, "text")}
	})
	rapid.Check(t, func(t *rapid.T) {
		r := Record{Version: RecordVersion, Number: 7, Kind: "host", Status: Open, Name: words.Draw(t, "name")}
		var lines eventLines
		for range rapid.IntRange(1, 4).Draw(t, "writes") {
			r.Events = append(r.Events, rapid.SliceOfN(event, 0, 3).Draw(t, "events")...)
			r.VMs = nil
			for id := range rapid.IntRange(0, 3).Draw(t, "VMs") {
				r.VMs = append(r.VMs, VM{ID: id, Detail: words.Draw(t, "detail"), Path: []Hop{{State: "UNKNOWN"}}})
			}
			r.Sight = nil
			if rapid.Bool().Draw(t, "seen") {
				r.Sight = &Sight{VMs: []SeenVM{{ID: 1, State: "RUNNING"}}}
			}
			text, err := encode(&r, &lines)
			if err != nil {
				t.Fatal(err)
			}
			want := r
			clean(&want)
			if got, err := parse(text); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%v: %+v, want %+v\n%s", err, got, want, text)
			}
			want.Events, want.VMs, want.Sight = []Event{}, nil, nil
			if got, err := decode(bytes.NewReader(text), head); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%v: %+v, want %+v\n%s", err, got, want, text)
			}
		}
	})
}
