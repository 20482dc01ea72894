package ssh

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"one-ft/test/sim/cloud"
)

// drivers do over a real ssh what those of OpenNebula do: the steps of vmm and vnm go into one shell on the
// host (src/mad/ruby/ssh_stream.rb), each command of tm is an ssh of its own (ssh_exec_and_log in
// src/mad/sh/scripts_common.sh). On other hosts than the one that is dead all succeeds at once.
type drivers struct {
	client, dead string

	mu  sync.Mutex
	did []command
}

// command is one ssh of a driver that has ended.
type command struct {
	cloud.SSH
	ended cloud.Ended
	took  time.Duration
	// killed: the driver was told to stop, or somebody ended ssh.
	killed bool
	output string
}

// run is Config.Command of a cloud.
func (d *drivers) run(ctx context.Context, s cloud.SSH) cloud.Ended {
	if s.Host != d.dead {
		return cloud.Succeeded
	}
	begun := time.Now()
	c := command{SSH: s}
	if s.Command == "cancel" {
		c.ended, c.output = d.stream(ctx)
	} else {
		c.ended, c.output = d.script(ctx)
	}
	c.took = time.Since(begun)
	c.killed = ctx.Err() != nil || strings.Contains(c.output, sshCode+"143") || strings.Contains(c.output, sshCode+"137")
	d.mu.Lock()
	defer d.mu.Unlock()
	d.did = append(d.did, c)
	return c.ended
}

// done gives the commands that have ended.
func (d *drivers) done() []command {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.did)
}

// What the drivers' shell prints when ssh has ended, and what the shell on the host prints behind a command.
const (
	sshCode = "ExitSSHCode: "
	endCode = "ExitCode: "
)

// script is ssh_exec_and_log.
func (d *drivers) script(ctx context.Context) (cloud.Ended, string) {
	cmd := d.shell(ctx, `echo true | "$1" "$2" sh -s; code=$?; echo "`+sshCode+`$code" >&2; exit $code`)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return cloud.Failed, string(out)
	}
	return cloud.Succeeded, string(out)
}

// stream is SshStreamCommand: two commands into one shell, the second one with an object of oned on its standard
// input. A write to an ssh that has ended is what the thread dies of.
func (d *drivers) stream(ctx context.Context) (cloud.Ended, string) {
	cmd := d.shell(ctx, `"$1" "$2" bash -s; echo "`+sshCode+`$?" >&2`)
	in, err := cmd.StdinPipe()
	if err != nil {
		return cloud.Failed, err.Error()
	}
	said, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return cloud.Failed, err.Error()
	}
	defer func() {
		_, _ = io.WriteString(in, "exit\n") // SshStream.close, which does not mind either
		_ = in.Close()
		_ = cmd.Wait() // how it ended stands in what it said
	}()
	c := stream{in: in, said: bufio.NewReader(said)}
	c.write("(true)")
	c.wait()
	if !c.ended {
		c.write("(read -r object)")
	}
	_, err = io.WriteString(in, "object of oned\n") // the only write that nobody rescues
	switch {
	case errors.Is(err, syscall.EPIPE):
		return cloud.BrokenPipe, c.output.String()
	case c.ended || err != nil:
		return cloud.Failed, c.output.String()
	}
	if c.wait(); c.ended {
		return cloud.Failed, c.output.String()
	}
	return cloud.Succeeded, c.output.String()
}

// stream is a shell on a host.
type stream struct {
	in     io.Writer
	said   *bufio.Reader
	output strings.Builder
	ended  bool // ssh
}

// write is SshStream.exec, which does not mind an ssh that has ended.
func (s *stream) write(command string) {
	_, _ = fmt.Fprintf(s.in, "%s; echo \"%s$?\" >&2\n", command, endCode)
}

// wait is SshStream.wait_for_command.
func (s *stream) wait() {
	for {
		line, err := s.said.ReadString('\n')
		s.output.WriteString(line)
		s.ended = err != nil || strings.HasPrefix(line, sshCode)
		if s.ended || strings.HasPrefix(line, endCode) {
			return
		}
	}
}

// shell is a line of the drivers for sh, with the client and the dead host as its words; the end of
// the context ends all of it.
func (d *drivers) shell(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "sh", "-c", line, "sh", d.client, d.dead)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	return cmd
}
