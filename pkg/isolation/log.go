package isolation

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

const (
	// logFile is in StateDir.
	logFile = "host_isolated.log"
	// maxLog is the size in bytes at which the file is put aside as its .old: months of an ordinary host, which
	// writes a few lines a day.
	maxLog = 4 << 20
	// queueLength is how many lines may wait for a log that hangs; more are dropped.
	queueLength = 1000
	// syslogLimit bounds the writing of one line to syslog.
	syslogLimit = 500 * time.Millisecond
	// daemonFacility is LOG_DAEMON of syslog(3).
	daemonFacility = 3 << 3
	// timeFormat is that of the logs of one-ft's other executables.
	timeFormat = "2006-01-02T15:04:05.000Z07:00"
)

// Log writes lines to a file that is forced to the disk when it matters, and to the journal or syslog. A log that
// hangs holds nothing up: lines wait, and are dropped when too many do. It is safe for concurrent use.
type Log struct {
	queue   chan entry
	ended   chan struct{}
	dropped atomic.Int64
	close   sync.Once
}

// entry is a line, or the question whether all before it is on the disk.
type entry struct {
	at     time.Time
	level  wording.Level
	text   string
	synced chan error
}

// LogOptions say where a Log writes.
type LogOptions struct {
	StateDir string    // of the file; "" for none
	Screen   io.Writer // the journal, or an admin's terminal; nil for none
	Syslog   string    // the socket of syslog, /dev/log; "" for none
}

// OpenLog opens a Log. It works also when the file cannot be written: the other places get the lines, and as the
// first one that it is so.
func OpenLog(o LogOptions) *Log {
	l := &Log{queue: make(chan entry, queueLength), ended: make(chan struct{})}
	w := &logWriter{LogOptions: o}
	if o.StateDir != "" {
		var err error
		if w.file, err = openLogFile(filepath.Join(o.StateDir, logFile)); err != nil {
			l.Say(wording.Of(wording.LogNoFile, err))
		}
	}
	go func() {
		defer close(l.ended)
		defer w.end()
		for e := range l.queue {
			w.write(e)
		}
	}()
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

// Say logs a message.
func (l *Log) Say(m wording.Message) {
	select {
	case l.queue <- entry{at: time.Now(), level: m.Level(), text: text.Printable(m.String())}:
	default:
		l.dropped.Add(1)
	}
}

// errSlow is a disk that does not answer.
var errSlow = errors.New("disk write timed out")

// Sync waits until everything logged before is on the disk, for at most recordLimit.
func (l *Log) Sync() error {
	done := make(chan error, 1)
	late := time.After(recordLimit)
	queue := l.queue
	for {
		select {
		case queue <- entry{synced: done}:
			queue = nil
		case err := <-done:
			return err
		case <-late:
			return fmt.Errorf("write the log: %w", errSlow)
		}
	}
}

// Close writes what still waits, for at most recordLimit. Nothing may be logged after it.
func (l *Log) Close() {
	l.close.Do(func() {
		if n := l.dropped.Load(); n > 0 {
			l.Say(wording.Of(wording.LogDropped, n))
		}
		close(l.queue)
		select {
		case <-l.ended:
		case <-time.After(recordLimit):
		}
	})
}

type logWriter struct {
	LogOptions
	file *os.File
	conn net.Conn
}

// write writes a line everywhere. Nothing can be done about a log that cannot be written, and VMs matter more.
func (w *logWriter) write(e entry) {
	switch {
	case e.synced != nil && w.file != nil:
		e.synced <- w.file.Sync()
		return
	case e.synced != nil:
		e.synced <- nil
		return
	}
	if w.file != nil {
		level := cmp.Or(map[wording.Level]string{wording.Problem: "error"}[e.level], string(e.level))
		_, _ = fmt.Fprintf(w.file, "time=%q level=%s msg=%q pid=%d\n", e.at.Format(timeFormat), level, e.text, os.Getpid())
	}
	if w.Screen != nil {
		_, _ = io.WriteString(w.Screen, e.text+"\n")
	}
	if w.Syslog != "" {
		w.toSyslog(e)
	}
}

// toSyslog writes a line as syslogd and journald take it from programs on their machine (RFC 3164 without the host).
func (w *logWriter) toSyslog(e entry) {
	severity := map[wording.Level]int{wording.Info: 6, wording.Warning: 4, wording.Problem: 3}[e.level]
	message := fmt.Sprintf("<%d>%s host_isolated[%d]: %s", daemonFacility|severity, e.at.Format(time.Stamp), os.Getpid(), e.text)
	for range 2 { // a syslogd that was restarted needs a new connection
		if w.conn == nil {
			conn, err := net.DialTimeout("unixgram", w.Syslog, syslogLimit)
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
