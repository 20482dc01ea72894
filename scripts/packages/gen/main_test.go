package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"one-ft/test/process/programs"
)

// made runs gen.
func made(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), args, &out, "1700000000")
	return out.String(), err
}

// An executable is made of Go and of modules; no licence is left out, and Apache's is only named.
func TestCopyright(t *testing.T) {
	tool := filepath.Join(programs.Dir(t), "host_isolated") // holds a module under the Apache License
	deb, err := made(t, "copyright", "deb", tool)
	if err != nil {
		t.Fatal(err)
	}
	modules, err := modulesOf([]string{tool})
	if err != nil || len(modules) < 5 {
		t.Fatalf("%q, %v", modules, err)
	}
	for _, m := range append(modules, "Go@"+strings.TrimPrefix(runtime.Version(), "go")) {
		_, behind, found := strings.Cut(deb, strings.Repeat("-", 80)+"\n"+strings.Replace(m, "@", " ", 1)+"\n")
		text, _, _ := strings.Cut(behind, strings.Repeat("-", 80))
		if !found || !strings.Contains(text, "Copyright") && !strings.Contains(text, "Apache License") || len(text) < 100 {
			t.Errorf("%s: %v, %q", m, found, text)
		}
	}
	if !strings.Contains(deb, "/usr/share/common-licenses/Apache-2.0") || strings.Contains(deb, "TERMS AND CONDITIONS") {
		t.Error("the Apache License is not named, or its text is there")
	}
	if rpm, err := made(t, "copyright", "rpm", tool); err != nil || strings.Contains(rpm, "common-licenses") {
		t.Errorf("rpm: %v", err)
	}
	if _, err := made(t, "copyright", "deb", "main.go"); err == nil || !strings.Contains(err.Error(), "main.go") {
		t.Errorf("no executable: %v", err)
	}
	if _, err := licences(t.TempDir()); err == nil {
		t.Error("a module without a licence is taken")
	}
}

// versions is what nfpm reads.
type versions []struct {
	Semver   string
	Packager string
	Changes  []struct{ Note string }
}

func TestChangelog(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	read := func(version string) (v versions) {
		t.Helper()
		text, err := made(t, "changelog", version, `A "B" <a@example.org>`)
		if err == nil {
			err = yaml.Unmarshal([]byte(text), &v)
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		return v
	}
	if v := read("1.0.0-1"); len(v) != 1 || v[0].Semver != "1.0.0-1" || len(v[0].Changes) != 1 {
		t.Errorf("outside a clone: %+v", v)
	}
	git := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v: %s", args, err, out)
		}
	}
	git("init", "-q")
	git("commit", "-q", "--allow-empty", "-m", "first: with a \"quote\" and\ttab")
	git("tag", "v0.9.0")
	git("commit", "-q", "--allow-empty", "-m", strings.Repeat("word ", 30))
	v := read("1.0.0-1")
	if len(v) != 2 || v[1].Semver != "0.9.0-1" || len(v[1].Changes) != 1 || v[1].Changes[0].Note != "first: with a \"quote\" and tab" || v[0].Packager != `A "B" <a@example.org>` {
		t.Fatalf("%+v", v)
	}
	for line := range strings.Lines(v[0].Changes[0].Note) {
		if len(line) > 80 {
			t.Errorf("a line of %d characters: %s", len(line), line)
		}
	}
	git("tag", "v1.0.0")
	if v := read("1.0.0-1"); len(v) != 2 || len(v[0].Changes) != 1 {
		t.Errorf("at the tag: %+v", v)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"documents", "x"}, {"copyright", "deb"}, {"changelog", "1"}} {
		if _, err := made(t, args...); err != errUsage {
			t.Errorf("%q: %v", args, err)
		}
	}
}
