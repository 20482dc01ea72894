// Command onelab runs a simulated OpenNebula on the loopback interface, with hooks
// that it starts as oned does, and makes its hosts and VMs fail on request. It is
// for trying one-ft and for its tests, never a part of the product.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/hook"
	"one-ft/pkg/text"
	"one-ft/test/sim/lab"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() { os.Exit(run(os.Args, os.Stdout, os.Stderr)) }

// run runs a command and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	app := &cli.App{
		Name: "onelab", Usage: "a simulated OpenNebula to try one-ft with", UsageText: examples,
		Writer: stdout, ErrWriter: stderr, HideVersion: true, HideHelpCommand: true,
		// Hooks' command lines may hold commas.
		DisableSliceFlagSeparator: true,
		OnUsageError:              usageError,
		ExitErrHandler:            func(*cli.Context, error) {},
		Commands:                  commands(),
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return lab.Usagef("unknown command %q: see onelab --help", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
	}
	words, err := sorted(app, args)
	if err == nil {
		err = app.Run(words)
	}
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(stderr, "onelab: %s\n", text.Printable(err.Error()))
	var ours *lab.UsageError
	var flags *hook.UsageError
	if errors.As(err, &ours) || errors.As(err, &flags) {
		return exitUsage
	}
	return exitFailed
}

// usageError makes what the flag parser dislikes an error of usage.
func usageError(_ *cli.Context, err error, _ bool) error { return lab.Usagef("%v", err) }

// sorted puts the flags of a command before its other words: the flag parser
// would stop at the first of these.
func sorted(app *cli.App, args []string) ([]string, error) {
	if len(args) < 2 {
		return args, nil
	}
	command := app.Command(args[1])
	if command == nil {
		return args, nil
	}
	kinds := hook.Flags{}
	for _, f := range command.Flags {
		doc, ok := f.(cli.DocGenerationFlag)
		for _, name := range f.Names() {
			kinds[name] = ok && doc.TakesValue()
		}
	}
	flags, others, err := hook.Normalize(args[2:], kinds)
	return hook.Argv(args[:2:2], flags, others), err
}

// table prints rows in columns.
func table(w io.Writer, rows [][]string) error {
	columns := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = text.Printable(cell)
		}
		if _, err := fmt.Fprintln(columns, strings.Join(cells, "\t")); err != nil {
			return err
		}
	}
	return columns.Flush()
}
