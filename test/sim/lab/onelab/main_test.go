package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// call runs a command to its end.
func call(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(append([]string{"onelab"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

func TestWrongUsage(t *testing.T) {
	t.Setenv("ONE_LOCATION", "")
	for _, tc := range []struct{ line, want string }{
		{"bogus", `"bogus" is not a command`},
		{"fail --bogus 1", "unknown option"},
		{"fail --dir", "needs a value"},
		{"fail --dir /x", "fail takes one HOST"},
		{"fail 1 2 --dir /x", "fail takes one HOST"},
		{"fail --cut --freeze 1 --dir /x", "give --cut or --freeze, not both"},
		{"suspend --dir /x", "suspend takes one VM"},
		{"start --network far", "--network far"},
		{"start --version 6.11.0", "--version 6.11.0"},
		{"fail 1", "--dir or ONE_LOCATION"},
		{"hosts 1", `hosts takes no "1"`},
		{"hooks 1", `hooks takes no "1"`},
		{"hooks", "--dir or ONE_LOCATION"},
		{"wait --timeout 0s --dir /x", "--timeout 0s"},
		{"wait --timeout soon --dir /x", "soon"},
		{"wait --hooks many --dir /x", "many"},
		{"start 3", `start takes no "3"`},
		{"start --hosts many", "many"},
		{"start --hosts 0", "--hosts 0"},
		{"start --version 1", "--version 1"},
		{"start --port -1", "--port -1"},
		{"--bogus", "bogus"},
	} {
		code, stdout, stderr := call(strings.Fields(tc.line)...)
		if code != exitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, tc.want) {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q; want 2, none and one line with %q", tc.line, code, stdout, stderr, tc.want)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, line := range []string{"", "--help", "start --help", "fail -h"} {
		if code, stdout, stderr := call(strings.Fields(line)...); code != exitDone || !strings.Contains(stdout, "USAGE") || stderr != "" {
			t.Errorf("%q: exit code %d\n%s%s", line, code, stdout, stderr)
		}
	}
}

func TestNoLab(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("ONE_LOCATION", dir)
	for _, line := range []string{"hosts", "fail 1", "stop", "hooks", "wait --vms running"} {
		if code, _, stderr := call(strings.Fields(line)...); code != exitFailed || !strings.Contains(stderr, "no lab") || !strings.Contains(stderr, dir) {
			t.Errorf("%s: exit code %d, %q", line, code, stderr)
		}
	}
}

// session is a lab that onelab start runs.
type session struct {
	exports string
	code    chan int
}

// open runs onelab start and waits until it has said where the lab is.
func open(t *testing.T, args ...string) session {
	t.Helper()
	reader, writer := io.Pipe()
	var errs bytes.Buffer
	s := session{code: make(chan int, 1)}
	go func() {
		code := run(append([]string{"onelab", "start", "--interval", "100ms", "--step", "10ms", "--sched", "50ms"}, args...), writer, &errs)
		if code != exitDone {
			fmt.Fprintln(writer, errs.String())
		}
		writer.Close()
		s.code <- code
	}()
	lines := bufio.NewScanner(reader)
	var said strings.Builder
	for n := 0; n < 3 && lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if export, ok := strings.CutPrefix(lines.Text(), "  export "); ok {
			s.exports += export + "\n"
			n++
		}
	}
	if strings.Count(s.exports, "\n") != 3 {
		t.Fatalf("onelab start said\n%s", said.String())
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	return s
}

// ended waits for the end of onelab start.
func (s session) ended(t *testing.T) {
	t.Helper()
	select {
	case code := <-s.code:
		if code != exitDone {
			t.Errorf("onelab start ended with exit code %d", code)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("onelab start does not end")
	}
}

func TestSession(t *testing.T) {
	dir, err := os.MkdirTemp("", "lab")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	t.Setenv("ONE_LOCATION", dir)
	s := open(t, "--dir", dir, "--vm-hook", "UNKNOWN=/bin/echo a,b", "--vm-hook", "DONE=/bin/true", "--port", "0")
	for _, want := range []string{"ONE_XMLRPC=http://127.0.0.1:", "ONE_AUTH=" + dir + "/.one/one_auth\n", "ONE_LOCATION=" + dir + "\n"} {
		if !strings.Contains(s.exports, want) {
			t.Errorf("onelab start printed\n%s, want %s", s.exports, want)
		}
	}
	auth := filepath.Join(dir, ".one", "one_auth")
	if info, err := os.Stat(auth); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v, %v", auth, info, err)
	}
	for _, tc := range []struct {
		line string
		code int
		want string
	}{
		{"hosts", 0, "3   node03  MONITORED  3 7 11  3 7 11\n"},
		{"vms --dir " + dir, 0, "11  vm11  RUNNING  node03  node03          -\n"},
		{"crash vm01", 0, "VM 1 (vm01) has crashed\n"},
		{"wait --hooks 1", 0, ""},
		{"hooks", 0, "stdout: a,b\n"},
		{"fail node00", 0, "host 0 (node00) has lost its power\n"},
		{"suspend vm05", 0, "VM 5 (vm05) is suspended\n"},
		{"break vm06", 0, "VM 6 (vm06) has failed to boot\n"},
		{"fail --off node00", 0, "host 0 (node00) has lost its power\n"},
		{"fail --freeze node02", 0, "host 2 (node02) is frozen"},
		{"fail --cut 3", 0, "host 3 (node03) has lost its network"},
		{"fail 3 --cut", 0, "its VMs go on running"},
		{"wait --host node00 --state ERROR --timeout 5s", 0, ""},
		{"heal 0", 0, "host 0 (node00) works again\n"},
		{"wait --host 0 --state MONITORED", 0, ""},
		{"crash vm01", 1, "not RUNNING"},
		{"fail node77", 2, `no host has the ID or name "node77"`},
		{"wait --vms RUNNING --timeout 1ms", 1, "waited in vain: "},
		{"calls", 0, "METHOD"},
	} {
		code, stdout, stderr := call(strings.Fields(tc.line)...)
		if code != tc.code || !strings.Contains(stdout+stderr, tc.want) {
			t.Errorf("%s: exit code %d, want %d\n%s%s, want %q", tc.line, code, tc.code, stdout, stderr, tc.want)
		}
	}
	if code, stdout, _ := call("stop"); code != exitDone || !strings.Contains(stdout, "stopped; its files are in "+dir) {
		t.Errorf("stop: exit code %d, %q", code, stdout)
	}
	s.ended(t)
	if code, stdout, _ := call("hooks"); code != exitDone || !strings.Contains(stdout, "start: VM 1 (vm01) is UNKNOWN: echo a,b") {
		t.Errorf("hooks of a lab that has stopped: exit code %d, %q", code, stdout)
	}
}

func TestSignalEndsTheLab(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := open(t)
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.ended(t)
	sockets, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "onelab.*", "control.sock"))
	if err != nil || len(sockets) > 0 {
		t.Errorf("left behind: %v, %v", sockets, err)
	}
}
