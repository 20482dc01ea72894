package failfast

import (
	"strings"
	"testing"
)

func TestDestination(t *testing.T) {
	t.Parallel()
	// What the drivers run, by release, and what people do.
	for line, want := range map[string]string{
		"ssh node1 bash -s":   "node1", // ssh_stream.rb, scripts_common.sh, 4.4 to 7.4
		"ssh -n node1 true":   "node1", // CommandManager.rb, 4.4 to 7.4
		"ssh  -n  node1 true": "node1",
		"ssh -o ForwardAgent=yes -o ControlMaster=no -o ControlPath=none node1 bash -s":                    "node1", // ssh_forward, 5.12 to 7.4
		"ssh -o ControlMaster=auto -n node1 if [ -x /x ]":                                                  "node1", // share/ssh/bin/ssh, 5.12 to 7.4
		"/usr/bin/ssh -x -oForwardAgent=no -oPermitLocalCommand=no -oClearAllForwardings=yes -- node1 scp": "node1", // scp
		"ssh node1 rsync --server -vlogDtprze.iLsfxC . /var/tmp/one":                                       "node1", // HostSyncManager.rb, 5.12 to 7.4
		"ssh -x -oPermitLocalCommand=no -s -- node1 sftp":                                                  "node1",
		"ssh oneadmin@node1":                "node1",
		"ssh a@b@node1":                     "node1",
		"ssh -l node2 -p 22 -vvi key node1": "node1",
		"ssh -lnode2 node1 -p 2222":         "node1",
		"ssh -46AaCfgKkMNnqsTtvXxYyp 22 h":  "h",
		"ssh -W 10.0.0.1:22 jump":           "jump",
		"ssh -J jump node1":                 "node1",
		"ssh ssh://one@node1:2222":          "node1",
		"ssh ssh://one@[2001:db8::1]:22":    "2001:db8::1",
		"ssh ssh://node1/":                  "node1",
		"ssh 2001:db8::1":                   "2001:db8::1",
		"ssh NODE1.Example":                 "NODE1.Example",
		"ssh":                               "",
		"ssh -p":                            "",
		"ssh --":                            "",
		"ssh -G node1":                      "",
		"ssh -O exit node1":                 "",
		"ssh -oControlPath=/x -Oexit node1": "",
		"ssh -V":                            "",
		"sshd node1":                        "",
		"bash -c ssh node1":                 "",
		"ssh: /run/one/ssh-socks/ctl-M-4f2a.sock [mux]": "/run/one/ssh-socks/ctl-M-4f2a.sock",
		"": "",
	} {
		if strings.HasPrefix(line, "ssh: ") {
			if got := masterPath(strings.Split(line, " ")); got != want || Destination(strings.Split(line, " ")) != "" {
				t.Errorf("%q: %q", line, got)
			}
			continue
		}
		if got := Destination(strings.Fields(line)); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
		if masterPath(strings.Fields(line)) != "" {
			t.Errorf("%q is no master", line)
		}
	}
}

func TestConnectingTo(t *testing.T) {
	t.Parallel()
	var all []Process
	for i, line := range []string{"ssh node1 x", "ssh node10 node1", "ssh one@NODE1", "rsync node1:/x .", "ssh node1.example x", "ssh -G node1"} {
		all = append(all, Process{PID: i, Args: strings.Fields(line)})
	}
	c := Client{Machine: &machine{procs: all}}
	found, err := c.Connecting([]string{"node1"})
	if err != nil || len(found) != 2 || found[0].PID != 0 || found[1].PID != 2 {
		t.Errorf("%v", found)
	}
	if none, err := c.Connecting(nil); err != nil || len(none) != 0 {
		t.Error("no names are no processes")
	}
}

func FuzzDestination(f *testing.F) {
	f.Add("ssh\x00-p\x0022\x00user@host\x00true")
	f.Add("ssh\x00ssh://a@[::1]:2/")
	f.Fuzz(func(t *testing.T, words string) {
		args := strings.Split(words, "\x00")
		host := Destination(args)
		if host != "" && !strings.Contains(words, host) {
			t.Fatalf("%q is nowhere in %q", host, words)
		}
		if socket := masterPath(args); socket != "" && host != "" {
			t.Fatalf("%q is a master and a client", words)
		}
	})
}
