package fence

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"one-ft/pkg/process"
)

// siteCommand is a site's own script.
func siteCommand(t *testing.T) Device {
	t.Helper()
	path, err := filepath.Abs("testdata/fence_host.sh")
	if err != nil {
		t.Fatal(err)
	}
	return Device{Kind: KindCommand, Command: []string{path, "argument"}}
}

func TestCommand(t *testing.T) {
	for _, c := range []struct {
		name, fails string
		proven      bool
		runs        int
	}{
		{"off at once", "0", true, 1},
		{"off the second time", "1", true, 2},
		{"never", "9", false, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := newGear(t)
			host := Host{ID: 12, Name: "node12", XML: []byte("<HOST><ID>12</ID><FENCE_IP>" + g.path("bmc") + "</FENCE_IP></HOST>\n")}
			g.write("bmc", "fails", c.fails)
			s := g.settings(level(siteCommand(t)))
			s.Run = func(ctx context.Context, limit time.Duration, p process.Program) process.Result {
				if n := len(p.Env) - 2; n < 0 || !slices.Equal(p.Env[:n], os.Environ()) || !slices.Equal(p.Env[n:], []string{"FT_HOST_ID=12", "FT_HOST_NAME=node12"}) {
					t.Errorf("the environment is %q, not that of this process and the host", p.Env)
				}
				p.Env = []string{"PATH=" + agentPath, "SITE=here"}
				return process.Run(ctx, limit, p)
			}
			proof, err := Prove(t.Context(), host, s)
			if (err == nil) != c.proven || proof.Covers(12) != c.proven || proof.Certain() != c.proven {
				t.Fatalf("proof %v, %v", proof, err)
			}
			if n := g.calls("bmc", "run"); n != c.runs {
				t.Errorf("%d runs, want %d", n, c.runs)
			}
			if !strings.Contains(g.told(), "<ID>12</ID>") || !strings.Contains(g.told(), "for argument in here") {
				t.Errorf("events: %s", g.told())
			}
			if !c.proven && !strings.Contains(err.Error(), "exit code 7") {
				t.Error(err)
			}
		})
	}
}

// TestHangingAgentIsKilled looks for the end of its whole family.
func TestHangingAgentIsKilled(t *testing.T) {
	t.Parallel()
	g := newGear(t)
	s := g.settings(level(g.agent("bmc", "fence_hang")))
	s.Timeout, s.Attempts = 2*time.Second, 1
	signs := g.alive("bmc")
	ended := make(chan error, 1)
	start := time.Now()
	go func() {
		_, err := Prove(t.Context(), theHost, s)
		ended <- err
	}()
	sign(t, signs, "ready")
	sign(t, signs, "")
	err := <-ended
	if !errors.Is(err, process.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
}

// A process that left the group and keeps the output open cannot hold us up.
func TestDaemonDoesNotBlock(t *testing.T) {
	t.Parallel()
	g := newGear(t)
	start := time.Now()
	_, err := Prove(t.Context(), theHost, g.settings(level(g.agent("bmc", "fence_daemon"))))
	pid, atoi := strconv.Atoi(g.read("bmc", "daemon"))
	if atoi != nil {
		t.Fatal(atoi)
	}
	defer syscall.Kill(pid, syscall.SIGKILL)
	if took := time.Since(start); err != nil || took > 15*time.Second {
		t.Errorf("%v after %s", err, took)
	}
}

func TestFindAgent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "fence_text"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "fence_dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := Settings{AgentDir: []string{dir, ".", "testdata/agents"}}
	for _, name := range []string{"fence_text", "fence_dir", "fence_good"} {
		if path, err := s.findAgent(name); !errors.Is(err, ErrNotInstalled) {
			t.Errorf("%s: %q, %v", name, path, err)
		}
	}
}
