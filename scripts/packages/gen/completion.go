package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
)

// command is a program or one of its commands, with the words of its call.
type command struct {
	*cli.Command
	Words []string
}

func newCommand(c *cli.Command, above ...string) command {
	return command{c, append(slices.Clone(above), c.Name)}
}

// All are the command and those below it, in order.
func (c command) All() []command {
	all := []command{c}
	for _, sub := range c.Shown() {
		all = append(all, newCommand(sub, c.Words...).All()...)
	}
	return all
}

// Shown are the commands right below it that people call.
func (c command) Shown() (shown []*cli.Command) {
	for _, sub := range c.Subcommands {
		if !sub.Hidden {
			shown = append(shown, sub)
		}
	}
	return shown
}

// IDs is what oneft complete lists for the first word behind the command: hosts, vms or incidents; "" for nothing.
func (c command) IDs() string {
	first, _, _ := strings.Cut(strings.Trim(c.ArgsUsage, "[]"), " ")
	return map[string]string{"HOST": "hosts", "VM": "vms", "INCIDENT": "incidents"}[first]
}

// Lists reports whether the command, or one below it, takes an ID.
func (c command) Lists() bool {
	return slices.ContainsFunc(c.All(), func(c command) bool { return c.IDs() != "" })
}

// Path is how the command is called.
func (c command) Path() string { return strings.Join(c.Words, " ") }

// Function is the name of a shell function for the command.
func (c command) Function() string { return "_" + strings.Join(c.Words, "_") }

// Options are those that are shown.
func (c command) Options() []app.Doc {
	return app.Docs(slices.Concat(c.Flags, app.StandardFlags(len(c.Words) == 1)))
}

// completion makes the completion of a program out of the template for a shell: bash from 4 on and nothing else, a file
// for a directory of zsh's fpath, or one for a directory of fish's completions.
func completion(shell string, program *cli.Command) ([]byte, error) {
	quoted := func(pairs ...string) func(string) string {
		inner := strings.NewReplacer(pairs...)
		return func(text string) string { return "'" + inner.Replace(text) + "'" }
	}
	name := shell + ".tmpl"
	t, err := template.New(name).Funcs(template.FuncMap{
		"join": strings.Join, "single": quoted("'", `'\''`), "fish": quoted(`\`, `\\`, "'", `\'`),
		"zsh": strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`).Replace,
	}).ParseFiles(filepath.Join("scripts", "packages", "gen", name))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, newCommand(program))
	return b.Bytes(), err
}
