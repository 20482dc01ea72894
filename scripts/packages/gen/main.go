// Command gen makes the documents of the packages: man pages and completions, out of the tables of flags of the
// executables and Markdown; the list of what they are made of; the changelog. It is part of the build only.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/cmd/host_error/hosterror"
	"one-ft/cmd/host_isolated/hostisolated"
	"one-ft/cmd/oneft/oneftcmd"
	"one-ft/cmd/vm_failure/vmfailure"
	"one-ft/cmd/vm_unknown/vmunknown"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout, os.Getenv("SOURCE_DATE_EPOCH")); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("use: gen documents OUT VERSION | gen copyright deb|rpm EXECUTABLE... | gen changelog VERSION MAINTAINER")

// run is main with the world as arguments. epoch is the time of what is made, in seconds since 1970, so that two builds
// are the same. It runs in the root of the source.
func run(ctx context.Context, args []string, out io.Writer, epoch string) error {
	if len(args) > 2 && args[0] == "copyright" {
		return copyright(ctx, out, args[1], args[2:])
	}
	if len(args) != 3 || args[0] != "documents" && args[0] != "changelog" {
		return errUsage
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH is %q; set it to seconds since 1970", epoch)
	}
	made := time.Unix(seconds, 0).UTC()
	if args[0] == "changelog" {
		return changelog(ctx, out, args[1], args[2], made)
	}
	return documents(args[1], manual{date: made.Format(time.DateOnly), version: args[2]})
}

// executables are the executables.
func executables() []*cli.Command {
	return []*cli.Command{hosterror.Tool().Command(), vmfailure.Tool().Command(), vmunknown.Tool().Command(), hostisolated.Command(), oneftcmd.Command()}
}

// documents writes man pages and completions into directories below dir.
func documents(dir string, m manual) (err error) {
	files := map[string][]byte{}
	for _, p := range executables() {
		m.section = 8
		if p.Name == "oneft" {
			m.section = 1
		}
		readme := filepath.Join("cmd", p.Name, "README.md")
		text, err := os.ReadFile(readme)
		if err != nil {
			return err
		}
		if files[fmt.Sprintf("man/%s.%d", p.Name, m.section)], err = m.page(string(text), options(p), "Exit codes"); err != nil {
			return fmt.Errorf("%s: %w", readme, err)
		}
		for shell, name := range map[string]string{"bash": p.Name, "zsh": "_" + p.Name, "fish": p.Name + ".fish"} {
			if files[shell+"/"+name], err = completion(shell, p); err != nil {
				return err
			}
		}
	}
	m.section = 5
	for _, name := range []string{"one-ft.yaml", "host_isolated.yaml"} {
		if files["man/"+name+".5"], err = m.configuration(name); err != nil {
			return fmt.Errorf("the man page of %s: %w", name, err)
		}
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// configuration makes the man page of a configuration file out of its commented example and what Markdown says beyond it.
func (m manual) configuration(name string) ([]byte, error) {
	example, err := os.ReadFile(filepath.Join("scripts", name))
	if err != nil {
		return nil, err
	}
	markdown, err := os.ReadFile(filepath.Join("scripts", "packages", name+".md"))
	if err != nil {
		return nil, err
	}
	return m.page(string(markdown), settings(string(example)), "Examples")
}
