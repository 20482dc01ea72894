package isolation

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

const (
	logFile = "host_isolated.log" // in StateDir
	// maxLog is the size in bytes at which the file is put aside as its .old: months of an ordinary host, which
	// writes a few lines a day.
	maxLog         = 4 << 20
	queueLength    = 1000                            // lines that may wait for a log that hangs; more are dropped
	syslogLimit    = 500 * time.Millisecond          // bounds the writing of one line to syslog
	daemonFacility = 3 << 3                          // LOG_DAEMON of syslog(3)
	timeFormat     = "2006-01-02T15:04:05.000Z07:00" // that of the logs of one-ft's other executables
)

// Log writes lines to a file that is forced to the disk when it matters, and to the journal or syslog. A log that
// hangs holds nothing up: lines wait, and are dropped when too many do. It is safe for concurrent use.
type Log struct {
	queue   chan func()
	ended   chan struct{}
	dropped atomic.Int64

	// What follows belongs to what is in the queue.
	to   LogOptions
	file *os.File
	conn net.Conn
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
	l := &Log{queue: make(chan func(), queueLength), ended: make(chan struct{}), to: o}
	if o.StateDir != "" {
		var err error
		if l.file, err = openLogFile(filepath.Join(o.StateDir, logFile)); err != nil {
			l.Say(wording.Of(wording.LogNoFile, err))
		}
	}
	go func() {
		defer close(l.ended)
		for write := range l.queue {
			write()
		}
		if l.file != nil {
			_ = l.file.Close()
		}
		if l.conn != nil {
			_ = l.conn.Close()
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
	at, level, line := time.Now(), m.Level(), text.Printable(m.String())
	select {
	case l.queue <- func() { l.write(at, level, line) }:
	default:
		l.dropped.Add(1)
	}
}

// errSlow is a disk that does not answer.
var errSlow = errors.New("disk write timed out")

// Sync waits until everything logged before is on the disk, for at most recordLimit.
func (l *Log) Sync() error {
	done := make(chan error, 1)
	sync := func() {
		var err error
		if l.file != nil {
			err = l.file.Sync()
		}
		done <- err
	}
	late := time.After(recordLimit)
	queue := l.queue
	for {
		select {
		case queue <- sync:
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
	if n := l.dropped.Load(); n > 0 {
		l.Say(wording.Of(wording.LogDropped, n))
	}
	close(l.queue)
	select {
	case <-l.ended:
	case <-time.After(recordLimit):
	}
}

// write writes a line everywhere. Nothing can be done about a log that cannot be written, and VMs matter more.
func (l *Log) write(at time.Time, level wording.Level, line string) {
	if l.file != nil {
		name := cmp.Or(map[wording.Level]string{wording.Problem: "error"}[level], string(level))
		_, _ = fmt.Fprintf(l.file, "time=%q level=%s msg=%q pid=%d\n", at.Format(timeFormat), name, line, os.Getpid())
	}
	if l.to.Screen != nil {
		_, _ = io.WriteString(l.to.Screen, line+"\n")
	}
	if l.to.Syslog != "" {
		severity := map[wording.Level]int{wording.Info: 6, wording.Warning: 4, wording.Problem: 3}[level]
		l.toSyslog(fmt.Sprintf("<%d>%s host_isolated[%d]: %s", daemonFacility|severity, at.Format(time.Stamp), os.Getpid(), line))
	}
}

// toSyslog writes a line as syslogd and journald take it from programs on their machine (RFC 3164 without the host).
func (l *Log) toSyslog(message string) {
	for range 2 { // a syslogd that was restarted needs a new connection
		if l.conn == nil {
			conn, err := net.DialTimeout("unixgram", l.to.Syslog, syslogLimit)
			if err != nil {
				return
			}
			l.conn = conn
		}
		_ = l.conn.SetWriteDeadline(time.Now().Add(syslogLimit))
		if _, err := io.WriteString(l.conn, message); err == nil {
			return
		}
		_ = l.conn.Close()
		l.conn = nil
	}
}
