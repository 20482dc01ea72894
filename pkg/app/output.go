package app

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"text/tabwriter"
	"unicode"
	"unicode/utf16"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/text"
)

// What a hook may write on stderr: far below the 64 KiB that deadlock a hook of
// oned 4.4, and enough for oned.log to tell an admin where to look.
const (
	maxHookLines = 6
	maxHookLine  = 1000 // characters
)

// output is the last word of a program.
type output struct {
	env    Env
	name   string
	always bool // the answer is printed whoever looks
	tells  bool // its line is, too, where all went well
}

// answerOut is where answers go, and keeps the first error of it. Whoever reads no further, such as head, is no error.
type answerOut struct {
	io.Writer
	err error
}

// errAnswer is behind an error of an answer's output, which is told at the end.
var errAnswer = errors.New("failed to write the output")

func (w *answerOut) Write(text []byte) (int, error) {
	n, err := w.Writer.Write(text)
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return n, err
	}
	err = fmt.Errorf("%w: %w", errAnswer, err)
	w.err = cmp.Or(w.err, err)
	return n, err
}

// Checked is the world for one program with that name, whose answers are seen to go out: ended takes its exit code, tells an answer that
// went nowhere, such as onto a full disk, in one line, and makes of ExitDone ExitIncomplete.
func (e Env) Checked(name string) (checked Env, ended func(code int) int) {
	out := &answerOut{Writer: e.Stdout}
	checked = e
	checked.Stdout = out
	return checked, func(code int) int {
		if out.err == nil {
			return code
		}
		(&output{env: e, name: name}).stderr(out.err.Error())
		if code == ExitDone {
			code = ExitIncomplete
		}
		return code
	}
}

// ended returns the exit code of an action, and prints an error in one line but an Exit.
func (o *output) ended(err error) int {
	var exit cli.ExitCoder
	var ours *UsageError
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &exit):
		return exit.ExitCode()
	case errors.Is(err, errAnswer):
		return ExitIncomplete
	}
	o.stderr(err.Error())
	if errors.As(err, &ours) {
		return ExitUsage
	}
	return ExitIncomplete
}

// stderr writes one printable line of bounded length.
func (o *output) stderr(line string) {
	if line = text.Printable(line); !o.env.Terminal && !o.always {
		line = text.Short(line, maxHookLine)
	}
	fmt.Fprintf(o.env.Stderr, "%s: %s\n", o.name, line)
}

// answer prints the answer: JSON with --json, a table at a terminal or for
// --dry-run, and for a hook only what is wrong.
func (o *output) answer(s Settings, a Answer) int {
	switch {
	case s.JSON:
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if o.env.Terminal {
			enc.SetIndent("", "  ")
		}
		if err := enc.Encode(a); err != nil {
			return o.ended(fmt.Errorf("print the result as JSON: %w", err))
		}
		fmt.Fprint(o.env.Stdout, escapeJSON(b.String()))
	case o.env.Terminal || s.DryRun || o.always:
		for _, note := range a.Notes() {
			fmt.Fprintln(o.env.Stdout, text.Printable(note))
		}
		if rows := a.Table(); len(rows) > 1 {
			_ = Table(o.env.Stdout, rows)
		}
		if line := a.Line(); line != "" {
			fmt.Fprintln(o.env.Stdout, text.Printable(line))
		}
	default:
		o.problems(a, s.Verbose)
		if quiet, can := a.(interface{ Quiet() bool }); o.tells && !s.Verbose && a.ExitCode() == ExitDone && !(can && quiet.Quiet()) {
			fmt.Fprintln(o.env.Stdout, text.Printable(a.Line()))
		}
	}
	return a.ExitCode()
}

// escapeJSON escapes what encoding/json does not but a terminal may obey:
// DEL, C1 controls, direction marks and the like, which only strings can hold.
func escapeJSON(encoded string) string {
	var b strings.Builder
	for _, r := range encoded {
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

// Table prints rows in columns; control characters in cells become visible.
func Table(out io.Writer, rows [][]string) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = text.Printable(cell)
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "\t"), "\t "))
	}
	return w.Flush()
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
