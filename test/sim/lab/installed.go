package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/install"
	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// due are the hooks that wait for something: of the command line, and those that oned has.
func (l *Lab) due(wait func(hook) bool) []hook {
	all := slices.Clone(l.hooks)
	if l.runner.old {
		l.mu.Lock()
		all = append(all, l.conf...)
		l.mu.Unlock()
	} else {
		for _, h := range l.cloud.StateHooks() {
			if found, ok := l.fromPool(h); ok {
				all = append(all, found)
			}
		}
	}
	return slices.DeleteFunc(all, func(h hook) bool { return !wait(h) })
}

// fromPool is a hook of the pool; ok is false for the states that it never comes into.
func (l *Lab) fromPool(s cloud.StateHook) (h hook, ok bool) {
	h = hook{host: s.Resource == "HOST", command: l.path(s.Command), args: s.Arguments, stdin: s.OnStdin, timeout: time.Duration(s.Timeout) * time.Second}
	if h.host {
		h.hostState, ok = hostState(s.State)
		return h, ok
	}
	name := s.State
	if name == one.Active.String() {
		name = s.LCM
	}
	h.vm, h.lcm, ok = vmState(name)
	return h, ok
}

// path is where oned looks for a command (HostPool.cc of 4.4, onehem-server.rb of 5.10 and later).
func (l *Lab) path(command string) string {
	if strings.HasPrefix(command, "/") {
		return command
	}
	return filepath.Join(l.dir, "var", "remotes", "hooks") + "/" + command
}

// readConf reads the hooks of oned.conf, as oned does when it starts; from 5.10 on there are none in it.
func (l *Lab) readConf() error {
	if !l.runner.old {
		return nil
	}
	source, err := install.OnedConf().Read(onedConf(l.dir))
	if err != nil {
		return err
	}
	file, err := install.Parse(source)
	if err != nil {
		return fmt.Errorf("%s: %w", onedConf(l.dir), err)
	}
	var hooks []hook
	for _, e := range file.Entries {
		if h, ok := l.fromConf(e); ok {
			hooks = append(hooks, h)
		} else if e.Hook() != "" {
			l.log.line(0, "oned.conf line %d: this %s is for ON = %s, which a lab never calls", e.Line, e.Name, e.Get("ON"))
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conf = hooks
	return nil
}

// fromConf is a hook of oned.conf; ok is false for what is none, and for the states that it never comes into.
func (l *Lab) fromConf(e install.Entry) (h hook, ok bool) {
	h = hook{host: e.Hook() == "HOST", command: l.path(e.Get("COMMAND")), args: e.Get("ARGUMENTS")}
	on := strings.ToUpper(e.Get("ON"))
	switch {
	case e.Hook() == "" || e.Get("COMMAND") == "":
		return h, false
	case h.host && on == "DISABLE":
		h.hostState, ok = one.HostDisabled, true
	case h.host:
		h.hostState, ok = hostState(on)
	case on == "CUSTOM" && !strings.EqualFold(e.Get("STATE"), one.Active.String()):
		h.vm, h.lcm, ok = vmState(e.Get("STATE"))
	case on == "CUSTOM":
		h.vm, h.lcm, ok = vmState(e.Get("LCM_STATE"))
	case on == "STOP":
		h.vm, ok = one.Stopped, true
	default:
		h.vm, h.lcm, ok = vmState(on)
	}
	return h, ok
}

// restart restarts oned, as far as anybody sees it: it reads oned.conf again.
func (l *Lab) restart() (string, error) {
	if !l.runner.old {
		return fmt.Sprintf("nothing to read again: hooks of OpenNebula %s are in its pool, and are used at once", l.version), nil
	}
	if err := l.readConf(); err != nil {
		return "", fmt.Errorf("oned would not start: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("oned has read %s again: %d hooks", onedConf(l.dir), len(l.conf)), nil
}

// executables links the executables of one-ft beside this program to where oned looks for hooks.
func executables(dir string) error {
	own, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the executables of one-ft: %w", err)
	}
	hooks := filepath.Join(dir, "var", "remotes", "hooks", "ft")
	err = os.MkdirAll(hooks, 0o700)
	for _, name := range []string{"host_error", "vm_failure", "vm_unknown", "oneft"} {
		program := filepath.Join(filepath.Dir(own), name)
		if install.Executable(program) != nil {
			continue
		}
		if link := os.Symlink(program, filepath.Join(hooks, name)); !errors.Is(link, os.ErrExist) {
			err = errors.Join(err, link)
		}
	}
	return err
}
