// Package executables_test runs the real executables against the simulated cloud:
// one script for each behaviour, each on all four versions.
package executables_test

import (
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"one-ft/pkg/one"
	"one-ft/test/process/programs"
	"one-ft/test/sim/cloud"
)

// versions are those that were measured live.
var versions = []string{"4.4.1", "5.10.6", "6.10.0", "7.4.1"}

// TestMain runs many scripts at the same time: most of them wait most of the time.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f != nil && f.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = f.Value.Set("12")
	}
	os.Exit(m.Run())
}

// TestScripts runs each script of testdata on each
// version. In a script $VERSION is the version, and [v4.4] is a condition.
func TestScripts(t *testing.T) {
	bin := programs.Dir(t)
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			testscript.Run(t, testscript.Params{
				Dir:       "testdata",
				Setup:     func(env *testscript.Env) error { return setup(env, bin, version) },
				Condition: func(cond string) (bool, error) { return holds(cond, version) },
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"cloud": startCloud, "host": hostState, "vm": addVM, "ends": ends, "calls": calls,
					"template": template, "twice": twice, "heal": heal, "typed": typed, "allocate": allocate,
				},
			})
		})
	}
}

// setup gives a script an OpenNebula of its own under $WORK.
func setup(env *testscript.Env, bin, version string) error {
	env.Values["world"] = &world{}
	env.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	env.Setenv("VERSION", version)
	env.Setenv("ONE_LOCATION", env.WorkDir)
	env.Setenv("HOME", env.WorkDir)
	for _, dir := range []string{"var", "etc", ".one"} {
		if err := os.MkdirAll(filepath.Join(env.WorkDir, dir), 0o755); err != nil {
			return err
		}
	}
	// The hosts have names only, so nobody can ask them. A script whose files are compared has none of it.
	if !strings.HasSuffix(env.WorkDir, "hooks_fencing") {
		config, err := os.OpenFile(filepath.Join(env.WorkDir, "etc", "one-ft.yaml"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = config.WriteString("survey: {settle: 0s}\n")
		if err = errors.Join(err, config.Close()); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(env.WorkDir, ".one", "one_auth"), []byte("oneadmin:opennebula\n"), 0o600)
}

// holds answers conditions such as [v4.4]. [root] is a user who may become others, [mounts] one who may mount file systems; [frontend] and [oned] hold on a machine that has
// OpenNebula's credentials, or an oned, where programs look for them last.
func holds(cond, version string) (bool, error) {
	switch cond {
	case "root":
		return os.Geteuid() == 0, nil
	case "mounts":
		return exec.Command("unshare", "-m", "mount", "-t", "tmpfs", "none", os.TempDir()).Run() == nil, nil
	case "frontend":
		_, err := os.Stat("/var/lib/one/.one")
		return !errors.Is(err, os.ErrNotExist), nil
	case "oned":
		c, err := net.Dial("tcp", "localhost:2633")
		if err == nil {
			c.Close()
		}
		return err == nil, nil
	}
	v, ok := strings.CutPrefix(cond, "v")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", cond)
	}
	return strings.HasPrefix(version, v+"."), nil
}

// world is what the commands of one script share.
type world struct {
	cloud *cloud.Cloud
}

func of(ts *testscript.TestScript) *world {
	w, ok := ts.Value("world").(*world)
	if !ok || w.cloud == nil {
		ts.Fatalf("start a cloud first")
	}
	return w
}

func number(ts *testscript.TestScript, word string) int {
	n, err := strconv.Atoi(word)
	ts.Check(err)
	return n
}

// deadStep is how long work on a dead host takes at least: a process on a busy machine needs some of it between two calls that
// have to come together, such as resume and recreate.
const deadStep = 150 * time.Millisecond

// startCloud is "cloud [STEP] [NAME=VALUE...]": a cloud of four hosts, 0 to 3, of
// which host 1 is in ERROR. Each change of state takes STEP (20ms). The datastore 0
// is shared, 100 is not. NAME=VALUE are attributes of the template of host 1; FAILED=2,3
// are further hosts in ERROR.
func startCloud(ts *testscript.TestScript, _ bool, args []string) {
	step := 20 * time.Millisecond
	attributes := map[string]string{}
	for _, arg := range args {
		if name, value, ok := strings.Cut(arg, "="); ok {
			attributes[name] = value
			continue
		}
		var err error
		step, err = time.ParseDuration(arg)
		ts.Check(err)
	}
	cfg := cloud.Config{
		Version: ts.Getenv("VERSION"), Step: step, DeadStep: max(step, deadStep), SchedInterval: 100 * time.Millisecond, MonitorInterval: time.Second,
		Datastores: []cloud.Datastore{{ID: 0, Name: "system", Type: 1, Shared: true}, {ID: 100, Name: "local", Type: 1}},
	}
	for id := range 4 {
		h := cloud.Host{ID: id, Name: fmt.Sprintf("node%d", id)}
		if strings.HasPrefix(cfg.Version, "4.") {
			h.Cluster = -1 // where the datastores are
		}
		if slices.Contains(strings.Split(attributes["FAILED"], ","), h.Name[len("node"):]) {
			h.State = one.HostError
		}
		if id == 1 {
			h.State, h.Template = one.HostError, attributes
		}
		cfg.Hosts = append(cfg.Hosts, h)
	}
	c, err := cloud.New(cfg)
	ts.Check(err)
	server := httptest.NewServer(c)
	ts.Defer(func() { server.CloseClientConnections(); c.Close(); server.Close() })
	ts.Setenv("ONE_XMLRPC", server.URL+"/RPC2")
	ts.Value("world").(*world).cloud = c
}

// hostState is "host ID STATE".
func hostState(ts *testscript.TestScript, _ bool, args []string) {
	for state := one.HostInit; state <= one.HostOffline; state++ {
		if state.String() == args[1] {
			ts.Check(of(ts).cloud.SetHostState(number(ts, args[0]), state))
			return
		}
	}
	ts.Fatalf("no host state %s", args[1])
}

// heal is "heal ID DURATION": the host becomes reachable after a while.
func heal(ts *testscript.TestScript, _ bool, args []string) {
	after, err := time.ParseDuration(args[1])
	ts.Check(err)
	w := of(ts)
	time.AfterFunc(after, func() { _ = w.cloud.HealHost(number(ts, args[0])) })
}

// addVM is "vm ID STATE HOST[,HOST...] [NAME=VALUE...]": a VM in that state, placed on
// the hosts in turn. NAME is DS (system datastore), NAME, REQUIREMENTS, DISK (an
// attribute of its disk), ACTION (of the record before the last one) or an
// attribute of the user template.
func addVM(ts *testscript.TestScript, _ bool, args []string) {
	v := cloud.VM{ID: number(ts, args[0]), Name: "vm" + args[0], CPU: 0.1, MemMB: 64, UserTemplate: map[string]string{}}
	v.State, v.LCM = stateOf(ts, args[1])
	for seq, host := range strings.Split(args[2], ",") {
		r := cloud.Record{Seq: seq, HostID: number(ts, host), STime: 1, PSTime: 1, PETime: 2}
		v.History = append(v.History, r)
	}
	for i := range v.History[:len(v.History)-1] {
		v.History[i].ETime, v.History[i].Action, v.History[i].Reason = 3, one.ActionMigrate, 2
	}
	for _, arg := range args[3:] {
		name, value, _ := strings.Cut(arg, "=")
		switch last := len(v.History) - 1; name {
		case "DS":
			v.History[last].DSID = number(ts, value)
		case "ACTION":
			v.History[last-1].Action = number(ts, value)
		case "NAME":
			text, err := strconv.Unquote(`"` + value + `"`)
			ts.Check(err)
			v.Name = text
		case "REQUIREMENTS":
			v.Requirements = value
		case "DISK":
			attr, val, _ := strings.Cut(value, "=")
			v.Disks = append(v.Disks, map[string]string{attr: val})
		default:
			v.UserTemplate[name] = value
		}
	}
	ts.Check(of(ts).cloud.AddVM(v))
}

// stateOf finds a state by the name that OpenNebula shows.
func stateOf(ts *testscript.TestScript, name string) (one.VMState, one.LCMState) {
	for lcm := one.Prolog; lcm <= one.Restore; lcm++ {
		if lcm.String() == name {
			return one.Active, lcm
		}
	}
	for state := one.Init; state <= one.CloningFailure; state++ {
		if state.String() == name {
			return state, 0
		}
	}
	ts.Fatalf("no VM state %s", name)
	return 0, 0
}

// ends is "ends ID STATE HOST|elsewhere": the VM gets there within ten seconds.
func ends(ts *testscript.TestScript, _ bool, args []string) {
	id, got := number(ts, args[0]), ""
	for stop := time.Now().Add(10 * time.Second); time.Now().Before(stop); {
		v, ok := of(ts).cloud.VM(id)
		if !ok {
			ts.Fatalf("no VM %d", id)
		}
		state, host := v.State.String(), v.History[len(v.History)-1].HostID
		if v.State == one.Active {
			state = v.LCM.String()
		}
		got = fmt.Sprintf("%s %d", state, host)
		if got == args[1]+" "+args[2] || args[2] == "elsewhere" && state == args[1] && host != 1 {
			return
		}
		pause := time.NewTimer(10 * time.Millisecond)
		<-pause.C
	}
	ts.Fatalf("VM %d ends %s, want %s", id, got, strings.Join(args[1:], " "))
}

// calls is "[!] calls METHOD [ARG...]": the cloud got (or did not get) a call of the method with
// all these arguments. Answers that were refused count, too.
func calls(ts *testscript.TestScript, neg bool, args []string) {
	found := false
	var all []string
	for _, c := range of(ts).cloud.Calls() {
		words := []string{}
		for _, a := range c.Args {
			words = append(words, fmt.Sprint(a))
		}
		all = append(all, c.Method+" "+strings.Join(words, " "))
		match := c.Method == args[0]
		for _, want := range args[1:] {
			match = match && slices.Contains(words, want)
		}
		found = found || match
	}
	if found == neg {
		ts.Fatalf("calls: %s", strings.Join(all, "; "))
	}
}

// allocate is "allocate FILE": a hook of 5.10 and later with that template.
func allocate(ts *testscript.TestScript, _ bool, args []string) {
	c, err := one.New(one.Options{Endpoint: ts.Getenv("ONE_XMLRPC"), Credentials: "oneadmin:opennebula", Transport: http.DefaultTransport})
	ts.Check(err)
	_, err = c.AllocateHook(context.Background(), ts.ReadFile(args[0]))
	ts.Check(err)
}

// template is "template host|vm ID FILE [WORD...]": what oned gives as $TEMPLATE, in
// base64, followed by the words, as one line in a file.
func template(ts *testscript.TestScript, _ bool, args []string) {
	text := of(ts).cloud.HostXML(number(ts, args[1]))
	if args[0] == "vm" {
		text = of(ts).cloud.VMXML(number(ts, args[1]))
	}
	line := base64.StdEncoding.EncodeToString([]byte(text))
	ts.Setenv("TEMPLATE", line)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.Join(append([]string{line}, args[3:]...), " ")+"\n"), 0o600))
}

// twice is "twice COMMAND...": the command runs two times at once; both must exit 0
// and print nothing.
func twice(ts *testscript.TestScript, _ bool, args []string) {
	type result struct {
		out []byte
		err error
	}
	results := make(chan result, 2)
	program, err := exec.LookPath(filepath.Join(strings.Split(ts.Getenv("PATH"), string(os.PathListSeparator))[0], args[0]))
	ts.Check(err)
	for range 2 {
		cmd := exec.Command(program, args[1:]...)
		for _, name := range []string{"PATH", "HOME", "ONE_LOCATION", "ONE_XMLRPC"} {
			cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
		}
		go func() {
			out, err := cmd.CombinedOutput()
			results <- result{out, err}
		}()
	}
	for range 2 {
		if r := <-results; r.err != nil || len(r.out) > 0 {
			ts.Fatalf("%v: %s", r.err, r.out)
		}
	}
}
