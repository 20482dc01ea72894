package failfast

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"one-ft/pkg/statedir"
)

// ErrOtherUser is a process that is neither root nor the user that the drivers of oned run as.
var ErrOtherUser = errors.New("run this as root, or as the user that oned runs as")

// User is whom the drivers of oned run as.
type User struct {
	UID, GID int
	Groups   []uint32
	// Name, Home and Shell are those of the password file. ssh takes Home from there, not from $HOME, and runs the
	// commands of Match exec with $SHELL.
	Name, Home, Shell string
	// Other: this process is root, and that user is not.
	Other bool
}

// ownerOf is the user that a directory belongs to, or would: that of the one above.
func ownerOf(dir string) (User, error) {
	info, err := os.Stat(dir)
	for errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir {
		dir = filepath.Dir(dir)
		info, err = os.Stat(dir)
	}
	if err != nil {
		return User{}, fmt.Errorf("find the user that oned runs as: %w", err)
	}
	uid, _, err := statedir.Owner(info)
	if err != nil {
		return User{}, fmt.Errorf("find the user that oned runs as: %w", err)
	}
	return lookUp(uid)
}

// lookUp is a user by its ID, as this process may run programs as it.
func lookUp(uid int) (User, error) {
	self := os.Geteuid()
	if self != 0 && self != uid {
		return User{}, fmt.Errorf("user %d: %w", uid, ErrOtherUser)
	}
	entry, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return User{}, fmt.Errorf("find the user that oned runs as: %w", err)
	}
	gid, err := strconv.Atoi(entry.Gid)
	if err != nil {
		return User{}, fmt.Errorf("find the group of user %d: %w", uid, err)
	}
	u := User{UID: uid, GID: gid, Name: entry.Username, Home: entry.HomeDir, Shell: shellOf("/etc/passwd", uid), Other: self != uid}
	groups, _ := entry.GroupIds() // without them it has fewer rights, which is no error yet
	for _, g := range groups {
		if n, err := strconv.ParseUint(g, 10, 32); err == nil {
			u.Groups = append(u.Groups, uint32(n))
		}
	}
	return u, nil
}

// shellOf is the shell of a user in a password file (passwd(5)): systemd gives it to oned as $SHELL.
func shellOf(path string, uid int) string {
	const standard = "/bin/sh"
	f, err := os.Open(path)
	if err != nil {
		return standard
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if fields := strings.Split(lines.Text(), ":"); len(fields) == 7 && fields[2] == strconv.Itoa(uid) && fields[6] != "" {
			return fields[6]
		}
	}
	return standard
}

// credential is nil when this process is that user.
func (u User) credential() *syscall.Credential {
	if !u.Other {
		return nil
	}
	return &syscall.Credential{Uid: uint32(u.UID), Gid: uint32(u.GID), Groups: u.Groups}
}

// env is nil, that of this process, when it is that user: a hook has the environment of the drivers. Root gives that
// user one as systemd does.
func (u User) env() []string {
	if !u.Other {
		return nil
	}
	return []string{"HOME=" + u.Home, "USER=" + u.Name, "LOGNAME=" + u.Name, "SHELL=" + u.Shell, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
}
