package packages_test

import (
	"net/http/httptest"
	"os"
	"strings"

	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// badHooks are three faults in an oned.conf: a variable that oned does not know, OpenNebula's own
// host_error.rb beside ours, and an executable that is not there.
const badHooks = `HM_MAD = [ EXECUTABLE = "one_hm" ]
HOST_HOOK = [ NAME = "ours", ON = "ERROR", COMMAND = "/var/lib/one/remotes/hooks/ft/host_error", ARGUMENTS = "$HID -r n" ]
HOST_HOOK = [ NAME = "ruby", ON = "ERROR", COMMAND = "ft/host_error.rb", ARGUMENTS = "$ID -r" ]
VM_HOOK = [ NAME = "failed", ON = "FAILED", COMMAND = "/opt/ft/vm_failure", ARGUMENTS = "$ID -r" ]
`

// faults plants them, and has the installed oneft find each, say how to mend it, and install
// hooks when they are mended. Everything is as before then.
func faults(r *root) {
	r.t.Helper()
	c, err := cloud.New(cloud.Config{Version: "4.4.1", Hosts: []cloud.Host{{ID: 1, Name: "node1", State: one.HostMonitored}, {ID: 2, Name: "node2", State: one.HostMonitored}}})
	if err != nil {
		r.t.Fatal(err)
	}
	defer c.Close()
	server := httptest.NewServer(c)
	defer server.Close()
	r.must("cp -p /etc/one/oned.conf /tmp/oned.conf; echo oneadmin:opennebula >/tmp/auth; chown oneadmin /tmp/auth; cat >/etc/one/oned.conf <<'END'\n" + badHooks + "END\n")
	access := " --log-file - --auth-file /tmp/auth --endpoint " + server.URL + "/RPC2"
	out, err := r.run("cd /; runuser -u oneadmin -- oneft check" + access)
	if err == nil {
		r.t.Errorf("three faults, and all is well: %s", out)
	}
	for _, want := range []string{"$HID", "host_error.rb", `"/opt/ft/vm_failure" cannot be run`, "a host that fails now would NOT be recovered safely"} {
		if !strings.Contains(out, want) {
			r.t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	if out, err := r.run("oneft hooks install" + access); err == nil || !strings.Contains(out, "host_error.rb") {
		r.t.Errorf("hooks were installed beside others: %s", out)
	}
	r.must("sed -i '/HOOK/d' /etc/one/oned.conf; cp -p /etc/one/oned.conf /tmp/mended")
	r.must("oneft hooks install" + access + "; oneft hooks show" + access + "; oneft hooks remove" + access + "; cmp /etc/one/oned.conf /tmp/mended")
	readme(r, server.URL)
	r.must("oneft hooks remove" + access + "; cmp /etc/one/oned.conf /tmp/mended")
	r.must("cp -p /tmp/oned.conf /etc/one/oned.conf; rm -f /etc/one/oned.conf.one-ft-* /var/log/one/oneft.log")
}

// readme runs what the README has a new user run in the first ten minutes, line by line, where
// the packages are installed. systemd does not run here.
func readme(r *root, url string) {
	r.t.Helper()
	text, err := os.ReadFile("../../../README.md")
	if err != nil {
		r.t.Fatal(err)
	}
	_, page, _ := strings.Cut(string(text), "## In ten minutes")
	page, _, _ = strings.Cut(page, "\n## ")
	ran := 0
	for line := range strings.Lines(page) {
		command, _, _ := strings.Cut(line, "#")
		command = strings.TrimSpace(command)
		if !strings.HasPrefix(line, "    oneft ") {
			continue
		}
		ran++
		out, err := r.run("export ONE_AUTH=/tmp/auth ONE_XMLRPC=" + url + "/RPC2; " + strings.Replace(command, "drill 3", "drill 1", 1))
		// Nothing fences the hosts of this cloud, which is what a check has to say.
		unsafe := command == "oneft check" && strings.Contains(out, "no fencing is configured")
		if err != nil && !unsafe {
			r.t.Errorf("%s: %v\n%s", command, err, out)
		}
	}
	if ran < 6 {
		r.t.Errorf("%d commands: the page is not read", ran)
	}
}
