package packages_test

import (
	"flag"
	"fmt"
	"maps"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"one-ft/test/process/rigs"
	"one-ft/test/sim/cloud"
)

// playbooks has the playbook and its inventory.
func playbooks(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", "..", "scripts", "ansible"))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// ansible runs the playbook in a directory.
type ansible struct {
	t         *testing.T
	dir, home string
}

func (a ansible) run(args ...string) (string, error) {
	a.t.Helper()
	env := []string{
		"HOME=" + a.home, "ANSIBLE_HOME=" + a.home, "ANSIBLE_LOCAL_TEMP=" + a.home, "ANSIBLE_NOCOLOR=1", "ANSIBLE_NOCOWS=1", "ANSIBLE_PIPELINING=1",
		"ANSIBLE_HOST_KEY_CHECKING=0", "ANSIBLE_SSH_CONTROL_PATH_DIR=" + a.home + "/c", "ANSIBLE_PYTHON_INTERPRETER=/usr/bin/python3", "LC_ALL=C.UTF-8",
	}
	return command(a.t, a.dir, env, append([]string{"ansible-playbook", "-i", "one-ft.inventory.yaml", "one-ft.playbook.yaml"}, args...)...)
}

// recap is what a line of Ansible's last word says of a machine.
var recap = regexp.MustCompile(`(?m)^(\w+) +: ok=\d+ +changed=(\d+) `)

// full is set by make bench: Ansible takes its time.
var full = flag.Bool("full", false, "roll the packages out with Ansible, which takes minutes")

// systemctl is what hosts have that no systemd runs on: units are enabled for real, and host_isolated is started and ended, in a namespace
// of processes in which there is no other.
const systemctl = `#!/bin/sh
pid() { pgrep -x -r D,R,S host_isolated; }
case $1 in
show) echo LoadState=loaded; case $2 in *host_isolated*) pid >/dev/null && echo ActiveState=active || echo ActiveState=inactive ;; *) echo ActiveState=active ;; esac ;;
is-active) pid >/dev/null ;;
start) case $2 in *host_isolated*) setsid host_isolated --watch >/tmp/host_isolated.out 2>&1 </dev/null & esac ;;
stop) kill $(pid) ;;
restart) case $2 in *host_isolated*) echo restart >>/tmp/restarts; kill $(pid); while pid >/dev/null; do sleep 0.1; done; exec "$0" start "$2" ;; esac ;;
daemon-reload | --system) ;;
*) exec systemctl.real --root=/ "$@" ;;
esac
`

// TestPlaybook puts packages on a front-end and two hosts, each behind a real sshd, with real leases that oned keeps.
func TestPlaybook(t *testing.T) {
	rigs.Need(t, "ansible-core python3-apt procps "+needed+" "+rigs.SSHPackages, "ansible-playbook", "sshd", "ssh-keygen", "ssh", "nsenter", "unshare", "pgrep", "make", "dpkg")
	if !*full {
		a := ansible{t: t, dir: playbooks(t), home: t.TempDir()}
		if out, err := a.run("--syntax-check"); err != nil {
			t.Error(out, err)
		}
		return
	}
	rigs.NeedRoot(t)
	s := newSite(t)
	began := time.Now()
	step := func(name string) { t.Logf("%s: %s", name, time.Since(began).Round(time.Second)); began = time.Now() }

	s.expect(map[string]string{"one1": "1", "node0": "1", "node1": "1"}, "--check", "--diff")
	step("a check of fresh machines")
	for _, r := range s.machines {
		r.says("ls -d /usr/bin/oneft /usr/sbin/host_isolated /etc/one-ft /var/cache/one-ft* 2>/dev/null || :", "")
	}
	s.run()
	step("the first run")
	for _, name := range []string{"node0", "node1"} {
		s.machines[name].says("stat -c '%n %a %U:%G' /etc/one-ft/*; cat /etc/one-ft/token; systemctl.real --root=/ is-enabled host_isolated",
			"/etc/one-ft/host_isolated.yaml 644 root:root\n/etc/one-ft/token 600 root:root\noneadmin:opennebula\nenabled")
	}
	s.machines["one1"].says("stat -c '%n %a %U:%G' /etc/one/one-ft.yaml /etc/one/fence/*; systemctl.real --root=/ is-enabled one-ft-resume.timer one-ft-watch; oneft hooks show | tail -n 1",
		"/etc/one/one-ft.yaml 640 root:oneadmin\n/etc/one/fence/bmc 600 oneadmin:root\nenabled\nenabled\nthe hooks of one-ft are in order")
	s.expect(map[string]string{"one1": "0", "node0": "0", "node1": "0"})
	step("the second run")

	// A token that oned refuses: the canary keeps its own, nothing is restarted, and no other host is touched.
	s.write("one-ft.inventory.yaml", strings.Replace(s.inventory, "oneadmin:opennebula", "oneadmin:wrong", 1))
	s.expect(map[string]string{"one1": "0", "node0": "2", "node1": "2"}, "--check", "--diff")
	if out, err := s.ansible.run(); err == nil || strings.Contains(out, "wrong") || !strings.Contains(out, "failed=1") || regexp.MustCompile(`(?m)^node1 +:`).MatchString(out) {
		t.Errorf("a wrong token: %v\n%s", err, out)
	}
	for _, name := range []string{"node0", "node1"} {
		s.machines[name].says("cat /etc/one-ft/token; cat /tmp/restarts 2>/dev/null || :", "oneadmin:opennebula")
	}
	step("a wrong token")

	// The front-ends alone: nothing has made sure that each host keeps its lease.
	s.write("one-ft.inventory.yaml", strings.Replace(s.inventory, "quiet: 1s", "quiet: 2s", 1))
	if out, err := s.ansible.run("--tags", "front_ends"); err == nil || !strings.Contains(strings.Join(strings.Fields(out), " "), "this run did not put host_isolated on node0, node1: their VMs could run twice") {
		t.Errorf("front-ends alone: %v\n%s", err, out)
	}
	step("front-ends alone")
	s.expect(map[string]string{"node0": "2"}, "--tags", "hosts", "--limit", "one_hosts[0]")
	for name, restarts := range map[string]string{"node0": "restart", "node1": ""} {
		s.machines[name].says("cat /tmp/restarts 2>/dev/null || :", restarts)
	}
	step("the canary alone, with other settings")
}

// site is a cloud that the playbook is for.
type site struct {
	ansible
	machines  map[string]*root
	inventory string
}

// newSite builds the packages, and starts the cloud.
func newSite(t *testing.T) *site {
	dir := t.TempDir()
	sourceTree(t, dir+"/source")
	packages := build(t, dir+"/source", "v1.0.0", "022", nil, "ARCHES="+runtime.GOARCH, "FORMATS=deb")
	c, err := cloud.New(cloud.Config{Version: "6.10.0", MonitorInterval: time.Second, Hosts: []cloud.Host{{ID: 0, Name: "node0"}, {ID: 1, Name: "node1"}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(c)
	t.Cleanup(func() { server.CloseClientConnections(); c.Close(); server.Close() })
	home, err := os.MkdirTemp("", "oneft-play-") // short: the path of a socket has 108 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	s := &site{ansible: ansible{t: t, dir: home + "/site", home: home}, machines: map[string]*root{}}
	must(t, "", nil, "cp", "-r", playbooks(t), s.dir)
	must(t, "", nil, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home+"/key")
	ports := map[string]int{}
	for _, name := range []string{"one1", "node0", "node1"} {
		r := newRoot(t, packages)
		r.must("rm -f /root/.bash* /root/.profile") // they may take minutes
		r.must("mv /usr/bin/systemctl /usr/bin/systemctl.real; cat >/usr/bin/systemctl <<'E'\n" + systemctl + "E\nprintf '#!/bin/sh\\n' >/usr/bin/virsh; chmod 755 /usr/bin/systemctl /usr/bin/virsh")
		if name == "one1" {
			r.openNebula()
			r.must("mkdir /var/lib/one/.one; echo oneadmin:opennebula >/var/lib/one/.one/one_auth; chown -R oneadmin /var/lib/one/.one; chmod 600 /var/lib/one/.one/one_auth")
		}
		s.machines[name], ports[name] = r, sshd(t, r, home)
	}
	debs := strings.Fields(strings.ReplaceAll(deb("1.0.0"), "/mnt/", ""))
	s.inventory = fmt.Sprintf(`all:
  vars:
    {ansible_host: 127.0.0.1, ansible_user: root, ansible_ssh_private_key_file: %s/key, one_ft_config: one-ft.yaml,
     one_ft_packages: %s, one_ft_front_end_package: %s, one_ft_host_package: %s}
one_front_ends:
  hosts: {one1: {ansible_port: %d}}
  vars: {one_ft_passwords: {bmc: s3cret}, one_ft_accept_problems: true}
one_hosts:
  hosts: {node0: {ansible_port: %d}, node1: {ansible_port: %d}}
  vars:
    one_ft_token: "oneadmin:opennebula"
    one_ft_front_ends: ["%s/RPC2"]
    one_ft_host_settings: {host_name: "{{ inventory_hostname }}", witnesses: [], quiet: 1s}
`, home, packages, debs[0], debs[1], ports["one1"], ports["node0"], ports["node1"], server.URL)
	s.write("one-ft.inventory.yaml", s.inventory)
	s.write("one-ft.yaml", "endpoint: "+server.URL+"/RPC2\nfencing: required\nsurvey: {settle: 0s}\nfence: [{hosts: [\"node*\"], levels: [{devices: [{lease: 60s}]}]}]\n")
	return s
}

// expect runs the playbook, which has to change so many things on each machine.
func (s *site) expect(want map[string]string, args ...string) {
	s.t.Helper()
	out := s.run(args...)
	got := map[string]string{}
	for _, m := range recap.FindAllStringSubmatch(out, -1) {
		got[m[1]] = m[2]
	}
	if !maps.Equal(got, want) {
		s.t.Errorf("%q changed %v, want %v\n%s", args, got, want, out)
	}
}

// run runs the playbook, which has to end well.
func (s *site) run(args ...string) string {
	s.t.Helper()
	out, err := s.ansible.run(args...)
	if err != nil {
		s.t.Fatal(err)
	}
	if strings.Contains(out, "s3cret") || strings.Contains(out, "oneadmin:opennebula") {
		s.t.Errorf("a secret is printed:\n%s", out)
	}
	return out
}

// write writes a file of the site.
func (a *ansible) write(name, text string) {
	a.t.Helper()
	if err := os.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// sshd starts one in a root, for the key in a directory, and gives its port. It ends with the test.
func sshd(t *testing.T, r *root, keys string) int {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	_ = free.Close()
	public, err := os.ReadFile(keys + "/key.pub")
	if err != nil {
		t.Fatal(err)
	}
	r.must(fmt.Sprintf(`mkdir -p /run/sshd; ssh-keygen -q -t ed25519 -N '' -f /tmp/host; echo '%s' >/tmp/authorized
printf 'Port %d\nListenAddress 127.0.0.1\nHostKey /tmp/host\nAuthorizedKeysFile /tmp/authorized\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n' >/tmp/sshd_config`,
		strings.TrimSpace(string(public)), port))
	cmd := exec.CommandContext(t.Context(), "nsenter", "--target", fmt.Sprint(r.pid), "--mount", "chroot", r.dir,
		"unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "/usr/sbin/sshd", "-D", "-e", "-f", "/tmp/sshd_config")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	})
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = conn.Close()
			return port
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}
