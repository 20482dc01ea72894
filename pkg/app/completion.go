package app

import (
	"fmt"
	"strings"
)

// function is the name of a shell function for a command.
func (c command) function() string { return "_" + strings.Join(c.words, "_") }

// single is text in single quotes for a shell.
func single(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// bashCompletion needs bash 4 and nothing else.
func bashCompletion(c command) string {
	var b strings.Builder
	name := c.path()
	b.WriteString(header(name, "bash"))
	fmt.Fprintf(&b, "%s() {\n    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at=%s\n", c.function(), single(name))
	if len(c.commands) > 0 {
		b.WriteString("    local i\n    for ((i = 1; i < COMP_CWORD; i++)); do\n        case \"$at ${COMP_WORDS[i]}\" in\n        ")
		var paths []string
		for _, sub := range c.all()[1:] {
			paths = append(paths, single(sub.path()))
		}
		b.WriteString(strings.Join(paths, " | ") + ") at=\"$at ${COMP_WORDS[i]}\" ;;\n        esac\n    done\n")
	}
	b.WriteString("    COMPREPLY=()\n    case \"$at $prev\" in\n")
	for _, sub := range c.all() {
		for _, o := range sub.options {
			if o.value == "" {
				continue
			}
			var calls []string
			for _, name := range o.names {
				calls = append(calls, single(sub.path()+" "+name))
			}
			fmt.Fprintf(&b, "    %s) %s ;;\n", strings.Join(calls, " | "), bashValue(o))
		}
	}
	b.WriteString("    esac\n    local words=\n    case $at in\n")
	for _, sub := range c.all() {
		fmt.Fprintf(&b, "    %s) words=%s ;;\n", single(sub.path()), single(strings.Join(sub.next(), " ")))
	}
	b.WriteString("    esac\n    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\n")
	fmt.Fprintf(&b, "complete -F %s %s\n", c.function(), name)
	return b.String()
}

// bashValue completes the value of an option and ends.
func bashValue(o option) string {
	kind := map[string]string{"file": "-f", "directory": "-d"}[o.kindOf()]
	switch {
	case kind != "":
		return fmt.Sprintf(`compopt -o filenames; mapfile -t COMPREPLY < <(compgen %s -- "$cur"); return`, kind)
	case len(o.allowed) > 0:
		return fmt.Sprintf(`mapfile -t COMPREPLY < <(compgen -W %s -- "$cur"); return`, single(strings.Join(o.allowed, " ")))
	}
	return "return"
}

// next are the words that may follow a command.
func (c command) next() (words []string) {
	for _, sub := range c.commands {
		words = append(words, sub.words[len(sub.words)-1])
	}
	if c.args == shellArgs {
		words = append(words, shells()...)
	}
	for _, o := range c.options {
		words = append(words, o.names...)
	}
	return words
}

// zshCompletion is a file for a directory of zsh's fpath.
func zshCompletion(c command) string {
	var b strings.Builder
	b.WriteString("#compdef " + c.path() + "\n" + header(c.path(), "zsh"))
	for _, sub := range c.all() {
		zshFunction(&b, sub)
	}
	// zsh runs the file itself as the function when it loads it.
	fmt.Fprintf(&b, "if [ \"$funcstack[1]\" = %s ]; then\n    %s \"$@\"\nelse\n    compdef %s %s\nfi\n", single(c.function()), c.function(), c.function(), c.path())
	return b.String()
}

func zshFunction(b *strings.Builder, c command) {
	fmt.Fprintf(b, "%s() {\n", c.function())
	if len(c.commands) > 0 {
		b.WriteString("    local curcontext=$curcontext state line\n    typeset -A opt_args\n")
	}
	b.WriteString("    _arguments")
	if len(c.commands) > 0 {
		b.WriteString(" -C")
	}
	for _, o := range c.options {
		b.WriteString(" \\\n        " + zshOption(o))
	}
	switch {
	case len(c.commands) > 0:
		b.WriteString(" \\\n        '1: :->command' \\\n        '*:: :->words'\n    case $state in\n    command)\n        local -a commands=(")
		for _, sub := range c.commands {
			b.WriteString("\n            " + single(sub.words[len(sub.words)-1]+":"+sub.usage))
		}
		b.WriteString("\n        )\n        _describe command commands ;;\n    words)\n        case $line[1] in\n")
		for _, sub := range c.commands {
			fmt.Fprintf(b, "        %s) %s ;;\n", sub.words[len(sub.words)-1], sub.function())
		}
		b.WriteString("        esac ;;\n    esac\n")
	case c.args == shellArgs:
		b.WriteString(" \\\n        " + single("1: :("+strings.Join(shells(), " ")+")") + "\n")
	default:
		b.WriteString("\n")
	}
	b.WriteString("}\n\n")
}

// zshOption is an option as _arguments takes it.
func zshOption(o option) string {
	spec := "[" + strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`).Replace(o.usage) + "]"
	if o.value != "" {
		action := map[string]string{"file": "_files", "directory": "_files -/"}[o.kindOf()]
		if len(o.allowed) > 0 {
			action = "(" + strings.Join(o.allowed, " ") + ")"
		}
		spec += ":" + o.value + ":" + action
	}
	names := o.names
	star := ""
	if o.repeated {
		star = "*"
	}
	if len(names) == 1 {
		return single(star + names[0] + spec)
	}
	group := "(" + strings.Join(names, " ") + ")"
	if o.repeated {
		group = "*"
	}
	return single(group) + "{" + strings.Join(names, ",") + "}" + single(spec)
}

// fishCompletion is a file for one of fish's completion directories.
func fishCompletion(c command) string {
	var b strings.Builder
	name := c.path()
	b.WriteString(header(name, "fish"))
	fmt.Fprintf(&b, "complete -c %s -f\n", name)
	for _, sub := range c.all() {
		when := fishWhen(c, sub)
		for _, next := range sub.commands {
			fmt.Fprintf(&b, "complete -c %s%s -a %s -d %s\n", name, when, next.words[len(next.words)-1], fishText(next.usage))
		}
		if sub.args == shellArgs {
			fmt.Fprintf(&b, "complete -c %s%s -a %s\n", name, when, fishText(strings.Join(shells(), " ")))
		}
		for _, o := range sub.options {
			fmt.Fprintf(&b, "complete -c %s%s", name, when)
			for _, word := range o.names {
				if long, ok := strings.CutPrefix(word, "--"); ok {
					b.WriteString(" -l " + long)
				} else {
					b.WriteString(" -s " + strings.TrimPrefix(word, "-"))
				}
			}
			b.WriteString(fishValue(o) + " -d " + fishText(o.usage) + "\n")
		}
	}
	return b.String()
}

// fishValue says what value an option takes.
func fishValue(o option) string {
	switch {
	case o.value == "":
		return ""
	case o.kindOf() == "file":
		return " -r -F"
	case o.kindOf() == "directory":
		return " -x -a '(__fish_complete_directories)'"
	case len(o.allowed) > 0:
		return " -x -a " + fishText(strings.Join(o.allowed, " "))
	}
	return " -x"
}

// fishWhen is the condition that these commands were typed and none below them.
func fishWhen(root, c command) string {
	if len(root.commands) == 0 {
		return ""
	}
	var tests []string
	for _, word := range c.words[1:] {
		tests = append(tests, "__fish_seen_subcommand_from "+word)
	}
	for _, sub := range c.commands {
		tests = append(tests, "not __fish_seen_subcommand_from "+sub.words[len(sub.words)-1])
	}
	return " -n " + fishText(strings.Join(tests, "; and "))
}

// fishText is text in single quotes for fish.
func fishText(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
