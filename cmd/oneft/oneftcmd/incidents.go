package oneftcmd

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/incident"
	"one-ft/pkg/incident/report"
	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
)

// incidents is the command that shows the journal.
func (t *tool) incidents() *cli.Command {
	journal := []cli.Flag{
		&cli.StringFlag{Name: "config", Usage: "configuration `FILE` of the front-end", DefaultText: "/etc/one/one-ft.yaml, or $ONE_LOCATION/etc/one-ft.yaml"},
		&cli.StringFlag{Name: "state-dir", Usage: "`DIRECTORY` with the journal", DefaultText: "/var/lib/one/one-ft, or $ONE_LOCATION/var/one-ft"},
		&cli.BoolFlag{Name: "json", Usage: "print the records as JSON"},
	}
	return &cli.Command{
		Name: "incidents", Usage: "list the last incidents, or show one",
		Flags: append(slices.Clone(journal), &cli.BoolFlag{Name: "follow", Usage: "show what goes on until it is interrupted: what is done and until when, and the VMs by state"},
			&cli.IntFlag{Name: "limit", Aliases: []string{"n"}, Value: 20, Usage: "list this `NUMBER` of incidents; 0 for all"}),
		Action: t.list,
		Subcommands: []*cli.Command{{
			Name: "show", Usage: "show one incident", ArgsUsage: "INCIDENT",
			Flags:  append(journal, &cli.StringFlag{Name: "html", Usage: "write one self-contained page to `FILE`; - for stdout"}),
			Action: t.show,
		}},
	}
}

// journal opens the journal that the flags and the configuration name; nil where nothing has happened yet. where says, printable,
// where that is, and what to do when it should be elsewhere.
func (t *tool) journal(c *cli.Context) (j *incident.Journal, where string, err error) {
	dir, named, err := t.stateDir(c)
	if err != nil {
		return nil, "", err
	}
	where = text.Printable(dir.Incidents())
	switch _, err = os.Stat(dir.Incidents()); {
	case errors.Is(err, fs.ErrNotExist): // nothing is made by looking
		if _, missing := os.Stat(named.Path); missing != nil {
			where += "; " + named.Missing()
		}
		return nil, where, nil
	case err != nil:
		return nil, where, app.Usagef("%w", named.Unusable(err))
	}
	j, err = incident.OpenJournal(dir.Incidents())
	return j, where, named.Unusable(err)
}

// list shows the last incidents.
func (t *tool) list(c *cli.Context) error {
	if c.NArg() > 0 {
		return app.Usagef("incidents takes no %q; oneft incidents show %s shows one", c.Args().First(), "12")
	}
	if c.Int("limit") < 0 {
		return app.Usagef("--limit %d: allowed are 0 (all) or more", c.Int("limit"))
	}
	if c.Bool("follow") {
		return t.follow(c)
	}
	j, where, err := t.journal(c)
	if err != nil {
		return err
	}
	records, failed := []incident.Record{}, []error(nil)
	if j != nil {
		records, failed = j.List(c.Int("limit"))
	}
	var ended error
	for _, err := range failed {
		ended = app.Exit(app.ExitIncomplete)
		fmt.Fprintf(t.env.Stderr, "oneft: %s\n", text.Printable(err.Error()))
	}
	if c.Bool("json") {
		return cmp.Or(t.json(records), ended)
	}
	if len(records) == 0 && ended == nil {
		_, err := fmt.Fprintf(t.env.Stdout, "no incidents yet in %s\n", where)
		return err
	}
	return cmp.Or(app.Table(t.env.Stdout, report.Table(records, time.Now())), ended)
}

// follow shows what goes on, from the journal alone.
func (t *tool) follow(c *cli.Context) error {
	if c.Bool("json") {
		return app.Usagef("--follow is for people: it contradicts --json")
	}
	dir, named, err := t.stateDir(c)
	if err == nil { // a journal that cannot be read stays so
		_, _, err = t.journal(c)
	}
	if err != nil {
		return err
	}
	s := &screen{out: t.env.Stdout, terminal: t.env.Terminal}
	s.follow(c.Context, liveEvery, func(context.Context) []string {
		if _, missing := os.Stat(named.Path); missing != nil {
			return append(orNothing(nil), named.Missing())
		}
		return orNothing(live(dir, time.Now()))
	})
	return nil
}

// show shows one incident.
func (t *tool) show(c *cli.Context) error {
	number, ok := numberOf(c, 1)
	switch {
	case !ok:
		return app.Usagef("incidents show takes the number of one incident, such as 12; oneft incidents lists them")
	case c.Bool("json") && c.IsSet("html"):
		return app.Usagef("--json and --html contradict each other")
	}
	j, where, err := t.journal(c)
	if err != nil {
		return err
	}
	if j == nil {
		return app.Usagef("there is no incident %d: no incidents yet in %s", number, where)
	}
	r, err := j.Load(number)
	switch {
	case errors.Is(err, incident.ErrNoIncident):
		return app.Usagef("%w; oneft incidents lists them", err)
	case err != nil:
		return err
	case c.Bool("json"):
		return t.json(r)
	case c.String("html") == "-":
		return report.HTML(t.env.Stdout, r, time.Now())
	case c.IsSet("html"):
		return writeHTML(c.String("html"), r)
	}
	for _, line := range report.Timeline(r, time.Now()) {
		fmt.Fprintln(t.env.Stdout, line)
	}
	return nil
}

// json prints records as they are in the journal.
func (t *tool) json(v any) error {
	enc := json.NewEncoder(t.env.Stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// writeHTML writes the page of an incident into a file: as a whole, so that an older page stays where there is no room for it.
// What is no regular file, such as a pipe, is written to as it is.
func writeHTML(path string, r incident.Record) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	file := statedir.File{Mode: 0o640}
	switch info, err := os.Stat(path); {
	case err == nil && info.Mode().IsRegular():
		file.Mode = info.Mode().Perm()
	case err == nil:
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("failed to write the page: %w", err)
		}
		return errors.Join(report.HTML(f, r, time.Now()), f.Close())
	}
	var page bytes.Buffer
	if err := report.HTML(&page, r, time.Now()); err != nil {
		return err
	}
	if err := file.Replace(path, page.Bytes()); err != nil {
		return fmt.Errorf("failed to write the page: %w; nothing was changed", err)
	}
	return nil
}
