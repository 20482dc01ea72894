// Command onelab runs a simulated OpenNebula on the loopback interface, with hooks
// that it starts as oned does, and makes its hosts and VMs fail on request. It is
// for trying one-ft and for its tests, never a part of the product.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
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
	err := app.Dispatch(context.Background(), &cli.Command{
		Name: "onelab", Usage: "a simulated OpenNebula to try one-ft with", UsageText: examples, Subcommands: commands(stdout),
	}, args[1:], stdout)
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(stderr, "onelab: %s\n", text.Printable(err.Error()))
	var ours *lab.UsageError
	var flags *app.UsageError
	if errors.As(err, &ours) || errors.As(err, &flags) {
		return exitUsage
	}
	return exitFailed
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
