// Package packages_test builds the packages, and installs, upgrades, removes and purges
// them in a root that is thrown away.
package packages_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// needed are the packages of Debian that these tests use.
const needed = "make git rpm lintian man-db mandoc shellcheck systemd bash zsh fish util-linux passwd logrotate"

// limit is the most time for one command; a build from nothing takes a minute on two cores.
const limit = 8 * time.Minute

// command runs a program and returns what it printed.
func command(t testing.TB, dir string, env []string, argv ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = dir, append(os.Environ(), env...), 10*time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, out)
	}
	return string(out), nil
}

// must is command for what has to work.
func must(t testing.TB, dir string, env []string, argv ...string) string {
	t.Helper()
	out, err := command(t, dir, env, argv...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sourceTree copies what packages are built from to dir.
func sourceTree(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	source, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	argv := []string{"cp", "-a"}
	for _, name := range []string{".git", "go.mod", "go.sum", "cmd", "pkg", "scripts", "Makefile", "LICENSE", "README.md", "test"} {
		if _, err := os.Stat(filepath.Join(source, name)); err == nil {
			argv = append(argv, filepath.Join(source, name))
		}
	}
	must(t, "", nil, append(argv, dir)...)
}

// build makes the packages of a version in a source tree, with this umask, and moves them to the directory
// that it returns.
func build(t *testing.T, tree, version, umask string, env []string, settings ...string) string {
	t.Helper()
	env = append([]string{"SOURCE_DATE_EPOCH=1700000000", "GOFLAGS=", "MAKEFLAGS="}, env...)
	must(t, tree, env, append([]string{"sh", "-c", "umask $1; shift; exec make \"$@\"", "sh", umask, "packages", "VERSION=" + version}, settings...)...)
	to := filepath.Join(t.TempDir(), "packages")
	if err := os.Rename(filepath.Join(tree, "build", "packages"), to); err != nil {
		t.Fatal(err)
	}
	return to
}

// rpmArch is what rpm calls the architecture of this machine.
func rpmArch() string {
	return map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
}

// root is a throw-away copy of the file system of this machine: what is written into it is
// gone with the test.
type root struct {
	t   *testing.T
	pid int
	dir string
}

// pristine removes what a machine on which OpenNebula or one-ft is installed has of them.
const pristine = `dpkg --purge --force-all one-ft one-ft-host >/dev/null 2>&1 || :
userdel --force oneadmin >/dev/null 2>&1 || :
groupdel oneadmin >/dev/null 2>&1 || :
rm -rf /etc/one /etc/one-ft /var/lib/one /var/lib/one-ft /var/log/one`

// newRoot makes a root in which packages are in /mnt.
func newRoot(t *testing.T, packages string) *root {
	t.Helper()
	dir := t.TempDir()
	const script = `set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/up" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount -t tmpfs tmpfs "$1/root/run"
mount -t tmpfs tmpfs "$1/root/tmp"
mount --bind /dev "$1/root/dev"
mount --bind "$2" "$1/root/mnt"
echo ready
exec cat`
	cmd := exec.CommandContext(t.Context(), "unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", dir, packages)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // cat ends, and with it the mounts
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("make a root: %q, %v", line, err)
	}
	r := &root{t: t, pid: cmd.Process.Pid, dir: dir + "/root"}
	// Containers leave documents out. The index of all man pages is not needed.
	r.must("rm -f /etc/dpkg/dpkg.cfg.d/* /var/lib/man-db/auto-update; mkdir -p /run/lock")
	r.must(pristine)
	return r
}

// run runs a script in the root.
func (r *root) run(script string) (string, error) {
	r.t.Helper()
	return command(r.t, "/", []string{"LC_ALL=C", "DEBIAN_FRONTEND=noninteractive", "CI="}, "nsenter", "--target", fmt.Sprint(r.pid), "--mount",
		"chroot", r.dir, "sh", "-euc", script)
}

// must runs a script that has to work.
func (r *root) must(script string) string {
	r.t.Helper()
	out, err := r.run(script)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// says checks the output of a script.
func (r *root) says(script, want string) {
	r.t.Helper()
	if out := r.must(script); strings.TrimSpace(out) != want {
		r.t.Errorf("%s says\n%s\nwant\n%s", script, out, want)
	}
}

// openNebula puts there what OpenNebula's own packages put on a front-end.
func (r *root) openNebula() {
	r.t.Helper()
	r.must(`useradd --system --create-home --home-dir /var/lib/one --shell /bin/sh oneadmin
mkdir -p /var/lib/one/remotes/hooks/ft /var/log/one /etc/one
echo '#!/usr/bin/env ruby' >/var/lib/one/remotes/hooks/ft/host_error.rb
chown -R oneadmin:oneadmin /var/lib/one /var/log/one
chmod 0750 /var/lib/one/remotes/hooks /etc/one
echo 'LOG = []' >/etc/one/oned.conf
chown -R root:oneadmin /etc/one
echo '[2026-01-01] INFO: Recreating VM: 7' >/var/log/one/host_error.log`)
}

// tree lists all files with their kinds, modes and owners, and the contents of those that
// OpenNebula and admins have.
func (r *root) tree() string {
	r.t.Helper()
	return r.must(`find /etc /usr /var /opt /srv -xdev \( -path /var/lib/dpkg -o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/rpm -o -path /var/log/dpkg.log \
	-o -path /usr/local/go -o -path /etc/dpkg/dpkg.cfg.d \) -prune -o -printf '%p %y %m %u:%g %l\n' | sort
find /etc/one /etc/one-ft /var/lib/one /var/log/one -type f -exec sha256sum {} + 2>/dev/null | sort || :`)
}

// same compares two trees.
func (r *root) same(before, after string) {
	r.t.Helper()
	was, is := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(before) {
		was[line] = true
	}
	for line := range strings.Lines(after) {
		is[line] = true
		if !was[line] {
			r.t.Errorf("new: %s", line)
		}
	}
	for line := range was {
		if !is[line] {
			r.t.Errorf("gone: %s", line)
		}
	}
}
