package check

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"one-ft/pkg/app"
	"one-ft/pkg/fence"
	"one-ft/pkg/process"
)

// machine looks at this machine: processes, logs, directories, timers. It writes nothing.
func (l *look) machine() {
	f := &l.facts
	fe := &f.FrontEnd
	fe.UID = os.Geteuid()
	hookUID := fe.UID
	if !app.FrontEndStarted(l.Proc, f.Endpoint, l.Paths.Location).IsZero() {
		l.processes(fe)
	}
	if fe.Local {
		hookUID = fe.OnedUID
		if !f.Version.Before(5, 9) {
			fe.ManagerLog = failedLoad(filepath.Join(l.Paths.Log, "onehem.log"))
		}
		fe.Timer = l.timer()
	}
	groups := groupsOf(hookUID)
	if hookUID != fe.UID {
		l.account = &fence.Account{UID: hookUID, GIDs: groups, Name: nameOf(hookUID)}
	}
	add := func(path, what string, must bool) {
		info, err := os.Stat(path)
		if !must && errors.Is(err, os.ErrNotExist) {
			return
		}
		f.Dirs = append(f.Dirs, Dir{Path: path, For: what, File: err == nil && !info.IsDir(), Err: writable(path, hookUID, groups)})
	}
	add(l.StateDir, "the journal, locks and budgets", true)
	for _, name := range []string{"incidents", "locks", "attempts"} {
		add(filepath.Join(l.StateDir, name), "the state", false)
	}
	if log := f.Values.LogFile; log != "" && log != "-" {
		add(filepath.Dir(log), "the log", true)
		add(log, "the log", false)
	} else if log == "" {
		add(l.Paths.Log, "the logs", true)
		for _, name := range []string{"host_error", "vm_failure", "vm_unknown"} {
			add(filepath.Join(l.Paths.Log, name+".log"), "the log", false)
		}
	}
	if f.Values.MetricsFile != "" {
		add(filepath.Dir(f.Values.MetricsFile), "the metrics", true)
	}
}

// processes finds oned and the process that runs hooks: onehem-server.rb since 5.10
// (share/pkgs/services/systemd/opennebula-hem.service), before that the driver one_hm.rb, a
// child of oned (src/hm_mad).
func (l *look) processes(fe *FrontEnd) {
	manager := "one_hm"
	if !l.facts.Version.Before(5, 9) {
		manager = "onehem-server"
	}
	commands, _ := filepath.Glob(filepath.Join(l.Proc, "[0-9]*", "cmdline"))
	for _, file := range commands {
		command, err := os.ReadFile(file)
		dir := filepath.Dir(file)
		if err != nil || !app.SameLocation(dir, l.Paths.Location) {
			continue
		}
		words := strings.Split(string(command), "\x00")
		switch {
		case filepath.Base(words[0]) == "oned":
			if info, err := os.Stat(dir); err == nil {
				if owner, ok := info.Sys().(*syscall.Stat_t); ok {
					fe.Local, fe.OnedUID, fe.OnedUser = true, int(owner.Uid), nameOf(int(owner.Uid))
				}
			}
		case slices.ContainsFunc(words[:min(len(words), 3)], func(w string) bool { return strings.HasPrefix(filepath.Base(w), manager) }):
			if stat, _ := process.ReadStat(dir); stat.State != "" && (!fe.Manager || strings.ContainsAny(fe.ManagerState, deadStates)) {
				fe.Manager, fe.ManagerState = true, stat.State
			}
		}
	}
}

// deadStates are those of processes that do nothing any more: zombies, and stopped ones
// (proc(5)).
const deadStates = "ZTtXx"

// failedLoad is the last line in the log of the hook execution manager that says that it could not
// read its hooks, unless it could later on: it goes on without any then (HookMap.load in
// src/hem/onehem-server.rb, 5.10.0 to 7.4.0).
func failedLoad(path string) string {
	failed := ""
	tail(path, func(line string) {
		switch {
		case strings.Contains(line, "Cannot get hook information"):
			failed = line
		case strings.Contains(line, "Loading Hooks..."), strings.Contains(line, "Hooks successfully loaded"):
			failed = ""
		}
	})
	return failed
}

// tail passes the lines of the last megabyte of a file on.
func tail(path string, each func(string)) {
	const most = 1 << 20
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	from := max(0, info.Size()-most)
	lines := bufio.NewScanner(io.NewSectionReader(f, from, most))
	lines.Buffer(nil, most)
	for lines.Scan() {
		each(lines.Text())
	}
}

// timer reports whether a timer of systemd or cron runs oneft resume.
func (l *look) timer() bool {
	if found, _ := filepath.Glob(filepath.Join(l.Root, "/etc/systemd/system/*.wants/one-ft-resume.timer")); len(found) > 0 {
		return true
	}
	found := false
	for _, pattern := range []string{"/etc/cron.d/*", "/etc/crontab", "/var/spool/cron/*", "/var/spool/cron/crontabs/*"} {
		files, _ := filepath.Glob(filepath.Join(l.Root, pattern))
		for _, file := range files {
			tail(file, func(line string) {
				line = strings.TrimSpace(line)
				found = found || !strings.HasPrefix(line, "#") && strings.Contains(line, "oneft resume")
			})
		}
	}
	return found
}

// nameOf is the name of a user, or its number.
func nameOf(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return "UID " + strconv.Itoa(uid)
}

// groupsOf are the groups of a user.
func groupsOf(uid int) []int {
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return nil
	}
	var groups []int
	words, _ := u.GroupIds()
	for _, w := range words {
		if n, err := strconv.Atoi(w); err == nil {
			groups = append(groups, n)
		}
	}
	return groups
}

// writable reports why a user cannot write a file, or into a directory, or make it.
func writable(path string, uid int, groups []int) error {
	info, err := os.Stat(path)
	for errors.Is(err, os.ErrNotExist) && filepath.Dir(path) != path {
		path = filepath.Dir(path)
		info, err = os.Stat(path)
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("%s is not a directory", path)
		}
	}
	if err != nil {
		return err
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err == nil {
		switch {
		case fs.Flags&unix.ST_RDONLY != 0:
			return fmt.Errorf("%w: %s is mounted read-only", errSpace, path)
		case fs.Blocks > 0 && fs.Bavail == 0 || fs.Files > 0 && fs.Ffree == 0:
			return fmt.Errorf("%w: no space is left where %s is", errSpace, path)
		}
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || uid == 0 {
		return nil
	}
	need, mode := uint32(0o2), uint32(info.Mode().Perm())
	if info.IsDir() {
		need = 0o3
	}
	switch {
	case int(owner.Uid) == uid:
		mode >>= 6
	case slices.Contains(groups, int(owner.Gid)):
		mode >>= 3
	}
	if mode&need != need {
		return fmt.Errorf("%s belongs to %s with mode %04o, and hooks run as %s", path, nameOf(int(owner.Uid)), info.Mode().Perm(), nameOf(uid))
	}
	return nil
}
