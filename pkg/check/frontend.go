package check

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"one-ft/pkg/config"
	"one-ft/pkg/failfast"
	"one-ft/pkg/fence"
	"one-ft/pkg/process"
	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
)

// FrontEnd is what this machine tells.
type FrontEnd struct {
	// Local: oned runs on this machine, and its processes can be looked at.
	Local bool
	// OnedUID is the user that oned and hooks run as, OnedUser its name; when Local.
	OnedUID  int
	OnedUser string
	UID      int // of this process
	// Manager: the process that runs hooks is there, in ManagerState of /proc, such as S; ManagerDead when it does
	// nothing any more.
	Manager, ManagerDead bool
	ManagerState         string
	// ManagerLog is the last line of its log when it could not read its hooks; "" else.
	ManagerLog string
	// Timer: something runs oneft resume regularly.
	Timer bool
	// TimerIgnored is a file that would, and why cron does not read it; "" for none.
	TimerIgnored string
}

// Path is a directory or file that hooks need.
type Path struct {
	Path, For string
	File      bool
	Err       error // why they cannot write or run it
}

// errSpace is a file system that takes nothing more.
var errSpace = errors.New("the file system takes nothing")

// errReadOnly is one that no space would help, such as one that the kernel made so after an error of the disk.
var errReadOnly = errors.New("the file system is mounted read-only")

var errNotRunnable = errors.New("it is not there, or not executable")

// machine looks at this machine: processes, logs, directories, timers. It writes nothing.
func (c *collector) machine() {
	fe := &c.facts.FrontEnd
	fe.UID = os.Geteuid()
	hooks := accountOf(fe.UID)
	c.daemons(fe)
	if fe.Local {
		hooks = accountOf(fe.OnedUID)
		if !c.facts.Version.Before(5, 9) {
			fe.ManagerLog = failedLoad(filepath.Join(c.LogDir, "onehem.log"))
		}
		fe.Timer, fe.TimerIgnored = c.timer()
	}
	if hooks.UID != fe.UID {
		c.account = &hooks
	}
	c.dirs(hooks)
}

func (c *collector) dirs(hooks fence.Account) {
	add := func(must bool, what string, paths ...string) {
		for _, path := range paths {
			info, err := os.Stat(path)
			if must || !errors.Is(err, os.ErrNotExist) {
				c.facts.Dirs = append(c.facts.Dirs, Path{Path: path, For: what, File: err == nil && !info.IsDir(), Err: writable(path, hooks)})
			}
		}
	}
	add(true, "the journal, locks and budgets", string(c.State))
	add(false, "the state", c.State.Incidents(), c.State.Locks(), c.State.Attempts())
	switch log := c.facts.Values.LogFile; log {
	case "-":
	case "":
		add(true, "the logs", c.LogDir)
		for _, name := range []string{"host_error", "vm_failure", "vm_unknown"} {
			add(false, "the log", filepath.Join(c.LogDir, name+".log"))
		}
	default:
		add(true, "the log", filepath.Dir(log))
		add(false, "the log", log)
	}
	if metrics := c.facts.Values.MetricsFile; metrics != "" {
		add(true, "the metrics", filepath.Dir(metrics))
	}
}

// daemons finds oned and the process that runs hooks: onehem-server.rb since 5.10
// (share/pkgs/services/systemd/opennebula-hem.service), before that the driver one_hm.rb, a child of oned (src/hm_mad).
func (c *collector) daemons(fe *FrontEnd) {
	if !process.IsLocal(c.facts.Endpoint) {
		return
	}
	manager := "one_hm"
	if !c.facts.Version.Before(5, 9) {
		manager = "onehem-server"
	}
	isManager := func(args []string) bool {
		return slices.ContainsFunc(args[:min(len(args), 3)], func(w string) bool { return strings.HasPrefix(filepath.Base(w), manager) })
	}
	for _, d := range process.Daemons(c.Proc, c.Location, func(args []string) bool { return process.IsOned(args) || isManager(args) }) {
		switch {
		case process.IsOned(d.Args):
			if d.UID >= 0 && !d.Started.IsZero() {
				fe.Local, fe.OnedUID, fe.OnedUser = true, d.UID, accountOf(d.UID).Name
			}
		case d.State != "" && (!fe.Manager || fe.ManagerDead):
			fe.Manager, fe.ManagerState, fe.ManagerDead = true, d.State, d.Dead()
		}
	}
}

// failedLoad is the last line in the log of the hook execution manager that says that it could not read its hooks,
// unless it could later on: it goes on without any then (HookMap.load in src/hem/onehem-server.rb, 5.10.0 to 7.4.0).
func failedLoad(path string) string {
	failed := ""
	for _, line := range tail(path) {
		switch {
		case strings.Contains(line, "Cannot get hook information"):
			failed = line
		case strings.Contains(line, "Loading Hooks..."), strings.Contains(line, "Hooks successfully loaded"):
			failed = ""
		}
	}
	return failed
}

// tail gives the lines of the last megabyte of a file.
func tail(path string) []string {
	const most = 1 << 20
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	end, _ := io.ReadAll(io.NewSectionReader(f, max(0, info.Size()-most), most)) // what could be read
	return strings.Split(string(end), "\n")
}

// timer reports whether a timer of systemd or cron runs oneft resume, and which file of cron would, if cron read it.
func (c *collector) timer() (runs bool, ignored string) {
	if found, _ := filepath.Glob(filepath.Join(c.Root, "/etc/systemd/system/*.wants/one-ft-resume.timer")); len(found) > 0 {
		return true, ""
	}
	resumes := func(line string) bool {
		return !strings.HasPrefix(strings.TrimSpace(line), "#") && strings.Contains(line, "oneft resume")
	}
	for _, pattern := range []string{cronDir + "/*", "/etc/crontab", "/var/spool/cron/*", "/var/spool/cron/crontabs/*"} {
		files, _ := filepath.Glob(filepath.Join(c.Root, pattern))
		for _, file := range files {
			lines := tail(file)
			if !slices.ContainsFunc(lines, resumes) {
				continue
			}
			why := ""
			if strings.HasPrefix(pattern, cronDir) && c.debian() {
				why = cronIgnores(file, lines)
			}
			if why == "" {
				return true, ""
			}
			ignored = fmt.Sprintf("%s runs oneft resume, but cron ignores it: %s", file, why)
		}
	}
	return false, ignored
}

const cronDir = "/etc/cron.d"

// debian reports whether this is Debian, Ubuntu or another that comes from them.
func (c *collector) debian() bool {
	_, err := os.Stat(filepath.Join(c.Root, "/etc/debian_version"))
	return err == nil
}

var cronName = text.Pattern(`^[A-Za-z0-9_-]+$`)

// cronIgnores is why the cron of Debian and Ubuntu does not read a file in /etc/cron.d, not even its good lines, and tells only
// syslog (findings/cron-ignores-a-file.sh); "" for nothing.
func cronIgnores(file string, lines []string) string {
	info, err := os.Stat(file)
	switch {
	case !cronName().MatchString(filepath.Base(file)):
		return "its name has something else than letters, digits, - and _, such as a dot"
	case lines[len(lines)-1] != "":
		return "its last line does not end with a line break"
	case err == nil && info.Mode().Perm()&0o022 != 0:
		return "others than its owner can write to it"
	}
	return ""
}

// accountOf is a user with its groups; one without a name is named by its number.
func accountOf(uid int) fence.Account {
	u, err := failfast.LookUp(uid)
	if err != nil {
		return fence.Account{UID: uid, Name: "UID " + strconv.Itoa(uid)}
	}
	return fence.Account{UID: uid, Name: u.Name, GIDs: u.Groups}
}

// writable reports why a user cannot write a file, or into a directory, or make it.
func writable(path string, as fence.Account) error {
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
			return fmt.Errorf("%w at %s", errReadOnly, path)
		case fs.Blocks > 0 && fs.Bavail == 0 || fs.Files > 0 && fs.Ffree == 0:
			return fmt.Errorf("%w: no space is left where %s is", errSpace, path)
		}
	}
	uid, gid, err := statedir.Owner(info)
	if err != nil || as.UID == 0 {
		return nil
	}
	need, mode := uint32(0o2), uint32(info.Mode().Perm())
	if info.IsDir() {
		need = 0o3
	}
	switch {
	case uid == as.UID:
		mode >>= 6
	case slices.Contains(as.GIDs, gid):
		mode >>= 3
	}
	if mode&need != need {
		return fmt.Errorf("%s belongs to %s with mode %04o, and hooks run as %s", path, accountOf(uid).Name, info.Mode().Perm(), as.Name)
	}
	return nil
}

func programs(v config.Values) (all []Path) {
	add := func(what string, argv []string) {
		if len(argv) == 0 {
			return
		}
		p := Path{Path: argv[0], For: what}
		if filepath.IsAbs(p.Path) && !process.Runnable(p.Path) {
			p.Err = errNotRunnable
		}
		all = append(all, p)
	}
	for _, argv := range v.Confirm {
		add("confirm", argv)
	}
	for _, n := range v.Notify {
		add("notify", n.Command)
	}
	return all
}

func (e *evaluation) manager() {
	fe := e.FrontEnd
	name, restart := "onehem-server.rb", "systemctl restart opennebula-hem"
	if e.Version.Before(5, 9) {
		name, restart = "one_hm", "systemctl restart opennebula"
	}
	switch {
	case !fe.Local:
		e.warn("run oneft check on the front-end, as oneadmin or root", "oned does not run on this machine, or its processes cannot be seen: whether anything runs hooks is not known")
	case e.Follows:
		e.skip("the hook manager: it runs on the leader")
	case !fe.Manager:
		e.stop(restart, "no process %s: nobody runs hooks, and oned does not repeat what it misses now", name)
	case fe.ManagerDead:
		e.stop(restart, "%s is in state %s: it runs no hooks", name, fe.ManagerState)
	case fe.ManagerLog != "":
		e.stop(restart, "%s could not read its hooks when it started, and runs none: %s", name, fe.ManagerLog)
	default:
		e.ok("%s runs", name)
	}
}

// LateSweep is how long ago oneft resume ran last at most, where it runs regularly: it is to run each minute. A choice.
const LateSweep = 5 * time.Minute

// timer is about what runs oneft resume: where oned runs elsewhere, or cannot be seen, only its last run tells.
func (e *evaluation) timer() {
	const enable = "systemctl enable --now one-ft-resume.timer, or copy scripts/one-ft-resume.cron to /etc/cron.d/one-ft-resume"
	const status = "systemctl status one-ft-resume.timer"
	last := e.LastSweep.Format(time.DateTime)
	switch ahead := text.Ahead(e.LastSweep, e.Now); {
	case e.FrontEnd.Local && e.FrontEnd.TimerIgnored != "":
		e.warn("systemctl enable --now one-ft-resume.timer, or correct the file; cron reads one that is called /etc/cron.d/one-ft-resume", "%s", e.FrontEnd.TimerIgnored)
	case e.FrontEnd.Local && !e.FrontEnd.Timer:
		e.warn(enable, "no timer runs oneft resume: a host whose hook was lost is never recovered")
	case e.LastSweep.IsZero() && !e.FrontEnd.Local:
		e.warn(enable, "no run of oneft resume is recorded here: where nothing runs it a host whose hook was lost is never recovered")
	case ahead != "":
		e.warn(status, "oneft resume ran last at %s%s, so nobody knows whether it runs", last, ahead)
	case !e.LastSweep.IsZero() && e.Now.Sub(e.LastSweep) > LateSweep:
		e.warn(status, "oneft resume ran last at %s, which is too long ago: a host whose hook was lost is not recovered", last)
	case !e.FrontEnd.Local:
		e.ok("oneft resume ran last at %s", last)
	default:
		e.ok("oneft resume runs regularly")
	}
}

func (e *evaluation) configuration() {
	if e.ConfigFile == "" {
		e.ok("no configuration file: the defaults hold")
	} else {
		e.ok("%s can be read", e.ConfigFile)
	}
	for _, p := range e.Programs {
		if p.Err != nil {
			e.warn("chmod 0755 "+p.Path+", or correct "+p.For+" in "+e.ConfigFile, "%s: %s: %v", p.For, p.Path, p.Err)
		}
	}
}

func (e *evaluation) files() {
	user, found := cmp.Or(e.FrontEnd.OnedUser, "oneadmin"), false
	if e.Closed != nil {
		e.report.blind = true
		fix := asOneadmin
		if e.FrontEnd.Local && e.FrontEnd.UID == e.FrontEnd.OnedUID { // hooks may not, either
			fix = fmt.Sprintf("chown -R %s %s", user, e.StateDir)
		}
		e.problem(fix, "you may not read the state directory: %v; whether one-ft is paused, which incidents are open, and whether hooks can write there is not known", e.Closed)
	}
	if e.Closed != nil && !e.FrontEnd.Local { // then nobody knows whom hooks run as
		e.skip("whether hooks can write the directories for state and logs")
		return
	}
	for _, d := range e.Dirs {
		fix := fmt.Sprintf("install -d -o %s -m 0755 %s", user, d.Path)
		switch {
		case d.Err == nil:
			continue
		case errors.Is(d.Err, os.ErrPermission): // this user may not look
			found = true
			e.skip("whether hooks can write %s (%s): %v", d.Path, d.For, d.Err)
			continue
		case errors.Is(d.Err, errSpace):
			fix = "df -h " + d.Path + "; df -i " + d.Path
		case errors.Is(d.Err, errReadOnly):
			fix = "findmnt; dmesg | tail (an error of the disk?); then mount -o remount,rw MOUNTPOINT"
		case d.File:
			fix = fmt.Sprintf("chown %s %s", user, d.Path)
		}
		found = true
		e.problem(fix, "hooks cannot write %s (%s): %v", d.Path, d.For, d.Err)
	}
	if !found && len(e.Dirs) > 0 {
		e.ok("hooks can write the directories for state and logs")
	}
}
