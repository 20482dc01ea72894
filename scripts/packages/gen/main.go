// Command gen makes the documents of the packages that no executable prints: the man
// pages of the configuration files, the list of what the executables are made of, and the
// changelog. It is part of the build only.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"one-ft/pkg/app"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout, os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("use: gen page EXAMPLE.yaml | gen copyright deb|rpm EXECUTABLE... | gen changelog VERSION MAINTAINER")

// run is main with the world as arguments. SOURCE_DATE_EPOCH is the time of what is made, in seconds
// since 1970.
func run(ctx context.Context, args []string, out io.Writer, getenv func(string) string) error {
	switch {
	case len(args) == 2 && args[0] == "page":
		example, err := os.ReadFile(args[1])
		if err != nil {
			return err
		}
		page, err := app.ConfigPage(filepath.Base(args[1]), string(example), app.Env{Getenv: getenv})
		if err != nil {
			return err
		}
		_, err = io.WriteString(out, page)
		return err
	case len(args) > 2 && args[0] == "copyright":
		return copyright(ctx, out, args[1], args[2:])
	case len(args) == 3 && args[0] == "changelog":
		return changelog(ctx, out, args[1], args[2], getenv("SOURCE_DATE_EPOCH"))
	}
	return errUsage
}
