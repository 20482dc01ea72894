package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"one-ft/pkg/failfast"
)

// writeSSH gives the drivers an ssh client: the machine's own, with a configuration that has the block of one-ft and
// nothing else, and tells one-ft of it. What the user of the lab has in ~/.ssh is neither read nor changed. A
// configuration of one-ft that is there already stays as it is.
func writeSSH(dir string) error {
	config, program := filepath.Join(dir, "ssh_config"), filepath.Join(dir, "ssh")
	text, err := failfast.Install(nil, failfast.Block{StateDir: filepath.Join(dir, "var", "one-ft")}, true)
	if err == nil {
		err = os.WriteFile(config, text, 0o600)
	}
	if err == nil {
		err = os.WriteFile(program, []byte("#!/bin/sh\nexec ssh -F "+shellQuote(config)+" \"$@\"\n"), 0o700)
	}
	if err != nil {
		return fmt.Errorf("write the ssh configuration of the lab: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "etc", "one-ft.yaml"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err == nil {
		_, err = fmt.Fprintf(f, "ssh: %q\n", program)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fmt.Errorf("write the configuration of one-ft in the lab: %w", err)
	}
	return nil
}

// lookEvery is how often the lab looks for marks while ssh of its drivers connects.
const lookEvery = 50 * time.Millisecond

// marked reports whether ssh to a host fails at once: one-ft has marked the host as off, in its state directory
// below that of the lab, and the time that the mark has is not over (pkg/failfast). In a real cloud ssh itself asks.
func (l *Lab) marked(name string) bool {
	if name == "" || strings.ContainsAny(name, "/'") {
		return false
	}
	info, err := os.Stat(filepath.Join(l.dir, "var", "one-ft", "off", name))
	return err == nil && info.ModTime().After(time.Now())
}

// endMarked ends what connects to marked hosts until the lab stops. one-ft does that in a real cloud; here the ssh of the
// drivers are no processes that it could find.
func (l *Lab) endMarked() {
	for tick := time.NewTicker(lookEvery); ; {
		select {
		case <-l.ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		for _, s := range l.cloud.SSHs("") {
			if l.marked(s.Host) {
				l.cloud.EndMaster(s.Host)
				l.cloud.KillSSH(s.ID)
			}
		}
	}
}
