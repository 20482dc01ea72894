package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/urfave/cli/v2"
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
	for _, c := range newCommand(program).All() {
		if len(program.Subcommands) > 0 {
			fmt.Fprintf(&out, "### %s\n\n%s.\n\n", c.Path(), markdown(sentence(c.Usage)))
		}
		for _, d := range c.Options() {
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

var (
	// Of an example: the title of a part, or lines that explain, with one space behind their #, and settings, with none, or
	// with two and more.
	partOrSettings = regexp.MustCompile(`(?m)^# -+ (.+?) -+$|((?:^# \S.*\n)+)((?:^#(?:\S|  ).*\n)+)`)
	keyOfSetting   = regexp.MustCompile(`^#((?:  )*)(- )?([a-z_]+):`)
)

// settings are the sections about the settings of a configuration, by its commented example.
func settings(example string) string {
	var out strings.Builder
	intro, parts, _ := strings.Cut("\n"+example, "\n# -")
	out.WriteString("## DESCRIPTION\n\n" + markdown(strings.NewReplacer("\n# ", "\n", "\n#", "\n").Replace(intro)) + "\n")
	var path []string // to the last key; [] for a list
	seen := map[string]bool{}
	for _, found := range partOrSettings.FindAllStringSubmatch("# -"+parts, -1) {
		if found[1] != "" {
			fmt.Fprintf(&out, "## %s\n\n", strings.ToUpper(markdown(found[1])))
			continue
		}
		var keys []string // that are explained here
		for line := range strings.Lines(found[3]) {
			if m := keyOfSetting.FindStringSubmatch(line); m != nil {
				depth := len(m[1]+m[2]) / 2
				path = append(append(path, "[]")[:depth], m[3])
				if key := strings.ReplaceAll(strings.Join(path, "."), ".[]", "[]"); !seen[key] {
					seen[key], keys = true, append(keys, key)
				}
			}
		}
		text := strings.TrimPrefix(strings.ReplaceAll(found[2], "\n# ", " "), "# ")
		if len(keys) == 1 { // the text begins with it again
			_, text, _ = strings.Cut(text, ": ")
		}
		fmt.Fprintf(&out, "**%s**\n: %s\n%s\n", markdown(strings.Join(keys, ", ")), markdown(text), strings.ReplaceAll("\n"+found[3], "\n#", "\n        "))
	}
	return out.String()
}

// sentence begins a text with a capital letter.
func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// markdown is text in Markdown that shows as it is.
func markdown(text string) string {
	return regexp.MustCompile("[\\\\*_`\\[\\]<>]").ReplaceAllString(text, `\$0`)
}
