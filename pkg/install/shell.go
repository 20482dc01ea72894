package install

import "strings"

// simpleCommands splits a line as a shell does, into commands of words without their quotes, as far as it matters for which
// programs are run: quotes, backslashes, separators, comments, substitutions (each a line of its own behind the others).
// Redirections are left out, and variables stay as they are.
func simpleCommands(line string) [][]string {
	l := shellLine{in: line}
	for l.pos < len(l.in) {
		l.step()
	}
	l.endCommand()
	for _, inner := range l.inner {
		l.commands = append(l.commands, simpleCommands(inner)...)
	}
	return l.commands
}

// shellLine is a line that is being split.
type shellLine struct {
	in       string
	pos      int
	word     strings.Builder
	open     bool // a word has begun; quotes alone begin one
	target   bool // the next word is where something is redirected
	words    []string
	commands [][]string
	inner    []string // what is substituted
}

// step reads the next character.
func (l *shellLine) step() {
	c := l.in[l.pos]
	l.pos++
	switch {
	case c == '\\':
		l.take(1)
	case c == '\'':
		l.take(strings.IndexByte(l.in[l.pos:]+"'", '\''))
		l.pos++
	case c == '"':
		l.quoted()
	case c == '`', c == '$' && strings.HasPrefix(l.in[l.pos:], "("):
		l.substitution(c)
	case c == '#' && !l.open:
		l.pos += strings.IndexByte(l.in[l.pos:]+"\n", '\n')
	case strings.IndexByte(" \t\r", c) >= 0:
		l.endWord()
	case c == '<' || c == '>' || c == '&' && strings.HasPrefix(l.in[l.pos:], ">"):
		l.redirection()
	case strings.IndexByte(";|&()\n", c) >= 0:
		l.endCommand()
	default:
		l.word.WriteByte(c)
		l.open = true
	}
}

// take takes the next characters as they are.
func (l *shellLine) take(n int) {
	l.open = true
	n = min(n, len(l.in)-l.pos)
	l.word.WriteString(l.in[l.pos : l.pos+n])
	l.pos += n
}

// quoted reads up to the closing double quote.
func (l *shellLine) quoted() {
	l.open = true
	for l.pos < len(l.in) {
		c := l.in[l.pos]
		l.pos++
		switch {
		case c == '"':
			return
		case c == '\\' && l.pos < len(l.in) && strings.IndexByte("\"\\$`", l.in[l.pos]) >= 0:
			l.take(1)
		case c == '`', c == '$' && strings.HasPrefix(l.in[l.pos:], "("):
			l.substitution(c)
		default:
			l.word.WriteByte(c)
		}
	}
}

// substitution reads what is run for its output, behind its first character.
func (l *shellLine) substitution(first byte) {
	l.open = true
	rest := l.in[l.pos:]
	if first == '`' {
		inner, _, _ := strings.Cut(rest, "`")
		l.inner = append(l.inner, inner)
		l.pos = min(l.pos+len(inner)+1, len(l.in))
		return
	}
	depth, end := 0, len(rest)
	for i := range len(rest) {
		if rest[i] == '(' {
			depth++
		} else if rest[i] == ')' {
			if depth--; depth == 0 {
				end = i
				break
			}
		}
	}
	l.inner = append(l.inner, rest[1:end])
	l.pos = min(l.pos+end+1, len(l.in))
}

// redirection leaves out an operator with the number before it, and where it leads.
func (l *shellLine) redirection() {
	if strings.Trim(l.word.String(), "0123456789") == "" {
		l.word.Reset()
		l.open = false
	}
	l.endWord()
	for l.pos < len(l.in) && strings.IndexByte("<>&|-", l.in[l.pos]) >= 0 {
		l.pos++
	}
	l.target = true
}

func (l *shellLine) endWord() {
	if l.open && !l.target {
		l.words = append(l.words, l.word.String())
	}
	if l.open {
		l.target = false
	}
	l.open = false
	l.word.Reset()
}

func (l *shellLine) endCommand() {
	l.endWord()
	l.target = false
	if len(l.words) > 0 {
		l.commands = append(l.commands, l.words)
	}
	l.words = nil
}
