package process

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// fakeProcess is one process of a /proc made for a test.
type fakeProcess struct {
	name, cmdline, environ string
	start                  int // clock ticks after boot
}

// fakeProc makes a /proc of a machine that booted at 1,800,000,000.
func fakeProc(t *testing.T, all ...fakeProcess) string {
	t.Helper()
	proc := t.TempDir()
	files := map[string]string{"stat": "cpu 1 2 3\nbtime 1800000000\nprocesses 9\n"}
	for i, p := range all {
		dir := fmt.Sprint(100 + i)
		files[dir+"/cmdline"], files[dir+"/environ"] = p.cmdline, p.environ
		files[dir+"/stat"] = fmt.Sprintf("%d (%s) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d 0 0\n", 100+i, p.name, p.start)
	}
	for name, text := range files {
		path := filepath.Join(proc, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return proc
}

func TestFrontEndStarted(t *testing.T) {
	oned := fakeProcess{"oned", "/usr/bin/oned\x00-f\x00", "HOME=/var/lib/one\x00", 1000}
	hem := fakeProcess{"ruby (x) y", "ruby\x00/usr/lib/one/onehem/onehem-server.rb\x00", "", 6000}
	other := fakeProcess{"oned", "/srv/bin/oned\x00", "ONE_LOCATION=/srv\x00", 9000}
	notOned := fakeProcess{"vi", "vi\x00oned\x00", "", 8000}
	boot := time.Unix(1_800_000_000, 0)
	const local = "http://localhost:2633/RPC2"
	for _, c := range []struct {
		what, endpoint, location string
		all                      []fakeProcess
		want                     time.Time
	}{
		{"oned alone", local, "", []fakeProcess{oned, notOned}, boot.Add(10 * time.Second)},
		{"became leader later", "http://127.0.0.1:2633/RPC2", "", []fakeProcess{hem, oned}, boot.Add(time.Minute)},
		{"another oned on the machine", local, "", []fakeProcess{oned, other}, boot.Add(10 * time.Second)},
		{"ours has a location", local, "/srv", []fakeProcess{oned, hem, other}, boot.Add(90 * time.Second)},
		{"no oned", local, "", []fakeProcess{hem, notOned}, time.Time{}},
		{"oned elsewhere", "http://10.0.0.1:2633/RPC2", "", []fakeProcess{oned}, time.Time{}},
	} {
		if got := FrontEndStarted(fakeProc(t, c.all...), c.endpoint, c.location); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
	if got := FrontEndStarted(t.TempDir(), local, ""); !got.IsZero() {
		t.Errorf("empty /proc: %s", got)
	}
}

// FuzzProc: whatever processes are called and say, since when this machine is a front-end is a time
// after its boot, or not known.
func FuzzProc(f *testing.F) {
	f.Add("cpu 1 2\nbtime 1700000000\n", "7 (oned) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 4711 1 2", "/usr/bin/oned\x00-f", "ONE_LOCATION=/srv\x00A=b")
	f.Add("btime x\n", "7 (a) b) S", "oned", "")
	f.Add("btime 9223372036854775807", "7 (oned) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 99999999999999999999", "oned\x00", "ONE_LOCATION=")
	f.Add("btime 1700000000", "7 (oned) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 9223372036854775807", "oned\x00", "")
	f.Add("", "7 ()", "", "")
	f.Fuzz(func(t *testing.T, stat, process, command, environ string) {
		proc := t.TempDir()
		dir := filepath.Join(proc, "7")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"stat": stat, "7/stat": process, "7/cmdline": command, "7/environ": environ} {
			if err := os.WriteFile(filepath.Join(proc, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		boot := BootTime(proc)
		if at := FrontEndStarted(proc, "http://localhost:2633/RPC2", ""); !at.IsZero() && at.Before(boot) {
			t.Errorf("started at %s, before the boot at %s", at.Format(time.RFC3339), boot.Format(time.RFC3339))
		}
	})
}
