package oneftcmd

import (
	"cmp"
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

// fencingChange is a change of one-ft.yaml, not written yet, and what is said of it.
type fencingChange struct {
	text       []string
	path       string
	old, fresh []byte
}

// planFencing finds out what hooks install does about fencing in one-ft.yaml: what an admin has configured stays unless
// the flag says another value, and at a terminal it asks. Nothing is changed.
func planFencing(ctx context.Context, s app.Session, isNew bool) (fencingChange, error) {
	c := fencingChange{path: configPath(s)}
	value, before := s.Cli.String("fencing"), configuredFencing(s)
	switch {
	case value == fencingKeep, value == before && value != "", value == "" && before != "":
		return c, nil
	case value != "":
	case s.Confirm == nil:
		c.text = []string{fmt.Sprintf("fencing is not set in %s: VMs of a host that is not fenced are started elsewhere UNPROVEN; fencing: required there forbids it (oneft hooks install --fencing required)", c.path)}
		return c, nil
	case s.DryRun:
		value = config.FencingRequired
		c.text = []string{"at a terminal this is asked first, and done after a yes:"}
	case s.Confirm(ctx, requiredQuestion(c.path, isNew)):
		value = config.FencingRequired
	default:
		return c, nil
	}
	var err error
	if c.old, err = install.Settings().Read(c.path); err == nil {
		c.fresh, err = config.WithFencing(c.old, value)
	}
	if err != nil {
		return c, fmt.Errorf("put fencing: %s into %s: %w; nothing was changed", value, c.path, err)
	}
	c.text = append(c.text, "--- "+c.path)
	if before != "" {
		c.text = append(c.text, "-fencing: "+before)
	}
	c.text = append(c.text, "+fencing: "+value)
	return c, nil
}

// write carries the change out, and says where the file before is.
func (c *fencingChange) write() error {
	if c.fresh == nil {
		return nil
	}
	backup, err := install.Settings().Write(c.path, c.old, c.fresh, time.Now())
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

// unchanged is the summary when all hooks are in order.
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
	return cmp.Or(s.Config.Path, filepath.Join(s.Paths.Etc, config.Name))
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
			"With fencing: required, the VMs of a host that nothing proves to be off are not recovered: host_error ends with exit code 3, operators are notified, and nothing happens until one says that the host is off (oneft resume INCIDENT --confirm-off).",
			"Without it, the VMs of hosts without fencing are started elsewhere UNPROVEN, and run twice if the host only lost its network.",
		},
		Ask: "Write fencing: required into " + path + "?", Yes: isNew,
	}
}

// fencingFlag answers the question in scripts.
func fencingFlag() cli.Flag {
	return &app.ValuesFlag{Values: []string{config.FencingRequired, config.FencingAuto, fencingKeep}, StringFlag: cli.StringFlag{
		Name: "fencing", Usage: "write fencing: `VALUE` into one-ft.yaml: required (no proof, no action) or auto; keep leaves the file as it is", DefaultText: "asks at a terminal when it is not set there, else keep"}}
}

// settle does what there is to do about fencing before hooks are installed or removed, unless this is a dry run: if it
// fails, nothing was changed. before are the hooks that are there.
func settle(ctx context.Context, s app.Session, add bool, before []install.Known) (fencingChange, error) {
	if !add {
		if mode := configuredFencing(s); mode != "" {
			return fencingChange{text: []string{fmt.Sprintf("fencing: %s stays in %s", mode, configPath(s))}}, nil
		}
		return fencingChange{}, nil
	}
	isNew := !slices.ContainsFunc(before, func(k install.Known) bool { return k.Ours })
	c, err := planFencing(ctx, s, isNew)
	if err == nil && !s.DryRun {
		err = c.write()
	}
	return c, err
}
