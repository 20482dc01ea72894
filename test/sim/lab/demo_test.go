package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"one-ft/test/process/programs"
)

// TestDemo runs scripts/demo with freshly built programs, for all versions.
func TestDemo(t *testing.T) {
	bin := programs.Dir(t)
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			out, left, err := demo(t, bin, version)
			if err != nil || len(left) > 0 {
				t.Fatalf("%v; left behind: %v\n%s", err, left, out)
			}
			for _, want := range []string{
				"ERROR - -", "DISABLED - -", "4 vm04 CLEANUP_RESUBMIT - - node00", "5 vm05 RUNNING node0",
				"VM 9 recreate: done: running on host ", "ssh to the host fails at once from here on",
				"Done: the 3 VMs of node01 run elsewhere, the 3 of node00 nowhere",
			} {
				if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
					t.Errorf("the demo does not show %q:\n%s", want, out)
				}
			}
			if strings.Contains(out, " about=") || strings.Contains(out, " kind=") {
				t.Errorf("the demo shows fields of the log:\n%s", out)
			}
		})
	}
}

// demo runs the script in a temporary directory of its own and lists what it left:
// files there, and processes that name the directory.
func demo(t *testing.T, bin, version string) (out string, left []string, err error) {
	t.Helper()
	tmp, err := os.MkdirTemp("", "demo")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	cmd := exec.CommandContext(t.Context(), filepath.Join("..", "..", "..", "scripts", "demo"))
	cmd.Env = append(os.Environ(), "DEMO_BIN="+bin, "DEMO_VERSION="+version, "TMPDIR="+tmp)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it cleans up
	cmd.WaitDelay = 20 * time.Second
	text, err := cmd.CombinedOutput()
	files, listed := os.ReadDir(tmp)
	if listed != nil {
		t.Fatal(listed)
	}
	for _, f := range files {
		left = append(left, f.Name())
	}
	return string(text), append(left, processes(t, tmp)...), err
}

// processes lists the processes that have a text among their words.
func processes(t *testing.T, text string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, file := range files {
		// A process that ends meanwhile is none.
		if words, err := os.ReadFile(file); err == nil && strings.Contains(string(words), text) {
			list = append(list, file+": "+strings.ReplaceAll(string(words), "\x00", " "))
		}
	}
	return list
}

// The demo says what is wrong, in every way in which a part of it may not happen.
func TestDemoFails(t *testing.T) {
	for name, tc := range map[string]struct {
		version, hostError, want string
	}{
		"no such version": {"2.0", "exit 0", "the simulated cloud did not start: onelab: --version 2.0"},
		"hook fails":      {"6.10.0", "echo broken >&2; exit 1", "host_error did not end with exit code 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin := t.TempDir()
			runProgram(t, "cp", filepath.Join(programs.Dir(t), "onelab"), bin)
			runProgram(t, "install", "-m", "0755", script(t, "#!/bin/sh\n"+tc.hostError+"\n"), filepath.Join(bin, "host_error"))
			out, left, err := demo(t, bin, tc.version)
			if err == nil || len(left) > 0 || !strings.Contains(out, "demo: "+tc.want) {
				t.Errorf("got %v, want %q; left behind: %v\n%s", err, tc.want, left, out)
			}
		})
	}
	if out, _, err := demo(t, t.TempDir(), "6.10.0"); err == nil || !strings.Contains(out, "host_error is missing: run make demo") {
		t.Errorf("without programs: %v\n%s", err, out)
	}
}
