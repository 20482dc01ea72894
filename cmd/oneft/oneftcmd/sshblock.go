package oneftcmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/failfast"
	"one-ft/pkg/install"
	"one-ft/pkg/process"
	"one-ft/pkg/text"
)

// sshChange is what is done to the ssh configuration of the drivers' user; the zero value is nothing.
type sshChange struct {
	client failfast.Client
	config install.SSHConfig
	fresh  []byte
	made   bool // taking the block out leaves a file that was not there before
	note   string
}

// planSSH decides what "oneft hooks install" does to the ssh configuration. Unasked it is changed only
// where oned runs on this machine, as the user whose file it is.
func planSSH(ctx context.Context, s app.Session) (sshChange, error) {
	asked := s.Cli.IsSet("ssh")
	if asked && !s.Cli.Bool("ssh") {
		return sshChange{}, nil
	}
	uid, local := process.OnedUser("/proc", s.Client.Endpoint(), s.Paths.Location)
	if !asked && !local {
		return sshChange{}, nil
	}
	c, err := readSSH(s)
	switch {
	case err != nil && asked:
		return sshChange{}, app.Usagef("--ssh: %w", err)
	case err != nil:
		return sshChange{note: "the ssh configuration was not changed: " + text.Printable(err.Error())}, nil
	case !asked && (uid != c.client.User.UID || !c.config.Usual()):
		return sshChange{note: fmt.Sprintf("%s was not changed: it is not a file of the user that oned runs as; oneft hooks print shows what to write there, or try --ssh", text.Printable(c.config.Path))}, nil
	}
	if !asked && failfast.Status(c.config.Text, s.StateDir) == failfast.BlockForeign {
		return sshChange{note: c.foreign() + "; if it is no longer used, --ssh replaces them"}, nil
	}
	if err := c.config.Refusal(); err != nil {
		return sshChange{}, app.Usagef("--ssh: %w", err)
	}
	timeout, err := wantsTimeout(ctx, s, c)
	if err != nil {
		return sshChange{}, err
	}
	c.fresh, err = failfast.Install(c.config.Text, failfast.Block{StateDir: s.StateDir, Timeout: timeout}, c.config.Owner == install.SSHMissing)
	if err != nil {
		return sshChange{}, app.Usagef("%s: %w", text.Printable(c.config.Path), err)
	}
	return c, nil
}

// planSSHRemoval decides what "oneft hooks remove" does to the ssh configuration.
func planSSHRemoval(s app.Session) (sshChange, error) {
	c, err := readSSH(s)
	if err != nil { // then install has not changed it, either
		return sshChange{}, nil
	}
	return c.removal(s.StateDir)
}

// removal takes the block out that names this state directory, and leaves that of another installation.
func (c sshChange) removal(stateDir string) (_ sshChange, err error) {
	switch failfast.Status(c.config.Text, stateDir) {
	case failfast.BlockNone:
		return sshChange{}, nil
	case failfast.BlockForeign:
		return sshChange{note: c.foreign() + "; oneft hooks remove with that --state-dir takes them out"}, nil
	}
	if c.fresh, c.made, err = failfast.Remove(c.config.Text); err != nil {
		return sshChange{}, app.Usagef("%s: %w", text.Printable(c.config.Path), err)
	}
	return c, nil
}

// foreign says that the block belongs to another installation.
func (c sshChange) foreign() string {
	return fmt.Sprintf("%s was not changed: its lines of one-ft are of another state directory, %s",
		text.Printable(c.config.Path), text.Printable(failfast.BlockDir(c.config.Text)))
}

// readSSH reads the ssh configuration of the drivers' user.
func readSSH(s app.Session) (sshChange, error) {
	client, err := failfast.NewClient(s.Drivers(), s.StateDir)
	if err != nil {
		return sshChange{}, err
	}
	u := client.User
	config, err := install.ReadSSHConfig(u.Home, u.UID)
	return sshChange{client: client, config: config}, err
}

// wantsTimeout reports whether the block sets a ConnectTimeout: not where anything else sets one, in
// the file, in what it includes or for the whole machine. In ssh the first value counts, and that is ours.
func wantsTimeout(ctx context.Context, s app.Session, c sshChange) (bool, error) {
	if block, elsewhere := failfast.SetsTimeout(c.config.Text); block || elsewhere {
		return !elsewhere, nil
	}
	hosts, err := s.Client.Hosts(ctx)
	if err != nil {
		return false, err
	}
	names := []string{"one-ft-check.invalid"}
	for _, h := range hosts {
		names = append(names, h.Name)
	}
	for _, a := range c.client.ResolveAll(ctx, names) {
		if a.Err == nil && a.ConnectTimeout > 0 {
			return false, nil
		}
	}
	return true, nil
}

// apply adds the change to an answer, and makes it unless it is a dry run.
func (c sshChange) apply(ctx context.Context, s app.Session, a *page) error {
	if c.note != "" {
		a.Text = append(a.Text, c.note)
	}
	if c.config.Path == "" {
		return nil
	}
	diff := lines(c.config.DiffSSH(c.fresh))
	path := text.Printable(c.config.Path)
	switch {
	case len(diff) == 0:
		a.Text = append(a.Text, path+" is in order: nothing was changed")
		return nil
	case s.DryRun:
		a.Text = append(a.Text, diff...)
		a.Text = append(a.Text, path+" would be changed so")
		return nil
	case c.made && len(c.fresh) == 0:
		if err := c.config.Delete(); err != nil {
			return fmt.Errorf("remove %s: %w; the hooks were changed", path, err)
		}
		a.Text = append(a.Text, path+" was removed; there was none before")
		return nil
	}
	backup, err := c.write(ctx, s)
	if err != nil {
		return fmt.Errorf("%s: %w; the hooks were changed", path, err)
	}
	a.Text = append(a.Text, diff...)
	changed := path + " was changed"
	if backup != "" {
		changed += "; the file before is " + text.Printable(backup)
	}
	a.Text = append(a.Text, changed, "ssh reads it at once; in an HA cluster run this on every front-end") // hooks are for all
	return nil
}

// try asks ssh whether it can read what would be written, before anything is changed.
func (c sshChange) try(ctx context.Context, s app.Session) error {
	if !c.adds(s) || s.DryRun {
		return nil
	}
	if err := c.client.Accepts(ctx, failfast.Open(s.StateDir), c.fresh); err != nil {
		return app.Usagef("nothing was changed, because ssh cannot read %s with the lines of one-ft: correct it, or leave it alone with --ssh=false: %w", text.Printable(c.config.Path), err)
	}
	return nil
}

// adds reports whether the change puts a block in, and does not just take one out.
func (c sshChange) adds(s app.Session) bool {
	return c.config.Path != "" && failfast.Status(c.fresh, s.StateDir) != failfast.BlockNone && !bytes.Equal(c.fresh, c.config.Text)
}

// write writes the configuration, and asks ssh whether it obeys it now. If it does not, the file is put
// back as it was.
func (c sshChange) write(ctx context.Context, s app.Session) (backup string, err error) {
	backup, err = c.config.Write(c.fresh, time.Now())
	if err != nil || !c.adds(s) {
		return backup, err
	}
	f := c.client.InForce(ctx, failfast.Open(s.StateDir))
	if f.State == failfast.InForce {
		return backup, nil
	}
	err = f.Err
	if err == nil {
		err = errors.New("ssh does not obey the new configuration; is the shell of its user one that runs no commands?")
	}
	if back := c.putBack(); back != nil {
		return backup, fmt.Errorf("%w, and it could not be put back as it was: %w", err, back)
	}
	return "", fmt.Errorf("%w; it was put back as it was", err)
}

// putBack makes the configuration what it was.
func (c sshChange) putBack() error {
	now, err := install.ReadSSHConfig(c.client.User.Home, c.client.User.UID)
	if err != nil {
		return err
	}
	if c.config.Owner == install.SSHMissing {
		return now.Delete()
	}
	_, err = now.Write(c.config.Text, time.Now())
	return err
}

// showSSH adds the state of the ssh configuration to "oneft hooks show".
func showSSH(ctx context.Context, s app.Session, a *page) {
	uid, local := process.OnedUser("/proc", s.Client.Endpoint(), s.Paths.Location)
	c, err := readSSH(s)
	if !local || err != nil || uid != c.client.User.UID {
		return
	}
	path := text.Printable(c.config.Path)
	state := failfast.Status(c.config.Text, s.StateDir)
	if state != failfast.BlockNone {
		a.Rows = append(a.Rows, []string{path, "ssh to a host that is off", "fails at once (" + string(state) + ")", "one-ft"})
	}
	f := c.client.InForce(ctx, failfast.Open(s.StateDir))
	if f.State == failfast.InForce && state == failfast.BlockCurrent {
		return
	}
	line := install.Warning + ": " + path + ": ssh to a host that is proven off does not fail at once (" + string(f.State) + ")"
	if state == failfast.BlockForeign {
		line += "; the lines of one-ft there are of another state directory, " + text.Printable(failfast.BlockDir(c.config.Text))
	} else if f.State == failfast.InForce {
		line = install.Warning + ": " + path + ": the lines of one-ft are not as this version writes them (" + string(state) + ")"
	}
	if f.Err != nil {
		line += ": " + text.Printable(f.Err.Error())
	}
	a.Text = append(a.Text, line+"; to fix it: oneft hooks install --ssh")
	a.Summary = "not everything is in order; see above"
}

// printSSH is what an admin would write by hand.
func printSSH(s app.Session) []string {
	block, err := failfast.Install(nil, failfast.Block{StateDir: s.StateDir, Timeout: true}, false)
	if err != nil {
		return nil
	}
	head := "# first in ~/.ssh/config of the user that oned runs as; ConnectTimeout only if nothing else there sets it"
	return append([]string{"", head}, strings.Split(strings.TrimRight(string(block), "\n"), "\n")...)
}
