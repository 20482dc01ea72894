package app

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Manual is what the man page of an executable says that neither its flags nor its help
// hold.
type Manual struct {
	Section            int // 1 for users, 8 for admins
	Files, Environment []Term
	SeeAlso            []string // such as oneft(1)
}

// Term is a word of a man page and what it means.
type Term struct{ Word, Text string }

// page is the man page of an executable. Its help, as cli's UsageText, is taken apart: the first
// paragraph is the synopsis, the one that begins with "Exit codes:" says those, paragraphs
// with indented lines are examples, and the rest describes.
func (m Manual) page(c command, help string, env Env) string {
	r := &roff{}
	name := c.path()
	pageHead(r, name, m.Section, env)
	r.section("name")
	r.raw(quoted(name) + ` \- ` + quoted(c.usage))
	paragraphs := strings.Split(help, "\n\n")
	examples, rest := paragraphs[:1], paragraphs[1:]
	r.section("synopsis")
	if len(c.commands) == 0 {
		examples = nil
		synopsis(r, paragraphs[0])
	} else {
		commandLines(r, c)
	}
	r.section("description")
	describe(r, name, c.usage, rest)
	for _, sub := range c.all()[1:] {
		r.section(sub.path())
		r.paragraph(sentence(sub.usage), true)
		optionList(r, sub.options)
	}
	r.section("options")
	optionList(r, c.options)
	for _, paragraph := range rest {
		if isExample(paragraph) {
			examples = append(examples, paragraph)
		}
	}
	exampleList(r, examples)
	exitStatus(r, rest)
	terms(r, "files", m.Files)
	terms(r, "environment", m.Environment)
	r.seeAlso(slices.DeleteFunc(slices.Clone(m.SeeAlso), func(page string) bool { return strings.HasPrefix(page, name+"(") }))
	return r.b.String()
}

// pageHead begins a page. Its date is SOURCE_DATE_EPOCH, seconds since 1970, so that two builds are
// the same; without it there is no date.
func pageHead(r *roff, name string, section int, env Env) {
	date := ""
	if seconds, err := strconv.ParseInt(env.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		date = time.Unix(seconds, 0).UTC().Format(time.DateOnly)
	}
	r.raw(fmt.Sprintf(`.TH "%s" %d "%s" "one-ft %s" "one-ft"`, quoting.Replace(strings.ToUpper(name)), section, date, quoting.Replace(Version())))
	r.raw(".nh\n.ad l")
}

// synopsis writes the ways of calling; what stands behind two spaces says when.
func synopsis(r *roff, lines string) {
	for i, line := range strings.Split(lines, "\n") {
		if i > 0 {
			r.raw(".br")
		}
		call, _, _ := strings.Cut(strings.TrimSpace(line), "  ")
		name, args, _ := strings.Cut(call, " ")
		r.raw(bold(name) + " " + quoting.Replace(args))
	}
}

// commandLines writes the ways of calling an executable with commands.
func commandLines(r *roff, c command) {
	for i, sub := range c.all()[1:] {
		if i > 0 {
			r.raw(".br")
		}
		line := bold(sub.path()) + " [options]"
		if sub.args != "" {
			line += " " + quoting.Replace(sub.args)
		}
		r.raw(line)
	}
}

// describe writes the paragraphs that are prose.
func describe(r *roff, name, summary string, paragraphs []string) {
	first := true
	for _, paragraph := range paragraphs {
		if isExample(paragraph) || isExitCodes(paragraph) {
			continue
		}
		r.paragraph(paragraph, first)
		first = false
	}
	if first {
		r.paragraph(name+": "+summary+".", true)
	}
}

// sentence begins a text with a capital letter and ends it with a dot.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// optionList writes options with their values and defaults.
func optionList(r *roff, options []option) {
	for _, o := range options {
		words := make([]string, len(o.names))
		for i, name := range o.names {
			words[i] = bold(name)
			if o.value != "" {
				words[i] += " " + italic(o.value)
			}
		}
		text := sentence(o.usage)
		if o.byDefault != "" {
			text += " Default: " + o.byDefault + "."
		}
		r.term(strings.Join(words, ", "), text)
	}
}

// exampleList writes examples: a line that is not indented is about those below it, and in an
// example without indented lines all are shown as they are.
func exampleList(r *roff, examples []string) {
	if len(examples) == 0 {
		return
	}
	r.section("examples")
	first := true
	for _, example := range examples {
		lines := strings.Split(strings.Trim(example, "\n"), "\n")
		for i := range lines {
			lines[i] = strings.TrimPrefix(lines[i], helpIndent)
		}
		titled := slices.ContainsFunc(lines, isIndented)
		for len(lines) > 0 {
			n := leading(lines, func(line string) bool { return titled && !isIndented(line) })
			if n > 0 {
				r.paragraph(strings.Join(lines[:n], " "), first)
				first = false
			}
			lines = lines[n:]
			n = leading(lines, func(line string) bool { return !titled || isIndented(line) })
			if n > 0 {
				r.literal(first, lines[:n]...)
				first = false
			}
			lines = lines[n:]
		}
	}
}

// helpIndent is before each line of a help but the first.
const helpIndent = "   "

func isIndented(line string) bool { return strings.HasPrefix(line, "  ") }

// leading is the number of lines at the start for which this is so.
func leading(lines []string, is func(string) bool) int {
	for i, line := range lines {
		if !is(line) {
			return i
		}
	}
	return len(lines)
}

// isExample reports whether a paragraph of a help holds indented lines.
func isExample(paragraph string) bool {
	return !isExitCodes(paragraph) && strings.Contains(paragraph, "\n"+helpIndent+"  ")
}

func isExitCodes(paragraph string) bool {
	return strings.HasPrefix(strings.TrimSpace(paragraph), "Exit codes:")
}

// exitStatus writes the paragraph with the exit codes.
func exitStatus(r *roff, paragraphs []string) {
	for _, paragraph := range paragraphs {
		if isExitCodes(paragraph) {
			_, codes, _ := strings.Cut(paragraph, ":")
			r.section("exit status")
			r.paragraph(codes, true)
		}
	}
}

// terms writes a section of words and what they mean.
func terms(r *roff, title string, list []Term) {
	r.section(title)
	for _, t := range list {
		r.term(bold(t.Word), t.Text)
	}
}
