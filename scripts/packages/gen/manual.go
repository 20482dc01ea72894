package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/urfave/cli/v2"

	"one-ft/pkg/config"
)

// manual is a man page in the making.
type manual struct {
	section int    // 1 for users, 5 for files, 8 for admins
	date    string // 2006-01-02
	version string
}

// page makes a man page of Markdown that begins with "# NAME: what it is". generated is Markdown too, and stands in the
// place of the section Options, or before the section before.
func (m manual) page(markdown, generated, before string) ([]byte, error) {
	title, body, _ := strings.Cut(markdown, "\n")
	name, summary, ok := strings.Cut(strings.TrimPrefix(title, "# "), ": ")
	if !ok || !strings.HasPrefix(title, "# ") {
		return nil, fmt.Errorf("the first line is %q; want \"# NAME: what it is\"", title)
	}
	head, tail, found := strings.Cut(body, "\n## Options\n")
	if found {
		_, tail, _ = strings.Cut(tail, "\n## ")
		tail = "## " + tail
	} else if head, tail, found = strings.Cut(body, "\n## "+before+"\n"); found {
		tail = "## " + before + "\n" + tail
	} else {
		return nil, fmt.Errorf("%s has neither a section Options nor a section %s", name, before)
	}
	page := fmt.Sprintf("# %s %d %q \"one-ft %s\" \"one-ft\"\n\n## NAME\n\n%s - %s\n\n", strings.ToUpper(name), m.section, m.date, m.version, name, summary) +
		plain(head) + "\n" + generated + "\n" + plain(tail)
	return copyable(md2man.Render([]byte(page))), nil
}

// copyable makes hyphens of a page such that can be copied from a terminal.
func copyable(page []byte) []byte {
	lines := bytes.Split(page, []byte("\n"))
	for i, line := range lines {
		if !bytes.HasPrefix(line, []byte(".")) {
			lines[i] = bytes.ReplaceAll(bytes.ReplaceAll(line, []byte(`\-`), []byte("-")), []byte("-"), []byte(`\-`))
		}
	}
	return bytes.Join(lines, []byte("\n"))
}

var (
	link    = regexp.MustCompile(`\[([^\]]+)\]\([^)]*\)`)
	heading = regexp.MustCompile(`^## .*`)
	rule    = regexp.MustCompile(`^\|[-|: ]+\|$`)
	between = regexp.MustCompile(`(?:^| )\|(?: |$)`) // the cells of a table
)

// plain makes of Markdown for web pages what man can show: no links, sections in capital letters, and lists instead of
// tables, which are wider than a terminal.
func plain(markdown string) string {
	var out strings.Builder
	var columns []string
	previous := ""
	for line := range strings.Lines(markdown) {
		line = strings.TrimSuffix(line, "\n")
		table := strings.HasPrefix(line, "|")
		switch {
		case strings.HasPrefix(line, "    "):
		case table && rule.MatchString(line):
			columns = cells(previous)
			previous = ""
			continue
		case table && columns == nil: // its head, if a rule follows
			previous = line
			continue
		case table:
			line = definition(columns, cells(line))
		default:
			line = heading.ReplaceAllStringFunc(link.ReplaceAllString(line, "$1"), strings.ToUpper)
			columns = nil
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}

func cells(row string) []string {
	row = link.ReplaceAllString(row, "$1")
	all := between.Split(strings.ReplaceAll(row, `\|`, "\x00"), -1)
	for i, cell := range all {
		all[i] = strings.TrimSpace(strings.ReplaceAll(cell, "\x00", "|"))
	}
	return all[1 : len(all)-1]
}

// definition is a row of a table: its first cell and what it means.
func definition(columns, row []string) string {
	text := strings.Join(row[1:], "")
	if len(row) > 2 {
		text = ""
		for i, cell := range row[1:] {
			if cell != "" && cell != "–" {
				text += columns[i+1] + ": " + strings.TrimSuffix(cell, ".") + ". "
			}
		}
	}
	if strings.TrimSpace(text) == "" {
		text = "–"
	}
	return row[0] + "\n: " + strings.TrimSpace(text) + "\n"
}

// options is the section about the options of a program and its commands.
func options(program *cli.Command) string {
	var out strings.Builder
	out.WriteString("## OPTIONS\n\n")
	for _, c := range commandsOf(program) {
		if len(program.Subcommands) > 0 {
			fmt.Fprintf(&out, "### %s\n\n%s.\n\n", c.path(), markdown(sentence(c.Usage)))
		}
		for _, d := range c.options() {
			out.WriteString("**" + strings.Join(d.Names, "**, **") + "**")
			if d.Value != "" {
				out.WriteString(" *" + markdown(d.Value) + "*")
			}
			text := sentence(d.Usage) + "."
			if d.Default != "" {
				text += " Default: " + d.Default + "."
			}
			out.WriteString("\n: " + markdown(text) + "\n\n")
		}
	}
	return out.String()
}

// settings are the sections about the settings of a configuration, by its commented example.
func settings(example string) (string, error) {
	explained := config.Explain(example)
	if len(explained.Parts) == 0 {
		return "", fmt.Errorf(`the example has no part such as "# ---- Fencing ----"`)
	}
	var out strings.Builder
	out.WriteString("## DESCRIPTION\n\n" + markdown(strings.Join(explained.Intro, "\n\n")) + "\n\n")
	for _, part := range explained.Parts {
		fmt.Fprintf(&out, "## %s\n\n", strings.ToUpper(markdown(part.Title)))
		for _, s := range part.Settings {
			text := s.Text
			if len(s.Keys) == 1 { // its text begins with it again
				text = strings.TrimPrefix(text, s.Keys[0][strings.LastIndexByte(s.Keys[0], '.')+1:]+": ")
			}
			fmt.Fprintf(&out, "**%s**\n: %s\n\n", markdown(strings.Join(s.Keys, ", ")), markdown(text))
			out.WriteString("        " + strings.Join(s.Lines, "\n        ") + "\n\n")
		}
	}
	return out.String(), nil
}

// sentence begins a text with a capital letter.
func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// markdown is text in Markdown that shows as it is.
func markdown(text string) string {
	return regexp.MustCompile("[\\\\*_`\\[\\]<>]").ReplaceAllString(text, `\$0`)
}
