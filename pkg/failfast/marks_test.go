package failfast

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"one-ft/pkg/statedir"
)

func hold(host int, ahead time.Duration) Hold {
	return Hold{Host: host, Incident: 7, FrontEnd: "fe-1", PID: 42, Until: time.Now().Add(ahead)}
}

// states gives the marks as name=state:hosts.
func states(t testing.TB, m Marks) string {
	t.Helper()
	marks, err := m.List()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, mark := range marks {
		text := mark.Name + "=" + string(mark.State)
		for _, h := range mark.Holds {
			text += ":" + string(rune('0'+h.Host))
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

// obeyed asks a shell as the block does.
func obeyed(m Marks, name string) bool {
	return exec.Command("/bin/sh", "-c", "test '"+m.Path(name)+"' -nt /proc/self -a -e /proc/self").Run() == nil
}

func TestMarks(t *testing.T) {
	t.Parallel()
	ctx, m := t.Context(), Open(t.TempDir())
	if err := m.Clear(ctx, 1); err != nil || states(t, m) != "" {
		t.Errorf("without a directory: %v", err)
	}
	if removed, err := m.Sweep(ctx); err != nil || removed != nil {
		t.Errorf("sweep without a directory: %v, %v", removed, err)
	}
	if err := m.Set(ctx, []string{"node1", "shared", "node1", "2001:db8::1"}, hold(1, MaxHold)); err != nil {
		t.Fatal(err)
	}
	if err := m.Set(ctx, []string{"shared"}, hold(2, MaxHold/2)); err != nil {
		t.Fatal(err)
	}
	if got, want := states(t, m), "2001:db8::1=in_force:1 node1=in_force:1 shared=in_force:1:2"; got != want {
		t.Errorf("set: %q", got)
	}
	for name, want := range map[string]bool{"node1": true, "shared": true, "2001:db8::1": true, "node2": false} {
		if got := obeyed(m, name); got != want {
			t.Errorf("a shell obeys the mark of %s: %v", name, got)
		}
	}
	marks, err := m.List()
	if err != nil || time.Until(marks[2].Until) < MaxHold/2 {
		t.Errorf("the hold that is longer counts: %v, %v", marks, err)
	}
	if err := m.Clear(ctx, 1); err != nil || states(t, m) != "shared=in_force:2" || !obeyed(m, "shared") {
		t.Errorf("what another host holds stays: %v, %q", err, states(t, m))
	}
	marks, _ = m.List()
	if h := marks[0].Holds[0]; time.Until(marks[0].Until) > MaxHold/2 || h.Incident != 7 || h.FrontEnd != "fe-1" || h.PID != 42 {
		t.Errorf("what is left: %+v", marks)
	}
	if err := m.Clear(ctx, 2); err != nil || states(t, m) != "" || obeyed(m, "shared") {
		t.Errorf("cleared: %v, %q", err, states(t, m))
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	m := Open(t.TempDir())
	for _, ahead := range []time.Duration{-time.Second, 0, MaxHold + time.Second, time.Hour} {
		if err := m.Set(t.Context(), []string{"n"}, hold(1, ahead)); !errors.Is(err, ErrExpiry) || states(t, m) != "" {
			t.Errorf("%s ahead: %v", ahead, err)
		}
	}
	if err := m.Set(t.Context(), []string{"n"}, hold(1, 100*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for end := time.After(10 * time.Second); obeyed(m, "n"); {
		select {
		case <-end:
			t.Fatal("the mark does not end")
		case <-time.After(5 * time.Millisecond):
		}
	}
	if states(t, m) != "n=expired:1" {
		t.Errorf("an expired mark: %s", states(t, m))
	}
	// An expired hold does not come back by that of another host.
	if err := m.Set(t.Context(), []string{"n"}, hold(2, MaxHold)); err != nil || states(t, m) != "n=in_force:2" {
		t.Errorf("renewed by another: %v, %s", err, states(t, m))
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	ctx, m := t.Context(), Open(t.TempDir())
	if err := m.Set(ctx, []string{"good", "old", "long", "odd", "none"}, hold(1, MaxHold)); err != nil {
		t.Fatal(err)
	}
	for name, ahead := range map[string]time.Duration{"old": -time.Second, "long": time.Hour} {
		if err := os.Chtimes(m.Path(name), time.Time{}, time.Now().Add(ahead)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"odd": "\x00{", "none": `{"holds":[]}`, ".mark-123": "{"} {
		if err := os.WriteFile(m.Path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Symlink("/etc/passwd", m.Path("link")), unix.Mkfifo(m.Path("pipe"), 0o600)); err != nil {
		t.Fatal(err)
	}
	const want = "good=in_force:1 link=unreadable long=too_long:1 none=unreadable odd=unreadable old=expired:1 pipe=unreadable"
	if got := states(t, m); got != want {
		t.Errorf("%s", got)
	}
	removed, err := m.Sweep(ctx)
	if err != nil || len(removed) != 6 || states(t, m) != "good=in_force:1" {
		t.Errorf("%v, %v; left %s", removed, err, states(t, m))
	}
	if _, err := os.Stat(m.Path(".mark-123")); err == nil {
		t.Error("a file that was left half written stays")
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := Open(dir)
	bad := []string{"", ".", "..", ".lock", "../x", "a/b", "-G", "a'b", "a\nb", "a\x1b[0m", strings.Repeat("x", maxName+1), "a\x00b"}
	err := m.Set(t.Context(), append([]string{"good", "Ünicode", "a b", strings.Repeat("x", maxName)}, bad...), hold(1, MaxHold))
	if joined, is := err.(interface{ Unwrap() []error }); !is || len(joined.Unwrap()) != len(bad) || !errors.Is(err, ErrName) {
		t.Errorf("%v", err)
	}
	if strings.ContainsAny(err.Error(), "\x1b\x00") {
		t.Errorf("not printable: %q", err)
	}
	if marks, _ := m.List(); len(marks) != 4 {
		t.Errorf("bad names keep good ones from being set: %v", marks)
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 1 {
		t.Errorf("something is outside of the directory: %v", entries)
	}
}

// TestTogether: processes that set and clear at once lose nothing of each other.
func TestTogether(t *testing.T) {
	t.Parallel()
	m := Open(t.TempDir())
	var wg sync.WaitGroup
	for host := range 8 {
		wg.Go(func() {
			for range 5 {
				if err := m.Set(t.Context(), []string{"shared"}, hold(host, MaxHold)); err != nil {
					t.Error(err)
				}
			}
			if host%2 == 0 {
				if err := m.Clear(t.Context(), host); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	marks, _ := m.List()
	var hosts []int
	for _, h := range marks[0].Holds {
		hosts = append(hosts, h.Host)
	}
	slices.Sort(hosts)
	if !slices.Equal(hosts, []int{1, 3, 5, 7}) {
		t.Errorf("%v", hosts)
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	m := Open(t.TempDir())
	if err := m.Set(t.Context(), []string{"n"}, hold(1, MaxHold)); err != nil {
		t.Fatal(err)
	}
	_, unlock, err := statedir.LockFile(t.Context(), m.Path(lockName), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if err := m.Clear(t.Context(), 1); !errors.Is(err, ErrBusy) {
		t.Errorf("%v", err)
	}
}

// TestNoRoom: on a file system that takes nothing more the mark stays as it was, and the error says so.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=64k,nr_inodes=6"); err != nil {
		t.Log("no small file system can be mounted here:", err)
		return
	}
	defer func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }()
	m := Open(dir)
	if err := m.Set(t.Context(), []string{"n"}, hold(1, MaxHold)); err != nil {
		t.Fatal(err)
	}
	before := states(t, m)
	blob := make([]byte, 64<<10)
	_ = os.WriteFile(filepath.Join(dir, "blob"), blob, 0o600)
	err := m.Set(t.Context(), []string{"n", "other"}, hold(2, MaxHold))
	if !errors.Is(err, syscall.ENOSPC) || states(t, m) != before || !obeyed(m, "n") {
		t.Errorf("%v; %s", err, states(t, m))
	}
	if entries, _ := os.ReadDir(m.dir); len(entries) != 2 {
		t.Errorf("something was left: %v", entries)
	}
}

// TestAsRoot: what root makes belongs to the owner of the state directory, and every user can read marks; the lock is for that user.
func TestAsRoot(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("not root: files belong to this user anyway")
	}
	dir := t.TempDir()
	owner := os.Geteuid()
	if owner == 0 {
		owner = 54321
		if err := os.Chown(dir, owner, owner); err != nil {
			t.Fatal(err)
		}
	}
	m := Open(dir)
	if err := m.Set(t.Context(), []string{"n"}, hold(1, MaxHold)); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{m.dir: 0o755, m.Path(lockName): 0o640, m.Path("n"): 0o644} {
		info, err := os.Stat(path)
		if err != nil || int(info.Sys().(*syscall.Stat_t).Uid) != owner || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	text, err := json.Marshal(content{[]Hold{{Host: 1, Until: time.Unix(1e9, 0)}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"holds":[{"host":1e99}]}`))
	m := Marks{dir: f.TempDir()}
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(m.Path("a"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		holds, err := m.read("a")
		if (err == nil) != (len(holds) > 0) {
			t.Fatalf("%v, %v", holds, err)
		}
	})
}

// TestHolds: for any order of hosts that set and clear, a mark is there exactly while a host holds it.
func TestHolds(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(root, "")
		if err != nil {
			rt.Fatal(err)
		}
		m, want := Open(dir), map[string]map[int]bool{"a": {}, "b": {}}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			host, name := rapid.IntRange(1, 3).Draw(rt, "host"), rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "name")
			if rapid.Bool().Draw(rt, "set") {
				err, want[name][host] = m.Set(t.Context(), []string{name}, hold(host, MaxHold)), true
			} else {
				err = m.Clear(t.Context(), host)
				delete(want["a"], host)
				delete(want["b"], host)
			}
			if err != nil {
				rt.Fatal(err)
			}
		}
		marks, err := m.List()
		if err != nil {
			rt.Fatal(err)
		}
		found := 0
		for _, mark := range marks {
			found += len(mark.Holds)
			for _, h := range mark.Holds {
				if !want[mark.Name][h.Host] {
					rt.Fatalf("host %d does not hold %s", h.Host, mark.Name)
				}
			}
		}
		if found != len(want["a"])+len(want["b"]) {
			rt.Fatalf("%v, want %v", marks, want)
		}
	})
}
