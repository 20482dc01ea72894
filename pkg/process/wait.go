package process

import (
	"context"
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
