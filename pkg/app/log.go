package app

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"one-ft/pkg/hook"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/statedir"
)

// Log writes the full log to a file, and progress to a terminal. Control
// characters never get through: logrus quotes them in the file, Printable
// escapes them on the terminal.
type Log struct {
	*sink
	entry  *logrus.Entry
	object string // before each line on the terminal; "" for the object of the tool
	watch  atomic.Pointer[func(level logrus.Level, vm int, kind incident.Kind, text string)]
}

// sink is where the logs of several objects go.
type sink struct {
	file   io.Closer
	screen io.Writer // nil if nobody is looking

	mu     sync.Mutex // of all below, and of screen
	failed int        // attempts to reach oned since the last line about them
	told   time.Time  // when that was
}

// Of is the log of another object than that of the tool, such as ("host", 3), with an Observe
// of its own.
func (l *Log) Of(kind string, id int) *Log {
	return &Log{sink: l.sink, entry: l.entry.WithField(strings.ToLower(kind), id), object: fmt.Sprintf("%s %d: ", kind, id)}
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
		logger.SetOutput(env.Stderr)
		l.screen = nil
	} else if f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640); err == nil {
		logger.SetOutput(f)
		l.file = f
		if missing != nil {
			_ = statedir.OwnLikeParent(path) // else the hook logs nothing, which is no reason to stop
		}
	} else if s.LogFile != "" {
		fmt.Fprintf(env.Stderr, "%s: no log: %s\n", tool, one.Printable(err.Error()))
	}
	l.entry = logrus.NewEntry(logger).WithField("pid", os.Getpid())
	return l
}

// Close closes the file.
func (l *Log) Close() {
	if l.file != nil {
		_ = l.file.Close()
	}
}

// started logs what the tool was called for.
func (l *Log) started(kind hook.Kind, e hook.Event) {
	l.entry = l.entry.WithField(strings.ToLower(kind.String()), e.ID)
	from := "its ID"
	if e.FromTemplate {
		from = "its template"
	}
	l.Info("started for %s %d, given by %s", kind, e.ID, from)
	if e.Damaged {
		l.Warn("the template that oned gave is damaged behind its ID; the ID is used")
	}
}

// ended logs the answer.
func (l *Log) ended(a Answer) {
	l.entry.WithField("exit", a.ExitCode()).Info(one.Printable(a.Line()))
}

// waiting is told of each attempt to reach oned that failed.
func (l *Log) waiting(err error, pause time.Duration) {
	l.mu.Lock()
	now := time.Now()
	l.failed++
	failed, wait := l.failed, now.Sub(l.told) < waitingLine
	if !wait {
		l.failed, l.told = 0, now
	}
	l.mu.Unlock()
	switch {
	case wait:
	case failed > 1:
		l.Warn("%v; %d attempts failed since the last such line; trying again", err, failed)
	default:
		l.Warn("%v; trying again in %s", err, pause)
	}
}

// Observe has f called with each line from now on; vm is -1 for the object of the tool. The
// text is printable; kind is "" for lines that only people read.
func (l *Log) Observe(f func(level logrus.Level, vm int, kind incident.Kind, text string)) {
	l.watch.Store(&f)
}

// Info logs progress.
func (l *Log) Info(format string, args ...any) { l.write(logrus.InfoLevel, -1, "", format, args...) }

// Warn logs what an admin may want to look at.
func (l *Log) Warn(format string, args ...any) { l.write(logrus.WarnLevel, -1, "", format, args...) }

// Problem logs what an admin has to look at.
func (l *Log) Problem(format string, args ...any) {
	l.write(logrus.ErrorLevel, -1, "", format, args...)
}

// VM logs progress with one VM; -1 is the object of the tool. kind is for observers.
func (l *Log) VM(level logrus.Level, vm int, kind incident.Kind, text string) {
	l.write(level, vm, kind, "%s", text)
}

func (l *Log) write(level logrus.Level, vm int, kind incident.Kind, format string, args ...any) {
	text := one.Printable(fmt.Sprintf(format, args...))
	entry := l.entry
	if vm >= 0 {
		entry = entry.WithField("vm", vm)
	}
	entry.Log(level, text)
	if watch := l.watch.Load(); watch != nil {
		(*watch)(level, vm, kind, text)
	}
	if l.screen == nil {
		return
	}
	if vm >= 0 {
		text = fmt.Sprintf("VM %d: %s", vm, text)
	}
	text = l.object + text
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.screen, "%s  %s\n", time.Now().Format(time.TimeOnly), text)
}
