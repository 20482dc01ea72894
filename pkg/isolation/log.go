package isolation

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"one-ft/pkg/one"
)

const (
	// logFile is in StateDir.
	logFile = "host_isolated.log"
	// maxLog is the size in bytes at which the file is put aside as its .old: months of
	// an ordinary host, which writes a few lines a day.
	maxLog = 4 << 20
	// queueLength is how many lines may wait for a log that hangs; more are dropped.
	queueLength = 1000
	// syslogLimit bounds the writing of one line to syslog.
	syslogLimit = 500 * time.Millisecond
	// daemonFacility is LOG_DAEMON of syslog(3).
	daemonFacility = 3 << 3
)

// Log writes lines to a file that is forced to the disk when it matters, and to the
// journal or syslog. A log that hangs holds nothing up: lines wait, and are dropped when
// too many do. It is safe for concurrent use.
type Log struct {
	format  *logrus.TextFormatter
	queue   chan entry
	ended   chan struct{}
	dropped atomic.Int64
	close   sync.Once
}

// entry is a line, or the question whether all before it is on the disk.
type entry struct {
	level  logrus.Level
	line   []byte
	text   string
	synced chan error
}

// LogOptions say where a Log writes.
type LogOptions struct {
	StateDir string    // of the file; "" for none
	Screen   io.Writer // the journal, or a person; nil for none
	Syslog   string    // the socket of syslog, /dev/log; "" for none
}

// OpenLog opens a Log. It works also when the file cannot be written: the other places get
// the lines, and as the first one that it is so.
func OpenLog(o LogOptions) *Log {
	l := &Log{format: &logrus.TextFormatter{DisableColors: true, FullTimestamp: true, TimestampFormat: "2006-01-02T15:04:05.000Z07:00"},
		queue: make(chan entry, queueLength), ended: make(chan struct{})}
	var err error
	w := logWriter{screen: o.Screen, syslog: o.Syslog}
	if o.StateDir != "" {
		w.file, err = openLogFile(filepath.Join(o.StateDir, logFile))
	}
	go func() {
		defer close(l.ended)
		for e := range l.queue {
			w.write(e)
		}
		w.end()
	}()
	if err != nil {
		l.Problem("no log on disk: %v", err)
	}
	return l
}

// openLogFile opens the file, after putting one that has grown too large aside.
func openLogFile(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		if err := os.Rename(path, path+".old"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
}

// Info logs what went as it should.
func (l *Log) Info(format string, args ...any) { l.add(logrus.InfoLevel, format, args...) }

// Warn logs what an admin may want to look at.
func (l *Log) Warn(format string, args ...any) { l.add(logrus.WarnLevel, format, args...) }

// Problem logs what an admin has to look at.
func (l *Log) Problem(format string, args ...any) { l.add(logrus.ErrorLevel, format, args...) }

func (l *Log) add(level logrus.Level, format string, args ...any) {
	text := one.Printable(fmt.Sprintf(format, args...))
	logger := &logrus.Logger{Out: io.Discard, Formatter: l.format, Level: logrus.InfoLevel}
	line, err := l.format.Format(&logrus.Entry{Logger: logger, Time: time.Now(), Level: level, Message: text, Data: logrus.Fields{"pid": os.Getpid()}})
	if err != nil {
		line = []byte(text + "\n")
	}
	select {
	case l.queue <- entry{level: level, line: line, text: text}:
	default:
		l.dropped.Add(1)
	}
}

// errSlow is a disk that does not answer.
var errSlow = errors.New("the disk did not take it in time")

// Sync waits until everything logged before is on the disk, for at most recordLimit.
func (l *Log) Sync() error {
	done := make(chan error, 1)
	late := time.NewTimer(recordLimit)
	defer late.Stop()
	select {
	case l.queue <- entry{synced: done}:
	case <-late.C:
		return fmt.Errorf("write the log: %w", errSlow)
	}
	select {
	case err := <-done:
		return err
	case <-late.C:
		return fmt.Errorf("write the log: %w", errSlow)
	}
}

// Close writes what still waits, for at most recordLimit. Nothing may be logged after it.
func (l *Log) Close() {
	l.close.Do(func() {
		if n := l.dropped.Load(); n > 0 {
			l.Warn("%d lines were dropped because the log hung", n)
		}
		close(l.queue)
		select {
		case <-l.ended:
		case <-time.After(recordLimit):
		}
	})
}

// logWriter is the end of the queue.
type logWriter struct {
	file   *os.File
	screen io.Writer
	syslog string
	conn   net.Conn
}

func (w *logWriter) write(e entry) {
	if e.synced != nil {
		var err error
		if w.file != nil {
			err = w.file.Sync()
		}
		e.synced <- err
		return
	}
	// Nothing can be done about a log that cannot be written, and VMs matter more.
	if w.file != nil {
		_, _ = w.file.Write(e.line)
	}
	if w.screen != nil {
		_, _ = w.screen.Write([]byte(e.text + "\n"))
	}
	if w.syslog != "" {
		w.toSyslog(e)
	}
}

// toSyslog writes a line as syslogd and journald take it from programs on their machine
// (RFC 3164 without the host).
func (w *logWriter) toSyslog(e entry) {
	severity := map[logrus.Level]int{logrus.InfoLevel: 6, logrus.WarnLevel: 4}[e.level]
	if e.level == logrus.ErrorLevel {
		severity = 3
	}
	message := fmt.Sprintf("<%d>%s host_isolated[%d]: %s", daemonFacility|severity, time.Now().Format(time.Stamp), os.Getpid(), e.text)
	for range 2 { // a syslogd that was started anew needs a new connection
		if w.conn == nil {
			conn, err := net.DialTimeout("unixgram", w.syslog, syslogLimit)
			if err != nil {
				return
			}
			w.conn = conn
		}
		_ = w.conn.SetWriteDeadline(time.Now().Add(syslogLimit))
		if _, err := io.WriteString(w.conn, message); err == nil {
			return
		}
		_ = w.conn.Close()
		w.conn = nil
	}
}

func (w *logWriter) end() {
	if w.file != nil {
		_ = w.file.Close()
	}
	if w.conn != nil {
		_ = w.conn.Close()
	}
}
