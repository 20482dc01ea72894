package app

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestWaitingDoesNotFlood: ten calls that fail three times a second for two minutes make
// a line at once, then one in 15 s, and the counts add up.
func TestWaitingDoesNotFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var screen bytes.Buffer
		l := openLog(Env{Stderr: &screen, Terminal: true}, "sample", Settings{LogFile: t.TempDir() + "/log"}, Paths{})
		defer l.Close()
		l.waiting(errors.New("oned is away"), 100*time.Millisecond)
		if text := screen.String(); lines(text) != 1 || !strings.Contains(text, "oned is away; retrying in 100ms") {
			t.Errorf("the first one: %q", text)
		}
		const callers, attempts = 10, 360
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				for range attempts {
					<-time.After(time.Second / 3)
					l.waiting(errors.New("oned is away"), time.Second/3)
				}
			})
		}
		all.Wait()
		text := screen.String()
		if n := lines(text); n < 8 || n > 9 {
			t.Errorf("%d lines in two minutes: %s", n, text)
		}
		sum := 1 + l.failed
		for _, m := range regexp.MustCompile(`(\d+) attempts`).FindAllStringSubmatch(text, -1) {
			n, _ := strconv.Atoi(m[1])
			sum += n
		}
		if sum != 1+callers*attempts {
			t.Errorf("%d attempts are told of, want %d: %s", sum, 1+callers*attempts, text)
		}
	})
}

// TestAwaited: who waits for an answer is told for what and how long, once, and not when oned answers soon.
func TestAwaited(t *testing.T) {
	for took, want := range map[time.Duration]string{time.Second: "", time.Minute: "sample: waiting for oned at http://oned/RPC2, for 2m0s at most (--oned-wait)\n"} {
		synctest.Test(t, func(t *testing.T) {
			var stderr bytes.Buffer
			l := openLog(Env{Stderr: &stderr}, "sample", Settings{LogFile: t.TempDir() + "/log"}, Paths{})
			defer l.Close()
			answered := l.await(&stderr, "sample", "http://oned/RPC2", 2*time.Minute)
			<-time.After(took)
			answered()
			<-time.After(time.Hour)
			if got := stderr.String(); got != want {
				t.Errorf("after %s: %q", took, got)
			}
		})
	}
}
