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
	for _, sub := range c.Subcommands {
		all = append(all, newCommand(sub, c.Words...).All()...)
	}
	return all
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
