package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"one-ft/pkg/hook"
	"one-ft/pkg/text"
)

// What a hook may write on stderr: far below the 64 KiB that deadlock a hook of
// oned 4.4, and enough for oned.log to tell an admin where to look.
const (
	maxHookLines = 6
	maxHookLine  = 300 // characters
)

// output is the last word of a program.
type output struct {
	env    Env
	name   string
	always bool // the answer is printed whoever looks
}

func newOutput(env Env, name string) *output { return &output{env: env, name: name} }

// failed prints an error in one line and returns its exit code.
func (o *output) failed(err error) int {
	o.stderr(err.Error())
	var ours *UsageError
	var hooks *hook.UsageError
	if errors.As(err, &ours) || errors.As(err, &hooks) {
		return ExitUsage
	}
	return ExitIncomplete
}

// stderr writes one printable line of bounded length.
func (o *output) stderr(message string) {
	message = text.Printable(message)
	if utf8.RuneCountInString(message) > maxHookLine && !o.env.Terminal {
		message = string([]rune(message)[:maxHookLine]) + "…"
	}
	fmt.Fprintf(o.env.Stderr, "%s: %s\n", o.name, message)
}

// answer prints the answer: JSON if asked for, a table for a person or for
// --dry-run, and for a hook only what is wrong.
func (o *output) answer(s Settings, a Answer) int {
	switch {
	case s.JSON:
		var text bytes.Buffer
		enc := json.NewEncoder(&text)
		enc.SetEscapeHTML(false)
		if o.env.Terminal {
			enc.SetIndent("", "  ")
		}
		if err := enc.Encode(a); err != nil {
			return o.failed(fmt.Errorf("print the result as JSON: %w", err))
		}
		fmt.Fprint(o.env.Stdout, escapeJSON(text.String()))
	case o.env.Terminal || s.DryRun || o.always:
		for _, note := range a.Notes() {
			fmt.Fprintln(o.env.Stdout, text.Printable(note))
		}
		o.table(a.Table())
		if line := a.Line(); line != "" {
			fmt.Fprintln(o.env.Stdout, text.Printable(line))
		}
	default:
		o.problems(a, s.Verbose)
	}
	return a.ExitCode()
}

// escapeJSON escapes what encoding/json leaves as it is but a terminal may obey:
// DEL, C1 controls, direction marks and the like, which only strings can hold.
func escapeJSON(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// table prints rows in columns; control characters in cells become visible.
func (o *output) table(rows [][]string) {
	if len(rows) < 2 {
		return
	}
	w := tabwriter.NewWriter(o.env.Stdout, 0, 8, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = text.Printable(cell)
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "\t"), "\t "))
	}
	_ = w.Flush()
}

// problems prints the few lines that a hook may leave in oned's log: nothing when
// all is well, unless verbose.
func (o *output) problems(a Answer, verbose bool) {
	if a.ExitCode() == ExitDone && !verbose {
		return
	}
	lines := a.Problems()
	for i, line := range lines {
		if i == maxHookLines-2 && len(lines) > maxHookLines-1 {
			o.stderr(fmt.Sprintf("and %d more; the log has them all", len(lines)-i))
			break
		}
		o.stderr(line)
	}
	o.stderr(a.Line())
}
