package process

import (
	"context"
	"sync"
	"time"
)

// Pause waits, or returns false when the context ends first.
func Pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// Each calls f for 0 to n-1, so many at the same time, and waits for all.
func Each(n, atOnce int, f func(i int)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			f(i)
		})
	}
	wg.Wait()
}

// Bounded returns what f returns, or the cause of the end of ctx; then f is left behind: a disk or the
// kernel may never answer it.
func Bounded[T any](ctx context.Context, f func() (T, error)) (T, error) {
	var result T
	ended := make(chan error, 1)
	go func() {
		r, err := f()
		result = r
		ended <- err
	}()
	select {
	case err := <-ended:
		return result, err
	case <-ctx.Done():
	}
	select {
	case err := <-ended: // both at once
		return result, err
	default:
		var none T
		return none, context.Cause(ctx)
	}
}
