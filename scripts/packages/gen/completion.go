package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
)

// command is a program or one of its commands, with the words of its call.
type command struct {
	*cli.Command
	words []string
}

// commandsOf are a command and those below it, in order; above are the words before its name.
func commandsOf(c *cli.Command, above ...string) []command {
	words := append(slices.Clone(above), c.Name)
	all := []command{{c, words}}
	for _, sub := range c.Subcommands {
		all = append(all, commandsOf(sub, words...)...)
	}
	return all
}

// path is how the command is called.
func (c command) path() string { return strings.Join(c.words, " ") }

// function is the name of a shell function for the command.
func (c command) function() string { return "_" + strings.Join(c.words, "_") }

// options are those that are shown.
func (c command) options() []app.Doc {
	return app.Docs(slices.Concat(c.Flags, app.StandardFlags(len(c.words) == 1)))
}

// next are the words that may follow the command.
func (c command) next() (words []string) {
	for _, sub := range c.Subcommands {
		words = append(words, sub.Name)
	}
	for _, d := range c.options() {
		words = append(words, d.Names...)
	}
	return words
}

// byKind chooses by what a value is: a file, a directory, or anything else.
func byKind(d app.Doc, file, directory, other string) string {
	switch d.Value {
	case "FILE":
		return file
	case "DIRECTORY":
		return directory
	}
	return other
}

// header is the comment at the start of a completion.
func header(name, shell string) string {
	return fmt.Sprintf("# %s completion of %s, made from its flags.\n", shell, name)
}

// single is text in single quotes for a shell.
func single(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// bash needs bash 4 and nothing else.
func bash(program *cli.Command) string {
	var b strings.Builder
	all := commandsOf(program)
	name, function := program.Name, all[0].function()
	b.WriteString(header(name, "bash"))
	fmt.Fprintf(&b, "%s() {\n    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at=%s\n", function, single(name))
	if len(all) > 1 {
		var paths []string
		for _, c := range all[1:] {
			paths = append(paths, single(c.path()))
		}
		fmt.Fprintf(&b, "    local i\n    for ((i = 1; i < COMP_CWORD; i++)); do\n        case \"$at ${COMP_WORDS[i]}\" in\n        %s) at=\"$at ${COMP_WORDS[i]}\" ;;\n        esac\n    done\n",
			strings.Join(paths, " | "))
	}
	b.WriteString("    COMPREPLY=()\n    case \"$at $prev\" in\n")
	for _, c := range all {
		for _, d := range c.options() {
			if d.Value == "" {
				continue
			}
			var calls []string
			for _, name := range d.Names {
				calls = append(calls, single(c.path()+" "+name))
			}
			fmt.Fprintf(&b, "    %s) %s ;;\n", strings.Join(calls, " | "), bashValue(d))
		}
	}
	b.WriteString("    esac\n    local words=\n    case $at in\n")
	for _, c := range all {
		fmt.Fprintf(&b, "    %s) words=%s ;;\n", single(c.path()), single(strings.Join(c.next(), " ")))
	}
	b.WriteString("    esac\n    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\n")
	fmt.Fprintf(&b, "complete -F %s %s\n", function, name)
	return b.String()
}

// bashValue completes the value of an option and ends.
func bashValue(d app.Doc) string {
	if len(d.Values) > 0 {
		return fmt.Sprintf(`mapfile -t COMPREPLY < <(compgen -W %s -- "$cur"); return`, single(strings.Join(d.Values, " ")))
	}
	const files = `compopt -o filenames; mapfile -t COMPREPLY < <(compgen %s -- "$cur"); return`
	return byKind(d, fmt.Sprintf(files, "-f"), fmt.Sprintf(files, "-d"), "return")
}

// zsh is a file for a directory of zsh's fpath.
func zsh(program *cli.Command) string {
	var b strings.Builder
	all := commandsOf(program)
	b.WriteString("#compdef " + program.Name + "\n" + header(program.Name, "zsh"))
	for _, c := range all {
		zshFunction(&b, c)
	}
	// zsh runs the file itself as the function when it loads it.
	function := all[0].function()
	fmt.Fprintf(&b, "if [ \"$funcstack[1]\" = %s ]; then\n    %s \"$@\"\nelse\n    compdef %s %s\nfi\n", single(function), function, function, program.Name)
	return b.String()
}

func zshFunction(b *strings.Builder, c command) {
	fmt.Fprintf(b, "%s() {\n", c.function())
	call := "    _arguments"
	if len(c.Subcommands) > 0 {
		call = "    local curcontext=$curcontext state line\n    typeset -A opt_args\n    _arguments -C"
	}
	b.WriteString(call)
	for _, d := range c.options() {
		b.WriteString(" \\\n        " + zshOption(d))
	}
	if len(c.Subcommands) > 0 {
		b.WriteString(" \\\n        '1: :->command' \\\n        '*:: :->words'\n    case $state in\n    command)\n        local -a commands=(")
		for _, sub := range c.Subcommands {
			b.WriteString("\n            " + single(sub.Name+":"+sub.Usage))
		}
		b.WriteString("\n        )\n        _describe command commands ;;\n    words)\n        case $line[1] in\n")
		for _, sub := range c.Subcommands {
			fmt.Fprintf(b, "        %s) %s_%s ;;\n", sub.Name, c.function(), sub.Name)
		}
		b.WriteString("        esac ;;\n    esac")
	}
	b.WriteString("\n}\n\n")
}

// zshOption is an option as _arguments takes it.
func zshOption(d app.Doc) string {
	spec := "[" + strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`).Replace(d.Usage) + "]"
	switch {
	case len(d.Values) > 0:
		spec += ":" + d.Value + ":(" + strings.Join(d.Values, " ") + ")"
	case d.Value != "":
		spec += ":" + d.Value + ":" + byKind(d, "_files", "_files -/", "")
	}
	group, star := "("+strings.Join(d.Names, " ")+")", ""
	if d.Repeated {
		group, star = "*", "*"
	}
	if len(d.Names) == 1 {
		return single(star + d.Names[0] + spec)
	}
	return single(group) + "{" + strings.Join(d.Names, ",") + "}" + single(spec)
}

// fish is a file for one of fish's completion directories.
func fish(program *cli.Command) string {
	var b strings.Builder
	name := program.Name
	b.WriteString(header(name, "fish"))
	fmt.Fprintf(&b, "complete -c %s -f\n", name)
	for _, c := range commandsOf(program) {
		when := ""
		if len(program.Subcommands) > 0 {
			when = fishWhen(c)
		}
		for _, sub := range c.Subcommands {
			fmt.Fprintf(&b, "complete -c %s%s -a %s -d %s\n", name, when, sub.Name, fishText(sub.Usage))
		}
		for _, d := range c.options() {
			fmt.Fprintf(&b, "complete -c %s%s", name, when)
			for _, word := range d.Names {
				if long, ok := strings.CutPrefix(word, "--"); ok {
					b.WriteString(" -l " + long)
				} else {
					b.WriteString(" -s " + strings.TrimPrefix(word, "-"))
				}
			}
			switch {
			case len(d.Values) > 0:
				b.WriteString(" -x -a " + fishText(strings.Join(d.Values, " ")))
			case d.Value != "":
				b.WriteString(byKind(d, " -r -F", " -x -a '(__fish_complete_directories)'", " -x"))
			}
			b.WriteString(" -d " + fishText(d.Usage) + "\n")
		}
	}
	return b.String()
}

// fishWhen is the condition that the words of the command were typed and none below it.
func fishWhen(c command) string {
	var tests []string
	for _, word := range c.words[1:] {
		tests = append(tests, "__fish_seen_subcommand_from "+word)
	}
	for _, sub := range c.Subcommands {
		tests = append(tests, "not __fish_seen_subcommand_from "+sub.Name)
	}
	return " -n " + fishText(strings.Join(tests, "; and "))
}

// fishText is text in single quotes for fish.
func fishText(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
