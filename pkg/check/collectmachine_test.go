package check

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"one-ft/pkg/fence"
	"one-ft/pkg/one"
	"one-ft/pkg/statedir"
)

// write makes a file and the directories above it.
func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// proc adds a process to a /proc.
func proc(t testing.TB, dir string, pid int, state, environ string, words ...string) {
	t.Helper()
	at := filepath.Join(dir, fmt.Sprint(pid))
	write(t, filepath.Join(at, "cmdline"), strings.Join(words, "\x00")+"\x00")
	write(t, filepath.Join(at, "environ"), environ)
	write(t, filepath.Join(at, "stat"), fmt.Sprintf("%d (a) b) %s %s 500 1", pid, state, strings.Repeat("0 ", 18)))
	write(t, filepath.Join(dir, "stat"), "cpu 1\nbtime 1700000000\n")
}

// at looks at a machine.
func at(v one.Version, dir string, change func(*collector)) FrontEnd {
	l := &collector{Input: Input{Proc: filepath.Join(dir, "proc"), Root: dir, State: statedir.Dir(filepath.Join(dir, "state")), LogDir: filepath.Join(dir, "log")}}
	l.facts.Version, l.facts.Endpoint = v, "http://localhost:2633/RPC2"
	if change != nil {
		change(l)
	}
	l.machine()
	return l.facts.FrontEnd
}

func TestManager(t *testing.T) {
	dir := t.TempDir()
	procs := filepath.Join(dir, "proc")
	if fe := at(v74, dir, nil); fe.Local || fe.Manager {
		t.Errorf("an empty machine: %+v", fe)
	}
	proc(t, procs, 100, "S", "HOME=/\x00", "/usr/bin/oned", "-f")
	fe := at(v74, dir, nil)
	if !fe.Local || fe.OnedUID != os.Getuid() || fe.OnedUser == "" || fe.Manager || fe.UID != os.Geteuid() {
		t.Errorf("oned alone: %+v", fe)
	}
	proc(t, procs, 90, "S", "ONE_LOCATION=/srv/other\x00", "/usr/bin/ruby", "/srv/other/lib/onehem/onehem-server.rb")
	proc(t, procs, 91, "S", "", "vi", "-R", "-c", "1", "/usr/lib/one/onehem/onehem-server.rb")
	if fe := at(v74, dir, nil); fe.Manager {
		t.Errorf("the manager of another OpenNebula, or an editor: %+v", fe)
	}
	proc(t, procs, 101, "Z", "", "/usr/bin/ruby", "/usr/lib/one/onehem/onehem-server.rb")
	if fe := at(v74, dir, nil); !fe.Manager || fe.ManagerState != "Z" {
		t.Errorf("a zombie: %+v", fe)
	}
	proc(t, procs, 102, "R", "", "/usr/bin/ruby", "/usr/lib/one/onehem/onehem-server.rb")
	if fe := at(v74, dir, nil); !fe.Manager || fe.ManagerState != "R" {
		t.Errorf("a zombie and a new one: %+v", fe)
	}
	if fe := at(v44, dir, nil); fe.Manager || !fe.Local {
		t.Errorf("4.4 has another manager: %+v", fe)
	}
	proc(t, procs, 103, "S", "", "ruby", "/usr/lib/one/mads/one_hm.rb")
	if fe := at(v44, dir, nil); !fe.Manager || fe.ManagerState != "S" {
		t.Errorf("one_hm: %+v", fe)
	}
	if fe := at(v74, dir, func(l *collector) { l.facts.Endpoint = "http://one.example:2633/RPC2" }); fe.Local {
		t.Errorf("another machine: %+v", fe)
	}
}

func TestManagerLog(t *testing.T) {
	const loading, loaded, failed = "[I]: Loading Hooks...\n", "[I]: Hooks successfully loaded\n", "[E]: Cannot get hook information: refused\n"
	for text, want := range map[string]bool{
		"": false, loading + loaded: false, loading + failed: true, loading + failed + loading: false, loading + failed + loading + loaded: false,
		loading + loaded + loading + failed + "[I]: Executing\n": true, strings.Repeat("x", 2<<20) + "\n" + failed: true,
	} {
		dir := t.TempDir()
		proc(t, filepath.Join(dir, "proc"), 100, "S", "", "oned")
		write(t, filepath.Join(dir, "log", "onehem.log"), text)
		if fe := at(v74, dir, nil); (fe.ManagerLog != "") != want {
			t.Errorf("%.80q: %q", text, fe.ManagerLog)
		}
		if fe := at(v44, dir, nil); fe.ManagerLog != "" {
			t.Errorf("4.4 has no such log: %q", fe.ManagerLog)
		}
	}
}

func TestTimer(t *testing.T) {
	for file, want := range map[string]bool{
		"etc/cron.d/one-ft-resume:* * * * * oneadmin /var/lib/one/remotes/hooks/ft/oneft resume >/dev/null\n": true,
		"etc/cron.d/other:# * * * * * oneft resume\n* * * * * root true\n":                                    false,
		"var/spool/cron/crontabs/oneadmin:* * * * * /x/oneft resume":                                          true,
		"etc/systemd/system/timers.target.wants/one-ft-resume.timer:x":                                        true,
		"etc/systemd/system/one-ft-resume.timer:x":                                                            false,
	} {
		dir := t.TempDir()
		proc(t, filepath.Join(dir, "proc"), 100, "S", "", "oned")
		name, text, _ := strings.Cut(file, ":")
		write(t, filepath.Join(dir, name), text)
		if fe := at(v74, dir, nil); fe.Timer != want {
			t.Errorf("%q: %v", file, fe.Timer)
		}
	}
}

// TestIgnoredByCron: a file that Debian's cron does not read runs nothing, and is named with the reason.
func TestIgnoredByCron(t *testing.T) {
	const line = "* * * * * oneadmin /x/oneft resume\n"
	for name, c := range map[string]struct {
		file, text string
		mode       os.FileMode
		other      bool // not Debian
		want       string
	}{
		"as it should be":     {file: "one-ft-resume", text: line, mode: 0o644},
		"a dot":               {file: "one-ft-resume.cron", text: line, mode: 0o644, want: "one-ft-resume.cron runs oneft resume, but cron ignores it: its name has"},
		"a dot, RHEL":         {file: "one-ft-resume.cron", text: line, mode: 0o644, other: true},
		"no line break":       {file: "one-ft", text: line + "# end", mode: 0o644, want: "its last line does not end with a line break"},
		"writable by a group": {file: "one-ft", text: line, mode: 0o664, want: "others than its owner can write to it"},
		"not about one-ft":    {file: "other.dpkg-old", text: "* * * * * root true\n", mode: 0o644},
	} {
		dir := t.TempDir()
		proc(t, filepath.Join(dir, "proc"), 100, "S", "", "oned")
		path := filepath.Join(dir, "etc/cron.d", c.file)
		write(t, path, c.text)
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		if !c.other {
			write(t, filepath.Join(dir, "etc/debian_version"), "12.5\n")
		}
		fe := at(v74, dir, nil)
		if fe.Timer != (c.want == "" && c.file != "other.dpkg-old") || (fe.TimerIgnored == "") != (c.want == "") || !strings.Contains(fe.TimerIgnored, c.want) {
			t.Errorf("%s: %v, %q, want %q", name, fe.Timer, fe.TimerIgnored, c.want)
		}
	}
}

// TestWritable: the rights of another user are read from the mode.
func TestWritable(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	// Files of root are root's to write: the owner must be somebody else to be denied.
	owner, group, other := int(stat.Uid), int(stat.Gid), 54321
	write(t, filepath.Join(dir, "file"), "")
	for _, c := range []struct {
		path   string
		mode   os.FileMode
		uid    int
		groups []int
		want   bool
	}{
		{"", 0o700, owner, nil, true}, {"", 0o700, other, nil, false}, {"", 0o707, other, nil, true}, {"", 0o706, other, nil, false},
		{"", 0o770, other, []int{group}, true}, {"", 0o707, other, []int{group}, false}, {"", 0o750, other, []int{group}, false},
		{"new/er", 0o700, owner, nil, true}, {"new/er", 0o755, other, nil, false}, {"file/er", 0o777, owner, nil, false}, {"", 0o000, 0, nil, true},
	} {
		if err := os.Chmod(dir, c.mode); err != nil {
			t.Fatal(err)
		}
		if c.mode == 0 && os.Geteuid() != 0 {
			continue
		}
		err := writable(filepath.Join(dir, c.path), fence.Account{UID: c.uid, GIDs: c.groups})
		if (err == nil) != c.want {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]bool{0o646: true, 0o644: false} {
		if err := os.Chmod(filepath.Join(dir, "file"), mode); err != nil {
			t.Fatal(err)
		}
		if err := writable(filepath.Join(dir, "file"), fence.Account{UID: other}); (err == nil) != want {
			t.Errorf("a file with %04o: %v", mode, err)
		}
	}
}

// TestDirs: the directories and files that hooks write are looked at, and none is made.
func TestDirs(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "log", "host_error.log"), "")
	write(t, filepath.Join(dir, "state", "locks", "host-1.lock"), "")
	l := &collector{Input: Input{Proc: dir, Root: dir, State: statedir.Dir(filepath.Join(dir, "state")), LogDir: filepath.Join(dir, "log")}}
	l.facts.Values.MetricsFile = filepath.Join(dir, "metrics", "a.prom")
	l.machine()
	var got []string
	for _, d := range l.facts.Dirs {
		got = append(got, fmt.Sprintf("%s %v %v", strings.TrimPrefix(d.Path, dir), d.File, d.Err))
	}
	want := []string{"/state false <nil>", "/state/locks false <nil>", "/log false <nil>", "/log/host_error.log true <nil>", "/metrics false <nil>"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "metrics")); err == nil {
		t.Error("a directory was made")
	}
}
