package one

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// down is a transport to an oned that does not listen.
func down(calls *int) round {
	return func(*http.Request) (*http.Response, error) {
		*calls++
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
}

// TestPatience: a call that only reads is repeated with growing pauses, and never
// longer than allowed.
func TestPatience(t *testing.T) {
	for _, patience := range []time.Duration{0, 50 * time.Millisecond, time.Second, 2 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			calls, told := 0, 0
			var last time.Duration
			c := client(t, "7.4.0", down(&calls))
			c.opt.Patience = patience
			c.opt.OnRetry = func(err error, pause time.Duration) {
				told++
				if !unsent(failed(t, err)) || pause < last || pause > maxPause {
					t.Errorf("told of %v, pause %s after %s", err, pause, last)
				}
				last = pause
			}
			start := time.Now()
			_, err := c.Host(t.Context(), 1)
			took := time.Since(start)
			if !unsent(failed(t, err)) || took > patience || patience-took > maxPause || told != calls-1 {
				t.Errorf("patience %s: %v after %s, %d calls, told %d times", patience, err, took, calls, told)
			}
			if patience == 2*time.Minute && (calls < 40 || calls > 50) {
				t.Errorf("%d calls in %s", calls, patience)
			}
		})
	}
}

// TestOnlySafeCallsAreRepeated: what changes something is sent once, whatever happens.
func TestOnlySafeCallsAreRepeated(t *testing.T) {
	reset := func() (*http.Response, error) { return nil, &net.OpError{Op: "read", Err: syscall.ECONNRESET} }
	for name, reply := range map[string]func() (*http.Response, error){
		"refused": func() (*http.Response, error) { return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED} },
		"reset":   reset,
		"EOF":     func() (*http.Response, error) { return nil, io.EOF },
		"busy":    func() (*http.Response, error) { return answer(503, ""), nil },
		"half":    func() (*http.Response, error) { return answer(200, "<methodResponse>"), nil },
		"internal": func() (*http.Response, error) {
			return answer(200, elements("<boolean>0</boolean>", "<string>x</string>", "<i4>8192</i4>")), nil
		},
		"cut short": func() (*http.Response, error) { r := answer(200, ""); r.Body = io.NopCloser(cutShort{}); return r, nil },
	} {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			c := client(t, "7.4.0", round(func(*http.Request) (*http.Response, error) { calls++; return reply() }))
			c.opt.Patience = time.Hour
			c.opt.OnRetry = func(err error, _ time.Duration) { t.Errorf("%s: told of a repetition: %v", name, err) }
			for i, action := range []Action{Recreate, Delete, RecoverFailure, Retry, Resume, Reboot, Resched} {
				err := failed(t, c.Do(t.Context(), action, 7))
				if calls != i+1 || !Temporary(err) || unsent(err) != (name == "refused") {
					t.Errorf("%s, %s: %d calls, %v", name, action, calls, err)
				}
			}
			_ = failed(t, c.Migrate(t.Context(), 7, 3))
			if calls != 8 {
				t.Errorf("%s: migrate was sent %d times", name, calls-7)
			}
			retries := 0
			c.opt.OnRetry = func(error, time.Duration) { retries++ }
			c.opt.Patience = time.Second
			_, err := c.VM(t.Context(), 7)
			if failed(t, err); retries == 0 {
				t.Errorf("%s: reading was not repeated", name)
			}
		})
	}
}

type cutShort struct{}

func (cutShort) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestRepeatedUntilItWorks: the value of the attempt that worked comes back.
func TestRepeatedUntilItWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		c := client(t, "", round(func(*http.Request) (*http.Response, error) {
			if calls++; calls < 4 {
				return answer(502, ""), nil
			}
			return answer(200, accepted("7.4.1")), nil
		}))
		c.opt.Patience = time.Minute
		start := time.Now()
		v, _, err := c.Connect(t.Context())
		if err != nil || v != (Version{7, 4, 1, 0}) || calls != 4 || time.Since(start) != 700*time.Millisecond {
			t.Errorf("%v, %v, %d calls, %s", v, err, calls, time.Since(start))
		}
	})
}

// TestPermanentErrors are not worth a second attempt.
func TestPermanentErrors(t *testing.T) {
	for name, body := range map[string]string{
		"refused":    elements("<boolean>0</boolean>", "<string>x</string>", "<i4>512</i4>"),
		"fault":      string(tapeOf(t, "7.4", "093-").Response),
		"too big":    accepted(string(make([]byte, 5000))),
		"wrong path": "",
	} {
		synctest.Test(t, func(t *testing.T) {
			status, calls := 200, 0
			if name == "wrong path" {
				status = 404
			}
			c := client(t, "7.4.0", round(func(*http.Request) (*http.Response, error) { calls++; return answer(status, body), nil }))
			c.opt.Patience, c.maxAnswer = time.Hour, 4096
			_, err := c.VM(t.Context(), 7)
			if Temporary(failed(t, err)) || calls != 1 {
				t.Errorf("%s: %d calls, %v", name, calls, err)
			}
		})
	}
}

// TestPatienceWithoutAnswers: an oned that takes calls and never answers is not waited for
// longer than one that refuses connections, but for the last attempt.
func TestPatienceWithoutAnswers(t *testing.T) {
	for patience, want := range map[time.Duration]time.Duration{
		0: DefaultTimeout, time.Second: leastAttempt, 10 * time.Second: 10 * time.Second, 33 * time.Second: 35100 * time.Millisecond, 2 * time.Minute: 2 * time.Minute,
	} {
		synctest.Test(t, func(t *testing.T) {
			c := client(t, "7.4.0", round(func(req *http.Request) (*http.Response, error) {
				<-req.Context().Done()
				return nil, req.Context().Err()
			}))
			c.opt.Patience = patience
			start := time.Now()
			_, err := c.VM(t.Context(), 7)
			is(t, err, context.DeadlineExceeded)
			if took := time.Since(start); took != want {
				t.Errorf("patience %s: %v after %s, want %s", patience, err, took, want)
			}
		})
	}
}

// TestLimits: a call ends with its time-out and with its context, in a pause, too.
func TestLimits(t *testing.T) {
	silent := round(func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, req.Context().Err()
	})
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := client(t, "7.4.0", silent).Do(t.Context(), Recreate, 7)
		is(t, err, context.DeadlineExceeded)
		if time.Since(start) != DefaultTimeout || !transportError(t, err).Sent {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		calls := 0
		c := client(t, "7.4.0", down(&calls))
		c.opt.Patience = time.Hour
		start := time.Now()
		_, err := c.VM(ctx, 7)
		if !unsent(failed(t, err)) || time.Since(start) != time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		before := calls
		_, err = c.VM(ctx, 7)
		if failed(t, err); calls > before+1 || time.Since(start) != time.Second {
			t.Errorf("a call whose time is over was repeated: %v", err)
		}
		if errors.Is(err, ErrDamaged) {
			t.Error(err)
		}
	})
}
