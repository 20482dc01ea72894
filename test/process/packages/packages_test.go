package packages_test

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"one-ft/test/process/rigs"
)

// TestPackages builds once for all that is looked at, for this architecture: a compiler for the other one costs a minute, and make
// packages, which a release is made with, builds both.
func TestPackages(t *testing.T) {
	rigs.Need(t, needed, "make", "dpkg", "rpm", "lintian", "man", "mandoc", "shellcheck", "systemd-analyze", "bash", "zsh", "fish", "nsenter", "unshare", "useradd", "logrotate")
	rigs.NeedRoot(t)
	if rpmArch() == "" {
		t.Fatalf("packages are built for amd64 and arm64, and this is %s", runtime.GOARCH)
	}
	dir := t.TempDir()
	here := "ARCHES=" + runtime.GOARCH
	one, other := filepath.Join(dir, "one"), filepath.Join(dir, "another-place")
	sourceTree(t, one)
	first := build(t, one, "v1.0.0", "022", nil, here)
	must(t, "", nil, "cp", "-a", one, other)
	// The next version has another example, so that admins who changed theirs meet it.
	path := filepath.Join(one, "scripts", "one-ft.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, "\n# New in this version.\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	second := build(t, one, "v1.1.0", "022", nil, here)
	both := filepath.Join(dir, "both")
	must(t, "", nil, "cp", "-r", first, both)
	must(t, "", nil, "cp", "-r", second+"/.", both)
	for name, look := range map[string]func(*testing.T){
		"reproducible": func(t *testing.T) {
			again := build(t, other, "v1.0.0", "077", []string{"TZ=Asia/Tokyo", "LANG=C.UTF-8"}, here)
			sameFiles(t, first, again)
		},
		"lintian":              func(t *testing.T) { lintian(t, first) },
		"shellcheck":           func(t *testing.T) { shellcheck(t, one) },
		"make install":         func(t *testing.T) { makeInstall(t, one) },
		"deb":                  func(t *testing.T) { debs(t, both) },
		"deb without oneadmin": func(t *testing.T) { debsAlone(t, both) },
		"rpm":                  func(t *testing.T) { rpms(t, both) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			look(t)
		})
	}
}

// lintian lets Debian's checker look at the packages.
func lintian(t *testing.T, dir string) {
	debs, err := filepath.Glob(filepath.Join(dir, "*_"+runtime.GOARCH+".deb"))
	if err != nil || len(debs) != 2 {
		t.Fatalf("packages: %q, %v", debs, err)
	}
	must(t, "", nil, append([]string{"lintian", "--allow-root", "--fail-on", "error"}, debs...)...)
}

// shellcheck looks at what builds packages, and at what they run.
func shellcheck(t *testing.T, tree string) {
	must(t, filepath.Join(tree, "scripts", "packages"), nil, "sh", "-c", "shellcheck build documents ./*.postinst ./*.prerm ./*.postrm")
}

// sameFiles compares two directories of packages.
func sameFiles(t *testing.T, one, other string) {
	t.Helper()
	a, b := sums(t, one), sums(t, other)
	if len(a) != 4 {
		t.Errorf("built are %q, want two packages in two formats", slices.Sorted(maps.Keys(a)))
	}
	if !maps.Equal(a, b) {
		for _, name := range slices.Sorted(maps.Keys(a)) {
			if a[name] != b[name] {
				t.Errorf("%s differs from one build to the next", name)
			}
		}
	}
}

// sums are the sums of the files of a directory.
func sums(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name()] = fmt.Sprintf("%x", sha256.Sum256(data))
	}
	return all
}

// makeInstall is for machines without packages.
func makeInstall(t *testing.T, tree string) {
	to := t.TempDir()
	must(t, tree, []string{"SOURCE_DATE_EPOCH=1700000000"}, "make", "install", "VERSION=v1.0.0", "PREFIX=/opt/ft", "DESTDIR="+to)
	for name, mode := range map[string]os.FileMode{
		"bin/host_error": 0o755, "bin/vm_failure": 0o755, "bin/vm_unknown": 0o755, "bin/oneft": 0o755, "sbin/host_isolated": 0o755,
		"share/man/man1/oneft.1": 0o644, "share/man/man5/one-ft.yaml.5": 0o644, "share/man/man5/host_isolated.yaml.5": 0o644,
		"share/man/man8/host_error.8": 0o644, "share/man/man8/host_isolated.8": 0o644,
		"share/bash-completion/completions/oneft": 0o644, "share/zsh/site-functions/_oneft": 0o644, "share/fish/vendor_completions.d/oneft.fish": 0o644,
		"share/doc/one-ft/README.md": 0o644, "share/doc/one-ft/cmd/oneft/README.md": 0o644, "share/doc/one-ft/pkg/fence/README.md": 0o644,
		"share/doc/one-ft/examples/one-ft.yaml": 0o644, "share/doc/one-ft/examples/one-ft.logrotate": 0o644, "share/doc/one-ft/examples/prometheus/one-ft.rules.yaml": 0o644, "share/doc/one-ft/examples/ansible/one-ft.playbook.yaml": 0o644, "share/doc/one-ft/examples/host_isolated.yaml": 0o644,
		"share/doc/one-ft/examples/ft_isolated.sh": 0o755, "share/doc/one-ft/examples/host_isolated.cron": 0o644,
		"lib/systemd/system/host_isolated.service": 0o644, "lib/systemd/system/one-ft-resume.timer": 0o644, "lib/systemd/system/one-ft-resume.service": 0o644, "lib/systemd/system/one-ft-watch.service": 0o644,
	} {
		info, err := os.Stat(filepath.Join(to, "opt/ft", name))
		if err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	for name, command := range map[string]string{
		"lib/systemd/system/host_isolated.service":     "ExecStart=/opt/ft/sbin/host_isolated --watch\n",
		"lib/systemd/system/one-ft-resume.service":     "ExecStart=/opt/ft/bin/oneft resume\n",
		"lib/systemd/system/one-ft-watch.service":      "ExecStart=/opt/ft/bin/oneft watch\n",
		"share/doc/one-ft/examples/host_isolated.cron": " root /opt/ft/sbin/host_isolated\n",
		"share/doc/one-ft/examples/one-ft-resume.cron": " oneadmin /opt/ft/bin/oneft resume ",
		"share/doc/one-ft/examples/ft_isolated.sh":     "$(/opt/ft/sbin/host_isolated --print-bound",
	} {
		text, err := os.ReadFile(filepath.Join(to, "opt/ft", name))
		if err != nil || !strings.Contains(string(text), command) {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
	if outside := must(t, to, nil, "find", ".", "-type", "f", "-not", "-path", "./opt/ft/*"); outside != "" {
		t.Errorf("installed outside of the prefix: %s", outside)
	}
}
