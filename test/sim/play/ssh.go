package play

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"one-ft/pkg/failfast"
	exec "one-ft/pkg/process"
	"one-ft/test/sim/cloud"
)

// What the ssh client takes that connects to nothing: ssh -G asks nobody, and a master answers
// ssh -O exit after 0.09 s (opennebula.md).
const (
	resolveTime = 5 * time.Millisecond
	exitTime    = 90 * time.Millisecond
)

// The process numbers of what is simulated: commands of drivers have theirs from the cloud.
const (
	firstCommand = 10_000
	firstMaster  = 1_000
)

// failsFast reports whether the drivers' ssh to a host fails at once: on the front-end that leads there is a mark for
// its name that has not expired, and the block is in the configuration of ssh.
func (w *world) failsFast(name string) bool {
	i := slices.IndexFunc(w.frontEnds, func(f *frontEnd) bool { return f.leads() })
	return i >= 0 && w.frontEnds[i].marked(name)
}

// leads reports whether the drivers of this front-end are at work.
func (f *frontEnd) leads() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.dead && (f.role == cloud.Solo || f.role == cloud.Leader)
}

// marked is what the block in the configuration of ssh asks: test STATE/off/NAME -nt /proc/self. The time is that
// of the scenario.
func (f *frontEnd) marked(name string) bool {
	if f.world.spec.noFailFast || name == "" || strings.ContainsAny(name, "/'") {
		return false
	}
	f.mu.Lock()
	root := f.root
	f.mu.Unlock()
	info, err := os.Stat(filepath.Join(root, "var", "one-ft", "off", name))
	return err == nil && info.ModTime().After(time.Now())
}

// sshProgram is the program ssh: -G and -O exit.
func (w *world) sshProgram(ctx context.Context, p *process, args []string) exec.Result {
	name := args[max(0, len(args)-1)]
	operation := slices.Index(args, "-O")
	switch {
	case slices.Contains(args, "-G"):
		if !sleep(ctx, resolveTime) {
			return exec.Result{Code: -1, Err: context.Cause(ctx)}
		}
		return exec.Result{Output: w.sshSettings(p.frontEnd, name)}
	case operation >= 0 && operation+1 < len(args) && args[operation+1] == "exit":
		if !sleep(ctx, exitTime) {
			return exec.Result{Code: -1, Err: context.Cause(ctx)}
		}
		if p.frontEnd.marked(name) && !slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "ControlPath=") || a == "-S" }) {
			return exec.Result{Code: 255, Output: `No ControlPath specified for "-O" command`}
		}
		if !w.cloud.EndMaster(name) {
			return exec.Result{Code: 255, Output: "Control socket connect(" + controlPath(name) + "): No such file or directory"}
		}
		return exec.Result{Output: "Exit request sent."}
	}
	return exec.Result{Code: 255, Output: "ssh: this is not simulated: " + strings.Join(args, " ")}
}

// sshSettings is what ssh -G prints, as far as anybody looks at it.
func (w *world) sshSettings(f *frontEnd, name string) string {
	var b strings.Builder
	say := func(key string, value any) { fmt.Fprintf(&b, "%s %v\n", key, value) }
	say("host", name)
	say("user", "oneadmin")
	say("hostname", name)
	say("port", 22)
	timeout := "none"
	if d := w.spec.cloud.ConnectTimeout; d > 0 {
		timeout = fmt.Sprint(int(d.Seconds()))
	}
	say("connecttimeout", timeout)
	if w.spec.jump {
		say("proxyjump", "gate")
	}
	switch {
	case f.marked(name):
		say("controlpath", "none")
		say("proxycommand", failing())
	case !w.old() && !strings.HasPrefix(w.spec.cloud.Version, "5."): // share/ssh/etc/config, since 5.12
		say("controlpath", controlPath(name))
	}
	return b.String()
}

// controlPath is the socket of a persistent master.
func controlPath(name string) string { return "/run/one/ssh-socks/ctl-M-" + name + ".sock" }

// failing is the ProxyCommand that the block sets.
func failing() string {
	text, err := failfast.Install(nil, failfast.Block{StateDir: "/var/lib/one/one-ft"}, true)
	for line := range strings.Lines(string(text)) {
		if command, is := strings.CutPrefix(strings.TrimSpace(line), "ProxyCommand "); is && err == nil {
			return command
		}
	}
	return ""
}

// sshMachine is the front-end of a process as pkg/failfast sees it: what the drivers run there is simulated.
type sshMachine struct{ process *process }

// SSH implements failfast.Machine.
func (m sshMachine) SSH() (string, error) { return "/usr/bin/ssh", nil }

// Run implements failfast.Machine.
func (m sshMachine) Run(ctx context.Context, limit time.Duration, run exec.Program) exec.Result {
	return m.process.program(ctx, limit, run)
}

// Processes implements failfast.Machine. Drivers run where oned leads.
func (m sshMachine) Processes(uid int) (all []failfast.Process, err error) {
	f := m.process.frontEnd
	if m.process.dead.Load() {
		return nil, errDead
	}
	if !f.leads() {
		return nil, nil
	}
	for _, s := range f.world.cloud.SSHs("") {
		all = append(all, failfast.Process{PID: firstCommand + s.ID, Started: uint64(s.ID), UID: uid, Args: []string{"ssh", s.Host, "bash", "-s"}})
	}
	masters := f.world.cloud.Masters()
	for _, h := range f.world.cloud.Hosts() {
		if slices.Contains(masters, h.Name) {
			all = append(all, failfast.Process{PID: firstMaster + h.ID, UID: uid, Args: []string{"ssh: " + controlPath(h.Name) + " [mux]"}})
		}
	}
	return all, nil
}

// Signal implements failfast.Machine: whatever the signal is but 0, ssh ends.
func (m sshMachine) Signal(p failfast.Process, s syscall.Signal) error {
	if m.process.dead.Load() {
		return errDead
	}
	all, err := m.Processes(p.UID)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(o failfast.Process) bool { return o.PID == p.PID && o.Started == p.Started }) {
		return fmt.Errorf("process %d: %w", p.PID, failfast.ErrGone)
	}
	w := m.process.frontEnd.world
	switch {
	case s == 0:
	case p.PID >= firstCommand:
		w.cloud.KillSSH(p.PID - firstCommand)
	default:
		if h, known := w.cloud.Host(p.PID - firstMaster); known {
			w.cloud.EndMaster(h.Name)
		}
	}
	return nil
}
