package oneftcmd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/coordinator"
	"one-ft/pkg/downtime"
	"one-ft/pkg/drill"
	"one-ft/pkg/failfast"
	"one-ft/pkg/fence"
	"one-ft/pkg/hook"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/onedconf"
	"one-ft/pkg/process"
	"one-ft/pkg/recovery"
)

// drill is the command that says what would happen if a host died now.
func (t *tool) drill() *cli.Command {
	return &cli.Command{
		Name: "drill", Usage: "say what would happen if a host died now, and whether the others have room", ArgsUsage: "HOST | --all | --cluster CLUSTER",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "all", Usage: "each host of the cloud: which loss it cannot absorb"},
			&cli.StringFlag{Name: "cluster", Usage: "each host of `CLUSTER`, by name or ID"},
			&app.ValuesFlag{Values: []string{string(recovery.Recreate), string(recovery.Delete), string(recovery.Migrate)}, StringFlag: cli.StringFlag{
				Name: "action", Value: string(recovery.Recreate), Usage: "`ACTION` of the hook on the VMs: recreate, delete or migrate"}},
			&cli.BoolFlag{Name: "suspended", Usage: "include suspended and powered-off VMs, like y"},
			&cli.IntFlag{Name: "pause", Aliases: []string{"p"}, Value: 2, Usage: "for how many monitoring cycles the hook watches the host, as its `NUMBER` after -p"},
			&cli.BoolFlag{Name: "fence-test", Usage: "really power HOST off and on again, which has to be disabled and empty; asks before"},
		}, app.FlagsFor("dry-run", "oned-wait")...),
		Action: func(c *cli.Context) error {
			d, err := newDrill(c, t.env)
			if err != nil {
				return err
			}
			return app.Show(c, t.env, d.run)
		},
	}
}

// drilling is one call of oneft drill.
type drilling struct {
	env     app.Env
	host    int         // -1 for several
	object  *app.Object // the host, nil for several
	cluster string
	test    bool
	policy  recovery.Policy
}

// newDrill checks the flags.
func newDrill(c *cli.Context, env app.Env) (*drilling, error) {
	d := &drilling{env: env, host: -1, cluster: c.String("cluster"), test: c.Bool("fence-test")}
	ways := 0
	for _, set := range []bool{c.NArg() > 0, c.Bool("all"), c.IsSet("cluster")} {
		if set {
			ways++
		}
	}
	switch {
	case ways != 1 || c.NArg() > 1:
		return nil, app.Usagef("drill takes one of: a host by its ID or name, --all, --cluster CLUSTER")
	case d.test && c.NArg() == 0:
		return nil, app.Usagef("--fence-test is for one host: oneft drill HOST --fence-test")
	case c.Int("pause") < 0 || c.Int("pause") > config.MaxCycles:
		return nil, app.Usagef("-p %d: allowed are 0 to %d monitoring cycles", c.Int("pause"), config.MaxCycles)
	}
	d.policy = recovery.Policy{Mode: recovery.Mode(c.String("action")), Idle: c.Bool("suspended")}
	if c.NArg() > 0 {
		object, err := app.ObjectOf(hook.Host, c.Args().First())
		if err != nil {
			return nil, err
		}
		d.object = &object
	}
	return d, nil
}

func (d *drilling) run(ctx context.Context, s app.Session) (app.Answer, error) {
	v := s.Config.Values()
	d.policy.Priorities = recovery.Range{Min: v.PriorityMin, Max: v.PriorityMax}
	if d.object != nil {
		var err error
		if d.host, err = d.object.ID(ctx, s); err != nil {
			return nil, err
		}
	}
	if d.test {
		return d.fenceTest(ctx, s)
	}
	cloud, err := drill.Read(ctx, s.Client)
	if err != nil {
		return nil, err
	}
	if d.host >= 0 {
		return d.one(ctx, s, cloud)
	}
	where, cluster := "the cloud", drill.WholeCloud
	if d.cluster != "" {
		if where, cluster, err = findCluster(cloud, d.cluster); err != nil {
			return nil, err
		}
	}
	down, err := d.foretell(ctx, s, cloud)
	if err != nil {
		return nil, err
	}
	fences := coordinator.NewFences(s, nil)
	plan := func(id int) recovery.Plan {
		host, _ := cloud.Host(id)
		return cloud.Plan(id, s.Dialect, d.policy, fences.Outlook(ctx, fencingMode(s), host.Host).Leased)
	}
	onlooker := coordinator.NewOnlooker(ctx, s)
	survey := drill.All(cloud, where, cluster, plan, down)
	survey.Paused = coordinator.PausedNow(s).String()
	return survey.Stands(cloud, func(host drill.Host) incident.HostStanding {
		return onlooker.Stand(ctx, coordinator.NewRequest(s, incident.Request{Kind: "host", ID: host.ID, Action: string(d.policy.Mode)}), host.Host)
	}), nil
}

// foretell gives what tells the downtime of each host. ssh is asked about the first one only: there may be
// hundreds, and few clouds have settings of their own for single hosts.
func (d *drilling) foretell(ctx context.Context, s app.Session, cloud drill.Cloud) (func(int, recovery.Plan) *drill.Downtime, error) {
	if len(cloud.Hosts) == 0 {
		return nil, nil
	}
	in, err := d.conditions(ctx, s, cloud.Hosts[0].Host)
	if err != nil {
		return nil, err
	}
	fences := coordinator.NewFences(s, nil)
	return func(id int, plan recovery.Plan) *drill.Downtime {
		own := in
		if host, found := cloud.Host(id); found {
			set, err := fences.Settings(host.Host)
			own.Fencing = drill.Fencing{Settings: set, Err: err}
		}
		down := drill.Foretell(cloud, id, plan, own)
		return &down
	}, nil
}

// conditions are what a downtime hangs on, without how the host is fenced.
func (d *drilling) conditions(ctx context.Context, s app.Session, host one.Host) (drill.Conditions, error) {
	interval, _, err := s.Client.Interval(ctx, filepath.Join(s.Paths.Etc, "monitord.conf"))
	if err != nil {
		return drill.Conditions{}, err
	}
	v := s.Config.Values()
	in := drill.Conditions{Values: v, Wait: v.Wait + time.Duration(v.Cycles)*interval, Place: placeOf(s)}
	if in.Wait == 0 || s.Cli.IsSet("pause") {
		in.Wait = time.Duration(s.Cli.Int("pause")) * interval
	}
	in.Settings, in.NotRead = settingsOf(ctx, s)
	in.SSH, in.FailFast, in.SSHErr = sshOf(ctx, s, host.Name)
	return in, nil
}

// findCluster finds a cluster by its name or ID among those of the hosts.
func findCluster(c drill.Cloud, word string) (where string, id int, err error) {
	number, numeric := strconv.Atoi(word)
	for _, h := range c.Hosts {
		if h.Cluster == word || numeric == nil && h.ClusterID == number {
			return "cluster " + h.Cluster, h.ClusterID, nil
		}
	}
	return "", 0, app.Usagef("no host is in a cluster %s; onecluster list shows them", word)
}

// one says what would happen to one host.
func (d *drilling) one(ctx context.Context, s app.Session, cloud drill.Cloud) (app.Answer, error) {
	if _, known := cloud.Host(d.host); !known {
		return nil, app.Usagef("oned knows no host %d; onehost list shows the hosts", d.host)
	}
	host, err := s.Client.Host(ctx, d.host)
	if err != nil {
		return nil, err
	}
	if host.API() != "" { // nothing would be fenced
		return drill.Drill(cloud, d.host, cloud.Plan(d.host, s.Dialect, d.policy, false), nil, nil)
	}
	in, err := d.conditions(ctx, s, host)
	if err != nil {
		return nil, err
	}
	fences := coordinator.NewFences(s, nil)
	set, err := fences.Settings(host)
	outlook := fences.Outlook(ctx, fencingMode(s), host)
	plan := cloud.Plan(d.host, s.Dialect, d.policy, outlook.Leased)
	in.Fencing = drill.Fencing{Settings: set, Err: err}
	down := drill.Foretell(cloud, d.host, plan, in)
	report, err := drill.Drill(cloud, d.host, plan, &down, fences.Describe(host))
	if err != nil {
		return nil, err
	}
	report = report.WhilePaused(coordinator.PausedNow(s).String())
	q := coordinator.NewRequest(s, incident.Request{Kind: "host", ID: d.host, Action: string(d.policy.Mode)})
	report = report.Stands(coordinator.NewOnlooker(ctx, s).Stand(ctx, q, host).Standing)
	return report.Foreseen(outlook), nil
}

// fencingMode is what decides whether hosts are fenced when a hook does not say it.
func fencingMode(s app.Session) fence.Mode { return fence.Mode(s.Config.Values().Fencing) }

// fenceTest powers a host off and on again.
func (d *drilling) fenceTest(ctx context.Context, s app.Session) (app.Answer, error) {
	host, err := s.Client.Host(ctx, d.host)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("host %d (%s)", host.ID, host.Name)
	switch api := host.API(); {
	case api != "":
		return nil, app.Usagef("%s stands for a service (%s), not for a machine: nothing can be powered off", name, api)
	case !host.State.SetByAdmin():
		return nil, app.Usagef("%s is %s: only a disabled host is powered off for a test: onehost disable %d", name, host.State, host.ID)
	case len(host.VMs) > 0:
		return nil, app.Usagef("%s has %d VMs: only an empty host is powered off for a test; move them first: onehost flush %d", name, len(host.VMs), host.ID)
	}
	fences := coordinator.NewFences(s, nil)
	set, err := fences.Settings(host)
	if err != nil {
		return nil, app.Usagef("%s: %w", name, err)
	}
	if s.DryRun {
		return page{Text: fence.Describe(set.Levels), Summary: name + " would be powered off and on again by each of these levels"}, nil
	}
	if !d.env.Typed(ctx, fmt.Sprintf("This powers %s off and on again. Type its name to go on: ", host.Name), host.Name) {
		return nil, app.Usagef("nothing was done: the answer was not the name of the host")
	}
	if host, err = s.Client.Host(ctx, d.host); err != nil || !host.State.SetByAdmin() || len(host.VMs) > 0 { // answering takes a while
		return nil, app.Usagef("nothing was done: %s is not disabled and empty any more", name)
	}
	tests, err := fences.Test(ctx, host, set)
	if err != nil {
		return nil, err
	}
	return testPage(name, tests), nil
}

// testPage is the answer about a test.
func testPage(name string, tests []fence.LevelTest) page {
	p := page{Rows: [][]string{{"LEVEL", "DEVICES", "OFF AFTER", "ON AFTER", "RESULT"}}, Summary: name + " was powered off and on again: fencing works"}
	tested, off := 0, false // off after the last test
	for _, t := range tests {
		row := []string{strconv.Itoa(t.Level), strings.Join(t.Devices, ", "), "", "", "not tested: " + t.Skipped}
		if t.Skipped == "" {
			tested++
			row = append(row[:2], fmt.Sprintf("%.1f s", t.Off.Seconds()), fmt.Sprintf("%.1f s", t.On.Seconds()), "it works")
			if off = t.On == 0; off {
				row[3], row[4] = "", "it works, and leaves the host off"
			}
			if t.Err != nil {
				row[4] = "it does not work"
				p.Wrong = append(p.Wrong, fmt.Sprintf("level %d: %s", t.Level, strings.ReplaceAll(t.Err.Error(), "\n", "; ")))
			}
		}
		p.Rows = append(p.Rows, row)
	}
	switch {
	case len(p.Wrong) > 0:
		p.Text, p.Code, p.Summary = p.Wrong, app.ExitIncomplete, name+": fencing does not work; check whether the host is on again"
	case off:
		p.Summary = name + " was powered off: fencing works; power it on again, a command cannot"
	case tested == 0:
		p.Code, p.Summary = app.ExitIncomplete, name+": no level could be tested"
	}
	return p
}

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

// sshLimit bounds the question to ssh; it asks nobody on the network.
const sshLimit = 5 * time.Second

// sshOf asks what ssh of the drivers uses for a host, and checks whether it obeys the marks of hosts that are
// proven off. Nothing is connected, and nothing is written.
func sshOf(ctx context.Context, s app.Session, host string) (downtime.SSH, failfast.ForceState, error) {
	if !process.IsLocal(s.Client.Endpoint()) {
		return downtime.SSH{}, failfast.Unknown, errors.New("oned runs on another machine")
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
