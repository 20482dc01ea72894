package coordinator

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestDiskThatNeverAnswers: a hook that hands a host over does not hang with the disk: it works on the host itself.
func TestDiskThatNeverAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := make(chan struct{})
		defer close(answers)
		began := time.Now()
		err := onDisk(func() error { <-answers; return nil })
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != diskLimit {
			t.Errorf("%v after %s", err, took)
		}
		if err := onDisk(func() error { return nil }); err != nil {
			t.Error(err)
		}
	})
}
