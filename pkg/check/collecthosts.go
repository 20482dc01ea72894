package check

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"

	"one-ft/pkg/fence"
	"one-ft/pkg/one"
	"one-ft/pkg/text"
)

// maxAgents is how many fence agents run at the same time: an agent is a Python program of
// some 30 MB, and the front-end has other work. A choice.
const maxAgents = 16

// hosts finds out how each host is fenced, and asks the agents.
func (c *collector) hosts(ctx context.Context, pool []one.Host) []Host {
	all := make([]Host, len(pool))
	slots := make(chan struct{}, maxAgents)
	var wg sync.WaitGroup
	for i, h := range pool {
		all[i] = newHost(h)
		if c.Settings == nil || h.State == one.HostOffline {
			continue
		}
		s, err := c.Settings(h)
		s.Slots = slots
		if all[i].Err = err; err != nil {
			continue
		}
		all[i].levels(s.Levels)
		problems, _ := fence.Ready(fenceHost(h), s, c.account)
		all[i].ready(problems)
		if !c.NoFencing {
			wg.Go(func() { all[i].ask(ctx, s) })
		}
	}
	wg.Wait()
	return all
}

// newHost reads what a host has published.
func newHost(h one.Host) Host {
	host := Host{Host: h, Isolated: text.Printable(h.Template["FT_ISOLATED_VERSION"])}
	host.Promise, host.Promised, host.PromiseErr = fence.TemplatePromise(h.Template)
	return host
}

// levels sets the levels before any agent was asked.
func (h *Host) levels(levels []fence.Level) {
	for _, level := range levels {
		var devices []Device
		for _, d := range level.Devices {
			device := Device{Kind: d.Kind, Label: d.String(), Power: fence.PowerUnknown, Key: keyOf(d)}
			if d.Kind == fence.KindLease {
				device.Lease = d.Lease.WithDefaults()
				own, found, err := fence.TemplateLease(h.Template)
				device.FromTemplate = found && err == nil && own == device.Lease
			}
			devices = append(devices, device)
		}
		h.Levels = append(h.Levels, devices)
	}
}

// keyOf tells the outlet of an agent from others without showing a parameter: all
// parameters together, some of which are secret.
func keyOf(d fence.Device) string {
	named := slices.ContainsFunc([]string{"ip", "ipaddr", "plug", "port"}, func(p string) bool { return d.Params[p] != "" })
	if d.Kind != fence.KindAgent || !named {
		return ""
	}
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%q%q", d.Agent, d.Params))) // fmt sorts maps
}

// fenceHost is a host as package fence wants it.
func fenceHost(h one.Host) fence.Host {
	return fence.Host{ID: h.ID, Name: h.Name, Template: h.Template}
}

// ready takes over what the front-end sees without asking a device. That an admin has to confirm is no
// error of a device, and leases are checked by what hosts publish.
func (h *Host) ready(problems []*fence.Problem) {
	for _, p := range problems {
		if d := &h.Levels[p.Level-1][p.Place-1]; d.Kind == fence.KindAgent || d.Kind == fence.KindCommand {
			d.Err = p
		}
	}
}

// ask asks all agents of a host for their status, and nothing else.
func (h *Host) ask(ctx context.Context, s fence.Settings) {
	list, err := fence.Status(ctx, fenceHost(h.Host), s)
	if err != nil {
		h.Err = err
		return
	}
	h.Asked = true
	for _, level := range h.Levels {
		for j := range level {
			if d := &level[j]; len(list) > 0 && d.Kind == fence.KindAgent && d.Err == nil {
				d.Label, d.Power, d.Err = list[0].Device, list[0].Power, list[0].Err
			}
			list = list[min(1, len(list)):]
		}
	}
}
