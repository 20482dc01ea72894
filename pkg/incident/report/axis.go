package report

import (
	"fmt"
	"strconv"
	"time"
)

// scale places times between two columns of a drawing.
type scale struct {
	from        time.Time
	span        time.Duration
	left, right int
}

// x is where a time is drawn. Times outside, which a clock that was set makes, are drawn at the edge.
func (s scale) x(at time.Time) int { return s.after(at.Sub(s.from)) }

func (s scale) after(d time.Duration) int {
	share := min(max(d.Seconds()/s.span.Seconds(), 0), 1)
	return s.left + int(share*float64(s.right-s.left)+0.5)
}

// ticks are the labels below the drawing: round times, as many as have room.
func (s scale) ticks() []tick {
	most := (s.right - s.left) / labelSpace
	step := axisStep(s.span, most)
	var ticks []tick
	for at := time.Duration(0); at <= s.span && len(ticks) <= most; at += step {
		ticks = append(ticks, tick{s.after(at), axisLabel(at, step)})
	}
	return ticks
}

// axisStep is the smallest round step that makes at most that many parts of a span.
func axisStep(span time.Duration, most int) time.Duration {
	const day = 24 * time.Hour
	steps := []time.Duration{
		100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
		time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day,
	}
	for _, step := range steps {
		if span/step < time.Duration(most) {
			return step
		}
	}
	weeks := span/time.Duration(most)/(7*day) + 1
	return weeks * 7 * day
}

// axisLabel is a time in the unit of the step.
func axisLabel(at, step time.Duration) string {
	switch {
	case at == 0:
		return "0"
	case step < time.Minute:
		return strconv.FormatFloat(at.Seconds(), 'f', -1, 64) + " s"
	case step < time.Hour:
		return fmt.Sprintf("%d min", at/time.Minute)
	case step < 24*time.Hour:
		return fmt.Sprintf("%d h", at/time.Hour)
	}
	return fmt.Sprintf("%d d", at/(24*time.Hour))
}
