package rigs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Cron is a running cron with a single line in its only crontab.
type Cron struct {
	machine *Machine
	cmd     *exec.Cmd
	kill    context.CancelFunc
	ended   chan struct{}
}

// StartCron starts cron in a hypervisor, which has one at most, or in a machine of its own
// (in is nil). The line is one of /etc/cron.d: five fields, a user, a command. The command
// gets the environment that cron gives, PATH=/usr/sbin:/usr/bin:/sbin:/bin, and env
// ("NAME=value"). A minute of cron lasts 60/speed seconds; its jobs see the real time.
// It ends with the test.
func StartCron(t testing.TB, in *Hypervisor, line string, speed int, env ...string) *Cron {
	t.Helper()
	Need(t, CronPackages, "cron", "faketime")
	c := &Cron{ended: make(chan struct{})}
	if in != nil {
		c.machine = in.Machine
	} else {
		c.machine = StartMachine(t, "node1", nil)
	}
	dir := t.TempDir()
	for _, name := range []string{"cron.d", "spool/crontabs"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	lines := append([]string{"SHELL=/bin/sh", `MAILTO=""`, "PATH=" + programPath}, env...)
	for name, text := range map[string]string{"crontab": "", "cron.d/one-ft": strings.Join(append(lines, line), "\n") + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c.start(t, dir, speed)
	return c
}

// start runs cron with the files of a directory.
func (c *Cron) start(t testing.TB, dir string, speed int) {
	t.Helper()
	library := ""
	if speed != 1 {
		found, err := filepath.Glob("/usr/lib/*/faketime/libfaketime.so.1")
		if err != nil || len(found) == 0 {
			t.Fatalf("no libfaketime.so.1, %v: apt-get install --no-install-recommends %s", err, CronPackages)
		}
		library = found[0]
	}
	script, err := c.machine.script("cron.sh")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.kill = cancel
	c.cmd = c.machine.Command(ctx, "bash", script, dir, library, strconv.Itoa(speed))
	c.cmd.Env = []string{"PATH=" + programPath}
	var out strings.Builder
	c.cmd.Stdout, c.cmd.Stderr = &out, &out
	if err := c.cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	go func() {
		defer close(c.ended)
		_ = c.cmd.Wait()
	}()
	t.Cleanup(c.Stop)
	await(t, "cron", func() (bool, error) {
		select {
		case <-c.ended:
			t.Fatalf("cron has ended: %s", out.String())
		default:
		}
		return c.machine.Command(t.Context(), "test", "-s", "/run/crond.pid").Run() == nil, nil
	})
}

// Stop kills cron; a job that runs goes on until it or the machine ends.
func (c *Cron) Stop() {
	c.kill()
	<-c.ended
}
