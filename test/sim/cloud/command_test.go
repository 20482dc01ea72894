package cloud

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/one"
)

// TestCommand: what runs in the place of ssh says how long a clean-up takes and how it ends.
func TestCommand(t *testing.T) {
	for name, tc := range map[string]struct {
		ended      Ended
		want       time.Duration
		unanswered int
	}{
		"done":        {Succeeded, 6 * time.Second, 0},
		"failed":      {Failed, 6 * time.Second, 0}, // which fails no clean-up
		"broken pipe": {BrokenPipe, time.Hour, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := runningOn(1, 0)
				v.Requirements = "ID = 77" // stays PENDING
				var ran []string
				c := networked(t, "6.10", Routed, []VM{v}, func(cfg *Config) {
					cfg.Command = func(_ context.Context, s SSH) Ended {
						ran = append(ran, s.Command)
						time.Sleep(2 * time.Second)
						return tc.ended
					}
				})
				errorAfter(t, c, 0, Cut)
				if _, err := recreate(c, 1); err != nil {
					t.Fatal(err)
				}
				if got := until(t, time.Now(), isIn(c, 1, "PENDING")); !near(got, tc.want) {
					t.Errorf("PENDING after %s, want %s; ran %v", got, tc.want, ran)
				}
				if got := c.Unanswered(); len(got) != tc.unanswered {
					t.Errorf("unanswered: %v", got)
				}
			})
		})
	}
}

// TestCommandEnds: what runs ends with the cloud.
func TestCommandEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := 0
		c := networked(t, "6.10", Routed, []VM{runningOn(1, 0)}, func(cfg *Config) {
			cfg.Command = func(ctx context.Context, _ SSH) Ended {
				<-ctx.Done()
				ended++
				return Failed
			}
		})
		errorAfter(t, c, 0, Cut)
		if _, err := recreate(c, 1); err != nil {
			t.Fatal(err)
		}
		until(t, time.Now(), func() bool { return len(c.SSHs("")) == 1 })
		c.Close()
		synctest.Wait()
		if v, _ := c.VM(1); ended != 1 || v.LCM != one.CleanupResubmit {
			t.Errorf("%d commands ended; the VM is %v", ended, v.LCM)
		}
	})
}
