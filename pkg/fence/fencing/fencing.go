// Package fencing finds out how a host is fenced: it makes fence.Settings of the FENCE_* attributes
// of the host's template and of the configuration. A device behaves alike whichever of both names
// it: package fence has one set of defaults, of secrets and of refused parameters.
package fencing

import (
	"context"
	"errors"
	"fmt"

	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/statedir"
)

// Resolver finds out how a host is fenced: by the FENCE_* attributes of its template, else by the
// configuration.
type Resolver struct {
	Config    config.File
	SecretDir string // has the secrets that host templates name; "" is /etc/one/fence
	// State remembers which commands have proven a host off; "" remembers none.
	State statedir.Dir
	// XML reads a host as oned writes it, for commands.
	XML func(context.Context, int) (string, error)
	// Notify, when set, gets each call of a device, without secrets.
	Notify func(fence.Event)
	Slots  chan struct{}  // bounds how many agents run at the same time; nil does not
	Run    process.Runner // of agents and commands; nil is process.Run
}

// HostOf is what fencing needs to know of a host; without its XML.
func HostOf(h one.Host) fence.Host {
	return fence.Host{ID: h.ID, Name: h.Name, Template: h.Template}
}

// Prove fences a host and proves that it is off.
func (r Resolver) Prove(ctx context.Context, host one.Host, look fence.Look) (fence.Proof, error) {
	s, err := r.Settings(host)
	if err != nil {
		return fence.Proof{}, err
	}
	s.Look = look
	xml, err := r.XML(ctx, host.ID)
	if err != nil {
		return fence.Proof{}, err
	}
	h := HostOf(host)
	h.XML = []byte(xml)
	before := fingerprints(s.Levels)
	proof, err := fence.Prove(ctx, h, s)
	if err == nil {
		r.remember(h.ID, proof.Commands(), before)
	}
	return proof, err
}

// Test powers a host off and on again, see fence.Cycle, with the settings that Settings gives.
func (r Resolver) Test(ctx context.Context, host one.Host, s fence.Settings) ([]fence.LevelTest, error) {
	xml, err := r.XML(ctx, host.ID)
	if err != nil {
		return nil, err
	}
	h := HostOf(host)
	h.XML = []byte(xml)
	before := fingerprints(s.Levels)
	tests, err := fence.Cycle(ctx, h, s)
	for _, t := range tests {
		if t.Err == nil {
			r.remember(h.ID, t.Commands, before)
		}
	}
	return tests, err
}

// Outlook says what proving a host off would come to. It runs no device.
func (r Resolver) Outlook(ctx context.Context, mode fence.Mode, host one.Host) fence.Outlook {
	s, err := r.Settings(host)
	return fence.Foresee(ctx, mode, HostOf(host), s, err)
}

// Describe lists what a host would be fenced with, a line for each device; none when it would not
// be, which Outlook explains. Secrets are masked.
func (r Resolver) Describe(host one.Host) []string {
	s, err := r.Settings(host)
	if err != nil {
		return nil
	}
	lines := fence.Describe(s.Levels)
	for i := range lines {
		lines[i] = "fencing: " + lines[i]
	}
	return lines
}

// Settings gives the levels and limits for a host. fence.ErrNotConfigured means that nothing is
// configured for it; other errors say what is wrong with its attributes or the configuration.
func (r Resolver) Settings(host one.Host) (fence.Settings, error) {
	levels, err := fence.FromTemplate(host.Template)
	entry, configured := r.Config.FenceFor(host.Name, host.Cluster)
	s := entry.Settings
	s.Notify, s.SecretDir, s.Slots, s.Run = r.Notify, r.SecretDir, r.Slots, r.Run
	switch {
	case errors.Is(err, fence.ErrNoAgent) && configured:
		// Attributes for a site's own fence_host.sh, which the configuration names.
	case err != nil:
		return s, fmt.Errorf("template of host %d (%s): %w", host.ID, host.Name, err)
	case len(levels) > 0 && (levels[0].Devices[0].Kind == fence.KindAgent || !configured):
		s.Levels = fence.Apart(levels)
		return s, nil
	case !configured:
		return s, fence.ErrNotConfigured
	}
	if s.Levels, err = entry.LevelsFor(host.Name, host.ID); err != nil {
		return s, err
	}
	s.Levels = append(fence.Apart(s.Levels), levels...) // a lease or an admin, when all else fails
	return s, fence.Check(s.Levels)
}
