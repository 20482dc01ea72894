package check

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/downtime"
	"one-ft/pkg/failfast"
	"one-ft/pkg/fence"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
)

// Input is what Look needs.
type Input struct {
	Client *one.Client
	// Own is the version of this program.
	Own    string
	Config config.File
	Paths  app.Paths
	// StateDir has the journal, locks and attempts.
	StateDir string
	// Settings says how a host is fenced; fence.ErrNotConfigured is not at all.
	Settings func(one.Host) (fence.Settings, error)
	// Interval gives the time between two monitorings of a host.
	Interval func(context.Context) (time.Duration, error)
	// Downtime reads the settings that decide how long VMs are down; nil when that is not judged. Place is
	// where the files are.
	Downtime func(context.Context) (downtime.Settings, []downtime.Problem)
	Place    downtime.Place
	// NoFencing asks no fence agent.
	NoFencing bool
	// Hooks, HostHook and Written are what is known of hooks: see Facts.
	Hooks    []Finding
	HostHook HostHook
	Written  []HookLine
	// NotLooked are things that the caller could not look at.
	NotLooked []string
	// Machine has the ssh client of the drivers' user, and its processes; nil looks at none.
	Machine failfast.Machine
	// Proc is /proc. Root is put before /etc and /var, for tests; "" is the machine itself.
	Proc, Root string
}

// look is one look at everything.
type look struct {
	Input
	facts   Facts
	account *fence.Account // that hooks run as; nil for that of this process
	mu      sync.Mutex     // over facts.NotLooked
}

// Look looks at everything, and changes nothing. Every call and every agent is bounded in time;
// at most 16 agents run at once. The error is that of oned when not even its version or its
// hosts can be read; whatever else cannot be read is a part of the Facts.
func Look(ctx context.Context, in Input) (Facts, error) {
	l := &look{Input: in}
	f := &l.facts
	f.Now, f.Own, f.ConfigFile, f.Values = time.Now(), in.Own, in.Config.Path, in.Config.Values()
	f.Hooks, f.HostHook, f.Written, f.NotLooked = in.Hooks, in.HostHook, in.Written, slices.Clone(in.NotLooked)
	f.FencingNotAsked = in.NoFencing
	var err error
	if f.Version, f.Dialect, err = in.Client.Connect(ctx); err != nil {
		return Facts{}, err
	}
	f.Endpoint = in.Client.Endpoint()
	hosts, err := in.Client.Hosts(ctx)
	if err != nil {
		return Facts{}, err
	}
	slices.SortFunc(hosts, func(a, b one.Host) int { return a.ID - b.ID })
	f.User, f.UserErr = in.Client.OwnUser(ctx)
	f.Follows, f.FollowErr = in.Client.Follows(ctx)
	l.config(ctx)
	if in.Downtime != nil {
		f.Settings, f.NotRead = in.Downtime(ctx)
		f.Place = in.Place
	}

	l.machine() // it says which user has to be able to fence
	var wg sync.WaitGroup
	wg.Go(func() { f.Hosts = l.hosts(ctx, hosts) })
	wg.Go(func() {
		l.vms(ctx, hosts)
		l.datastores(ctx)
	})
	wg.Go(func() { f.SSH = l.ssh(ctx, hosts) })
	f.Incidents = readIncidents(filepath.Join(in.StateDir, "incidents"), filepath.Join(in.StateDir, "locks"), filepath.Join(in.Proc, "locks"), f.Now)
	f.Programs = programs(f.Values)
	wg.Wait()
	l.clock(ctx, hosts)
	return l.facts, ctx.Err()
}

// miss notes what was not looked at.
func (l *look) miss(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.facts.NotLooked = append(l.facts.NotLooked, fmt.Sprintf(format, args...))
}

// config reads what oned tells of its configuration.
func (l *look) config(ctx context.Context) {
	f := &l.facts
	text, err := l.Client.Raw(ctx, "one.system.config")
	if f.ConfigErr = err; err != nil {
		return
	}
	if f.Version.Before(5, 9) { // later versions have hooks in their pool
		if f.Loaded, err = loadedHooks(text); err != nil {
			l.miss("hooks of the running oned: %v", err)
		}
	}
	if l.Interval == nil {
		return
	}
	if f.Interval, err = l.Interval(ctx); err != nil {
		l.miss("monitoring interval: %v", err)
	}
}

// datastores reads the system datastores that VMs are on.
func (l *look) datastores(ctx context.Context) {
	for id := range l.facts.VMs.On {
		d, err := l.Client.Datastore(ctx, id)
		if err != nil {
			d = one.Datastore{ID: id}
		}
		l.facts.Datastores = append(l.facts.Datastores, Datastore{Datastore: d, Err: err})
	}
	slices.SortFunc(l.facts.Datastores, func(a, b Datastore) int { return a.ID - b.ID })
}

// clockHosts is how many hosts are asked when they were monitored: one may be slow, not three.
const clockHosts = 3

// clock finds the latest time that oned tells.
func (l *look) clock(ctx context.Context, hosts []one.Host) {
	c := &l.facts.Clock
	asked := 0
	for _, h := range hosts {
		if !h.State.Back() || asked == clockHosts {
			continue
		}
		asked++
		at, err := l.Client.LastMonitored(ctx, h.ID)
		if err != nil || at <= 0 {
			continue
		}
		if when := time.Unix(at, 0); when.After(c.Monitored) {
			c.Monitored, c.Host = when, h.ID
		}
	}
	if c.Monitored.After(c.Newest) {
		c.Newest, c.Of = c.Monitored, fmt.Sprintf("host %d was monitored", c.Host)
	}
}

// programs looks at the programs that the configuration names.
func programs(v config.Values) []Program {
	var all []Program
	add := func(argv []string, what string) {
		if len(argv) == 0 {
			return
		}
		p := Program{Path: argv[0], For: what}
		if filepath.IsAbs(p.Path) && !process.Runnable(p.Path) {
			p.Err = errNotRunnable
		}
		all = append(all, p)
	}
	for _, argv := range v.Confirm {
		add(argv, "confirm")
	}
	for _, n := range v.Notify {
		add(n.Command, "notify")
	}
	return all
}

var errNotRunnable = errors.New("it is not there, or not executable")
