package failfast

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	programs "one-ft/pkg/process"
)

// machine is one in memory: an ssh that answers from a table and obeys marks, and processes.
type machine struct {
	mu       sync.Mutex
	marks    Marks
	obeys    bool
	settings map[string]string // answers of ssh -G by name
	result   *programs.Result  // of every program, when set
	procs    []Process
	stays    map[int]int // how many signals a process takes until it ends
	ran      []string
	signals  []syscall.Signal
}

func (m *machine) Run(_ context.Context, _ time.Duration, p programs.Program) programs.Result {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ran = append(m.ran, strings.Join(p.Args, " "))
	if m.result != nil {
		return *m.result
	}
	name := p.Args[len(p.Args)-1]
	if p.Args[0] != "-G" {
		socket := strings.Trim(strings.TrimPrefix(p.Args[1], "ControlPath="), `"`)
		m.procs = slices.DeleteFunc(m.procs, func(p Process) bool { return masterPath(p.Args) == socket && m.stays[p.PID] == 0 })
		return programs.Result{}
	}
	answer := "hostname " + strings.ToLower(name) + "\nport 22\nconnecttimeout none\n" + m.settings[name]
	if info, err := os.Stat(m.marks.Path(name)); m.obeys && err == nil && info.ModTime().After(time.Now()) {
		answer = "hostname " + name + "\nport 22\nproxycommand " + failing + "\n"
	}
	return programs.Result{Output: answer}
}

func (m *machine) Processes(uid int) ([]Process, error) {
	return slices.DeleteFunc(slices.Clone(m.procs), func(p Process) bool { return p.UID != uid }), nil
}

func (m *machine) SSH() (string, error) { return findSSH() }

func (m *machine) Signal(p Process, s syscall.Signal) error {
	i := slices.IndexFunc(m.procs, func(q Process) bool { return q.PID == p.PID && q.Started == p.Started })
	switch {
	case i < 0:
		return ErrGone
	case s == 0:
		return nil
	}
	m.signals = append(m.signals, s)
	if m.stays[p.PID]--; m.stays[p.PID] < 0 {
		m.procs = slices.Delete(m.procs, i, i+1)
	}
	return nil
}

func TestParseSettings(t *testing.T) {
	t.Parallel()
	text := "Warning: something\r\nuser oneadmin\nhostname Node1.example\nport 2222\nconnecttimeout 7\ncontrolpath /run/a b/ctl-%x\nproxycommand nc -x p %h %p\n" +
		"proxyjump none\nidentityfile ~/.ssh/id_rsa\nport x\n"
	s := parseSettings(text)
	want := Settings{HostName: "Node1.example", ControlPath: "/run/a b/ctl-%x", ConnectTimeout: 7 * time.Second, ProxyCommand: "nc -x p %h %p"}
	if s != want {
		t.Errorf("%+v", s)
	}
	for text, want := range map[string]time.Duration{"connecttimeout none": 0, "connecttimeout 0": 0, "connecttimeout -1": 0, "connecttimeout 10": 10 * time.Second, "": 0} {
		if got := parseSettings(text).ConnectTimeout; got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
	for text, want := range map[string]bool{"port 22": true, "port 2222": false, "port 22\nproxyjump j": false, "port 22\nproxycommand x": false, "port 22\nproxyjump none": true} {
		if got := parseSettings(text).Direct(); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func FuzzParseSettings(f *testing.F) {
	f.Add("hostname a\nport 22\nconnecttimeout 99999999999999999999\n")
	f.Fuzz(func(t *testing.T, text string) {
		if s := parseSettings(text); s.ConnectTimeout < 0 || strings.ContainsAny(s.HostName+s.ControlPath, "\n") {
			t.Fatalf("%+v", s)
		}
	})
}

func TestResolve(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		result programs.Result
		want   string
	}{
		"refused": {programs.Result{Code: 255, Output: "/home/x/.ssh/config: line 3: Bad configuration option: \x1bmatch\n"}, "exit code 255: /home/x/.ssh/config: line 3: Bad configuration option: \\x1bmatch"},
		"hangs":   {programs.Result{Code: -1, Err: programs.ErrTimeout}, programs.ErrTimeout.Error()},
	} {
		_, err := Client{Machine: &machine{result: &c.result}}.Resolve(t.Context(), "node1")
		if err == nil || strings.Contains(err.Error(), "\x1b") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m := &machine{}
	if _, err := (Client{Machine: m}).Resolve(t.Context(), "-oProxyCommand=x"); !errors.Is(err, ErrName) || len(m.ran) > 0 {
		t.Errorf("an option for a name: %v, %q", err, m.ran)
	}
}

func TestInForce(t *testing.T) {
	t.Parallel()
	marks := Open(t.TempDir())
	broken := programs.Result{Code: 255, Output: "Bad owner or permissions"}
	always := programs.Result{Output: "proxycommand " + failing}
	for want, m := range map[ForceState]*machine{
		InForce: {obeys: true}, NotInstalled: {}, AlwaysFails: {result: &always}, Unknown: {result: &broken},
	} {
		m.marks = marks
		f := Client{Machine: m}.InForce(t.Context(), marks)
		if f.State != want || (f.Err != nil) != (want == Unknown) {
			t.Errorf("%s: %+v", want, f)
		}
		if left := states(t, marks); left != "" {
			t.Errorf("%s: a mark is left: %s", want, left)
		}
	}
	if f := (Client{Machine: &machine{}}).InForce(t.Context(), Open("/nonexistent")); f.State != Unknown || !errors.Is(f.Err, os.ErrNotExist) {
		t.Errorf("no state directory: %+v", f)
	}
}

// TestEngage: names are marked before anything is ended, also those that ssh knows; what belongs to
// others stays.
func TestEngage(t *testing.T) {
	t.Parallel()
	marks := Open(t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		m := &machine{
			marks: marks, obeys: true, settings: map[string]string{
				"Node1": "hostname node1.example\ncontrolpath /s/1\n", "nat": "hostname gw\nport 2201\ncontrolpath none\n",
			}, stays: map[int]int{2: 1, 4: 1},
			procs: []Process{
				{PID: 1, Args: []string{"ssh: /s/1 [mux]"}}, {PID: 2, Args: []string{"ssh: /s/1 [mux]"}}, {PID: 3, Args: []string{"ssh: /s/2 [mux]"}},
				{PID: 4, Args: []string{"ssh", "node1.example", "x"}}, {PID: 5, Args: []string{"ssh", "gw"}}, {PID: 6, UID: 7, Args: []string{"ssh", "Node1"}},
			},
		}
		c := Client{Machine: m}
		done, err := c.Engage(t.Context(), marks, []string{"Node1", "nat", "a/b"}, hold(1, MaxHold))
		if !errors.Is(err, ErrName) || errors.Is(err, ErrStays) {
			t.Errorf("%v", err)
		}
		if !slices.Equal(done.Names, []string{"Node1", "nat", "node1", "node1.example"}) {
			t.Errorf("names: %q", done.Names)
		}
		if len(done.Masters) != 2 || len(done.Connections) != 1 || done.Connections[0].PID != 4 {
			t.Errorf("ended: %+v", done)
		}
		left := ""
		for _, p := range m.procs {
			left += string(rune('0' + p.PID))
		}
		if left != "356" {
			t.Errorf("left: %s", left)
		}
		if got := states(t, marks); got != "Node1=in_force:1 nat=in_force:1 node1=in_force:1 node1.example=in_force:1" {
			t.Errorf("%s", got)
		}
		if again, err := c.Engage(t.Context(), marks, []string{"Node1", "nat"}, hold(1, MaxHold)); err != nil || len(again.Masters)+len(again.Connections) != 0 || !slices.Equal(again.Names, done.Names) {
			t.Errorf("again: %+v, %v", again, err)
		}
	})
}

// TestEngageWithoutSSH: the marks are set even when ssh tells nothing.
func TestEngageWithoutSSH(t *testing.T) {
	t.Parallel()
	marks := Open(t.TempDir())
	m := &machine{result: &programs.Result{Code: -1, Err: programs.ErrTimeout}}
	done, err := Client{Machine: m}.Engage(t.Context(), marks, []string{"node1"}, hold(1, MaxHold))
	if !errors.Is(err, programs.ErrTimeout) || !slices.Equal(done.Names, []string{"node1"}) || states(t, marks) != "node1=in_force:1" {
		t.Errorf("%+v, %v", done, err)
	}
}

// TestStays: what cannot be ended is named, and not waited for.
func TestStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := Process{PID: 9, Args: []string{"ssh", "node1"}}
		m := &machine{procs: []Process{p}, stays: map[int]int{9: 100}}
		began := time.Now()
		err := Client{Machine: m}.End(t.Context(), []Process{p})
		if !errors.Is(err, ErrStays) || !strings.Contains(err.Error(), "process 9 (ssh node1)") || time.Since(began) > 3*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		if !slices.Equal(m.signals, []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL}) {
			t.Errorf("%v", m.signals)
		}
	})
}

// TestUsers: root runs ssh as the owner of the state directory, with that user's home.
func TestUsers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, err := NewClient(OS{Proc: "/proc"}, dir)
	if err != nil && !errors.Is(err, ErrNoSSH) {
		t.Fatal(err)
	}
	// A client that was named and is none is not replaced by another: what it would be told, the drivers' ssh is not.
	if _, err := NewClient(OS{Client: "/nonexistent/ssh"}, dir); !errors.Is(err, ErrNoSSH) {
		t.Errorf("a client that does not exist: %v", err)
	}
	if p := c.program("x"); p.As != nil || p.Env != nil {
		t.Errorf("its own user: %+v", p)
	}
	if os.Geteuid() != 0 {
		if _, err := NewClient(OS{}, "/"); !errors.Is(err, ErrOtherUser) {
			t.Errorf("%v", err)
		}
		return
	}
	u, err := LookUp(1) // daemon, on every Linux
	if err != nil {
		t.Fatal(err)
	}
	p := Client{User: u, Path: "/bin/sh"}.program("-c", "id -u; id -g; echo $HOME $USER $SHELL")
	r := programs.Run(t.Context(), 10*time.Second, p)
	if want := "1\n1\n" + u.Home + " " + u.Name + " " + u.Shell + "\n"; r.Output != want || u.Name == "" {
		t.Errorf("%+v, want %q", r, want)
	}
	if err := os.Chown(dir, 54321, 54321); err != nil {
		t.Fatal(err)
	}
	if _, err := NewClient(OS{}, dir); err == nil {
		t.Error("a user that does not exist")
	}
}
