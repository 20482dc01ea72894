package failfast

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// Engaged is what Engage did.
type Engaged struct {
	Names []string // that have marks now
	// Masters and Connections are the ssh processes that were ended.
	Masters, Connections []Process
}

// Engage makes ssh to a host fail at once: it marks the host's names until h.Until, ends its persistent masters, and
// ends the ssh processes that are on their way to it. names are those that oned has, its NAME first; those that ssh
// knows it by are found, and those that the incident has marked before: while a mark is in force ssh does not tell
// them any more. The caller has the proof that the host is off, and calls Engage again before h.Until.
//
// Whatever fails, such as a name that no mark can have, the rest is still done; the error joins what failed.
func (c Client) Engage(ctx context.Context, m Marks, names []string, h Hold) (Engaged, error) {
	var done Engaged
	held, err := m.heldBy(h.Host, h.Incident)
	all, sockets, failed := c.aliases(ctx, names)
	all, failed = union(all, held), append(failed, err)
	if err := m.Set(ctx, all, h); err != nil {
		failed = append(failed, err)
	}
	done.Names = all
	// Only now: before the mark a driver would have made a new master.
	for name, socket := range sockets {
		ended, err := c.EndMaster(ctx, name, socket)
		done.Masters = append(done.Masters, ended...)
		failed = append(failed, err)
	}
	connections, err := c.Connecting(all)
	failed = append(failed, err)
	if err == nil && len(connections) > 0 {
		done.Connections = connections
		failed = append(failed, c.End(ctx, connections))
	}
	return done, errors.Join(failed...)
}

// aliases gives the names of a host for marks, and the sockets of its masters by name. The name that ssh connects to
// is one when it is the host itself; a name in capital letters also has its small ones, which ssh uses in its second
// pass over the configuration.
func (c Client) aliases(ctx context.Context, names []string) (all []string, sockets map[string]string, failed []error) {
	sockets = map[string]string{}
	for i, a := range c.ResolveAll(ctx, names) {
		name := names[i]
		failed = append(failed, a.Err)
		if errors.Is(a.Err, ErrName) {
			continue
		}
		all = append(all, name, strings.ToLower(name))
		if a.Err == nil && a.Direct() && CheckName(a.HostName) == nil {
			all = append(all, a.HostName)
		}
		if a.ControlPath != "" {
			sockets[name] = a.ControlPath
		}
	}
	return all, sockets, failed
}

// union sorts the names of both.
func union(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}
