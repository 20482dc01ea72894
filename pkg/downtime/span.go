package downtime

import (
	"encoding/json"
	"fmt"
	"math"
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

func inSeconds(d time.Duration) *float64 {
	if d == Unbounded {
		return nil
	}
	s := math.Round(d.Seconds()*100) / 100
	return &s
}

// MarshalJSON writes {"low_s": 155, "high_s": 200}, in seconds; null where there is no bound.
func (s Span) MarshalJSON() ([]byte, error) {
	return json.Marshal(spanJSON{inSeconds(s.Low), inSeconds(s.High)})
}

// UnmarshalJSON reads what MarshalJSON wrote. Times that are negative, or above a year, are an error.
func (s *Span) UnmarshalJSON(text []byte) error {
	var j spanJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	const year = 365 * 24 * 3600
	for _, part := range []struct {
		from *float64
		to   *time.Duration
	}{{j.Low, &s.Low}, {j.High, &s.High}} {
		switch {
		case part.from == nil:
			*part.to = Unbounded
		case *part.from < 0 || *part.from > year:
			return fmt.Errorf("a time of %g s", *part.from)
		default:
			*part.to = seconds(*part.from)
		}
	}
	return nil
}
