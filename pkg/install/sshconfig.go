package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"one-ft/pkg/failfast"
	"one-ft/pkg/statedir"
)

// SSHOwner says whose the ssh configuration of the drivers' user is.
type SSHOwner string

// Whose it is.
const (
	SSHOwn     SSHOwner = "own"     // a file of that user
	SSHMissing SSHOwner = "missing" // there is none, and the directory is that user's
	SSHLinked  SSHOwner = "linked"  // a link to a file elsewhere: something else manages it
	SSHForeign SSHOwner = "foreign" // it belongs to another user
	SSHNoDir   SSHOwner = "no_directory"
)

// SSHConfig is the ssh configuration of the user that the drivers of oned run as.
type SSHConfig struct {
	Path  string // ~/.ssh/config
	Owner SSHOwner
	// Target is where a link leads to; "" for one to nothing.
	Target string
	Text   []byte // nil when it is missing

	uid int
}

// Usual reports whether the block is written there without a request.
func (c SSHConfig) Usual() bool { return c.Owner == SSHOwn || c.Owner == SSHMissing }

// ReadSSHConfig reads the ssh configuration of a user, whose home is that of the password file: ssh takes no other.
// What is missing is no error.
func ReadSSHConfig(home string, uid int) (SSHConfig, error) {
	dir := filepath.Join(home, ".ssh")
	c := SSHConfig{Path: filepath.Join(dir, "config"), uid: uid}
	if err := c.read(dir); err != nil {
		return c, fmt.Errorf("read the ssh configuration: %w", err)
	}
	return c, nil
}

func (c *SSHConfig) read(dir string) error {
	owner, err := ownerOf(dir)
	if errors.Is(err, fs.ErrNotExist) {
		c.Owner = SSHNoDir
		return nil
	}
	if err != nil {
		return err
	}
	target, err := filepath.EvalSymlinks(c.Path)
	if errors.Is(err, fs.ErrNotExist) {
		_, err := os.Readlink(c.Path)
		switch {
		case err == nil:
			c.Owner = SSHLinked // to nothing
		case owner != c.uid:
			c.Owner = SSHForeign
		default:
			c.Owner = SSHMissing
		}
		return nil
	}
	if err == nil {
		owner, err = ownerOf(target)
	}
	if err == nil {
		c.Text, err = sshConfig().Read(target)
	}
	if err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(dir)
	switch {
	case owner != c.uid:
		c.Owner = SSHForeign
	case err != nil || filepath.Dir(target) != real:
		c.Owner, c.Target = SSHLinked, target
	default:
		c.Owner = SSHOwn
	}
	return nil
}

func ownerOf(path string) (uid int, err error) {
	info, err := os.Stat(path)
	if err == nil {
		uid, _, err = statedir.Owner(info)
	}
	return uid, err
}

// sshConfig is made for its user alone.
func sshConfig() Document {
	return Document{name: "the ssh configuration", made: 0o600, check: func(text []byte) error {
		_, _, err := failfast.Remove(text)
		return err
	}}
}

// Write replaces the configuration, as Document.Write does. Where there was none it is made, and there is
// no backup.
func (c SSHConfig) Write(fresh []byte, now time.Time) (backup string, err error) {
	if err := c.Refusal(); err != nil {
		return "", err
	}
	return sshConfig().Write(c.Path, c.Text, fresh, now)
}

// Delete removes a configuration that Write made, and that holds nothing else.
func (c SSHConfig) Delete() error {
	if err := sshConfig().holds(c.Path, c.Text); err != nil {
		return fmt.Errorf("%w; nothing was changed, run this again", err)
	}
	return os.Remove(c.Path)
}

// Refusal says why the file is not changed: nil where it is the user's own, or a link to such a file, which is
// written on request.
func (c SSHConfig) Refusal() error {
	switch {
	case c.Owner == SSHForeign:
		return fmt.Errorf("%s, or its directory, does not belong to the user that oned runs as (UID %d); ssh would refuse it, or something else manages it", quoted(c.Path), c.uid)
	case c.Owner == SSHNoDir:
		return fmt.Errorf("%s does not exist: make it with mode 0700 for the user that oned runs as", quoted(filepath.Dir(c.Path)))
	case c.Owner == SSHLinked && c.Target == "":
		return fmt.Errorf("%s is a link to nothing", quoted(c.Path))
	}
	return nil
}

// DiffSSH shows what would be changed, below the name of the file.
func (c SSHConfig) DiffSSH(fresh []byte) string {
	diff := Diff(c.Text, fresh)
	if diff == "" {
		return ""
	}
	name := short(c.Path)
	return "--- " + name + "\n+++ " + name + "\n" + diff
}
