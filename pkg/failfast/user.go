package failfast

import (
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
	Groups   []int
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
	if self := os.Geteuid(); self != 0 && self != uid {
		return User{}, fmt.Errorf("user %d: %w", uid, ErrOtherUser)
	}
	return LookUp(uid)
}

// LookUp is a user by its ID.
func LookUp(uid int) (User, error) {
	entry, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return User{}, fmt.Errorf("find the user that oned runs as: %w", err)
	}
	gid, err := strconv.Atoi(entry.Gid)
	if err != nil {
		return User{}, fmt.Errorf("find the group of user %d: %w", uid, err)
	}
	u := User{UID: uid, GID: gid, Name: entry.Username, Home: entry.HomeDir, Shell: shellOf("/etc/passwd", uid), Other: os.Geteuid() != uid}
	groups, _ := entry.GroupIds() // without them it has fewer rights, which is no error yet
	for _, g := range groups {
		if n, err := strconv.Atoi(g); err == nil {
			u.Groups = append(u.Groups, n)
		}
	}
	return u, nil
}

// shellOf is the shell of a user in a password file (passwd(5)): systemd gives it to oned as $SHELL.
func shellOf(path string, uid int) string {
	entries, _ := os.ReadFile(path)
	for line := range strings.Lines(string(entries)) {
		if fields := strings.Split(strings.TrimSpace(line), ":"); len(fields) == 7 && fields[2] == strconv.Itoa(uid) && fields[6] != "" {
			return fields[6]
		}
	}
	return "/bin/sh"
}

// credential is nil when this process is that user.
func (u User) credential() *syscall.Credential {
	if !u.Other {
		return nil
	}
	as := &syscall.Credential{Uid: uint32(u.UID), Gid: uint32(u.GID)}
	for _, g := range u.Groups {
		as.Groups = append(as.Groups, uint32(g))
	}
	return as
}

// env is nil, that of this process, when it is that user: a hook has the environment of the drivers. Root gives that
// user one as systemd does.
func (u User) env() []string {
	if !u.Other {
		return nil
	}
	return []string{"HOME=" + u.Home, "USER=" + u.Name, "LOGNAME=" + u.Name, "SHELL=" + u.Shell, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
}
