package fence

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"one-ft/pkg/process"
)

// The actions of agents that are used, and what their exit codes mean.
const (
	actionOff    = "off"
	actionOn     = "on"
	actionStatus = "status"

	exitOn  = 0 // of status
	exitOff = 2 // of status
)

// agentPath is the PATH of agents, which find ipmitool, ssh and others through it.
const agentPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const maxSecret = 4096 // bytes of a file

// device is a device that is ready to be called.
type device struct {
	Device
	label string
	path  string   // of the agent
	err   *Problem // why it cannot be called
	// offTime is how long an off may take at least; 0 is Settings.Timeout.
	offTime time.Duration
	judged  bool // its metadata was asked for
}

type answer struct {
	code   int    // exit code; -1 when there is none
	said   string // fit for a log
	output string // as it was printed, for what is read out of it
	err    error  // why there is no exit code
}

// String is for errors and events.
func (a answer) String() string { return a.failed().Error() }

func (a answer) failed() error {
	err := cmp.Or(a.err, fmt.Errorf("exit code %d", a.code))
	if a.said == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, a.said)
}

// Plain is what is stable of it, for logs that are compared.
func (a answer) Plain() string { return fmt.Sprintf("%d %s", a.code, a.said) }

// prepare resolves the agent and the secret of a device.
func (s Settings) prepare(d Device) *device {
	p := &device{Device: d, label: d.String()}
	if d.Kind != KindAgent {
		return p
	}
	if why := unfit(d.Agent); why != "" {
		p.err = refused(d.Agent, why)
		return p
	}
	if onlyFirstPlug(d.Agent) && len(d.plugs()) > 1 {
		p.err = problem(NoProof, nil, "%s switches only the first of several plugs; make each of them a device of its own in one level", d.Agent)
		return p
	}
	p.Params = map[string]string{}
	maps.Copy(p.Params, d.Params)
	if d.SecretFile != "" {
		p.Params["password"], p.err = readSecret(s.secretPath(d.SecretFile))
	}
	if p.err == nil {
		p.path, p.err = s.findAgent(d.Agent)
	}
	return p
}

// fit asks an agent that is not known whether it can prove anything. It does so once.
func (d *device) fit(ctx context.Context, s Settings) *Problem {
	if d.Kind == KindAgent && d.err == nil && !d.judged {
		d.err, d.judged = s.judge(ctx, d.path), true
	}
	return d.err
}

func (s Settings) findAgent(name string) (string, *Problem) {
	dirs := s.AgentDir
	if len(dirs) == 0 {
		dirs = append(systemDirs(), filepath.SplitList(os.Getenv("PATH"))...)
	}
	var there *Problem // the first one that is there and cannot be run
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		if !filepath.IsAbs(path) {
			continue
		}
		p := runnable(path, nil)
		if p == nil {
			return path, nil
		}
		if there == nil && p.Kind != NotInstalled {
			there = p
		}
	}
	if there == nil {
		there = problem(NotInstalled, nil, "%s is not installed (package fence-agents)", name)
	}
	there.cause = ErrNotInstalled
	return "", there
}

func (s Settings) secretPath(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.SecretDir, name)
}

// ReadSecret reads the secret of a device, as a call of it would: one line in a file that others cannot read. Of a missing one the
// error is os.ErrNotExist. It never has any of the secret.
func ReadSecret(path string) (string, error) {
	secret, p := readSecret(path)
	if p != nil {
		return "", p
	}
	return secret, nil
}

// readSecret reads a secret of one line. A problem never has any of it.
func readSecret(path string) (string, *Problem) {
	// A FIFO without a writer must not hold the fencing up.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, os.ErrNotExist) {
		return "", problem(SecretMissing, err, "secret %s does not exist; write the password into it, mode 0640 or 0600", path)
	}
	unread := func(err error) (string, *Problem) {
		return "", problem(SecretUnreadable, err, "read the secret: %v", err)
	}
	if err != nil {
		return unread(err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return unread(err)
	case !info.Mode().IsRegular():
		return "", problem(SecretInvalid, nil, "secret %s: it is not a file", path)
	case info.Mode().Perm()&0o007 != 0:
		return "", problem(SecretExposed, nil, "secret %s: everybody can use it (mode %#o); chmod it to 0640 or 0600", path, info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return unread(err)
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if secret == "" || len(text) > maxSecret {
		return "", problem(SecretInvalid, nil, "secret %s: allowed is one line of 1 to %d bytes", path, maxSecret)
	}
	if err := checkParam("password", secret); err != nil {
		return "", problem(SecretInvalid, err, "secret %s: %v", path, err)
	}
	return secret, nil
}

// run calls a device once; action is for agents.
func (w *work) run(ctx context.Context, d *device, action string) answer {
	if d.err != nil {
		return answer{code: -1, err: d.err}
	}
	var p process.Program
	limit := w.settings.Timeout
	switch d.Kind {
	case KindAgent:
		p = agentProgram(d, action)
		if action == actionOff {
			limit = max(limit, d.offTime)
		}
	case KindCommand:
		// Without a line break at the end, and in the environment of this process, as host_error.rb did it.
		xml := base64.StdEncoding.EncodeToString(w.host.XML)
		p = process.Program{Path: d.Command[0], Args: d.Command[1:], Stdin: []byte(xml), Script: true,
			Env: append(os.Environ(), fmt.Sprintf("FT_HOST_ID=%d", w.host.ID), "FT_HOST_NAME="+w.host.Name)} // as second opinions get it
	default:
		return answer{code: -1, err: errors.New("it cannot be called")}
	}
	return w.exec(ctx, limit, p)
}

// exec runs a program once, when there is a place for it.
func (w *work) exec(ctx context.Context, limit time.Duration, p process.Program) answer {
	if w.settings.Slots != nil {
		select {
		case w.settings.Slots <- struct{}{}:
			defer func() { <-w.settings.Slots }()
		case <-ctx.Done():
			return answer{code: -1, err: ctx.Err()}
		}
	}
	res := w.settings.Run(ctx, limit, p)
	return answer{code: res.Code, said: w.mask.said(res.Output, res.CutOff), output: res.Output, err: res.Err}
}

// agentProgram is the call of an agent. Its parameters are on its standard input only: other users can see
// arguments, and programs that the agent starts inherit the environment.
func agentProgram(d *device, action string) process.Program {
	var in strings.Builder
	fmt.Fprintf(&in, "action=%s\n", action)
	for _, name := range slices.Sorted(maps.Keys(d.Params)) {
		if !leftOut(d.Agent, name, d.Params[name]) {
			fmt.Fprintf(&in, "%s=%s\n", name, d.Params[name])
		}
	}
	return process.Program{Path: d.path, Dir: "/", Stdin: []byte(in.String()), Env: agentEnv()}
}

func agentEnv() []string { return []string{"PATH=" + agentPath, "LANG=C", "PYTHONWARNINGS=ignore"} }
