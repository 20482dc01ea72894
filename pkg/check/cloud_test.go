package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/check"
	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/fence/fencing"
	"one-ft/pkg/one"
	"one-ft/pkg/statedir"
	"one-ft/test/sim/cloud"
)

// versions are those that were measured live.
func versions() []string { return []string{"4.4.1", "5.10.6", "6.10.0", "7.4.1"} }

// agent writes its action and the number of those that run with it into the directory that its ip
// names, and says on; fence_broken fails. fence_known has metadata.
const agent = `#!/bin/sh
if [ "$1" = -o ]; then
	case $0 in
	*fence_known) echo '<resource-agent name="fence_known"><parameters><parameter name="ip"/><parameter name="password"/><parameter name="power_wait"/>' \
		'</parameters><actions><action name="off"/><action name="status"/></actions></resource-agent>' ;;
	esac
	exit 0
fi
while IFS= read -r line; do
	case $line in
	action=*) action=${line#action=} ;;
	ip=*) ip=${line#ip=} ;;
	esac
done
mkdir "$ip/../running/$$"
echo "$action" >>"$ip/calls"
ls "$ip/../running" | wc -l >>"$ip/count"
sleep 0.05
rmdir "$ip/../running/$$"
case $0 in
*fence_broken) echo "Unable to connect, password was geheim" >&2; exit 1 ;;
*fence_off) exit 2 ;;
esac
exit 0
`

// world is a cloud with agents.
type world struct {
	cloud *cloud.Cloud
	dir   string // has agents, state, and a directory for each host
	in    check.Input
}

// newWorld builds a cloud of so many hosts, each with the agent fence_good.
func newWorld(t testing.TB, version string, hosts int, change func(*cloud.Config)) *world {
	t.Helper()
	w := &world{dir: t.TempDir()}
	for _, dir := range []string{"agents", "running", "state", "log", "proc"} {
		if err := os.Mkdir(filepath.Join(w.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"fence_good", "fence_broken", "fence_off", "fence_known"} {
		if err := os.WriteFile(filepath.Join(w.dir, "agents", name), []byte(agent), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cfg := cloud.Config{Version: version, Datastores: []cloud.Datastore{{ID: 0, Name: "system", Type: 1, Shared: true}, {ID: 100, Name: "local", Type: 1}}}
	for id := range hosts {
		device := filepath.Join(w.dir, fmt.Sprint("host", id))
		if err := os.Mkdir(device, 0o755); err != nil {
			t.Fatal(err)
		}
		cfg.Hosts = append(cfg.Hosts, cloud.Host{ID: id, Name: fmt.Sprint("node", id), CPU: 100000, MemMB: 1 << 22,
			Template: map[string]string{"FENCE_AGENT": "fence_good", "FENCE_IP": device, "FENCE_PASSWORD": "geheim"}})
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if w.cloud, err = cloud.New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.cloud.Close)
	fences := fencing.Resolver{SecretDir: filepath.Join(w.dir, "secrets")}
	w.in = check.Input{
		Client: w.client(t, "oneadmin:opennebula"), Given: check.Given{Own: "v1.2", Values: config.Default()}, State: statedir.Dir(filepath.Join(w.dir, "state")), LogDir: filepath.Join(w.dir, "log"),
		Settings: func(h one.Host) (fence.Settings, error) {
			s, err := fences.Settings(h)
			s.AgentDir = []string{filepath.Join(w.dir, "agents")}
			return s, err
		},
		Proc: filepath.Join(w.dir, "proc"), Root: w.dir,
	}
	return w
}

func (w *world) client(t testing.TB, credentials string) *one.Client {
	t.Helper()
	c, err := one.New(one.Options{Endpoint: "http://cloud/RPC2", Credentials: credentials, Transport: w.cloud.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// look collects and evaluates. Nothing but reading calls reach the cloud.
func (w *world) look(t testing.TB) (check.Facts, check.Report) {
	t.Helper()
	w.cloud.ResetCalls()
	f, err := check.Collect(t.Context(), w.in)
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range w.cloud.Calls() {
		switch call.Method {
		case "one.system.version", "one.system.config", "one.zone.raftstatus", "one.hostpool.info", "one.host.info", "one.vm.info",
			"one.vmpool.info", "one.vmpool.infoextended", "one.vmpool.infoset", "one.datastore.info", "one.user.info":
		default:
			t.Errorf("%s was called", call.Method)
		}
	}
	return f, check.Evaluate(f)
}

// calls are the actions that the agent of a host was asked for.
func (w *world) calls(t testing.TB, host int) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, fmt.Sprint("host", host), "calls"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Fields(string(text))
}

// running is a VM on a host.
func running(id, host int, disks ...map[string]string) cloud.VM {
	return cloud.VM{ID: id, Name: fmt.Sprint("vm", id), State: one.Active, LCM: one.Running, History: []cloud.Record{{HostID: host, STime: time.Now().Unix() - 60, RSTime: time.Now().Unix() - 60}}, Disks: disks}
}

// findings are those of a report that are not ok, as "severity topic".
func findings(r check.Report) (all []string) {
	for _, f := range r.Findings {
		if f.Severity != check.OK {
			all = append(all, string(f.Severity)+" "+f.Topic)
		}
	}
	return all
}
