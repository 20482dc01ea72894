package play

import (
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a hook may print (opennebula.md, "How oned runs a hook"): nothing on standard output, which
// oned 4.4 reads as messages of a driver, and less than a pipe holds on standard error.
const maxHookStderr = 64 << 10

// output is promise 6 for what a process has printed.
func (a *audit) output(p *process) {
	stdout, stderr := p.stdout.String(), p.stderr.String()
	if !p.admin && p.tool != "oneft" && stdout != "" { // of oneft resume it goes to the journal of systemd
		a.world.problem("promise 6: a hook prints on standard output: %q (%s)", stdout, p.call())
	}
	if !p.admin && len(stderr) >= maxHookStderr {
		a.world.problem("promise 6: a hook prints %d bytes on standard error (%s)", len(stderr), p.call())
	}
	a.printable("the output of "+p.call(), stdout+stderr)
}

// logs is the same for the log files of a front-end.
func (a *audit) logs(f *frontEnd) {
	files, err := filepath.Glob(filepath.Join(f.root, "var", "*.log"))
	a.world.must(err)
	for _, path := range files {
		text, err := os.ReadFile(path)
		a.world.must(err)
		a.printable(path, string(text))
	}
}

// printable looks for what a terminal would obey: names come from users of the cloud.
func (a *audit) printable(where, text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return r != '\t' && !unicode.IsPrint(r) }) {
			a.world.problem("promise 6: %s is not printable: %q", where, line)
		}
	}
}
