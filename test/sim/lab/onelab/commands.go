package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/test/sim/cloud"
	"one-ft/test/sim/lab"
)

const examples = `onelab COMMAND [options]

   In one terminal:
     onelab start
   In another one, with the three export lines that it printed:
     oneft hooks install --fencing keep
     onelab restart       (4.4 to 5.8: as systemctl restart opennebula)
     oneft check
     onelab hosts
     onelab fail node01
     onelab vms
     onelab hooks
     onelab stop

   oneft hooks install also writes its lines into ~/.ssh/config of your own user, whatever HOME says, if that
   file is missing or only yours; oneft hooks remove takes them out. --ssh=false leaves the file alone.`

// commands are all commands.
func commands(out io.Writer) []*cli.Command {
	return []*cli.Command{
		start(out),
		asking(out, "fail", "HOST", "make a host fail: its power, or with --cut only its network",
			&cli.BoolFlag{Name: "off", Usage: "it loses its power, which is the default"},
			&cli.BoolFlag{Name: "cut", Usage: "it loses its network, and its VMs go on running"},
			&cli.BoolFlag{Name: "freeze", Usage: "it stands still with its VMs, and oned does not notice"}),
		asking(out, "heal", "HOST", "make a host work again"),
		asking(out, "crash", "VM", "end a VM behind oned's back"),
		asking(out, "suspend", "VM", "suspend a running VM"),
		asking(out, "break", "VM", "let a running VM fail, as if it had failed to boot"),
		asking(out, "recreate", "VM", "recreate a VM as the example hook of OpenNebula does, and nothing else"),
		asking(out, "hosts", "", "show the hosts"),
		asking(out, "vms", "", "show the VMs"),
		asking(out, "calls", "", "show what oned was asked, without credentials"),
		asking(out, "wait", "", "wait until something is so",
			&cli.StringFlag{Name: "vms", Usage: "all VMs are in this `STATE`, and on no host in ERROR"},
			&cli.StringFlag{Name: "host", Usage: "this `HOST` is in the state that --state names"},
			&cli.StringFlag{Name: "state", Usage: "`STATE` of --host"},
			&cli.IntFlag{Name: "hooks", Usage: "the first `NUMBER` of hooks have ended"},
			&cli.DurationFlag{Name: "timeout", Value: 15 * time.Second, Usage: "give up after this `TIME`"}),
		{Name: "hooks", Usage: "show the log of the hooks", Flags: []cli.Flag{dirFlag()}, Action: hooks(out)},
		asking(out, "restart", "", "restart oned, which reads its oned.conf again (hooks of 4.4 to 5.8)"),
		asking(out, "stop", "", "end the lab and the hooks that still run"),
	}
}

// dirFlag names the lab.
func dirFlag() cli.Flag {
	return &cli.StringFlag{Name: "dir", Value: os.Getenv("ONE_LOCATION"), Usage: "the `DIRECTORY` of the lab"}
}

// dirOf reads dirFlag.
func dirOf(c *cli.Context) (string, error) {
	if dir := c.String("dir"); dir != "" {
		return dir, nil
	}
	return "", lab.Usagef("which lab? Give its directory by --dir or ONE_LOCATION; onelab start printed it")
}

// asking is a command that a running lab carries out.
func asking(out io.Writer, name, object, usage string, flags ...cli.Flag) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: object, Flags: append(flags, dirFlag()),
		Action: func(c *cli.Context) error {
			if err := words(c, object); err != nil {
				return err
			}
			dir, err := dirOf(c)
			if err != nil {
				return err
			}
			if name == "wait" && c.Duration("timeout") <= 0 {
				return lab.Usagef("--timeout %s: it must be more than 0, such as 15s", c.Duration("timeout"))
			}
			how, err := failureOf(c)
			if err != nil {
				return err
			}
			reply, err := lab.Ask(dir, lab.Request{
				Command: lab.Command(name), Object: c.Args().First(), How: how, Timeout: c.Duration("timeout"),
				Goal: lab.Goal{VMs: c.String("vms"), Host: c.String("host"), State: c.String("state"), Hooks: c.Int("hooks")},
			})
			if err != nil {
				return err
			}
			if reply.Text != "" {
				fmt.Fprintln(out, reply.Text)
			}
			return table(out, reply.Table)
		},
	}
}

// failureOf reads how a host fails: at most one of the flags.
func failureOf(c *cli.Context) (how lab.Failure, err error) {
	for _, f := range []lab.Failure{lab.Off, lab.Cut, lab.Freeze} {
		if !c.Bool(string(f)) {
			continue
		}
		if how != "" {
			return "", lab.Usagef("a host fails in one way: give --%s or --%s, not both", how, f)
		}
		how = f
	}
	return how, nil
}

// words checks that a command got the words that it takes: one object or none.
func words(c *cli.Context, object string) error {
	switch n := c.NArg(); {
	case object == "" && n > 0:
		return lab.Usagef("%s takes no %q: see %s --help", c.Command.HelpName, c.Args().First(), c.Command.HelpName)
	case object != "" && n != 1:
		return lab.Usagef("%s takes one %s, its ID or its name", c.Command.HelpName, object)
	}
	return nil
}

// hooks prints the log of the hooks, of a lab that has stopped, too.
func hooks(out io.Writer) cli.ActionFunc {
	return func(c *cli.Context) error { return printHooks(out, c) }
}

func printHooks(out io.Writer, c *cli.Context) error {
	if err := words(c, ""); err != nil {
		return err
	}
	dir, err := dirOf(c)
	if err != nil {
		return err
	}
	f, err := os.Open(lab.HooksLog(dir))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("no lab ever ran in %s", dir)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(out, f)
	return err
}

// start is the command that runs a lab.
func start(out io.Writer) *cli.Command {
	return &cli.Command{
		Name: "start", Usage: "run a cloud until it is stopped by onelab stop, SIGINT or SIGTERM",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "version", Value: "6.10.0", Usage: "`VERSION` of OpenNebula, 4.4 or later"},
			&cli.IntFlag{Name: "hosts", Value: 4, Usage: "`NUMBER` of hosts: node00, node01 and so on"},
			&cli.IntFlag{Name: "vms", Value: 12, Usage: "`NUMBER` of VMs, all running"},
			&cli.IntFlag{Name: "port", Usage: "`PORT` on 127.0.0.1; 0 is any free one"},
			&cli.StringFlag{Name: "dir", Usage: "`DIRECTORY` for all files, new or empty", DefaultText: "a new temporary one"},
			&cli.StringFlag{Name: "host-hook", Usage: "`COMMAND` with its arguments, for a host in ERROR"},
			&cli.StringSliceFlag{Name: "vm-hook", Usage: "`STATE=COMMAND` with its arguments, for a VM that comes into this state; may be repeated"},
			&cli.BoolFlag{Name: "stdin", Usage: "hooks get their words on stdin (ARGUMENTS_STDIN of 5.10 and later)"},
			&cli.DurationFlag{Name: "step", Value: 300 * time.Millisecond, Usage: "`TIME` that a driver works, such as for the boot of a VM"},
			&cli.DurationFlag{Name: "interval", Value: 5 * time.Second, Usage: "`TIME` between two monitorings of a host"},
			&cli.DurationFlag{Name: "sched", Value: time.Second, Usage: "`TIME` between two runs of the scheduler"},
			&cli.StringFlag{Name: "network", Usage: "drivers work over ssh, in a `NETWORK`: local, where ssh to a dead host takes 3 s, or routed, where it takes 135 s", DefaultText: "drivers answer at once"},
			&cli.StringFlag{Name: "clean-ups-hang", Usage: "with --network: `SHARE` of the clean-ups on a dead host that never end: 83%, never or always", DefaultText: "as measured"},
			&cli.Float64Flag{Name: "faster", Value: 1, Usage: "with --network: divide what ssh to a dead host takes by this `NUMBER`"},
			&cli.DurationFlag{Name: "hook-timeout", Value: 15 * time.Minute, Usage: "kill a hook after this `TIME`"},
		},
		Action: func(c *cli.Context) error { return runLab(out, c) },
	}
}

// runLab starts a lab, says where it is, and ends it when told to.
func runLab(out io.Writer, c *cli.Context) error {
	if err := words(c, ""); err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	defer cancel()
	cfg := lab.Config{
		Version: c.String("version"), Hosts: c.Int("hosts"), VMs: c.Int("vms"), Port: c.Int("port"), Dir: c.String("dir"),
		HostHook: c.String("host-hook"), VMHooks: c.StringSlice("vm-hook"), Stdin: c.Bool("stdin"),
		Step: c.Duration("step"), Interval: c.Duration("interval"), Sched: c.Duration("sched"), HookTimeout: c.Duration("hook-timeout"),
		Network: cloud.Network(c.String("network")), CleanUpsHang: c.String("clean-ups-hang"), Faster: c.Float64("faster"),
	}
	l, err := lab.Start(cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "OpenNebula %s, simulated: %d hosts, %d VMs\n%s\nTo work with it by hand:\n  %s\n",
		cfg.Version, cfg.Hosts, cfg.VMs, l.Where(), strings.Join(lab.Exports(l.Dir(), l.Endpoint()), "\n  "))
	select {
	case <-ctx.Done():
	case <-l.StopAsked():
	}
	err = l.Close()
	fmt.Fprintf(out, "stopped; the files are in %s\n", l.Dir())
	return err
}
