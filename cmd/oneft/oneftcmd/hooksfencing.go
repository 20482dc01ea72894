package oneftcmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/install"
)

// fencingKeep is --fencing of hooks install that leaves the configuration as it is.
const fencingKeep = "keep"

// fencingCase is what is known when hooks install comes to fencing.
type fencingCase struct {
	Flag       string // required, auto or keep; "" when it was not given
	Configured string // of one-ft.yaml; "" when it is not set
	Asks       bool   // a person is at the terminal
}

// fencingStep is what is done about it. At most one is set.
type fencingStep struct {
	Write string // this value
	Ask   bool   // a person, whether required is written
	Tell  bool   // what would have to be written
}

// decide is what hooks install does about fencing. What a person has configured stays unless a flag
// says another value.
func (c fencingCase) decide() fencingStep {
	switch {
	case c.Flag == fencingKeep || c.Flag == "" && c.Configured != "" || c.Flag != "" && c.Flag == c.Configured:
		return fencingStep{}
	case c.Flag != "":
		return fencingStep{Write: c.Flag}
	case c.Asks:
		return fencingStep{Ask: true}
	}
	return fencingStep{Tell: true}
}

// fencingChange is a change of one-ft.yaml, not written yet, and what is said of it.
type fencingChange struct {
	text       []string
	path       string
	old, fresh []byte
}

// planFencing finds out what hooks install does about fencing in one-ft.yaml, and asks the person at the
// terminal. Nothing is changed.
func planFencing(ctx context.Context, s app.Session, isNew bool) (fencingChange, error) {
	c := fencingChange{path: configPath(s)}
	step := fencingCase{Flag: s.Cli.String("fencing"), Configured: configuredFencing(s), Asks: s.Confirm != nil}.decide()
	switch {
	case step.Tell:
		c.text = []string{fmt.Sprintf("fencing is not set in %s: VMs of a host that is not fenced are started elsewhere UNPROVEN; fencing: required there forbids it (oneft hooks install --fencing required)", c.path)}
		return c, nil
	case step.Ask && s.DryRun:
		step.Write = config.FencingRequired
		c.text = []string{"at a terminal this is asked first, and done after a yes:"}
	case step.Ask && s.Confirm(ctx, requiredQuestion(c.path, isNew)) == app.Agreed:
		step.Write = config.FencingRequired
	}
	if step.Write == "" {
		return c, nil
	}
	var err error
	if c.old, err = install.ReadSettings(c.path); err == nil {
		c.fresh, err = config.WithFencing(c.old, step.Write)
	}
	if err != nil {
		return c, fmt.Errorf("put fencing: %s into %s: %w; nothing was changed", step.Write, c.path, err)
	}
	c.text = append(c.text, "--- "+c.path)
	if before := configuredFencing(s); before != "" {
		c.text = append(c.text, "-fencing: "+before)
	}
	c.text = append(c.text, "+fencing: "+step.Write)
	return c, nil
}

// write carries the change out, and says where the file before is.
func (c *fencingChange) write() error {
	if c.fresh == nil {
		return nil
	}
	backup, err := install.WriteSettings(c.path, c.old, c.fresh, time.Now())
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w; run this as root, or with --fencing keep and write the line by hand", err)
	case err != nil:
		return err
	}
	if backup != "" {
		c.text = append(c.text, c.path+" was changed; the file before is "+backup)
	}
	return nil
}

// unchanged is the summary when all hooks are as they should be.
func (c fencingChange) unchanged(hooks string, dryRun bool) string {
	switch {
	case c.fresh == nil:
		return hooks + ": nothing was changed"
	case dryRun:
		return hooks + "; " + c.path + " would be changed so"
	}
	return hooks + "; " + c.path + " was changed"
}

// configPath is the one-ft.yaml that counts for a session, there or not.
func configPath(s app.Session) string {
	if s.Config.Path != "" {
		return s.Config.Path
	}
	return filepath.Join(s.Paths.Etc, config.Name)
}

// configuredFencing is fencing in one-ft.yaml; "" when it is not set.
func configuredFencing(s app.Session) string {
	if v := s.Config.Values(); v.FencingSet {
		return v.Fencing
	}
	return ""
}

// requiredQuestion says what happens to hosts without fencing.
func requiredQuestion(path string, isNew bool) app.Question {
	return app.Question{
		Lines: []string{
			"With fencing: required, the VMs of a host that nothing proves to be off are not recovered: host_error ends with exit code 3, people are told, and nothing happens until somebody says that the host is off (oneft resume INCIDENT --confirm-off).",
			"Without it, the VMs of hosts without fencing are started elsewhere UNPROVEN, and run twice if the host only lost its network.",
		},
		Ask: "Write fencing: required into " + path + "?", Yes: isNew,
	}
}

// keptFencing says that hooks remove leaves the configuration alone.
func keptFencing(s app.Session) []string {
	if mode := configuredFencing(s); mode != "" {
		return []string{fmt.Sprintf("fencing: %s stays in %s", mode, configPath(s))}
	}
	return nil
}

// fencingFlag answers the question in scripts.
func fencingFlag() cli.Flag {
	return &cli.StringFlag{Name: "fencing", Usage: "write fencing: `VALUE` into one-ft.yaml: required (no proof, no action) or auto; keep leaves the file as it is",
		DefaultText: "asks at a terminal when it is not set there, else keep"}
}

// settle plans what is done about fencing, knowing the hooks that were there before, and does it
// unless this is a dry run. It comes before the hooks are changed: if it fails, nothing was.
func settle(s app.Session, fencing func(isNew bool) (fencingChange, error), before []install.Known) (fencingChange, error) {
	isNew := !slices.ContainsFunc(before, func(k install.Known) bool { return k.Ours })
	c, err := fencing(isNew)
	if err != nil || s.DryRun {
		return c, err
	}
	err = c.write()
	return c, err
}
