package isolation

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/wording"
)

func TestLog(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "log")
	syslog, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer syslog.Close()
	var screen bytes.Buffer
	l := OpenLog(LogOptions{StateDir: filepath.Join(dir, "state"), Screen: &screen, Syslog: socket})
	l.Say(wording.Of(wording.GuestsStopping, "7", "a\x1b[2Jb", "why"))
	if err := l.Sync(); err != nil {
		t.Error(err)
	}
	// On the disk now, before anything is closed.
	text, err := os.ReadFile(filepath.Join(dir, "state", logFile))
	if err != nil || !strings.Contains(string(text), `level=error msg="stopping VMs 7 (a\\x1b[2Jb): why"`) {
		t.Errorf("%q, %v", text, err)
	}
	l.Say(wording.Of(wording.GuestStep, "done"))
	l.Close()
	if got := screen.String(); got != "stopping VMs 7 (a\\x1b[2Jb): why\ndone\n" {
		t.Errorf("screen: %q", got)
	}
	for _, want := range []string{"<27>", "<30>"} { // daemon.err, daemon.info
		packet := make([]byte, 1000)
		_ = syslog.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, err := syslog.Read(packet)
		if err != nil || !strings.HasPrefix(string(packet[:n]), want) || !strings.Contains(string(packet[:n]), fmt.Sprintf("host_isolated[%d]: ", os.Getpid())) {
			t.Errorf("syslog: %q, %v", packet[:n], err)
		}
	}
}

// stuckScreen is a journal that hangs until it is let go.
type stuckScreen struct{ free chan struct{} }

func (s stuckScreen) Write(p []byte) (int, error) {
	<-s.free
	return len(p), nil
}

// A log that hangs holds nothing up.
func TestLogThatHangs(t *testing.T) {
	screen := stuckScreen{make(chan struct{})}
	l := OpenLog(LogOptions{Screen: screen})
	start := time.Now()
	for i := range 3 * queueLength {
		l.Say(wording.Of(wording.GuestStep, i))
	}
	if err := l.Sync(); !errors.Is(err, errSlow) {
		t.Errorf("sync: %v", err)
	}
	if took := time.Since(start); took > 4*recordLimit {
		t.Errorf("it took %s", took)
	}
	close(screen.free)
	if l.dropped.Load() == 0 {
		t.Error("nothing was dropped")
	}
	l.Close()
}

// A file that cannot be written leaves the other places, and one that is too large is put
// aside.
func TestLogFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var screen bytes.Buffer
	l := OpenLog(LogOptions{StateDir: filepath.Join(dir, "file"), Screen: &screen, Syslog: filepath.Join(dir, "nobody")})
	l.Say(wording.Of(wording.GuestTrouble, "all the same"))
	if err := l.Sync(); err != nil {
		t.Error(err)
	}
	l.Close()
	if said := screen.String(); !strings.HasPrefix(said, "no log on disk: ") || !strings.HasSuffix(said, "\nall the same\n") {
		t.Errorf("%q", screen.String())
	}
	path := filepath.Join(dir, logFile)
	if err := os.WriteFile(path, make([]byte, maxLog+1), 0o600); err != nil {
		t.Fatal(err)
	}
	l = OpenLog(LogOptions{StateDir: dir})
	l.Say(wording.Of(wording.GuestStep, "new"))
	l.Close()
	if text, err := os.ReadFile(path); err != nil || len(text) > 1000 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if info, err := os.Stat(path + ".old"); err != nil || info.Size() != maxLog+1 {
		t.Errorf("%v, %v", info, err)
	}
}
