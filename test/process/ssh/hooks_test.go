package ssh

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"one-ft/cmd/oneft/oneftcmd"
	"one-ft/pkg/app"
	"one-ft/pkg/failfast"
	"one-ft/pkg/process"
	"one-ft/test/process/rigs"
	"one-ft/test/sim/cloud"
)

// oneadmin is the ID of a user that only exists in the test's own /etc/passwd.
const oneadmin = 59869

// inside is set in the environment of the process that has that file.
const inside = "ONE_FT_TEST_FRONT_END"

// frontEnd is a front-end with an OpenNebula in a directory, in which oned and root work.
type frontEnd struct {
	t        *testing.T
	location string
	home     string // of oneadmin
	cloud    *cloud.Cloud
}

// TestHooks runs oneft hooks as root on a front-end whose drivers run as oneadmin: ssh has to find
// the file by oneadmin's entry in /etc/passwd.
func TestHooks(t *testing.T) {
	if os.Getenv(inside) != "" {
		newFrontEnd(t).try()
		return
	}
	t.Parallel()
	rigs.Need(t, rigs.SSHPackages, "ssh", "unshare", "setpriv")
	rigs.NeedRoot(t)
	dir, err := os.MkdirTemp("", "oneft-home-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	passwd := fmt.Appendf(nil, "root:x:0:0::/root:/bin/sh\noneadmin:x:%d:%[1]d::%s:/bin/bash\n", oneadmin, filepath.Join(dir, "home"))
	if err := os.WriteFile(filepath.Join(dir, "passwd"), passwd, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	// In some containers only root may open /dev/null, and ssh does before anything else.
	const script = `mknod -m 666 "$1/null" c 1 3 && mount --bind "$1/null" /dev/null && mount --bind "$1/passwd" /etc/passwd && exec "$2" -test.run '^TestHooks$'`
	cmd := exec.CommandContext(ctx, "unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", dir, os.Args[0])
	cmd.Env = append(os.Environ(), inside+"="+dir, "CI=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func newFrontEnd(t *testing.T) *frontEnd {
	t.Helper()
	dir := os.Getenv(inside)
	f := &frontEnd{t: t, location: filepath.Join(dir, "one"), home: filepath.Join(dir, "home")}
	for _, name := range []string{"one", "one/var", "one/etc", "one/.one", "one/var/remotes", "one/var/remotes/hooks", "one/var/remotes/hooks/ft", "home", "home/.ssh"} {
		path := filepath.Join(dir, name)
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, oneadmin, oneadmin); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(f.location, ".one", "one_auth"), []byte("oneadmin:opennebula\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"host_error", "vm_unknown"} {
		if err := os.WriteFile(filepath.Join(f.location, "var", "remotes", "hooks", "ft", name), []byte("#!/bin/false\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c, err := cloud.New(cloud.Config{Version: "6.10.0", Hosts: []cloud.Host{{ID: 0, Name: "node0"}, {ID: 1, Name: "node1"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	f.cloud = c
	return f
}

// oned starts a process that looks like oned, and returns the function that ends it.
func (f *frontEnd) oned() func() {
	f.t.Helper()
	cmd := exec.Command("setpriv", "--reuid", fmt.Sprint(oneadmin), "--clear-groups", "bash", "-c", "exec -a oned sleep 600")
	cmd.Env = []string{"ONE_LOCATION=" + f.location, "PATH=/usr/bin:/bin"}
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	for range 500 {
		if _, found := process.OnedUser("/proc", "http://localhost:2633/RPC2", f.location); found {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	}
}

// oneft runs it as root.
func (f *frontEnd) oneft(args ...string) (int, string) {
	f.t.Helper()
	var out bytes.Buffer
	environ := map[string]string{"ONE_LOCATION": f.location, "HOME": f.location, "ONE_XMLRPC": "http://localhost:2633/RPC2"}
	code := oneftcmd.Run(f.t.Context(), app.Env{
		Args: append([]string{"oneft"}, args...), Stdout: &out, Stderr: &out, Transport: f.cloud.Transport(),
		Getenv: func(name string) string { return environ[name] },
	})
	return code, out.String()
}

// config is what the file holds; "-" when there is none.
func (f *frontEnd) config() string {
	text, err := os.ReadFile(filepath.Join(f.home, ".ssh", "config"))
	if err != nil {
		return "-"
	}
	return string(text)
}

// expect runs oneft hooks and compares what the file holds then; "block" is one with the block.
func (f *frontEnd) expect(want, says string, args ...string) {
	f.t.Helper()
	code, out := f.oneft(append([]string{"hooks"}, args...)...)
	got := f.config()
	if rest, _, err := failfast.Remove([]byte(got)); err == nil && string(rest) != got {
		got = "block " + string(rest)
	}
	if got != want || !strings.Contains(out, says) {
		f.t.Errorf("oneft hooks %s: exit code %d, the file is %q, want %q, and %q in\n%s", strings.Join(args, " "), code, got, want, says, out)
	}
}

// write makes the file, for oneadmin.
func (f *frontEnd) write(text string) {
	f.t.Helper()
	path := filepath.Join(f.home, ".ssh", "config")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Chown(path, oneadmin, oneadmin); err != nil {
		f.t.Fatal(err)
	}
}

func (f *frontEnd) try() {
	t := f.t
	f.expect("-", "", "install") // oned does not run here
	f.expect("-", "", "install", "--ssh", "--dry-run")
	defer f.oned()()
	f.expect("-", "", "install", "--ssh=false")
	f.expect("-", "+Match all", "install", "--dry-run")
	f.expect("block ", "was changed", "install")
	state := filepath.Join(f.location, "var", "one-ft")
	if c := f.config(); !strings.Contains(c, "ConnectTimeout 10") || failfast.Status([]byte(c), state) != failfast.BlockCurrent {
		t.Errorf("%s", c)
	}
	info, err := os.Stat(filepath.Join(f.home, ".ssh", "config"))
	if err != nil || info.Mode() != 0o600 || info.Sys().(*syscall.Stat_t).Uid != oneadmin {
		t.Errorf("%v, %v", info, err)
	}
	client, err := failfast.NewClient(failfast.OS{Proc: "/proc"}, state)
	if err != nil {
		t.Fatal(err)
	}
	if force := client.InForce(t.Context(), failfast.Open(state)); force.State != failfast.InForce || force.ConnectTimeout != failfast.Timeout {
		t.Errorf("%+v", force)
	}
	if _, out := f.oneft("check", "--no-fencing"); !strings.Contains(out, "ssh of oneadmin to a host that is proven off fails at once") || !strings.Contains(out, "after 10s at the latest") {
		t.Errorf("%s", out)
	}
	f.expect("block ", "nothing was changed", "install")
	f.expect("block ", "fails at once (current)", "show")
	f.expect("block ", "would be changed so", "remove", "--dry-run")
	f.expect("-", "was removed", "remove")
	f.expect("-", "not_installed", "show")
	if _, out := f.oneft("check", "--no-fencing"); !strings.Contains(out, "does not fail at once") || !strings.Contains(out, "2 hosts without ConnectTimeout (0, 1)") {
		t.Errorf("%s", out)
	}

	const own = "Host *\n  ControlPath ~/x-%C\nHost node1\n  ConnectTimeout 33"
	f.write(own)
	f.expect("block "+own, "the file before is", "install")
	if strings.Contains(strings.TrimSuffix(f.config(), own), "ConnectTimeout") {
		t.Error("a ConnectTimeout of the admin's would not count any more")
	}
	f.expect(own, "was changed", "remove")
	f.expect(own, "", "remove")

	f.write("Match nonsense\n")
	f.expect("Match nonsense\n", "nothing was changed", "install")
	f.write("# BEGIN one-ft: half\n")
	f.expect("# BEGIN one-ft: half\n", "by hand", "install")
	f.write("")
	if err := os.Chown(filepath.Join(f.home, ".ssh", "config"), 0, 0); err != nil {
		t.Fatal(err)
	}
	f.expect("", "was not changed", "install")
	f.expect("", "does not belong to the user", "install", "--ssh")
	if left, _ := failfast.Open(state).List(); len(left) != 0 {
		t.Errorf("marks are left: %v", left)
	}
}
