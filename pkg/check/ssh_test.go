package check

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"one-ft/pkg/failfast"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/statedir"
)

// goodSSH is an ssh about which there is nothing to say.
func goodSSH() SSH {
	return SSH{Known: true, User: "oneadmin", Force: failfast.Force{State: failfast.InForce, ConnectTimeout: failfast.Timeout},
		Timeouts: []HostTimeout{{Host: 1, Timeout: failfast.Timeout}, {Host: 2, Timeout: 5 * time.Second}}}
}

// ofSSH are the findings about ssh, a line each.
func ofSSH(r Report) (lines []string) {
	for _, f := range r.Findings {
		if f.Topic == "ssh" {
			lines = append(lines, fmt.Sprintf("%s%v %s [%s] %s", f.Severity, f.Hosts, f.What, f.Fix, f.Stops))
		}
	}
	return lines
}

// sshCase is a change of a good cloud, and what is said about ssh then that is no OK.
type sshCase struct {
	change func(*Facts)
	want   []string // parts of the findings about ssh that are no OK
	missed string
	works  bool
}

// mark is one of a host, or of several, that ends in half a minute.
func mark(name string, state failfast.MarkState, hosts ...int) failfast.Mark {
	m := failfast.Mark{Name: name, State: state, Until: noon.Add(30 * time.Second)}
	for _, h := range hosts {
		m.Holds = append(m.Holds, failfast.Hold{Host: h})
	}
	return m
}

func sshCases() map[string]sshCase {
	return map[string]sshCase{
		"nothing to say":  {func(*Facts) {}, nil, "", true},
		"not looked":      {func(f *Facts) { f.SSH = SSH{} }, nil, "", true},
		"another machine": {func(f *Facts) { f.SSH, f.FrontEnd.Local = SSH{}, false }, nil, "", true},
		"another user":    {func(f *Facts) { f.SSH = SSH{Err: failfast.ErrOtherUser} }, nil, "run this as root", true},
		"not installed": {func(f *Facts) { f.SSH.Force = failfast.Force{State: failfast.NotInstalled}; f.VMs.Active[2] = 40 },
			[]string{"host 2 with 40 VMs: 27s when it is on the same network, 20m2s when it is routed [oneft hooks install --ssh]"}, "", true},
		"not installed, with ConnectTimeout": {func(f *Facts) { f.SSH.Force.State = failfast.NotInstalled },
			[]string{"15 VMs of a host at a time: 9s when it is on the same network, 30s when it is routed"}, "", true},
		"always": {func(f *Facts) { f.SSH.Force = failfast.Force{State: failfast.AlwaysFails} }, []string{"fails for every host"}, "", false},
		"no ssh": {func(f *Facts) { f.SSH = SSH{Known: true, Force: failfast.Force{State: failfast.NoSSH}} }, []string{"no ssh client"}, "", false},
		"broken": {func(f *Facts) {
			f.SSH.Force = failfast.Force{State: failfast.Unknown, Err: &failfast.RefusedError{Code: 255, Output: "Bad\x1bowner"}}
		}, []string{`ssh ended with exit code 255: Bad\x1bowner; if not, `}, "", true},
		"no timeout": {func(f *Facts) { f.SSH.Timeouts[1].Timeout = 0 }, []string{"warning[2] ssh connects to 1 host without ConnectTimeout (2): "}, "", true},
		"no timeout anywhere": {func(f *Facts) { f.SSH.Timeouts[0].Timeout, f.SSH.Timeouts[1].Timeout = 0, 0 },
			[]string{"[oneft hooks install --ssh]"}, "", true},
		"long and none": {func(f *Facts) { f.SSH.Timeouts[0].Timeout, f.SSH.Timeouts[1].Timeout = 0, time.Minute },
			[]string{"without ConnectTimeout (1)", "with a ConnectTimeout of more than 10s (2): one whose packets are dropped is ERROR after 4m30s to 5m16s instead of 2m50s to 3m36s"}, "", true},
		"unknown timeout": {func(f *Facts) { f.SSH.Timeouts[0].Err = errTest }, nil, "ConnectTimeout of 1 host (1)", true},
		"leftovers": {func(f *Facts) {
			f.SSH.Marks = []failfast.Mark{mark("a\x1b", failfast.MarkUnreadable), mark("b", failfast.MarkExpired, 1), mark("c", failfast.MarkTooLong, 1), mark("d", failfast.MarkExpired)}
		}, []string{"too long: the clock was set back, or somebody made them: c [oneft resume]", `1 mark of hosts that were off were left, and are not what one-ft writes: a\x1b`, "2 marks of hosts that were off were left, and have expired and do nothing any more: b, d"}, "", true},
		"a living host": {func(f *Facts) { f.SSH.Marks = []failfast.Mark{mark("node2", failfast.MarkInForce, 2)} },
			[]string{"warning[2] host 2 (node2) is MONITORED, but ssh to it fails until 12:00:30"}, "", true},
		"a dead host": {func(f *Facts) {
			f.Hosts[1].State, f.SSH.Marks = one.HostError, []failfast.Mark{mark("node2", failfast.MarkInForce, 2)}
			f.VMs.Active[2] = 0
		}, nil, "", true},
		"stale":                {func(f *Facts) { f.SSH.Stale = []StaleMaster{{Host: 2, Name: "node2", PID: 77}} }, []string{"(process 77): each command of the drivers waits for it, 40s [sudo -u oneadmin ssh -O exit node2, or kill 77]"}, "", true},
		"marks cannot be read": {func(f *Facts) { f.SSH.MarksErr = errTest }, nil, "marks of hosts", true},
	}
}

// TestMarkInForce: until when ssh to a host that is off fails is said.
func TestMarkInForce(t *testing.T) {
	t.Parallel()
	f := good(t, v74)
	f.Hosts[1].State, f.SSH.Marks = one.HostError, []failfast.Mark{mark("node2", failfast.MarkInForce, 2)}
	const want = "ok[2] ssh to host 2 (node2) fails at once until 12:00:30, and longer while a process works on it: it is proven off"
	if got := ofSSH(Evaluate(f)); !slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, want) }) {
		t.Errorf("%q is not in %q", want, got)
	}
}

func TestSSH(t *testing.T) {
	t.Parallel()
	for name, c := range sshCases() {
		f := good(t, v74)
		c.change(&f)
		r := Evaluate(f)
		got := slices.DeleteFunc(ofSSH(r), func(line string) bool { return strings.HasPrefix(line, "ok") })
		if len(got) != len(c.want) || r.Works != c.works {
			t.Errorf("%s: works: %v\n%s", name, r.Works, strings.Join(got, "\n"))
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: %q is not in %q", name, want, got[i])
			}
		}
		if missed := strings.Join(r.Skipped, "\n"); (c.missed != "") != (missed != "") || !strings.Contains(missed, c.missed) {
			t.Errorf("%s: not looked at: %q", name, missed)
		}
		for _, f := range r.Findings {
			if f.Topic == "ssh" && f.Severity != OK && f.Fix == "" {
				t.Errorf("%s: no fix: %+v", name, f)
			}
		}
	}
}

// sshMachine is a machine with an ssh that obeys marks, and one persistent master.
type sshMachine struct{ marks failfast.Marks }

func (m sshMachine) Run(_ context.Context, _ time.Duration, p process.Program) process.Result {
	name := p.Args[len(p.Args)-1]
	answer := "hostname " + name + "\nport 22\nconnecttimeout 7\ncontrolpath /s/" + name + "\n"
	if _, err := os.Stat(m.marks.Path(name)); err == nil {
		failing, _ := failfast.Install(nil, failfast.Block{StateDir: "/s"}, false)
		_, command, _ := strings.Cut(string(failing), "ProxyCommand ")
		command, _, _ = strings.Cut(command, "\n")
		answer = "proxycommand " + command + "\n"
	}
	return process.Result{Output: answer}
}

func (sshMachine) SSH() (string, error) { return failfast.OS{}.SSH() }

func (sshMachine) Processes(int) ([]failfast.Process, error) {
	return []failfast.Process{{PID: 77, Args: []string{"ssh: /s/dead [mux]"}}, {PID: 78, Args: []string{"ssh: /s/alive [mux]"}}}, nil
}

func (sshMachine) Signal(failfast.Process, syscall.Signal) error {
	return errors.New("a check ends nothing")
}

func TestCollectSSH(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := &collector{Input: Input{State: statedir.Dir(dir), Machine: sshMachine{failfast.Open(dir)}}}
	hosts := []one.Host{{ID: 1, Name: "alive", State: one.HostMonitored}, {ID: 2, Name: "dead", State: one.HostError}, {ID: 3, Name: "off", State: one.HostOffline}}
	if s := l.ssh(t.Context(), hosts); s.Known {
		t.Error("oned does not run here")
	}
	l.facts.FrontEnd.Local = true
	s := l.ssh(t.Context(), hosts)
	if !s.Known || s.Force.State != failfast.InForce || len(s.Timeouts) != 2 || s.Timeouts[0].Timeout != 7*time.Second {
		t.Errorf("%+v", s)
	}
	if !slices.Equal(s.Stale, []StaleMaster{{Host: 2, Name: "dead", PID: 77}}) {
		t.Errorf("%+v", s.Stale)
	}
	if marks, err := failfast.Open(dir).List(); err != nil || len(marks) != 0 {
		t.Errorf("%v, %v", marks, err)
	}
	l.State = statedir.Dir(dir + "/none")
	if s := l.ssh(t.Context(), hosts); s.Known || !errors.Is(s.Err, errNoState) {
		t.Errorf("%+v", s)
	}
	if _, err := os.Stat(string(l.State)); err == nil {
		t.Error("a check made the state directory")
	}
}
