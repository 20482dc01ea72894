// Package oneftcmd is oneft: its commands. It is apart from the program so that the scenarios of
// test/scenarios can run it in virtual time.
package oneftcmd

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/hook"
	"one-ft/pkg/text"
)

const examples = `oneft check                          would a host that fails now be recovered? changes nothing
   oneft drill 3                        what would happen to host 3, step by step
   oneft drill --all                    which host the cloud could not do without
   oneft hooks install                  install the hooks that this version needs
   oneft incidents                      the last incidents
   oneft incidents show 12              what happened, what was done, what is left to do
   oneft incidents show 12 --json       the record itself
   oneft incidents show 12 --html FILE  one page with a drawing, to attach to a ticket
   oneft resume                         finish what was left open, handle what no hook was called for
   oneft resume --dry-run               what that would be
   oneft resume 12                      go on with incident 12
   oneft resume 12 --confirm-off        the same, and you say that its host is off
   oneft release 3                      give host 3 back to the scheduler, which one-ft has disabled

   Exit codes: 0 done, 1 something was not handled, or a file of the journal is damaged, 2 wrong
   usage, 3 refused for safety.`

// Run runs oneft in a world and returns the exit code.
func Run(ctx context.Context, env app.Env) int {
	t := &tool{env: env}
	a := &cli.App{
		Name: "oneft", Usage: "what one-ft has done, and what is left to do", UsageText: examples, Version: app.Version(),
		Writer: env.Stdout, ErrWriter: env.Stderr, HideHelpCommand: true,
		OnUsageError:   func(_ *cli.Context, err error, _ bool) error { return app.OfOptions(err) },
		ExitErrHandler: func(*cli.Context, error) {},
		Flags:          app.DocFlags(),
		Action: func(c *cli.Context) error {
			if done, err := app.Docs(c, env, app.FrontEndManual(1)); done {
				return err
			}
			if c.Args().Present() {
				return app.Usagef("%q is not a command; oneft --help lists them", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
		Commands: []*cli.Command{t.check(), t.drill(), t.hooks(), t.incidents(), t.resume(), t.release(), app.CompletionCommand(env)},
	}
	words, err := flagsFirst(a.Commands, env.Args)
	if err == nil {
		err = a.RunContext(ctx, words)
	}
	var usage *app.UsageError
	var hookUsage *hook.UsageError
	switch {
	case err == nil:
		return t.code
	case errors.As(err, &usage) || errors.As(err, &hookUsage):
		fmt.Fprintf(env.Stderr, "oneft: %s\n", text.Printable(err.Error()))
		return app.ExitUsage
	}
	fmt.Fprintf(env.Stderr, "oneft: %s\n", text.Printable(err.Error()))
	return app.ExitIncomplete
}

// flagsFirst puts options in front of the words that they stand behind: cli reads none there.
func flagsFirst(commands []*cli.Command, args []string) ([]string, error) {
	var last *cli.Command
	n := 1
	for ; n < len(args); n++ {
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(args[n]) })
		if i < 0 {
			break
		}
		last, commands = commands[i], commands[i].Subcommands
	}
	if last == nil || len(commands) > 0 {
		return args, nil
	}
	kinds := app.FlagKinds(last.Flags)
	kinds["help"], kinds["h"] = false, false
	sorted, positionals, err := hook.Normalize(args[n:], kinds)
	if err != nil {
		return nil, err
	}
	return slices.Concat(args[:n], sorted, positionals), nil
}

// tool is oneft in its world.
type tool struct {
	env  app.Env
	code int
}
