package failover

import (
	"path/filepath"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/fence/fencing"
	"one-ft/pkg/recovery"
)

// NewStorm makes the storm guard of a configuration. started is when oned started
// or became leader; the zero time when that is not known.
func NewStorm(v config.Values, started time.Time) Storm {
	s := Storm{
		Policy: recovery.GuardPolicy{
			Share: float64(v.StormShare) / 100, Hosts: v.StormHosts, Window: v.StormWindow, PerCluster: v.StormPerCluster,
		},
		CoolDown: v.StormCoolDown, GiveUp: v.StormGiveUp,
	}
	if !started.IsZero() {
		s.QuietUntil = started.Add(v.StormQuiet)
	}
	return s
}

// NewFences are those of a session, with progress going to the log.
func NewFences(s app.Session) fencing.Resolver {
	return fencing.Resolver{Config: s.Config, SecretDir: filepath.Join(s.Paths.Etc, "fence"), XML: s.Client.HostXML, Run: s.RunProgram, Notify: func(e fence.Event) {
		s.Log.Info("fence %s: %s", e.Device, e.Text)
	}}
}
