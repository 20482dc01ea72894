package check

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/downtime"
	"one-ft/pkg/failfast"
	"one-ft/pkg/fence"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/statedir"
)

// Input is what Collect needs.
type Input struct {
	Given
	Client *one.Client
	// Location is ONE_LOCATION, "" without; LogDir has OpenNebula's logs.
	Location, LogDir string
	// State has the journal, locks and attempts.
	State statedir.Dir
	// Settings says how a host is fenced; fence.ErrNotConfigured is not at all.
	Settings func(one.Host) (fence.Settings, error)
	// Interval gives the time between two monitorings of a host.
	Interval func(context.Context) (time.Duration, error)
	// Downtime reads the settings that decide how long VMs are down; nil reads none.
	Downtime func(context.Context) (downtime.Settings, []downtime.Problem)
	// Machine has the ssh client of the drivers' user, and its processes; nil looks at none.
	Machine failfast.Machine
	// Proc is /proc. Root is put before /etc and /var, for tests; "" is the machine itself.
	Proc, Root string
}

// collector collects everything once.
type collector struct {
	Input
	facts   Facts
	account *fence.Account // that hooks run as; nil for that of this process
	mu      sync.Mutex     // over facts.Skipped
}

// Collect looks at everything, and changes nothing. Every call and every agent is bounded in time;
// at most 16 agents run at once. The error is that of oned when not even its version or its
// hosts can be read; whatever else cannot be read is a part of the Facts.
func Collect(ctx context.Context, in Input) (Facts, error) {
	c := &collector{Input: in, facts: Facts{Now: time.Now(), Given: in.Given, Endpoint: in.Client.Endpoint()}}
	f := &c.facts
	var err error
	if f.Version, f.Dialect, err = in.Client.Connect(ctx); err != nil {
		return Facts{}, err
	}
	hosts, err := in.Client.Hosts(ctx)
	if err != nil {
		return Facts{}, err
	}
	slices.SortFunc(hosts, func(a, b one.Host) int { return a.ID - b.ID })
	f.User, f.UserErr = in.Client.OwnUser(ctx)
	f.Follows, f.FollowErr = in.Client.Follows(ctx)
	c.config(ctx)
	if in.Downtime != nil {
		f.Settings, f.NotRead = in.Downtime(ctx)
	}

	c.machine() // it says which user has to be able to fence
	var wg sync.WaitGroup
	wg.Go(func() { f.Hosts = c.hosts(ctx, hosts) })
	wg.Go(func() {
		c.vms(ctx, hosts)
		c.datastores(ctx)
	})
	wg.Go(func() { f.SSH = c.ssh(ctx, hosts) })
	f.Incidents = readIncidents(in.State, filepath.Join(in.Proc, "locks"), f.Now)
	f.Programs = programs(f.Values)
	wg.Wait()
	c.clock(ctx, hosts)
	return c.facts, ctx.Err()
}

// skip notes what was not checked.
func (c *collector) skip(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.facts.Skipped = append(c.facts.Skipped, fmt.Sprintf(format, args...))
}

// config reads what oned tells of its configuration.
func (c *collector) config(ctx context.Context) {
	f := &c.facts
	conf, err := c.Client.Configuration(ctx)
	if f.ConfigErr = err; err != nil {
		return
	}
	if f.Version.Before(5, 9) { // later versions have hooks in their pool
		f.Loaded = loadedHooks(conf)
	}
	if c.Interval == nil {
		return
	}
	if f.Interval, err = c.Interval(ctx); err != nil {
		c.skip("monitoring interval: %v", err)
	}
}

// datastores reads the system datastores that VMs are on.
func (c *collector) datastores(ctx context.Context) {
	for id := range c.facts.VMs.On {
		d, err := c.Client.Datastore(ctx, id)
		if err != nil {
			d = one.Datastore{ID: id}
		}
		c.facts.Datastores = append(c.facts.Datastores, Datastore{Datastore: d, Err: err})
	}
	slices.SortFunc(c.facts.Datastores, func(a, b Datastore) int { return a.ID - b.ID })
}

// clockHosts is how many hosts are asked when they were monitored: one may be slow, not three.
const clockHosts = 3

// clock finds the latest time that oned tells.
func (c *collector) clock(ctx context.Context, hosts []one.Host) {
	clock := &c.facts.Clock
	asked := 0
	for _, h := range hosts {
		if !h.State.Back() || asked == clockHosts {
			continue
		}
		asked++
		now, err := c.Client.Host(ctx, h.ID)
		at := cmp.Or(now.LastContact, now.LastAttempt)
		if when := time.Unix(at, 0); err == nil && at > 0 && when.After(clock.Monitored) {
			clock.Monitored = when
			if when.After(clock.Newest) {
				clock.Newest, clock.Of = when, fmt.Sprintf("host %d was monitored", h.ID)
			}
		}
	}
}

// programs are those that the configuration names.
func programs(v config.Values) (all []Path) {
	add := func(what string, argv []string) {
		if len(argv) == 0 {
			return
		}
		p := Path{Path: argv[0], For: what}
		if filepath.IsAbs(p.Path) && !process.Runnable(p.Path) {
			p.Err = errNotRunnable
		}
		all = append(all, p)
	}
	for _, argv := range v.Confirm {
		add("confirm", argv)
	}
	for _, n := range v.Notify {
		add("notify", n.Command)
	}
	return all
}
