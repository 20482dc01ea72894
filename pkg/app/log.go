package app

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"one-ft/pkg/hook"
	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// Log writes the full log to a file, and progress to a terminal. Control
// characters never get through: logrus quotes them in the file, Printable
// escapes them on the terminal.
type Log struct {
	*sink
	entry  *logrus.Entry
	object string // before each line on the terminal; "" for the object of the tool
}

// sink is where the logs of several objects go.
type sink struct {
	file   io.Closer
	screen io.Writer // nil if nobody is looking

	mu     sync.Mutex // of all below, and of screen
	failed int        // attempts to reach oned since the last line about them
	said   time.Time  // when that was
}

// Of is the log of another object than that of the tool, such as ("host", 3).
func (l *Log) Of(kind string, id int) *Log {
	return &Log{sink: l.sink, entry: l.entry.WithField(strings.ToLower(kind), id), object: fmt.Sprintf("%s %d: ", kind, id)}
}

// InFile is the log without the terminal, for what the program prints there anyway as its last word.
func (l *Log) InFile() *Log {
	return &Log{sink: &sink{file: l.file}, entry: l.entry, object: l.object}
}

// waitingLine is the least time between two lines about oned not answering: several
// calls at once wait for minutes while it restarts.
const waitingLine = 15 * time.Second

// openLog opens the log of a tool. When the file cannot be written the tool works
// on without it: with --log-file it says so, else the log directory is simply not
// for this user.
func openLog(env Env, tool string, s Settings, paths Paths) *Log {
	l := &Log{sink: &sink{}}
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	logger.SetFormatter(&logrus.TextFormatter{DisableColors: true, FullTimestamp: true, TimestampFormat: "2006-01-02T15:04:05.000Z07:00"})
	if env.Terminal || s.Verbose {
		l.screen = env.Stderr
	}
	path := s.LogFile
	if path == "" {
		path = filepath.Join(paths.Log, tool+".log")
	}
	_, missing := os.Stat(path)
	if path == "-" {
		logger.SetOutput(&steadyWriter{Writer: env.Stderr, failed: func(error) {}})
		l.screen = nil
	} else if f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640); err == nil {
		logger.SetOutput(&steadyWriter{Writer: f, failed: func(err error) {
			fmt.Fprintf(env.Stderr, "%s: failed to write the log: %s; all else goes on\n", tool, text.Printable(err.Error()))
		}})
		l.file = f
		if missing != nil {
			_ = statedir.OwnLikeParent(path) // else the hook logs nothing, which is no reason to stop
		}
	} else if s.LogFile != "" {
		fmt.Fprintf(env.Stderr, "%s: no log: %s\n", tool, text.Printable(err.Error()))
	}
	l.entry = logrus.NewEntry(logger).WithField("pid", os.Getpid())
	return l
}

// steadyWriter is a log that need not take what is written: the first failure is told, and the others are not. logrus would
// print a line for each of them, and calls it one at a time.
type steadyWriter struct {
	io.Writer
	failed func(error) // nil after the first
}

func (w *steadyWriter) Write(line []byte) (int, error) {
	if _, err := w.Writer.Write(line); err != nil && w.failed != nil {
		w.failed(err)
		w.failed = nil
	}
	return len(line), nil
}

// Close closes the file.
func (l *Log) Close() {
	if l.file != nil {
		_ = l.file.Close()
	}
}

// started logs what the tool was called for; byName: with its name.
func (l *Log) started(kind hook.Kind, e hook.Event, byName bool) {
	l.entry = l.entry.WithField(strings.ToLower(string(kind)), e.ID)
	from := "its ID"
	switch {
	case byName:
		from = "its name"
	case e.FromTemplate:
		from = "its template"
	}
	l.Say(wording.Started, kind, e.ID, from)
	if e.Damaged {
		l.Say(wording.TemplateDamaged)
	}
}

// Answer logs an answer, which may say with a method Message what it is about.
func (l *Log) Answer(level wording.Level, a Answer) {
	m := wording.Of(wording.Answered)
	if is, said := a.(interface{ Message() wording.Message }); said {
		m = wording.Of(wording.AnsweredWith, is.Message())
	}
	l.write(l.entry.WithField("exit", a.ExitCode()), level, -1, m, a.Line())
}

// waiting logs attempts to reach oned that failed.
func (l *Log) waiting(err error, pause time.Duration) {
	l.mu.Lock()
	now := time.Now()
	l.failed++
	failed, wait := l.failed, now.Sub(l.said) < waitingLine
	if !wait {
		l.failed, l.said = 0, now
	}
	l.mu.Unlock()
	switch {
	case wait:
	case failed > 1:
		l.Say(wording.OnedStillAway, err, failed)
	default:
		l.Say(wording.OnedAway, err, pause)
	}
}

// awaited is how long somebody who waits for an answer is told nothing while oned does not answer. A choice.
const awaited = 3 * time.Second

// await says on stderr that oned is waited for, where and for how long at most, unless answered is called soon. After that nothing is said.
func (l *Log) await(stderr io.Writer, tool, endpoint string, limit time.Duration) (answered func()) {
	over := false
	timer := time.AfterFunc(awaited, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !over {
			fmt.Fprintf(stderr, "%s: %s\n", tool, text.Printable(wording.Of(wording.OnedAwaited, endpoint, limit).String()))
		}
	})
	return func() {
		timer.Stop()
		l.mu.Lock()
		defer l.mu.Unlock()
		over = true
	}
}

// Say logs what happens to the object of the tool.
func (l *Log) Say(kind wording.Kind, args ...any) {
	m := wording.Of(kind, args...)
	l.VM(m.Level(), -1, m)
}

// VM logs what happens to one VM; -1 is the object of the tool.
func (l *Log) VM(level wording.Level, vm int, m wording.Message) {
	l.write(l.entry, level, vm, m, m.String())
}

func (l *Log) write(entry *logrus.Entry, level wording.Level, vm int, m wording.Message, said string) {
	said = text.Printable(said)
	inFile := map[wording.Level]logrus.Level{wording.Warning: logrus.WarnLevel, wording.Problem: logrus.ErrorLevel}
	fields := logrus.Fields{"kind": m.Kind.Name()}
	for _, f := range m.Fields() {
		fields[f.Name] = f.Value
	}
	if m.Lead != "" {
		fields["about"] = m.Lead
	}
	if vm >= 0 {
		fields["vm"] = vm
	}
	entry.WithFields(fields).Log(cmp.Or(inFile[level], logrus.InfoLevel), said)
	if l.screen == nil {
		return
	}
	if vm >= 0 {
		said = fmt.Sprintf("VM %d: %s", vm, said)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.screen, "%s  %s%s\n", time.Now().Format(time.TimeOnly), l.object, said)
}
