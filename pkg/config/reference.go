package config

import (
	"regexp"
	"slices"
	"strings"
)

// Explanation is what the commented example of a configuration says, for a document.
type Explanation struct {
	Intro []string // paragraphs at its start
	Parts []ExplainedPart
}

// ExplainedPart is a part of the example, below a line such as "# ---- Fencing ----".
type ExplainedPart struct {
	Title    string
	Settings []ExplainedSetting
}

// ExplainedSetting is what stands above one setting or a few.
type ExplainedSetting struct {
	Keys  []string // paths such as fence[].levels[].name; each in one setting only
	Text  string   // one paragraph
	Lines []string // the example, not commented out
}

var (
	partLine    = regexp.MustCompile(`^# -+ (.+?) -+$`)
	settingLine = regexp.MustCompile(`^#(\S|  )`)
	keyOfLine   = regexp.MustCompile(`^( *)(- )?([a-z_]+):`)
)

// Explain reads a commented example: lines that explain have one space behind their #,
// settings none, or two and more.
func Explain(example string) Explanation {
	var e Explanation
	var text []string // explaining lines since the last setting
	path := &keyPath{}
	settings := false // the line before is a setting
	for line := range strings.Lines(example) {
		line = strings.TrimRight(line, "\n")
		title := partLine.FindStringSubmatch(line)
		switch {
		case title != nil:
			e.Parts = append(e.Parts, ExplainedPart{Title: title[1]})
			text, settings = nil, false
		case len(e.Parts) == 0:
			e.Intro = paragraphs(e.Intro, line)
		case settingLine.MatchString(line):
			part := &e.Parts[len(e.Parts)-1]
			if !settings {
				part.Settings = append(part.Settings, ExplainedSetting{Text: strings.Join(text, " ")})
				text, settings = nil, true
			}
			part.Settings[len(part.Settings)-1].add(line[1:], path)
		default:
			settings = false
			if words := strings.TrimSpace(strings.TrimPrefix(line, "#")); words != "" {
				text = append(text, words)
			}
		}
	}
	return e
}

// paragraphs adds a commented line to the last paragraph; an empty one ends it.
func paragraphs(all []string, line string) []string {
	line = strings.TrimSpace(strings.TrimPrefix(line, "#"))
	switch {
	case len(all) == 0 || line == "" && all[len(all)-1] != "":
		return append(all, line)
	case line == "":
		return all
	}
	all[len(all)-1] = strings.TrimSpace(all[len(all)-1] + " " + line)
	return all
}

func (s *ExplainedSetting) add(line string, path *keyPath) {
	s.Lines = append(s.Lines, line)
	if m := keyOfLine.FindStringSubmatch(line); m != nil {
		key := path.enter(len(m[1]), m[2] != "", m[3])
		if !slices.Contains(path.seen, key) {
			s.Keys, path.seen = append(s.Keys, key), append(path.seen, key)
		}
	}
}

// keyPath is where in a YAML file a line is.
type keyPath struct {
	columns []int
	keys    []string
	seen    []string // paths: what comes again only shows where the next key belongs
}

// enter goes to a key in this column, or behind the dash of a list in it, and returns its
// path.
func (p *keyPath) enter(column int, listed bool, key string) string {
	if listed {
		column += len("- ")
	}
	n := len(p.columns)
	for n > 0 && p.columns[n-1] >= column {
		n--
	}
	p.columns, p.keys = p.columns[:n], p.keys[:n]
	if listed && n > 0 && !strings.HasSuffix(p.keys[n-1], "[]") {
		p.keys[n-1] += "[]"
	}
	p.columns, p.keys = append(p.columns, column), append(p.keys, key)
	return strings.Join(p.keys, ".")
}
