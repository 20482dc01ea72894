package oneftcmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/fence/roster"
	"one-ft/pkg/install"
	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
)

// fence is the command that configures how hosts are fenced.
func (t *tool) fence() *cli.Command {
	return &cli.Command{
		Name: "fence", Usage: "configure how many hosts are fenced",
		Subcommands: []*cli.Command{{
			Name: "import", Usage: "write the BMCs that a CSV file lists into one-ft.yaml, and their passwords into files of their own; all or nothing, and nothing is replaced", ArgsUsage: "FILE",
			Flags: app.FlagsFor("dry-run", "oned-wait"),
			Action: func(c *cli.Context) error {
				if c.NArg() != 1 {
					return app.Usagef("fence import takes one CSV file with the columns host,agent,address,user,password, and then parameters of the agents")
				}
				return app.Show(c, t.env, importFences)
			},
		}},
	}
}

// importFences is oneft fence import.
func importFences(ctx context.Context, s app.Session) (app.Answer, error) {
	name := s.Cli.Args().First()
	list, err := statedir.ReadConfig(name, roster.MaxSize)
	if err != nil {
		return nil, app.Usagef("read the list of BMCs: %w", err)
	}
	bmcs, wrong := roster.Parse(name, list)
	if len(wrong) > 0 {
		return refusedList(wrong), nil
	}
	hosts, err := s.Client.Hosts(ctx)
	if err != nil {
		return nil, err
	}
	path := configPath(s)
	dir, err := filepath.Abs(filepath.Join(s.Paths.Etc, "fence"))
	if err != nil {
		return nil, err
	}
	change, wrong := roster.Plan(bmcs, roster.Facts{File: name, Hosts: hosts, Config: s.Config, SecretDir: dir, Secret: fence.ReadSecret})
	if len(wrong) > 0 {
		return refusedList(wrong), nil
	}
	old, err := install.Settings().Read(path)
	if err != nil {
		return nil, err
	}
	fresh, err := config.WithAgents(old, change.Agents)
	switch {
	case errors.Is(err, config.ErrByHand):
		return byHand(path, change.Agents), nil
	case err != nil:
		return nil, app.Usagef("%s: %w", path, err)
	}
	var a page
	if len(change.Agents) > 0 { // what stands around the new lines may be a secret
		a.Text = append(a.Text, "--- "+path)
		for i, line := range config.AgentLines(change.Agents) {
			if i > 0 || len(s.Config.Fence) == 0 { // the key is there, or new
				a.Text = append(a.Text, "+"+line)
			}
		}
	}
	for _, secret := range change.Secrets {
		a.Text = append(a.Text, fmt.Sprintf("+++ %s (a password, mode 0600)", secret.Path))
	}
	if len(change.Kept) > 0 {
		a.Text = append(a.Text, "fenced so already: "+text.Some(change.Kept, len(change.Kept)))
	}
	if a.Summary = fmt.Sprintf("%s in %s", text.Plural(len(change.Agents), "new host"), path); len(change.Agents)+len(change.Secrets) == 0 {
		a.Summary += ": nothing was changed"
		return a, nil
	}
	if s.DryRun {
		a.Summary += ": it would be changed so"
		return a, nil
	}
	backup, err := writeFences(s, path, old, fresh, change)
	if err != nil {
		return nil, err
	}
	a.Summary += ": it was changed"
	if backup != "" {
		a.Summary += "; the file before is " + backup
	}
	a.Text = append(a.Text, "delete "+name+" if it has passwords; oneft check says what is still missing for these hosts")
	return a, nil
}

// refusedList is the answer to a list with errors.
func refusedList(wrong []error) page {
	a := page{Summary: "nothing was changed; " + text.Plural(len(wrong), "line") + " of the list to correct", Code: app.ExitUsage}
	for _, err := range wrong {
		a.Text = append(a.Text, err.Error())
	}
	return a
}

// byHand is the answer where the configuration cannot be edited as it is written.
func byHand(path string, agents []config.HostAgent) page {
	return page{
		Text:    config.AgentLines(agents),
		Summary: "nothing was changed: " + path + " has to be edited by hand as it is written; put the entries above into its list fence, then run this again, which writes the passwords",
		Code:    app.ExitIncomplete,
	}
}

// writeFences writes the passwords and then the configuration that names them. If anything fails what was written before
// it is removed.
func writeFences(s app.Session, path string, old, fresh []byte, change roster.Change) (backup string, err error) {
	var made []string
	defer func() {
		if err == nil {
			return
		}
		for _, file := range made {
			_ = os.Remove(file)
		}
		if errors.Is(err, fs.ErrPermission) {
			err = fmt.Errorf("%w; nothing was changed; run this as root", err)
		}
	}()
	uid, gid, err := hooksOwner(s.StateDir)
	if err != nil {
		return "", err
	}
	for _, secret := range change.Secrets {
		if err := statedir.MakeDir(filepath.Dir(secret.Path)); err != nil {
			return "", fmt.Errorf("make the directory for passwords: %w", err)
		}
		file := statedir.File{Mode: 0o600, CreateOnly: true, Prepare: func(f *os.File) error { return f.Chown(uid, gid) }}
		if err := file.Replace(secret.Path, []byte(string(secret.Password)+"\n")); err != nil {
			return "", fmt.Errorf("write a password: %w", err)
		}
		made = append(made, secret.Path)
	}
	if len(change.Agents) == 0 {
		return "", nil
	}
	return install.Settings().Write(path, old, fresh, time.Now())
}

// hooksOwner is the user and the group that hooks run as: those that the state directory belongs to, or the nearest directory
// above it that is there.
func hooksOwner(stateDir string) (uid, gid int, err error) {
	for dir := strings.TrimSuffix(stateDir, "/"); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		switch {
		case err == nil:
			return statedir.Owner(info)
		case !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir):
			return 0, 0, fmt.Errorf("find the user that hooks run as: %w", err)
		}
	}
}
