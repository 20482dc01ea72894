package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Command is a program or one of its commands.
type Command struct {
	Name  string
	Usage string // one line
	// Synopsis is how it is called, and what else --help shows, for a program; "" for its flags and ArgsUsage.
	Synopsis  string
	ArgsUsage string // what stands behind its options
	Flags     []Flag
	Commands  []*Command
	Action    func(ctx context.Context, c *Context) error
}

// Run runs a program with the words behind its name. It prints --help and --version itself.
func Run(ctx context.Context, program *Command, version string, words []string, stdout io.Writer) error {
	command, call := program, program.Name
	for len(words) > 0 {
		i := slices.IndexFunc(command.Commands, func(sub *Command) bool { return sub.Name == words[0] })
		if i < 0 {
			break
		}
		command, call, words = command.Commands[i], call+" "+words[0], words[1:]
	}
	flags := slices.Concat(command.Flags, Standard(command == program))
	c, err := Read(call, words, flags)
	switch {
	case err != nil:
		return err
	case c.Bool("help"):
		return command.help(call, flags, stdout)
	case c.Bool("version"):
		_, err = fmt.Fprintf(stdout, "%s version %s\n", program.Name, version)
		return err
	case command.Action == nil && len(c.Args) > 0:
		return Usagef("%q is not a command; %s --help lists them", c.Args[0], call)
	case command.Action == nil:
		return command.help(call, flags, stdout)
	}
	return command.Action(ctx, c)
}

// Standard are the flags that Run adds to those of a program, or of a command of it.
func Standard(program bool) []Flag {
	flags := []Flag{&BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "show help"}}
	if program {
		flags = append(flags, &BoolFlag{Name: "version", Aliases: []string{"v"}, Usage: "print the version"})
	}
	return flags
}

// help prints what a command is for, and its commands and options.
func (command *Command) help(call string, flags []Flag, out io.Writer) error {
	synopsis := command.Synopsis
	if synopsis == "" {
		synopsis = strings.TrimSpace(call + " [options] " + command.ArgsUsage)
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "NAME:\n   %s - %s\n\nUSAGE:\n   %s\n", call, command.Usage, synopsis)
	if len(command.Commands) > 0 {
		fmt.Fprint(w, "\nCOMMANDS:\n")
	}
	for _, sub := range command.Commands {
		fmt.Fprintf(w, "   %s\t%s\n", sub.Name, sub.Usage)
	}
	fmt.Fprint(w, "\nOPTIONS:\n")
	for _, f := range flags {
		d := f.Doc()
		if d.Hidden {
			continue
		}
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
