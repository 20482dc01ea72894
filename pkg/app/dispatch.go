package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/text"
)

// Dispatch runs a program, or the command of it that the words behind its name begin with. It prints --help and
// --version itself: cli.App prints help with text/template, with which the linker keeps every exported method of
// every type, 1.4 MB of each executable.
func Dispatch(ctx context.Context, program *cli.Command, words []string, stdout io.Writer) error {
	command, call := program, program.Name
	if len(program.Subcommands) > 0 && len(words) > 0 && (words[0] == "help" || words[0] == "version") { // oneft help drill
		words = append(slices.Clone(words[1:]), "--"+words[0])
	}
	for len(words) > 0 {
		i := slices.IndexFunc(command.Subcommands, func(sub *cli.Command) bool { return sub.Name == words[0] })
		if i < 0 {
			break
		}
		command, call, words = command.Subcommands[i], call+" "+words[0], words[1:]
	}
	found := *command
	found.HelpName, found.Flags = call, slices.Concat(command.Flags, StandardFlags(command == program))
	c, err := Read(ctx, &found, words)
	switch {
	case err != nil:
		return err
	case len(command.Subcommands) > 0 && c.NArg() > 0 && (command.Action == nil || nearest(command, c.Args().First()) != ""):
		return unknownCommand(command, c.Args().First(), call)
	case c.Bool("help"):
		return help(&found, stdout)
	case command == program && c.Bool("version"):
		_, err = fmt.Fprintf(stdout, "%s version %s\n", program.Name, Version())
		return err
	case command.Action == nil:
		return help(&found, stdout)
	}
	return command.Action(c)
}

// nearest is the command that a word was probably meant to be, or "".
func nearest(command *cli.Command, word string) string {
	var names []string
	for _, sub := range command.Subcommands {
		if !sub.Hidden {
			names = append(names, sub.Name)
		}
	}
	return text.Nearest(word, names)
}

func unknownCommand(command *cli.Command, word, call string) error {
	if near := nearest(command, word); near != "" {
		return Usagef("%s is not a command; did you mean %s %s?", shown(word), call, near)
	}
	return Usagef("%s is not a command; %s --help lists them", shown(word), call)
}

// StandardFlags are the flags that Dispatch adds to those of a program, or of a command of it.
func StandardFlags(program bool) []cli.Flag {
	flags := []cli.Flag{&cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "show help"}}
	if program {
		flags = append(flags, &cli.BoolFlag{Name: "version", Aliases: []string{"v"}, Usage: "print the version"})
	}
	return flags
}

// help prints what a command is for, and its commands and options.
func help(command *cli.Command, out io.Writer) error {
	synopsis := strings.TrimSpace(cmp.Or(command.UsageText, command.HelpName+" [options] "+command.ArgsUsage))
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "NAME:\n   %s - %s\n\nUSAGE:\n   %s\n", command.HelpName, command.Usage, synopsis)
	if len(command.Subcommands) > 0 {
		fmt.Fprint(w, "\nCOMMANDS:\n")
	}
	for _, sub := range command.Subcommands {
		if !sub.Hidden {
			fmt.Fprintf(w, "   %s\t%s\n", sub.Name, sub.Usage)
		}
	}
	fmt.Fprint(w, "\nOPTIONS:\n")
	for _, d := range Docs(command.Flags) {
		names := strings.Join(d.Names, ", ")
		if d.Value != "" {
			names += " " + d.Value
		}
		fmt.Fprintf(w, "   %s\t%s", names, d.Usage)
		if d.Default != "" {
			fmt.Fprintf(w, " (default: %s)", d.Default)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// ValuesFlag is a flag with the only values that are allowed.
type ValuesFlag struct {
	cli.StringFlag
	Values []string
}

// Doc is a flag as help, manuals and completions show it.
type Doc struct {
	Names    []string // with their dashes, the long one first
	Value    string   // placeholder of its value; "" for a switch
	Usage    string   // with the placeholder as a plain word
	Default  string   // "" without one
	Values   []string // the only ones that are allowed
	Repeated bool
}

// Docs are the flags of a table that are shown: those about files and the way to oned, which few need, come last.
func Docs(flags []cli.Flag) (docs []Doc) {
	last := []string{"config", "state-dir", "log-file", "endpoint", "auth-file", "ca-file", "oned-wait", "help", "version"}
	flags = slices.Clone(flags)
	slices.SortStableFunc(flags, func(a, b cli.Flag) int {
		return cmp.Compare(slices.Index(last, a.Names()[0]), slices.Index(last, b.Names()[0]))
	})
	for _, f := range flags {
		shown, ok := f.(cli.DocGenerationFlag)
		if visible, can := f.(cli.VisibleFlag); !ok || can && !visible.IsVisible() {
			continue
		}
		d := Doc{Usage: strings.ReplaceAll(shown.GetUsage(), "`", ""), Default: shown.GetDefaultText()}
		for _, name := range f.Names() {
			d.Names = append(d.Names, dashed(name))
		}
		if !shown.TakesValue() {
			d.Default = strings.TrimPrefix(d.Default, "false")
		} else {
			d.Value = "VALUE"
			if d.Default == strconv.Quote(shown.GetValue()) { // as cli shows strings
				d.Default = shown.GetValue()
			}
			if _, rest, named := strings.Cut(shown.GetUsage(), "`"); named {
				d.Value, _, _ = strings.Cut(rest, "`")
			}
		}
		if values, limited := f.(*ValuesFlag); limited {
			d.Values = values.Values
		}
		slice, ok := f.(cli.DocGenerationSliceFlag)
		d.Repeated = ok && slice.IsSliceFlag()
		docs = append(docs, d)
	}
	return docs
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}
