package fence

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	agentName = regexp.MustCompile(`^fence_[A-Za-z0-9_-]+$`)
	paramText = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)
)

// Check looks whether levels can be used at all. It runs nothing and reads no file. The error is a
// *ConfigError.
func Check(levels []Level) error {
	for i, level := range levels {
		where := levelName(i+1, level.Name)
		if len(level.Devices) == 0 {
			return &ConfigError{Where: where, Err: errors.New("it has no devices")}
		}
		for j, d := range level.Devices {
			if err := d.check(); err != nil {
				return &ConfigError{Where: fmt.Sprintf("%s, device %d", where, j+1), Err: err}
			}
			if (d.Kind == KindManual || d.Kind == KindLease) && len(level.Devices) > 1 {
				return &ConfigError{Where: where, Err: fmt.Errorf("a %s must be alone in its level", d)}
			}
		}
	}
	return nil
}

func (d Device) check() error {
	if d.Kind != KindAgent && (d.Agent != "" || len(d.Params) > 0 || d.SecretFile != "") {
		return fmt.Errorf("agent, parameters and secrets are for devices of kind agent, not %q", d.Kind)
	}
	if d.Kind != KindLease && d.Lease != (Lease{}) {
		return fmt.Errorf("a lease is for devices of kind lease, not %q", d.Kind)
	}
	if d.Kind != KindCommand && len(d.Command) > 0 {
		return fmt.Errorf("a command is for devices of kind command, not %q", d.Kind)
	}
	switch d.Kind {
	case KindAgent:
		return d.checkAgent()
	case KindCommand:
		return checkCommand(d.Command)
	case KindManual:
		return nil
	case KindLease:
		return d.Lease.WithDefaults().check()
	}
	return fmt.Errorf("kind %q: allowed are agent, command, lease and manual", d.Kind)
}

func (d Device) checkAgent() error {
	if err := checkAgentName(d.Agent); err != nil {
		return err
	}
	for name, value := range d.Params {
		if err := checkParam(name, value); err != nil {
			return err
		}
	}
	if _, set := d.Params["password"]; set && d.SecretFile != "" {
		return errors.New("it has a password and a file with a password; keep one of them")
	}
	if d.SecretFile != "" && !filepath.IsAbs(d.SecretFile) {
		return checkSecretName(d.SecretFile)
	}
	return nil
}

// checkAgentName lets no path and no other program through.
func checkAgentName(name string) error {
	if !agentName.MatchString(name) {
		return fmt.Errorf("agent %q: allowed is the name of a fence agent, such as fence_ipmilan", name)
	}
	return nil
}

// checkSecretName allows a file directly in the directory for secrets.
func checkSecretName(name string) error {
	if name == "" || strings.HasPrefix(name, ".") || strings.ContainsAny(name, "/\x00\n") {
		return errors.New("the file with the secret: allowed is the name of a file in the directory for secrets")
	}
	return nil
}

func checkCommand(command []string) error {
	if len(command) == 0 || !filepath.IsAbs(command[0]) {
		return errors.New("the command: allowed is an absolute path with arguments")
	}
	for _, word := range command {
		if strings.Contains(word, "\x00") {
			return errors.New("the command has a NUL byte")
		}
	}
	return nil
}

// refusedParams are parameters that are never passed on, and why.
func refusedParams() map[string]string {
	const ours = "it is set by one-ft"
	const silent = "it makes the agent do nothing"
	return map[string]string{
		"action": ours, "option": ours,
		"help": silent, "version": silent, "usage": silent,
		"missing_as_off": "a mistyped plug would count as a host that is off",
	}
}

// checkParam refuses what an agent would not read as it was meant: agents read lines
// and strip blanks, and quotes around a value.
func checkParam(name, value string) error {
	if !paramText.MatchString(name) {
		return fmt.Errorf("parameter %q: allowed are letters, digits, - and _", name)
	}
	if why, refused := refusedParams()[strings.ReplaceAll(strings.ToLower(name), "-", "_")]; refused {
		return fmt.Errorf("parameter %s is not allowed: %s", name, why)
	}
	switch {
	case strings.ContainsAny(value, "\n\r\x00\v\f\u0085\u2028\u2029"):
		return fmt.Errorf("parameter %s has more than one line", name)
	case strings.TrimSpace(value) != value:
		return fmt.Errorf("parameter %s begins or ends with a space, which agents remove; choose another value", name)
	case len(value) > 1 && strings.HasPrefix(value, `"`) && strings.HasSuffix(value, `"`):
		return fmt.Errorf("parameter %s is in quotes, which agents remove; give it without them", name)
	}
	return nil
}
