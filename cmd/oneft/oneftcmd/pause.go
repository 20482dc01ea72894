package oneftcmd

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/pause"
	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
)

// stateFlags are the flags of commands that need the state directory and no oned.
func stateFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "config", Usage: "configuration `FILE` of the front-end", DefaultText: "/etc/one/one-ft.yaml, or $ONE_LOCATION/etc/one-ft.yaml"},
		&cli.StringFlag{Name: "state-dir", Usage: "`DIRECTORY` with the journal", DefaultText: "/var/lib/one/one-ft, or $ONE_LOCATION/var/one-ft"},
	}
}

// stateDir is the state directory that flags and configuration name.
func (t *tool) stateDir(c *cli.Context) (statedir.Dir, app.StateDir, error) {
	_, dir, err := app.LoadConfig(c, app.FindPaths(t.env.Getenv))
	return statedir.Dir(dir.Path), dir, err
}

// pause is the command that lets one-ft act on nothing for a while.
func (t *tool) pause() *cli.Command {
	return &cli.Command{
		Name: "pause", Usage: "maintenance of the cloud: for TIME nothing is fenced and no VM is touched; it ends on its own", ArgsUsage: `TIME "REASON"`, Flags: stateFlags(),
		Action: func(c *cli.Context) error {
			words := c.Args().Slice()
			if len(words) < 2 {
				return app.Usagef(`pause takes a time and a reason, such as oneft pause 2h "new switches"`)
			}
			length, err := time.ParseDuration(words[0])
			if err != nil {
				return app.Usagef("%s is no time; write it like 90m or 2h", text.Quote(words[0], 40))
			}
			now := time.Now()
			state, err := pause.New(now, length, who(t.env.Getenv), strings.Join(words[1:], " "))
			if err != nil {
				return app.Usagef("%w", err)
			}
			dir, named, err := t.stateDir(c)
			if err != nil {
				return err
			}
			_, missing := os.Stat(named.Path)
			if err := pause.Set(dir, state); err != nil {
				return fmt.Errorf("one-ft is NOT paused: %w", named.Unusable(err))
			}
			fmt.Fprintln(t.env.Stdout, state.Message(now))
			fmt.Fprintln(t.env.Stdout, "events are still recorded and notified of; what is in ERROR then is handled when the pause is over; other front-ends are not paused by this one")
			if missing != nil {
				fmt.Fprintln(t.env.Stdout, named.Made())
			}
			return nil
		},
	}
}

// unpause is the command that ends a pause.
func (t *tool) unpause() *cli.Command {
	return &cli.Command{
		Name: "unpause", Usage: "end the pause: oneft resume, run by its timer, handles what happened meanwhile", Flags: stateFlags(),
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return app.Usagef("unpause takes no %q", c.Args().First())
			}
			dir, named, err := t.stateDir(c)
			if err != nil {
				return err
			}
			state, _ := pause.Read(dir) // a damaged one is removed, too
			if err := pause.End(dir); err != nil {
				return fmt.Errorf("the pause is NOT over: %w", named.Unusable(err))
			}
			if state.Active(time.Now()) {
				fmt.Fprintln(t.env.Stdout, "the pause is over; oneft resume handles what happened meanwhile")
			} else {
				fmt.Fprintln(t.env.Stdout, "one-ft was not paused")
			}
			return nil
		},
	}
}

// who asks: the user of the shell, and the one behind sudo.
func who(getenv func(string) string) string {
	name, behind := cmp.Or(getenv("USER"), getenv("LOGNAME"), "an operator"), getenv("SUDO_USER")
	if behind != "" && behind != name {
		return behind + " as " + name
	}
	return name
}
