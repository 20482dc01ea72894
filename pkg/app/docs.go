package app

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// The hidden flags of every executable: what builds packages asks for its documents.
const (
	printMan        = "print-man"
	printCompletion = "print-completion"
)

// DocFlags are the hidden flags that Docs answers.
func DocFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: printMan, Hidden: true, Usage: "print the man page"},
		&cli.StringFlag{Name: printCompletion, Hidden: true, Usage: "print the completion for this `SHELL`: bash, zsh or fish"},
	}
}

// Docs prints the man page, or the completion for a shell, when one of DocFlags asks for it;
// done reports that. Both are made from what the executable is told its flags are, so they
// cannot differ from it.
func Docs(c *cli.Context, env Env, m Manual) (done bool, err error) {
	switch {
	case c.Bool(printMan):
		_, err = io.WriteString(env.Stdout, m.page(commandOf(c.App), c.App.UsageText, env))
		return true, err
	case c.IsSet(printCompletion):
		return true, complete(env.Stdout, c.App, c.String(printCompletion))
	}
	return false, nil
}

// CompletionCommand is the command that prints the completion of its executable.
func CompletionCommand(env Env) *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "print the completion for a shell: bash, zsh or fish", ArgsUsage: shellArgs, HideHelpCommand: true,
		Action: func(c *cli.Context) error {
			if c.Args().Len() != 1 {
				return Usagef("%s completion needs the name of one shell: bash, zsh or fish", c.App.Name)
			}
			return complete(env.Stdout, c.App, c.Args().First())
		},
	}
}

// shellArgs are the arguments of the command completion.
const shellArgs = "bash|zsh|fish"

// shells is what shellArgs allows.
func shells() []string { return strings.Split(shellArgs, "|") }

// complete prints the completion for a shell.
func complete(w io.Writer, a *cli.App, shell string) error {
	makers := map[string]func(command) string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}
	maker, ok := makers[shell]
	if !ok {
		return Usagef("there is no completion for %q: allowed are bash, zsh and fish", shell)
	}
	_, err := io.WriteString(w, maker(commandOf(a)))
	return err
}

// command is an executable or one of its commands, as documents show it.
type command struct {
	words    []string // of its call: oneft, incidents, show
	usage    string
	args     string // behind its options
	options  []option
	commands []command
}

// path is how the command is called.
func (c command) path() string { return strings.Join(c.words, " ") }

// all is the command and the commands below it, in order.
func (c command) all() []command {
	all := []command{c}
	for _, sub := range c.commands {
		all = append(all, sub.all()...)
	}
	return all
}

// option is a flag as documents show it.
type option struct {
	names     []string // with their dashes, the long one first
	value     string   // placeholder of its value; "" without one
	usage     string   // with the placeholder as a plain word
	byDefault string
	repeated  bool
	allowed   []string // the only values, if the usage lists them
}

// commandOf is what an executable is told.
func commandOf(a *cli.App) command {
	root := command{words: []string{a.Name}, usage: a.Usage, options: optionsOf(a.Flags), commands: commandsOf([]string{a.Name}, a.Commands)}
	root.options = append(root.options, option{names: []string{"--version", "-v"}, usage: "print the version"})
	return root
}

// commandsOf are the commands that are shown below these words.
func commandsOf(words []string, from []*cli.Command) (list []command) {
	for _, c := range from {
		if c.Hidden || c.Name == "help" {
			continue
		}
		called := append(slices.Clone(words), c.Name)
		list = append(list, command{words: called, usage: c.Usage, args: c.ArgsUsage, options: optionsOf(c.Flags), commands: commandsOf(called, c.Subcommands)})
	}
	return list
}

// optionsOf are the flags that are shown, and --help.
func optionsOf(flags []cli.Flag) (list []option) {
	for _, f := range flags {
		doc, ok := f.(cli.DocGenerationFlag)
		visible, seen := f.(cli.VisibleFlag)
		if !ok || seen && !visible.IsVisible() || slices.Contains(f.Names(), "help") || slices.Contains(f.Names(), "version") {
			continue
		}
		o := option{usage: strings.ReplaceAll(doc.GetUsage(), "`", "")}
		for _, name := range f.Names() {
			o.names = append(o.names, dashed(name))
		}
		if doc.TakesValue() {
			o.value = "VALUE"
			if _, rest, quoted := strings.Cut(doc.GetUsage(), "`"); quoted {
				o.value, _, _ = strings.Cut(rest, "`")
			}
			o.byDefault, o.allowed = doc.GetDefaultText(), allowedOf(doc.GetUsage())
		}
		if slice, ok := f.(cli.DocGenerationSliceFlag); ok {
			o.repeated = slice.IsSliceFlag()
		}
		list = append(list, o)
	}
	return append(list, option{names: []string{"--help", "-h"}, usage: "show help"})
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

var (
	inBrackets = regexp.MustCompile(`\s*\([^)]*\)`)
	plainWord  = regexp.MustCompile(`^[a-z]+$`)
)

// allowedOf are the values that a usage lists behind its last colon, such as "auto (if
// ...), required (...), off". None when something else stands there.
func allowedOf(usage string) []string {
	usage = inBrackets.ReplaceAllString(usage, "")
	at := strings.LastIndex(usage, ": ")
	if at < 0 {
		return nil
	}
	words := strings.Split(strings.ReplaceAll(usage[at+2:], " or ", ", "), ", ")
	if len(words) < 2 || slices.ContainsFunc(words, func(w string) bool { return !plainWord.MatchString(w) }) {
		return nil
	}
	return words
}

// kindOf says what a value is by its placeholder: a file, a directory, or neither.
func (o option) kindOf() string {
	switch o.value {
	case "FILE":
		return "file"
	case "DIRECTORY":
		return "directory"
	}
	return ""
}

// header is the comment at the start of a completion.
func header(name, shell string) string {
	return fmt.Sprintf("# %s completion of %s, made from its flags.\n", shell, name)
}
