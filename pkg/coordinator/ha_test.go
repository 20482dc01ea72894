package coordinator_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/hostmark"
)

// TestForeignClaims: what stands in the template of a host is not obeyed blindly.
func TestForeignClaims(t *testing.T) {
	for name, text := range map[string]string{
		"nonsense": "v=1 fe=$(reboot) n=1", "huge": strings.Repeat("x", 100_000), "other action": "v=1 fe=b n=1 began=1 seen=1 ended=false status=open action=explode idle=true fencing=off verify=- confirm=0",
		"old": hostmark.Claim{FrontEnd: "b", Incident: 3, Began: time.Unix(1, 0), Seen: time.Unix(1, 0), Status: "open", Action: "delete", Idle: true}.String(),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := hosts("7.4.1", 6, running(11, 1, 0))
				cfg.Hosts[1].Template = map[string]string{hostmark.AttrClaim: text}
				w := newWorld(t, cfg)
				w.fail(1)
				f := w.frontEnd()
				f.config(fences)
				if r := f.sweep(t.Context(), usual()); r.code != 0 {
					t.Errorf("exit %d: %s", r.code, r.stderr)
				}
				w.once(11) // recreated as configured, not deleted
				f.wants("host 1: done")
			})
		})
	}
}
