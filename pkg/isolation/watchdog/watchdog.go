// Package watchdog keeps a hardware watchdog (/dev/watchdog) quiet: a timer beside the
// CPU that resets the machine when nobody writes to its device in time. It is what stops
// the VMs of a host on which nothing else works any more.
//
// The interface is the kernel's Documentation/watchdog/watchdog-api.rst.
package watchdog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrNoWatchdog means that a file is no watchdog. Nothing was written to it.
var ErrNoWatchdog = errors.New("it is not a watchdog device")

const (
	// magic is written before a watchdog is closed that must not reset the machine.
	magic = "V"
	// sign is any other byte; it begins the time anew.
	sign = "1"
)

// Dog is a watchdog that runs from Open to Close. Its methods may be called at the same
// time.
type Dog struct {
	timeout time.Duration

	mu     sync.Mutex // a sign of life after the magic would take it back
	f      *os.File
	closed bool
}

// controls are the ioctls of a watchdog. Tests script them.
type controls interface {
	info(f *os.File) (unix.WatchdogInfo, error)
	set(f *os.File, seconds int) error
	get(f *os.File) (seconds int, err error)
}

// Open opens a watchdog, which starts it: from now on Pet has to be called more often
// than timeout, a multiple of 1 s. An error is a file that is no watchdog
// (ErrNoWatchdog), a watchdog that would wait longer than timeout, and one that the end of
// this process would stop; it is stopped again before.
func Open(path string, timeout time.Duration) (*Dog, error) {
	return open(path, timeout, kernel{})
}

func open(path string, timeout time.Duration, c controls) (*Dog, error) {
	if timeout < time.Second || timeout%time.Second != 0 {
		return nil, fmt.Errorf("watchdog %s: allowed is a time of whole seconds, not %s", path, timeout)
	}
	// A FIFO without a reader must not hold this process up.
	f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open the watchdog: %w%s", err, advice(err))
	}
	d := OpenFile(f)
	d.timeout, err = configure(f, int(timeout/time.Second), c)
	switch {
	case errors.Is(err, ErrNoWatchdog):
		d.Abandon() // nothing is written to a file that is something else
	case err != nil:
		err = errors.Join(err, d.Close())
	default:
		return d, nil
	}
	return nil, fmt.Errorf("watchdog %s: %w", path, err)
}

// advice says what to do about an error of opening.
func advice(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "; load the driver of the hardware, such as iTCO_wdt or ipmi_watchdog, or softdog"
	case errors.Is(err, syscall.EBUSY):
		return "; another program has it: wdctl shows whether systemd (RuntimeWatchdogSec) or watchdogd uses it"
	default:
		return ""
	}
}

// configure sets the time and returns the one that the driver really took.
func configure(f *os.File, seconds int, c controls) (time.Duration, error) {
	info, err := c.info(f)
	switch {
	case errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL):
		return 0, fmt.Errorf("%w: %w", ErrNoWatchdog, err)
	case err != nil:
		return 0, fmt.Errorf("read what it can do: %w", err)
	case info.Options&unix.WDIOF_MAGICCLOSE == 0:
		return 0, errors.New("its driver stops it when this process ends (no magic close), so it protects nothing")
	}
	// A driver with a fixed time does not know how to set one.
	if err := c.set(f, seconds); err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
		return 0, fmt.Errorf("set its time to %d s: %w", seconds, err)
	}
	took, err := c.get(f)
	switch {
	case err != nil:
		return 0, fmt.Errorf("read its time: %w", err)
	case took <= 0 || took > seconds:
		return 0, fmt.Errorf("its driver waits %d s where %d s are asked for; configure a time that it can keep", took, seconds)
	}
	return time.Duration(took) * time.Second, nil
}

// OpenFile takes an open file for a watchdog that needs no settings. It is for tests;
// Timeout is 0.
func OpenFile(f *os.File) *Dog { return &Dog{f: f} }

// Timeout is the time that the driver really waits; it may be less than asked for.
func (d *Dog) Timeout() time.Duration { return d.timeout }

// Pet gives a sign of life; the machine is not reset for Timeout from now on. After Close
// or Abandon it is os.ErrClosed.
func (d *Dog) Pet() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return fmt.Errorf("watchdog: %w", os.ErrClosed)
	}
	if _, err := d.f.WriteString(sign); err != nil {
		return fmt.Errorf("write to the watchdog: %w", err)
	}
	return nil
}

// Close stops the watchdog, so that the machine lives on. After an error it may be reset.
// (With the parameter nowayout of its driver it will be, whatever is written.) A second
// Close, and one after Abandon, does nothing.
func (d *Dog) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	_, err := d.f.WriteString(magic)
	if err = errors.Join(err, d.f.Close()); err != nil {
		return fmt.Errorf("stop the watchdog: %w", err)
	}
	return nil
}

// Abandon closes the watchdog without stopping it: the machine will be reset within
// Timeout of the last Pet. It does nothing after Close.
func (d *Dog) Abandon() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.closed = true
		// An error changes nothing: nobody writes any more.
		_ = d.f.Close()
	}
}

// kernel are the real controls.
type kernel struct{}

func (kernel) info(f *os.File) (unix.WatchdogInfo, error) {
	info, err := unix.IoctlGetWatchdogInfo(int(f.Fd()))
	if err != nil {
		return unix.WatchdogInfo{}, err
	}
	return *info, nil
}

func (kernel) set(f *os.File, seconds int) error {
	return unix.IoctlSetPointerInt(int(f.Fd()), unix.WDIOC_SETTIMEOUT, seconds)
}

func (kernel) get(f *os.File) (int, error) {
	seconds, err := unix.IoctlGetUint32(int(f.Fd()), unix.WDIOC_GETTIMEOUT)
	return int(seconds), err
}
