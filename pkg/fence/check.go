package fence

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Check checks whether levels can be used at all. It runs nothing and reads no file. The error names the place.
func Check(levels []Level) error {
	for i, level := range levels {
		where := "fencing, " + levelName(i+1, level.Name)
		if len(level.Devices) == 0 {
			return in(where, errors.New("it has no devices"))
		}
		for j, d := range level.Devices {
			if err := d.check(); err != nil {
				return in(fmt.Sprintf("%s, device %d", where, j+1), err)
			}
			if (d.Kind == KindManual || d.Kind == KindLease) && len(level.Devices) > 1 {
				return in(where, fmt.Errorf("a %s must be alone in its level", d))
			}
		}
	}
	return nil
}

// check checks what the kind of a device needs; it does not look at the rest.
func (d Device) check() error {
	switch d.Kind {
	case KindAgent:
		return d.checkAgent()
	case KindCommand:
		if len(d.Command) == 0 || !filepath.IsAbs(d.Command[0]) {
			return errors.New("the command: allowed is an absolute path with arguments")
		}
		if strings.Contains(strings.Join(d.Command, " "), "\x00") {
			return errors.New("the command has a NUL byte")
		}
		return nil
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
		if d.SecretFile != "" && CanonicalParam(name) == "password" {
			return errors.New("it has a password and a file with a password; keep one of them")
		}
	}
	if d.SecretFile != "" && !filepath.IsAbs(d.SecretFile) {
		return checkSecretName(d.SecretFile)
	}
	return nil
}

// checkAgentName lets no path and no other program through.
func checkAgentName(name string) error {
	if !ValidAgent(name) {
		return fmt.Errorf("agent %q: allowed is the name of a fence agent, such as fence_ipmilan", name)
	}
	return nil
}

// CheckAgent says why the word of an agent can be no proof that a host is off, as far as its name tells: it is no name of an agent,
// or it is that of one that switches no power. An agent that is not known by its name is asked for its metadata by Ready.
func CheckAgent(name string) error {
	if err := checkAgentName(name); err != nil {
		return err
	}
	if why := unfit(name); why != "" {
		return refused(name, why)
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

// checkParam refuses what an agent would not read as it was meant.
func checkParam(name, value string) error {
	if !ValidParam(name) {
		return fmt.Errorf("parameter %q: allowed are letters, digits, - and _", name)
	}
	if err := CheckParam(name, value); err != nil {
		return fmt.Errorf("parameter %s: %w", name, err)
	}
	return nil
}
