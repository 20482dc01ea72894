package install

import (
	"errors"
	"strings"
	"testing"
)

// TestClassify: what a line of a hook runs, however it is written.
func TestClassify(t *testing.T) {
	scripts := map[string]string{
		"/opt/ha.sh":      "#!/bin/bash\n# onevm recover\nhost=$1\nfor vm in $(onevm list -l ID); do\n  onevm recover --recreate $vm # all\ndone\n",
		"/opt/tells.sh":   "#!/bin/sh -e\necho \"now run onevm recover --recreate $1\" | mail -s 'onevm boot' root\n# onevm boot\n",
		"/opt/calls.sh":   "exec /var/lib/one/remotes/hooks/ft/host_error \"$@\"\n",
		"/opt/ha.rb":      "#!/usr/bin/env ruby\nrequire 'opennebula'\n# vm.recover(4)\nvms.each {|vm| vm.recover(4) }\n",
		"/opt/mail root":  "unknown /opt/mail",
		"/opt/tells.rb":   "#!/usr/bin/env ruby\nputs 'hello'\n",
		"/opt/system.py":  "#!/usr/bin/python3\nos.system('onevm  resched %s')\n",
		"/opt/rpc.pl":     "#!/usr/bin/perl\n$c->call('one.vm.action', $s, 'boot', $id);\n",
		"/opt/broken.sh":  "#!/bin/sh\nif [ \"",
		"ft/site.sh":      "onevm delete --recreate $1",
		"/opt/if.sh":      "#!/bin/sh\nif true; then onevm boot $1; fi\n",
		"/opt/sudo.sh":    "#!/bin/sh\n[ -n \"$1\" ] && sudo -u oneadmin onevm boot $1\n",
		"/opt/notify.sh":  "#!/bin/sh\ncurl -d text=$1 https://example.com\n",
		"/opt/heredoc.sh": "#!/bin/sh\nmail root <<EOF\nPlease run onevm recover 3\nEOF\n",
	}
	read := func(path string) string { return scripts[path] }
	for line, want := range map[string]string{
		"":                       "harmless",
		"/x/host_error $ID -r":   "ours host_error",
		"ft/vm_failure -r":       "ours vm_failure",
		"sudo /x/host_error $ID": "ours host_error",
		"sudo -u oneadmin -n -- nice -n 19 /x/vm_unknown $ID":   "ours vm_unknown",
		"/usr/bin/timeout -k 5 3600 /x/host_error $ID":          "ours host_error",
		"env A=b C='d e' /x/host_error $ID":                     "ours host_error",
		"HOME=/root /x/host_error $ID":                          "ours host_error",
		"/usr/bin/flock -w 5 /run/l /x/host_error $ID":          "ours host_error",
		"bash -c 'exec /x/host_error $ID -r n >>/tmp/log 2>&1'": "ours host_error",
		"/opt/wrap /x/host_error $ID":                           "ours host_error",
		"/x/host_error $ID -r; logger done":                     "ours host_error",
		"/x/host_error $ID -r; /opt/notify.sh":                  "ours host_error",
		"/opt/calls.sh $ID":                                     "ours host_error",

		"ft/host_error.rb $ID -r":                                               "recoverer ft/host_error.rb|OpenNebula's host_error.rb",
		"host_error.rb;":                                                        "recoverer host_error.rb|OpenNebula's",
		"/usr/bin/env ruby /x/host_error.rb":                                    "recoverer /x/host_error.rb|OpenNebula's",
		"ruby2.7 -W0 /x/host_error.rb $ID":                                      "recoverer /x/host_error.rb|OpenNebula's",
		`env bash -c "ft/host_error.rb"`:                                        "recoverer ft/host_error.rb|OpenNebula's",
		`env bash -c "ft/host_error_site.rb $ID"`:                               "recoverer ft/host_error_site.rb|by its name",
		"ft/host_error.rb.custom $ID -r":                                        "recoverer ft/host_error.rb.custom|by its name",
		"/var/lib/one/remotes/hooks/ft/sp_host_error.rb":                        "recoverer /var/lib/one/remotes/hooks/ft/sp_host_error.rb|by its name",
		"host-error.sh":                                                         "recoverer host-error.sh|by its name",
		"HostError.py $ID":                                                      "recoverer HostError.py|by its name",
		"ft/host_error.rb-2024":                                                 "recoverer ft/host_error.rb-2024|by its name",
		`bash -c 'onevm boot $ID'`:                                              "recoverer onevm boot|onevm boot",
		`/bin/sh -ec "sleep 5; onevm boot $ID"`:                                 "recoverer onevm boot",
		"/usr/bin/env onevm delete --recreate $ID":                              "recoverer onevm delete",
		"/usr/bin/env onevm recover --recreate $ID":                             "recoverer onevm recover",
		"nohup onevm --user a --password b resubmit 3 &":                        "recoverer onevm resubmit",
		"onehost flush $ID":                                                     "recoverer onehost flush",
		"/usr/bin/onehost disable $ID && true":                                  "recoverer onehost disable",
		"echo 3 | xargs -n 1 onevm recover --delete":                            "recoverer onevm recover",
		"su - oneadmin -c 'onevm boot 3'":                                       "recoverer onevm boot",
		"runuser -u oneadmin -- onevm boot 3":                                   "recoverer onevm boot",
		"ssh -i /k root@fe2 onevm boot 3":                                       "recoverer onevm boot",
		`echo "$(onevm recover --recreate 3)"`:                                  "recoverer onevm recover",
		"logger `onevm boot 3`":                                                 "recoverer onevm boot",
		"env -S 'onevm boot 3'":                                                 "recoverer onevm boot",
		"/opt/retry 3 onevm boot $ID":                                           "recoverer onevm boot",
		`/opt/retry "onevm boot $ID"`:                                           "recoverer onevm boot",
		"curl -d <methodName>one.vm.recover</methodName> http://fe:2633/RPC2":   "unknown curl",
		"curl -d '<methodName>one.vm.recover</methodName>' http://fe:2633/RPC2": "recoverer one.vm.recover",
		`ruby -e 'system("onevm boot 3")'`:                                      "recoverer ruby -e|onevm boot",
		"/x/host_error $ID; onevm boot 3":                                       "recoverer onevm boot",
		"if true; then onevm boot 3; fi":                                        "recoverer onevm boot",
		"/opt/ha.sh $ID":                                                        "recoverer /opt/ha.sh|/opt/ha.sh (line 5: onevm recover)",
		"bash /opt/ha.sh $ID":                                                   "recoverer /opt/ha.sh",
		"sudo ft/site.sh":                                                       "recoverer ft/site.sh|line 1: onevm delete",
		"/opt/ha.rb":                                                            "recoverer /opt/ha.rb|line 4: vm.recover",
		"/opt/system.py":                                                        "recoverer /opt/system.py|line 2",
		"/opt/rpc.pl":                                                           "recoverer /opt/rpc.pl|one.vm.action",
		"/opt/if.sh":                                                            "recoverer /opt/if.sh",
		"/opt/sudo.sh":                                                          "recoverer /opt/sudo.sh",

		"mail -s 'onevm boot' root":          "harmless mail",
		"/usr/bin/logger -t hook host_error": "harmless /usr/bin/logger",
		"echo host_error.rb | mail root":     "harmless",
		"/usr/sbin/sendmail -t":              "harmless /usr/sbin/sendmail",
		"env A=b timeout 10 mail root":       "harmless mail",
		"sh -c 'echo onevm boot >> /tmp/x'":  "harmless echo",
		"onevm show $ID":                     "harmless onevm",
		"onehost list":                       "harmless onehost",
		"/usr/bin/oneft resume":              "harmless",

		"/opt/tells.sh $ID":                "unknown /opt/tells.sh|not known",
		"/opt/mail root":                   "unknown /opt/mail",
		"/opt/tells.rb":                    "unknown /opt/tells.rb",
		"/opt/heredoc.sh":                  "unknown /opt/heredoc.sh",
		"/opt/broken.sh":                   "unknown /opt/broken.sh",
		"/opt/none.sh $ID":                 "unknown /opt/none.sh",
		"notify_host_error.sh $ID":         "unknown notify_host_error.sh",
		"host_error_mail.sh":               "unknown host_error_mail.sh",
		"ft/fence_host.sh":                 "unknown ft/fence_host.sh",
		"host_errors":                      "unknown host_errors",
		"sh":                               "unknown sh",
		"echo 'onevm boot 3' | sh":         "unknown sh",
		"$SHELL -c true":                   "unknown $SHELL",
		"onevm":                            "unknown onevm",
		"onevm rename $ID x":               "unknown onevm rename",
		"ruby -e 'puts 1'":                 "unknown ruby -e",
		"logger x; /opt/y":                 "unknown /opt/y",
		"bash -c 'mail root' ; virsh list": "unknown virsh",
		strings.Repeat(`sh -c "`, 20):      "unknown",
	} {
		r := Classify(line, read)
		says, message, _ := strings.Cut(want, "|")
		class, program, _ := strings.Cut(says, " ")
		if string(r.Class) != class || program != "" && !strings.HasSuffix(r.Program, program) || !strings.Contains(r.Message().String(), message) {
			t.Errorf("%s: %+v (%s), want %s", line, r, r.Message(), want)
		}
	}
	if r := Classify("/opt/ha.sh", nil); r.Class != Unknown {
		t.Errorf("%+v of a file that was not read", r)
	}
}

// TestBeside: what an admin said of a hook that is not known is remembered with ours, on all front-ends, until its command
// changes; one that is known to recover VMs is refused whatever is said.
func TestBeside(t *testing.T) {
	const hook = "VM_HOOK = [ NAME = \"site hook\", ON = UNKNOWN, COMMAND = \"/opt/site\", ARGUMENTS = \"$ID\" ]\n"
	said := Facts{Dir: DefaultDir, Beside: []string{"site hook"}}
	hooks := hooksFor(t, DefaultSpec(), v44)
	_, err := Install([]byte(hook), hooks, Facts{})
	wantError(t, err, "/opt/site (not known", "if not, oneft hooks install --beside 'site hook'")
	fresh, err := Install([]byte(hook), hooks, said)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Install(fresh, hooks, Facts{}); err != nil || string(again) != string(fresh) {
		t.Errorf("%v\n%s", err, again)
	}
	wantTold(t, "remembered", Lint(parsed(t, mad+string(fresh)), Facts{Version: v44, Dir: DefaultDir}))
	changed := strings.Replace(string(fresh), "/opt/site", "/opt/other", 1)
	wantTold(t, "another command", Lint(parsed(t, mad+changed), Facts{Version: v44, Dir: DefaultDir}), "warning|/opt/other (not known")
	if _, err := Install([]byte(changed), hooks, Facts{}); err == nil {
		t.Error("another command was accepted")
	}
	if back, err := Install(fresh, nil, Facts{}); err != nil || string(back) != hook {
		t.Errorf("%v: %q", err, back)
	}
	_, err = Install([]byte(hook), hooks, Facts{Beside: []string{"sit"}})
	wantError(t, err, `--beside "sit"`, "no hook with that name")
	_, err = Install([]byte(strings.Replace(hook, "/opt/site", "/bin/onevm boot", 1)), hooks, said)
	wantError(t, err, "onevm boot on VM/ACTIVE/UNKNOWN")

	site := PoolHook{ID: 3, Name: "site hook", Type: "state", Attributes: map[string]string{"RESOURCE": "HOST", "STATE": "DISABLED", "COMMAND": "/opt/site", "ARGUMENTS": "$TEMPLATE"}}
	p := &fakePool{hooks: []PoolHook{site}, next: 5}
	wanted := hooksFor(t, DefaultSpec(), v610)
	_, err = Plan(p.hooks, wanted, facts(v610))
	wantError(t, err, "hook 3", "HOST/DISABLED", "--beside")
	f := facts(v610)
	f.Beside = said.Beside
	if got := p.make(t, wanted, f); got != "create create" {
		t.Error(got)
	}
	if got := p.make(t, wanted, facts(v610)); got != "" {
		t.Errorf("%s: not remembered", got)
	}
	wantTold(t, "remembered", LintPool(p.hooks, facts(v610)))
	p.hooks[0].Attributes["ARGUMENTS"] = "$TEMPLATE -x"
	wantTold(t, "other arguments", LintPool(p.hooks, facts(v610)), "warning|hook 3")
	if got := p.make(t, nil, facts(v610)); got != "delete delete" || len(p.hooks) != 1 {
		t.Errorf("%s: %v", got, p.hooks)
	}
}

// FuzzClassify: any line of a hook ends in a class, in words that can be printed, at bounded cost.
func FuzzClassify(f *testing.F) {
	for _, line := range []string{"sudo -u x sh -c \"a `b $(c)`\" 2>&1 >/x;d|e&&f # g", "env -S 'a b' c=d", "su - a -c", "\\", "'", "$((", "sh -c 'sh -c \"x\"'", "timeout -k", "<(onevm boot 3)"} {
		f.Add(line, "#!/bin/sh\n"+line)
	}
	f.Fuzz(func(t *testing.T, line, script string) {
		r := Classify(line, func(string) string { return script })
		if worse(r, Runner{Class: KnownRecoverer}).Class != KnownRecoverer || worse(Runner{}, r) != r {
			t.Errorf("%+v", r)
		}
		wantError(t, errors.New(r.Message().String()))
	})
}
