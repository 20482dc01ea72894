package downtime

import (
	"encoding/json"
	"math"
	"strings"
	"time"
)

// Span is how long something takes: from Low, the good case, to High, the bad one.
type Span struct{ Low, High time.Duration }

// Unbounded is the High of a Span that nothing bounds.
const Unbounded time.Duration = math.MaxInt64

// Never is the Span of what never ends.
func Never() Span { return Span{Unbounded, Unbounded} }

// Between is a Span in seconds.
func Between(low, high float64) Span { return Span{seconds(low), seconds(high)} }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// Never reports whether it never ends.
func (s Span) Never() bool { return s.Low == Unbounded }

// Bounded reports whether it ends for certain.
func (s Span) Bounded() bool { return s.High < Unbounded }

// Plus is one after the other.
func (s Span) Plus(t Span) Span { return Span{add(s.Low, t.Low), add(s.High, t.High)} }

// Times is the same n times, one after the other.
func (s Span) Times(n int) Span { return Span{times(s.Low, n), times(s.High, n)} }

// String is a Span in words, such as "2m36s to 3m21s".
func (s Span) String() string {
	low, high := short(s.Low), short(s.High)
	switch {
	case s.Never():
		return "never"
	case !s.Bounded() && s.Low == 0:
		return "no limit"
	case !s.Bounded():
		return low + " or more, no limit"
	case low == high:
		return low
	case s.Low < time.Second:
		return "up to " + high
	}
	return low + " to " + high
}

// short is a time in words: tenths below ten seconds, whole seconds above, and no zeros: 10m, not 10m0s.
func short(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	text := d.Round(time.Second).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if rest, found := strings.CutSuffix(text, zero); found {
			text = rest + zero[:1]
		}
	}
	return text
}

// add adds two times that are not negative; what is too long is Unbounded.
func add(a, b time.Duration) time.Duration {
	if a >= Unbounded-b {
		return Unbounded
	}
	return a + b
}

// times multiplies a time by a number, both not negative.
func times(d time.Duration, n int) time.Duration {
	switch {
	case n <= 0 || d == 0:
		return 0
	case d > Unbounded/time.Duration(n):
		return Unbounded
	}
	return d * time.Duration(n)
}

// spanJSON is a Span in seconds; null is Unbounded.
type spanJSON struct {
	Low  *float64 `json:"low_s"`
	High *float64 `json:"high_s"`
}

func (s Span) json() spanJSON {
	inSeconds := func(d time.Duration) *float64 {
		if d == Unbounded {
			return nil
		}
		s := math.Round(d.Seconds()*100) / 100
		return &s
	}
	return spanJSON{inSeconds(s.Low), inSeconds(s.High)}
}

// MarshalJSON writes {"low_s": 155, "high_s": 200}, in seconds; null where there is no bound.
func (s Span) MarshalJSON() ([]byte, error) { return json.Marshal(s.json()) }
