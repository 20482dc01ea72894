package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"one-ft/pkg/failfast"
)

// SSHOwner says whose the ssh configuration of the drivers' user is.
type SSHOwner string

// Whose it is.
const (
	SSHOwn     SSHOwner = "own"     // a file of that user
	SSHMissing SSHOwner = "missing" // there is none, and the directory is that user's
	SSHLinked  SSHOwner = "linked"  // a link to a file elsewhere: something else looks after it
	SSHForeign SSHOwner = "foreign" // it belongs to another user
	SSHNoDir   SSHOwner = "no_directory"
)

// SSHConfig is the ssh configuration of the user that the drivers of oned run as.
type SSHConfig struct {
	Path  string // ~/.ssh/config
	Owner SSHOwner
	// Target is where a link leads to.
	Target string
	Text   []byte // nil when it is missing

	uid, gid int
}

// Usual reports whether the block is written there without being asked for.
func (c SSHConfig) Usual() bool { return c.Owner == SSHOwn || c.Owner == SSHMissing }

// ReadSSHConfig reads the ssh configuration of a user, whose home is that of the password file: ssh
// takes no other. What is missing is no error.
func ReadSSHConfig(home string, uid, gid int) (SSHConfig, error) {
	dir := filepath.Join(home, ".ssh")
	c := SSHConfig{Path: filepath.Join(dir, "config"), uid: uid, gid: gid}
	owner, err := ownerOf(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.Owner = SSHNoDir
		return c, nil
	case err != nil:
		return c, fmt.Errorf("read the ssh configuration: %w", err)
	}
	target, err := filepath.EvalSymlinks(c.Path)
	if errors.Is(err, fs.ErrNotExist) {
		c.Owner = SSHMissing
		if info, err := os.Lstat(c.Path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			c.Owner = SSHLinked // to nothing
		} else if owner != uid {
			c.Owner = SSHForeign
		}
		return c, nil
	}
	if err == nil {
		owner, err = ownerOf(target)
	}
	if err == nil {
		c.Text, err = sshConfig().read(target)
	}
	if err != nil {
		return c, fmt.Errorf("read the ssh configuration: %w", err)
	}
	home, err = filepath.EvalSymlinks(dir)
	switch {
	case owner != uid:
		c.Owner = SSHForeign
	case err != nil || filepath.Dir(target) != home:
		c.Owner, c.Target = SSHLinked, target
	default:
		c.Owner = SSHOwn
	}
	return c, nil
}

func ownerOf(path string) (int, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, fmt.Errorf("the owner of %s cannot be read", quoted(path))
	}
	return int(owner.Uid), nil
}

func sshConfig() document {
	return document{name: "the ssh configuration", parse: func(text []byte) error {
		_, _, err := failfast.Remove(text)
		return err
	}}
}

// Write replaces the configuration, as WriteFile replaces an oned.conf. Where there was none it is
// made for that user alone, and there is no backup.
func (c SSHConfig) Write(fresh []byte, now time.Time) (backup string, err error) {
	switch c.Owner {
	case SSHForeign, SSHNoDir:
		return "", c.Refusal()
	case SSHMissing:
		const private = 0o600
		return "", sshConfig().create(c.Path, fresh, private, func(f *os.File) error { return f.Chown(c.uid, c.gid) })
	}
	if c.Owner == SSHLinked && c.Target == "" {
		return "", c.Refusal()
	}
	return sshConfig().write(c.Path, c.Text, fresh, now)
}

// Delete removes a configuration that Write made, and that holds nothing else.
func (c SSHConfig) Delete() error {
	if err := sshConfig().holds(c.Path, c.Text); err != nil {
		return fmt.Errorf("%w; nothing was changed, run this again", err)
	}
	return os.Remove(c.Path)
}

// Refusal says why the file is not changed: nil where it is the user's own, or a link to such a
// file that may be written when it is asked for.
func (c SSHConfig) Refusal() error {
	switch {
	case c.Owner == SSHForeign:
		return fmt.Errorf("%s, or its directory, does not belong to the user that oned runs as (UID %d); ssh would refuse it, or somebody else looks after it", quoted(c.Path), c.uid)
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
	return strings.Join([]string{"--- " + short(c.Path), "+++ " + short(c.Path), diff}, "\n")
}
