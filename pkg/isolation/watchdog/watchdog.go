// Package watchdog keeps a hardware watchdog (/dev/watchdog) quiet: a timer beside the CPU that resets the machine
// when nobody writes to its device in time. It is what stops the VMs of a host on which nothing else works any more.
//
// The interface is the kernel's Documentation/watchdog/watchdog-api.rst.
package watchdog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrNoWatchdog means that a file is no watchdog. Nothing was written to it.
var ErrNoWatchdog = errors.New("not a watchdog device")

const (
	// magic is written before a watchdog is closed that must not reset the machine.
	magic = "V"
	// sign is any other byte; it starts the time over.
	sign = "1"
)

// Dog is a watchdog that runs from Open to Close or Abandon. One goroutine has it: a sign of life after the magic would
// take that back.
type Dog struct{ f *os.File }

// controls are the ioctls of a watchdog. Tests script them.
type controls struct {
	info func(fd int) (*unix.WatchdogInfo, error)
	set  func(fd int, request uint, seconds int) error
	get  func(fd int, request uint) (seconds uint32, err error)
}

// Open opens a watchdog, which starts it: from now on Pet has to be called more often than timeout, a multiple of 1
// s. An error is a file that is no watchdog (ErrNoWatchdog), a watchdog that would wait longer than timeout, and one
// that the end of this process would stop; it is stopped again before.
func Open(path string, timeout time.Duration) (*Dog, error) {
	return open(path, timeout, controls{unix.IoctlGetWatchdogInfo, unix.IoctlSetPointerInt, unix.IoctlGetUint32})
}

func open(path string, timeout time.Duration, c controls) (*Dog, error) {
	if timeout < time.Second || timeout%time.Second != 0 {
		return nil, fmt.Errorf("watchdog %s: want whole seconds, not %s", path, timeout)
	}
	// A FIFO without a reader must not hold this process up.
	f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open the watchdog: %w%s", err, advice(err))
	}
	d := &Dog{f: f}
	err = configure(int(f.Fd()), int(timeout/time.Second), c)
	switch {
	case err == nil:
		return d, nil
	case errors.Is(err, ErrNoWatchdog):
		d.Abandon() // nothing is written to a file that is something else
	default:
		err = errors.Join(err, d.Close())
	}
	return nil, fmt.Errorf("watchdog %s: %w", path, err)
}

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

// configure sets the time, and refuses one that the driver does not keep.
func configure(fd, seconds int, c controls) error {
	info, err := c.info(fd)
	switch {
	case errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL):
		return fmt.Errorf("%w: %w", ErrNoWatchdog, err)
	case err != nil:
		return fmt.Errorf("read what it can do: %w", err)
	case info.Options&unix.WDIOF_MAGICCLOSE == 0:
		return errors.New("its driver stops it when this process ends (no magic close), so it protects nothing")
	}
	// A driver with a fixed time does not know how to set one.
	if err := c.set(fd, unix.WDIOC_SETTIMEOUT, seconds); err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
		return fmt.Errorf("set its time to %d s: %w", seconds, err)
	}
	took, err := c.get(fd, unix.WDIOC_GETTIMEOUT)
	switch took := int(int32(took)); {
	case err != nil:
		return fmt.Errorf("read its time: %w", err)
	case took <= 0 || took > seconds:
		return fmt.Errorf("its driver waits %d s instead of %d s; configure a time-out that it supports", took, seconds)
	}
	return nil
}

// Pet gives a sign of life; the machine is not reset for the time-out of Open from now on.
func (d *Dog) Pet() error {
	if _, err := d.f.WriteString(sign); err != nil {
		return fmt.Errorf("write to the watchdog: %w", err)
	}
	return nil
}

// Close stops the watchdog, so that the machine lives on. After an error it may be reset. (With the parameter
// nowayout of its driver it will be, whatever is written.)
func (d *Dog) Close() error {
	_, err := d.f.WriteString(magic)
	if err = errors.Join(err, d.f.Close()); err != nil {
		return fmt.Errorf("stop the watchdog: %w", err)
	}
	return nil
}

// Abandon closes the watchdog without stopping it: the machine will be reset within the time-out of the last Pet. An
// error changes nothing: nobody writes any more.
func (d *Dog) Abandon() { _ = d.f.Close() }
