package oneftcmd

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/downtime"
	"one-ft/pkg/failfast"
	"one-ft/pkg/onedconf"
	"one-ft/pkg/process"
)

// settingsOf reads what decides how long VMs are down: the configuration files of OpenNebula on this
// front-end, and what oned tells of its monitoring interval (up to 5.10).
func settingsOf(ctx context.Context, s app.Session) (downtime.Settings, []downtime.Problem) {
	settings, problems := downtime.Read(s.Version, func(f downtime.File) ([]onedconf.Attribute, error) {
		return onedconf.ReadFile(filepath.Join(s.Paths.Etc, string(f)))
	})
	if told, err := s.Client.MonitoringInterval(ctx); err == nil && told > 0 {
		settings = settings.With(settings.Interval().Setting, told, downtime.ByOned)
	}
	return settings, problems
}

// placeOf is where an admin finds the files.
func placeOf(s app.Session) downtime.Place {
	return downtime.Place{Etc: s.Paths.Etc, Config: filepath.Join(s.Paths.Etc, config.Name), OldUnits: s.Version.Before(5, 0)}
}

// errRemote: what only the front-end knows.
var errRemote = errors.New("oned runs on another machine")

// sshLimit bounds the question to ssh; it asks nobody on the network.
const sshLimit = 5 * time.Second

// sshOf asks what ssh of the drivers uses for a host, and checks whether it obeys the marks of hosts that are
// proven off. Nothing is connected, and nothing is written.
func sshOf(ctx context.Context, s app.Session, host string) (downtime.SSH, failfast.ForceState, error) {
	if !process.IsLocal(s.Client.Endpoint()) {
		return downtime.SSH{}, failfast.Unknown, errRemote
	}
	c, err := readSSH(s)
	if err != nil {
		return downtime.SSH{}, failfast.Unknown, err
	}
	ctx, cancel := context.WithTimeout(ctx, sshLimit)
	defer cancel()
	settings, err := c.client.Resolve(ctx, host)
	if err != nil {
		return downtime.SSH{}, failfast.Unknown, err
	}
	state := failfast.NotInstalled
	if failfast.Status(c.config.Text, s.StateDir) == failfast.BlockCurrent {
		state = failfast.InForce
	}
	_, elsewhere := failfast.SetsTimeout(c.config.Text)
	return downtime.SSH{ConnectTimeout: settings.ConnectTimeout, SetElsewhere: elsewhere && settings.ConnectTimeout == 0}, state, nil
}
