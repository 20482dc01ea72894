package incident

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestAttempts(t *testing.T) {
	a := NewAttempts(filepath.Join(t.TempDir(), "attempts"))
	if times, err := a.Of(7); err != nil || len(times) > 0 {
		t.Errorf("none: %v, %v", times, err)
	}
	start := time.Unix(1_700_000_000, 0)
	for i := range 2 * keepAttempts {
		if err := a.Add(7, start.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	times, err := a.Of(7)
	if err != nil || len(times) != keepAttempts || !times[0].Equal(start.Add(keepAttempts*time.Second)) {
		t.Errorf("%d times from %v, %v", len(times), times, err)
	}
	if others, err := a.Of(8); err != nil || len(others) > 0 {
		t.Errorf("another VM: %v, %v", others, err)
	}
	// Damaged files are read as far as they make sense, links are not followed.
	if err := os.WriteFile(a.path(8), []byte("x 1700000000 -5 99999999999999999999 1700000001\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	if times, err := a.Of(8); err != nil || !slices.Equal(times, []time.Time{start}) {
		t.Errorf("damaged: %v, %v", times, err)
	}
	if err := os.Symlink(a.path(8), a.path(9)); err != nil {
		t.Fatal(err)
	}
	if times, err := a.Of(9); err == nil {
		t.Errorf("a link: %v", times)
	}
	left, err := filepath.Glob(filepath.Join(a.dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// FuzzTimes: what owners write makes no more than the limit, and nothing that is no time.
func FuzzTimes(f *testing.F) {
	f.Add("1700000000 1700000001")
	f.Add("x -1 99999999999999999999")
	f.Fuzz(func(t *testing.T, text string) {
		times := ParseTimes(text)
		if len(times) > keepAttempts {
			t.Errorf("%d times", len(times))
		}
		if again := ParseTimes(FormatTimes(times)); !slices.EqualFunc(again, times, time.Time.Equal) {
			t.Errorf("%v, again %v", times, again)
		}
	})
}

// However many ask at the same time, a minute has only so many turns.
func TestRate(t *testing.T) {
	dir := t.TempDir()
	const per = 20
	now := time.Unix(1_700_000_000, 0)
	var mu sync.Mutex
	taken := 0
	take := func(at time.Time) {
		r := NewRate(dir, per) // as another process would
		for {
			wait, err := r.Take(at)
			if err != nil {
				t.Error(err)
			}
			if wait == rateBusy {
				continue
			}
			if wait == 0 {
				mu.Lock()
				taken++
				mu.Unlock()
			} else if wait > rateWindow {
				t.Errorf("wait %s", wait)
			}
			return
		}
	}
	for minute := range 3 {
		taken = 0
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { take(now.Add(time.Duration(minute) * rateWindow)) })
		}
		wg.Wait()
		if taken != per {
			t.Errorf("minute %d: %d turns", minute, taken)
		}
	}
	if wait, err := NewRate(dir, per).Take(now.Add(2*rateWindow + 20*time.Second)); err != nil || wait != 40*time.Second {
		t.Errorf("wait %s, %v", wait, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "rate"), []byte(strings.Repeat("damaged ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if wait, err := NewRate(dir, per).Take(now); err != nil || wait != 0 {
		t.Errorf("damaged: %s, %v", wait, err)
	}
}
