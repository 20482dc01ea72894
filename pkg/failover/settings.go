package failover

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
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

// Fences finds out how a host is fenced: by the FENCE_* attributes of its
// template, else by the configuration.
type Fences struct {
	Config config.File
	// SecretDir has the secrets that host templates name.
	SecretDir string
	// XML reads a host as oned writes it, for commands.
	XML func(context.Context, int) (string, error)
	// Notify, when set, is told of each call of a device, without secrets.
	Notify func(fence.Event)
	// Slots bounds how many agents run at the same time; nil does not.
	Slots chan struct{}
	// Run runs agents and commands; nil is process.Run.
	Run process.Runner
}

// NewFences are those of a session, with progress going to the log.
func NewFences(s app.Session) Fences {
	return Fences{Config: s.Config, SecretDir: filepath.Join(s.Paths.Etc, "fence"), XML: s.Client.HostXML, Run: s.RunProgram, Notify: func(e fence.Event) {
		s.Log.VM(wording.Info, -1, e.Message.After("fence "+e.Device))
	}}
}

// Settings gives the levels and limits for a host: what it would be fenced with. fence.ErrNotConfigured
// means that nothing is configured for it; other errors say what is wrong with its attributes or the configuration.
func (f Fences) Settings(host one.Host) (fence.Settings, error) {
	s := fence.Settings{Notify: f.Notify, SecretDir: f.SecretDir, Slots: f.Slots, Run: f.Run}
	levels, err := fence.FromTemplate(host.Template)
	entry, configured := f.Config.FenceFor(host.Name, host.Cluster)
	if configured {
		s.Timeout, s.Attempts, s.Backoff = entry.Timeout, entry.Attempts, entry.BackOff
	}
	switch {
	case errors.Is(err, fence.ErrNoAgent) && configured:
		// Attributes for a site's own fence_host.sh, which the configuration names.
	case err != nil:
		return s, fmt.Errorf("template of host %d (%s): %w", host.ID, host.Name, err)
	case len(levels) > 0 && (levels[0].Devices[0].Kind == fence.KindAgent || !configured):
		s.Levels = levels
		return s, nil
	case !configured:
		return s, fence.ErrNotConfigured
	}
	for _, level := range entry.Levels {
		l := fence.Level{Name: level.Name}
		for _, d := range level.Devices {
			device, err := deviceOf(d, host)
			if err != nil {
				return s, err
			}
			l.Devices = append(l.Devices, device)
		}
		s.Levels = append(s.Levels, l)
	}
	s.Levels = append(s.Levels, levels...) // a lease or an admin, when all else fails
	return s, fence.Check(s.Levels)
}

// deviceOf makes a device of the configuration ready for a host.
func deviceOf(d config.Device, host one.Host) (fence.Device, error) {
	switch {
	case d.Lease > 0:
		return fence.Device{Kind: fence.KindLease, Lease: fence.Lease{Length: d.Lease, Reaction: d.Reaction, Margin: d.Margin}}, nil
	case d.Manual:
		return fence.Device{Kind: fence.KindManual}, nil
	case len(d.Command) > 0:
		return fence.Device{Kind: fence.KindCommand, Command: d.Command}, nil
	}
	params, err := d.Params.Expand(host.Name, host.ID)
	if err != nil {
		return fence.Device{}, err
	}
	return fence.Device{Kind: fence.KindAgent, Agent: d.Agent, Params: params, SecretFile: d.PasswordFile}, nil
}

// Prove fences a host; it is a Fencer.
func (f Fences) Prove(ctx context.Context, host one.Host, look fence.Look) (fence.Proof, error) {
	s, err := f.Settings(host)
	s.Look = look
	if err != nil {
		return fence.Proof{}, err
	}
	xml, err := f.XML(ctx, host.ID)
	if err != nil {
		return fence.Proof{}, err
	}
	return fence.Prove(ctx, fence.Host{ID: host.ID, Name: host.Name, Cluster: host.Cluster, Template: host.Template, XML: []byte(xml)}, s)
}

// Describe says in lines what a host would be fenced with; none when it would not be, which the
// Outlook tells. Secrets are masked.
func (f Fences) Describe(host one.Host) []string {
	s, err := f.Settings(host)
	if err != nil {
		return nil
	}
	var lines []string
	for _, line := range fence.Describe(s.Levels) {
		lines = append(lines, "fencing: "+line)
	}
	return lines
}
