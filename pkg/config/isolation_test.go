package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// enough is the least that a configuration of host_isolated needs.
func enough() Isolation {
	c := DefaultIsolation()
	c.FrontEnds = []string{"http://one:2633/RPC2"}
	return c
}

func TestIsolationMissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), IsolationName)
	if c, err := LoadIsolation("", path); err != nil || !reflect.DeepEqual(c, DefaultIsolation()) {
		t.Errorf("got %+v, %v", c, err)
	}
	want := path + ": cannot be read: no such file or directory"
	if c, err := LoadIsolation(path, ""); !errors.Is(err, fs.ErrNotExist) || err.Error() != want || !reflect.DeepEqual(c, Isolation{}) {
		t.Errorf("named: %+v, %v", c, err)
	}
	if err := os.Symlink("nowhere", path); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadIsolation("", path); err == nil || err.Error() != want {
		t.Errorf("link that leads nowhere: %v", err)
	}
}

// Texts that set nothing give the defaults, and the path.
func TestIsolationEmptyFile(t *testing.T) {
	for _, text := range []string{"", "# strict: true\n", "---\n", "{}\n", "~"} {
		path := write(t, text, 0o644)
		want := DefaultIsolation()
		want.Path = path
		if c, err := LoadIsolation("", path); err != nil || !reflect.DeepEqual(c, want) {
			t.Errorf("%q: got %+v, %v", text, c, err)
		}
	}
}

// Whoever writes the file chooses what runs as root.
func TestIsolationFileThatAllMayWrite(t *testing.T) {
	path := write(t, "", 0o666)
	want := path + ": mode 0666 lets everybody write it, and it names programs to run; allowed is a file after chmod o-w"
	if _, err := LoadIsolation("", path); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestIsolationValues(t *testing.T) {
	got, err := parseIsolation("f", []byte(`
strict: true
front_ends: [one, "[::1]:80", https://one2.example/]
auth_file: /a
ca_file: /c
host_id: 0
witnesses: [gateway, dns://9.9.9.9, icmp://SW1]
interval: 1s
timeout: 500ms
cron_period: 10m
after: 1h
lease: 10s
quiet: 0s
action: command
command: [/x, -y, ""]
libvirt: test:///default
destroy_limit: 5m
shutdown_limit: 30m
command_limit: 10m
shutdown: [/sbin/halt]
power_off: [[sysrq], [/sbin/poweroff, sysrq]]
watchdog: /dev/watchdog1
watchdog_timeout: 5m
state_dir: /s
run_dir: /r
`), 0o644)
	want := Isolation{
		Path: "f", Strict: true, FrontEnds: []string{"http://one:2633/RPC2", "http://[::1]:80/RPC2", "https://one2.example/RPC2"},
		AuthFile: "/a", CAFile: "/c", HostID: 0, Witnesses: []string{"gateway", "dns://9.9.9.9:53", "icmp://sw1"},
		Interval: time.Second, Timeout: 500 * time.Millisecond, CronPeriod: 10 * time.Minute, After: time.Hour, AfterSet: true, Lease: 10 * time.Second,
		Action: ActionCommand, Command: []string{"/x", "-y", ""}, Libvirt: "test:///default",
		DestroyLimit: 5 * time.Minute, ShutdownLimit: 30 * time.Minute, CommandLimit: 10 * time.Minute,
		Shutdown: []string{"/sbin/halt"}, PowerOff: [][]string{{"sysrq"}, {"/sbin/poweroff", "sysrq"}},
		Watchdog: "/dev/watchdog1", WatchdogTimeout: 5 * time.Minute, StateDir: "/s", RunDir: "/r",
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	if err := got.Check(false); err != nil {
		t.Error(err)
	}
}

// The file need not say all: --strict may be a flag.
func TestIsolationWithoutWitnesses(t *testing.T) {
	c, err := parseIsolation("f", []byte("witnesses: []\nfront_ends: [one]\nhost_name: a b"), 0o644)
	if err != nil || len(c.Witnesses) != 0 || c.HostName != "a b" || c.HostID != -1 {
		t.Errorf("got %+v, %v", c, err)
	}
}

// As it is the example changes nothing; with front_ends alone it can be used, and with
// auth_file also strictly.
func TestIsolationExampleAsItIs(t *testing.T) {
	e := exampleOf(t, IsolationName)
	want := DefaultIsolation()
	want.Path = write(t, string(e), 0o644)
	if c, err := LoadIsolation(want.Path, ""); err != nil || !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v, %v", c, err)
	}
	e.fits(t)
	text := strings.ReplaceAll(string(e), "\n#front_ends:", "\nfront_ends:")
	strict := strings.NewReplacer("\n#auth_file:", "\nauth_file:", "\n#strict: false", "\nstrict: true").Replace(text)
	for _, text := range []string{text, strict} {
		c, err := parseIsolation("f", []byte(text), 0o644)
		if err == nil {
			err = c.Check(false)
		}
		if err != nil || c.Strict != (text == strict) {
			t.Errorf("strict %v: %v", c.Strict, err)
		}
	}
}

// With every setting in use it is valid, also for everybody to read, and shows the
// defaults where there are any.
func TestIsolationExampleUncommented(t *testing.T) {
	e := exampleOf(t, IsolationName)
	for _, without := range []string{"host_id", "host_name"} {
		got, err := parseIsolation("f", []byte(e.uncommented(without)), 0o644)
		if err != nil {
			t.Fatal(err)
		}
		want := DefaultIsolation()
		want.Path, want.AfterSet = "f", true
		want.FrontEnds = []string{"http://one1.example:2633/RPC2", "https://one2.example/RPC2"}
		want.AuthFile, want.CAFile = "/etc/one-ft/one_auth", "/etc/ssl/certs/ca-certificates.crt"
		want.Command = []string{"/usr/local/bin/on-isolation", "--now"}
		want.Watchdog = "/dev/watchdog"
		if without == "host_id" {
			want.HostName = "node12"
		} else {
			want.HostID = 12
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
		isolationReadsBack(t, got)
		got.Action = ActionCommand
		if err := got.Check(false); err != nil {
			t.Error(err)
		}
	}
	refusedBy(t, parseIsolation, e.uncommented(), private, "f:"+e.lineWith(t, "#host_name:")+": host_name: contradicts host_id in line "+
		e.lineWith(t, "#host_id:")+"; allowed is one of both: each says which host this is")
}

// Every key that the type has is in the example and explained there with its default,
// and the example and the reader know no other.
func TestIsolationExampleIsComplete(t *testing.T) {
	all := keysOf()
	exampleOf(t, IsolationName).isComplete(t, all)
	refusedBy(t, parseIsolation, "colour: red", private, `f:1: unknown key "colour"; allowed is `+orList(all))
}
