package watchdog

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// device makes a plain file.
func device(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "watchdog")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func written(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// driver is a fake driver.
type driver struct {
	options         uint32
	infoErr, setErr error
	getErr          error
	takes           int // seconds, whatever is asked; 0: what is asked
	asked           int
}

func (d *driver) controls() controls {
	return controls{
		info: func(int) (*unix.WatchdogInfo, error) { return &unix.WatchdogInfo{Options: d.options}, d.infoErr },
		set:  func(_ int, _ uint, seconds int) error { d.asked = seconds; return d.setErr },
		get: func(int, uint) (uint32, error) {
			if d.takes != 0 {
				return uint32(d.takes), d.getErr
			}
			return uint32(d.asked), d.getErr
		},
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	const sound = unix.WDIOF_MAGICCLOSE | unix.WDIOF_SETTIMEOUT
	for _, c := range []struct {
		name    string
		driver  driver
		timeout time.Duration
		err     string // "" for none
		written string // at the end of Open
	}{
		{name: "sound", driver: driver{options: sound}, timeout: 15 * time.Second},
		{name: "less", driver: driver{options: sound, takes: 10}, timeout: 15 * time.Second},
		{name: "fixed time", driver: driver{options: sound, setErr: unix.EOPNOTSUPP, takes: 15}, timeout: 15 * time.Second},
		{name: "fixed and longer", driver: driver{options: sound, setErr: unix.EOPNOTSUPP, takes: 60}, timeout: 15 * time.Second, err: "waits 60 s instead of 15 s", written: magic},
		{name: "one second more", driver: driver{options: sound, takes: 16}, timeout: 15 * time.Second, err: "waits 16 s instead of 15 s", written: magic},
		{name: "never", driver: driver{options: sound, takes: -1}, timeout: 15 * time.Second, err: "waits -1 s", written: magic},
		{name: "refuses", driver: driver{options: sound, setErr: unix.EINVAL}, timeout: 15 * time.Second, err: "set its time to 15 s", written: magic},
		{name: "does not say", driver: driver{options: sound, getErr: unix.EIO}, timeout: 15 * time.Second, err: "read its time", written: magic},
		{name: "stops with the process", driver: driver{options: unix.WDIOF_SETTIMEOUT}, timeout: 15 * time.Second, err: "no magic close", written: magic},
		{name: "broken", driver: driver{infoErr: unix.EIO}, timeout: 15 * time.Second, err: "what it can do", written: magic},
		{name: "no watchdog", driver: driver{infoErr: unix.ENOTTY}, timeout: 15 * time.Second, err: ErrNoWatchdog.Error()},
		{name: "fraction", driver: driver{options: sound}, timeout: 1500 * time.Millisecond, err: "whole seconds"},
		{name: "no time", driver: driver{options: sound}, err: "whole seconds"},
	} {
		path := device(t)
		d, err := open(path, c.timeout, c.driver.controls())
		if got := written(t, path); got != c.written {
			t.Errorf("%s: %q was written, want %q", c.name, got, c.written)
		}
		switch {
		case (err == nil) != (c.err == ""), err != nil && !strings.Contains(err.Error(), c.err):
			t.Errorf("%s: %v", c.name, err)
		case err == nil:
			d.Abandon()
		}
	}
}

// What is no watchdog is refused by the kernel, and not written to.
func TestNoWatchdog(t *testing.T) {
	t.Parallel()
	path := device(t)
	if _, err := Open(path, time.Minute); !errors.Is(err, ErrNoWatchdog) || written(t, path) != "" {
		t.Errorf("a file: %v, %q", err, written(t, path))
	}
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(fifo, time.Minute); !errors.Is(err, syscall.ENXIO) {
		t.Errorf("a FIFO without a reader: %v", err)
	}
	reader, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, err := Open(fifo, time.Minute); !errors.Is(err, ErrNoWatchdog) {
		t.Errorf("a FIFO: %v", err)
	}
	if _, err := Open(fifo+"missing", time.Minute); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "load the driver") {
		t.Errorf("nothing: %v", err)
	}
}

// opened is a Dog with its file.
func opened(t *testing.T) (*Dog, string) {
	t.Helper()
	path := device(t)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return &Dog{f: f}, path
}

func TestLife(t *testing.T) {
	t.Parallel()
	pet := func(d *Dog) {
		t.Helper()
		if err := d.Pet(); err != nil {
			t.Error(err)
		}
	}
	d, path := opened(t)
	pet(d)
	pet(d)
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	d.Abandon()
	if got := written(t, path); got != sign+sign+magic {
		t.Errorf("closed: %q", got)
	}
	if err := d.Pet(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a sign of life after the end: %v", err)
	}

	d, path = opened(t)
	pet(d)
	d.Abandon()
	if err := d.Close(); !errors.Is(err, os.ErrClosed) || written(t, path) != sign {
		t.Errorf("abandoned: %v, %q", err, written(t, path))
	}
	if _, err := d.f.WriteString(sign); !errors.Is(err, os.ErrClosed) {
		t.Errorf("abandoned, and its file is open: %v", err)
	}
	if err := d.Pet(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a sign of life after it was abandoned: %v", err)
	}

	d, _ = opened(t)
	d.f.Close()
	if d.Pet() == nil || d.Close() == nil {
		t.Error("a watchdog that cannot be written to")
	}
}
