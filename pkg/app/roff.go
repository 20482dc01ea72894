package app

import "strings"

// roff writes a man page with the macros of man(7).
type roff struct{ b strings.Builder }

// quoting makes text that shows as it is: a hyphen that can be copied, no escape and no
// quotation mark that a macro would take.
var quoting = strings.NewReplacer(`\`, `\(rs`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, `"`, `\(dq`)

// quoted is text in a page. At the start of a line a dot would be a macro.
func quoted(text string) string {
	text = quoting.Replace(text)
	if strings.HasPrefix(text, ".") {
		return `\&` + text
	}
	return text
}

// bold and italic are quoted text in a font.
func bold(text string) string   { return `\fB` + quoting.Replace(text) + `\fP` }
func italic(text string) string { return `\fI` + quoting.Replace(text) + `\fP` }

// raw writes a line with a macro, or text that is quoted already.
func (r *roff) raw(line string) { r.b.WriteString(line + "\n") }

// section begins a section.
func (r *roff) section(title string) { r.raw(".SH " + quoted(strings.ToUpper(title))) }

// paragraph writes text that is filled, behind a gap unless it is the first.
func (r *roff) paragraph(text string, first bool) {
	if !first {
		r.raw(".PP")
	}
	r.filled(text)
}

// sourceWidth is the length of lines of a page's source that man(7) and its checkers ask for.
const sourceWidth = 78

// filled writes text in lines that are broken anywhere.
func (r *roff) filled(text string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(quoted(line+" "+word)) > sourceWidth {
			r.raw(quoted(line))
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	r.raw(quoted(line))
}

// term writes a word, given quoted, and what it means.
func (r *roff) term(word, text string) {
	r.raw(".TP\n" + word)
	r.filled(text)
}

// literal writes lines as they are, indented, behind a gap unless it is the first.
func (r *roff) literal(first bool, lines ...string) {
	if !first {
		r.raw(".PP")
	}
	r.raw(".RS 4\n.nf")
	indent := len(lines[0]) - len(strings.TrimLeft(lines[0], " "))
	for _, line := range lines {
		r.raw(quoted(line[min(indent, len(line)-len(strings.TrimLeft(line, " "))):]))
	}
	r.raw(".fi\n.RE")
}

// seeAlso names other pages, such as oneft(1), in their order.
func (r *roff) seeAlso(pages []string) {
	r.section("see also")
	for i, page := range pages {
		name, section, _ := strings.Cut(page, "(")
		comma := ","
		if i == len(pages)-1 {
			comma = ""
		}
		r.raw(".BR " + quoted(name) + " (" + section + comma)
	}
}
