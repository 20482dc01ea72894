package failover

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/one"
	"one-ft/pkg/reach"
)

// TestLately: what a host answered in the survey of a moment ago counts, and who was not asked then, such as a host in
// quarantine, or whose answer is too old, is asked.
func TestLately(t *testing.T) {
	for _, tt := range []struct {
		name  string
		state one.HostState
		after time.Duration
		asked int
	}{
		{"just asked", one.HostError, 0, 1},
		{"in quarantine", one.HostDisabled, 0, 1},
		{"long ago", one.HostError, surveyed, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				dial := func(context.Context, string, string) (net.Conn, error) {
					asked++
					conn, peer := net.Pipe()
					peer.Close()
					return conn, nil
				}
				s := newSurveyor(func(hosts []one.Host) *reach.Inquiry {
					targets := make([]reach.Target, len(hosts))
					for i, h := range hosts {
						targets[i] = reach.Target{ID: h.ID, Name: h.Name}
					}
					return reach.Asker{Dial: dial, Port: 22}.Ask(t.Context(), targets)
				})
				host := one.Host{ID: 3, Name: "kvm3", State: tt.state}
				s.ask(t.Context(), []one.Host{host})
				time.Sleep(tt.after)
				if way := s.lately(t.Context(), host); !way.Answer.Alive() || asked != tt.asked {
					t.Errorf("it answers %q and was asked %d times, want %d", way.Answer, asked, tt.asked)
				}
			})
		})
	}
}
