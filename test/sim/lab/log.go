package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"one-ft/pkg/text"
)

// maxLogLines is how many lines of one output of a hook get into the log.
const maxLogLines = 50

// hooksLog is the log of the hooks: a line when one starts, one when it ends, and
// between them what it printed.
type hooksLog struct {
	mu   sync.Mutex
	file *os.File
}

// openHooksLog opens the log of the lab in dir.
func openHooksLog(dir string) (*hooksLog, error) {
	f, err := os.OpenFile(HooksLog(dir), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of the hooks: %w", err)
	}
	return &hooksLog{file: f}, nil
}

// close closes the file.
func (l *hooksLog) close() error { return l.file.Close() }

// line writes one line. A full disk must not end the lab.
func (l *hooksLog) line(number int, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.file, "%s hook %d %s\n", time.Now().Format("15:04:05.000"), number, text.Printable(fmt.Sprintf(format, args...)))
}

// started logs that a hook starts.
func (l *hooksLog) started(run HookRun, e event, stdin bool) {
	how := e.hook.args
	if stdin {
		how = "< " + how
	}
	l.line(run.Number, "start: %s: %s %s", run.What, filepath.Base(e.hook.command), how)
}

// ended logs what a hook printed and how it ended. Up to 5.8 oned takes what it
// prints for messages of a driver.
func (l *hooksLog) ended(run HookRun, old bool) {
	stdout, stderr := "stdout", run.Stderr
	if old {
		stdout = "driver message"
		stderr = strings.TrimSuffix(stderr, fmt.Sprintf("ExitCode: %d\n", run.Exit)) // the shell's word
	}
	l.output(run.Number, stdout, run.Stdout)
	l.output(run.Number, "stderr", stderr)
	took := run.Ended.Sub(run.Started).Round(time.Millisecond)
	if run.Problem != "" {
		l.line(run.Number, "end: no exit code after %s: %s", took, run.Problem)
		return
	}
	l.line(run.Number, "end: exit code %d after %s", run.Exit, took)
}

// output logs the lines of an output.
func (l *hooksLog) output(number int, name, text string) {
	if text == "" {
		return
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		if i == maxLogLines {
			l.line(number, "%s: and %d more lines", name, len(lines)-i)
			return
		}
		l.line(number, "%s: %s", name, line)
	}
}
