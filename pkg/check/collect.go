package check

import (
	"context"
	"fmt"
	"path/filepath"
	"sort"
	"sync"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/downtime"
	"one-ft/pkg/failfast"
	"one-ft/pkg/fence"
	"one-ft/pkg/one"
	"one-ft/pkg/pause"
	"one-ft/pkg/statedir"
	"one-ft/pkg/timing"
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
	// Downtime reads the settings that decide how long VMs are down; nil reads none.
	Downtime func(context.Context) (downtime.Settings, []downtime.Problem)
	// Machine has the ssh client of the drivers' user, and its processes; nil looks at none.
	Machine failfast.Machine
	// Times finds what makes no sense about the times of hooks and configuration; nil finds nothing.
	Times func([]one.Host) []timing.Finding
	// Surveyor asks the way to the hosts; nil asks none.
	Surveyor Surveyor
	// PutToRest finds the VMs that are POWEROFF because their host came back without them: those that oneft resume boots, and
	// those that it leaves to an operator; nil finds none.
	PutToRest func(context.Context, []one.Host) (booted, left []int, err error)
	// Proc is /proc. Root is put before /etc and /var, for tests; "" is the machine itself.
	Proc, Root string
}

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
	sort.Slice(hosts, func(i, j int) bool { return hosts[i].ID < hosts[j].ID }) // smaller than slices.SortFunc by 13 kB
	f.User, f.UserErr = in.Client.OwnUser(ctx)
	f.Follows, f.FollowErr = in.Client.Follows(ctx)
	conf, err := in.Client.Configuration(ctx)
	if f.ConfigErr = err; f.Version.Before(5, 9) { // later versions have hooks in their pool
		f.Loaded = loadedHooks(conf)
	}
	if in.Times != nil {
		f.Times = in.Times(hosts)
	}
	if in.Downtime != nil {
		f.Settings, f.NotRead = in.Downtime(ctx)
	}

	f.StateDir, f.Closed = string(in.State), in.State.Closed()
	c.machine() // it says which user has to be able to fence
	var wg sync.WaitGroup
	wg.Go(func() { f.Hosts = c.hosts(ctx, hosts) })
	wg.Go(func() {
		c.vms(ctx, hosts)
		c.datastores(ctx)
		c.putToRest(ctx, hosts)
	})
	wg.Go(func() { f.SSH = c.ssh(ctx, hosts) })
	wg.Go(func() { f.Survey = c.survey(ctx, hosts) })
	f.Pause, f.PauseErr = pause.Read(in.State)
	f.Incidents = readIncidents(in.State, filepath.Join(in.Proc, "locks"), f.Now)
	f.Programs = programs(f.Values)
	f.Watch = c.watch()
	wg.Wait()
	c.clock(ctx, hosts)
	return c.facts, ctx.Err()
}

func (c *collector) skip(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.facts.Skipped = append(c.facts.Skipped, fmt.Sprintf(format, args...))
}

// Facts are what Collect saw, and all that the rules know.
type Facts struct {
	Now      time.Time
	Version  one.Version
	Dialect  one.Dialect
	Endpoint string
	Given

	User    one.User
	UserErr error // the user could not be read
	// ConfigErr is why oned does not tell its configuration; it is one.ErrAuthorization for
	// users who are not in the group oneadmin.
	ConfigErr error
	Follows   bool // this oned is a follower of another front-end
	FollowErr error

	// Loaded are the hooks of the running oned, up to 5.8; nil when it does not tell.
	Loaded   []HookLine
	FrontEnd FrontEnd
	SSH      SSH
	Survey   Survey
	Hosts    []Host // ID ascending
	// Settings decide how long VMs are down; without values there are no rules for them. NotRead is what kept them from
	// being read.
	Settings   downtime.Settings
	NotRead    []downtime.Problem
	VMs        VMs
	Datastores []Datastore // system datastores with VMs on them, ID ascending
	StateDir   string
	// Closed is why this user may not read the state directory; nil when it can be read or is not there.
	Closed    error
	Incidents Incidents
	Times     []timing.Finding // what makes no sense about them
	Clock     Clock
	Pause     pause.State
	PauseErr  error // it could not be read, and pauses nothing
	Watch     Watch
	Dirs      []Path // directories that hooks write into, and files there
	Programs  []Path // of the configuration
}

// Given is what the caller of Collect knows, and the rules need.
type Given struct {
	// Own is the version of this program; "" or "unknown" compares with nothing.
	Own string
	// ConfigFile is the path of the configuration that was read, "" without one; Values is what is in it.
	ConfigFile string
	Values     config.Values
	// Hooks are the findings about hooks, HostHook what the hook for hosts does, and Written the hooks of oned.conf, up
	// to 5.8.
	Hooks    []Finding
	HostHook HostHook
	Written  []HookLine
	Place    downtime.Place // where the files are
	// LastSweep is when oneft resume ran last with this state directory; the zero time for never, or not known.
	LastSweep time.Time
	// NoFencing: on request no fence agent is asked.
	NoFencing bool
	// Skipped are the things that were not checked, a line each.
	Skipped []string
}

// HostHook is what is known of the hook for hosts in ERROR.
type HostHook struct {
	Action  string // recreate, delete or migrate; "" when no hook of one-ft says it
	Fencing string // auto, required or off; "" when the hook leaves it to the configuration
}
