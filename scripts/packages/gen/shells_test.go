package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/test/process/programs"
	"one-ft/test/process/rigs"
	"one-ft/test/sim/cloud"
)

// shells is a front-end at whose shells somebody presses Tab.
type shells struct {
	t    *testing.T
	dir  string // its files, and the completions
	vars []string
}

// newShells is one with the completions of all programs, an OpenNebula of this version with hosts and VMs, and a journal.
func newShells(t *testing.T, version string) *shells {
	t.Helper()
	rigs.Need(t, "bash zsh fish", "bash", "zsh", "fish")
	bin := programs.Dir(t)
	t.Chdir("../../..")
	s := &shells{t: t, dir: t.TempDir()}
	for _, p := range executables() {
		for _, shell := range []string{"bash", "zsh", "fish"} {
			made, err := completion(shell, p)
			if err == nil {
				err = os.MkdirAll(filepath.Join(s.dir, shell), 0o755)
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(s.dir, shell, map[bool]string{true: "_"}[shell == "zsh"]+p.Name), made, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	config := cloud.Config{Version: version, Step: time.Second, MonitorInterval: time.Second, Datastores: []cloud.Datastore{{ID: 0, Name: "system", Type: 1, Shared: true}}}
	for id, name := range []string{"node0", "a:b c", "n2\u202ex"} {
		h := cloud.Host{ID: id, Name: name}
		if strings.HasPrefix(version, "4.") {
			h.Cluster = -1
		}
		config.Hosts = append(config.Hosts, h)
	}
	for _, id := range []int{7, 70, 71} {
		config.VMs = append(config.VMs, cloud.VM{ID: id, Name: fmt.Sprintf("vm%d", id), CPU: 0.1, MemMB: 64, State: one.Active, LCM: one.Running,
			History: []cloud.Record{{HostID: 0, STime: 1, PSTime: 1, PETime: 2}}})
	}
	c, err := cloud.New(config)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(c)
	t.Cleanup(func() { server.CloseClientConnections(); c.Close(); server.Close() })
	for path, text := range map[string]string{"one_auth": "oneadmin:opennebula\n", "alice": "alice:wrong\n"} {
		if err := os.WriteFile(filepath.Join(s.dir, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.vars = []string{"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + t.TempDir(), "ONE_LOCATION=" + s.dir, "ONE_XMLRPC=" + server.URL + "/RPC2",
		"ONE_AUTH=" + s.dir + "/one_auth", "TERM=vt100", "LC_ALL=C.UTF-8", "LOGS=" + s.dir}
	return s
}

// record puts incidents into the journal, and a damaged file beside them.
func (s *shells) record() {
	s.t.Helper()
	j, err := incident.OpenJournal(filepath.Join(s.dir, "var", "one-ft", "incidents"))
	for id := 0; err == nil && id < 12; id++ {
		_, err = j.Begin(incident.Record{Kind: "host", ID: id, Name: fmt.Sprintf("node%d", id)})
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(s.dir, "var", "one-ft", "incidents", "incident-000099.json"), []byte("{"), 0o600)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// run runs a program with more variables, and gives what it prints, with a space for each end of a line.
func (s *shells) run(vars []string, name string, args ...string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), name, args...)
	cmd.Env = append(append([]string{}, s.vars...), vars...)
	cmd.Dir = s.dir
	var out, wrong bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &wrong
	err := cmd.Run()
	if wrong.Len() > 0 {
		s.t.Errorf("%s %q: %v, %s", name, args, err, wrong.String())
	}
	return strings.Join(strings.Split(strings.TrimRight(out.String(), "\n"), "\n"), "|")
}

// bash is what bash offers for words, of which the last one is being typed. list: a list is shown.
func (s *shells) bash(list bool, vars []string, words ...string) string {
	s.t.Helper()
	how := map[bool]string{true: "63", false: "9"}[list]
	const script = `. "$LOGS/bash/$1"; COMP_TYPE=$0; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }; "_$1"; (IFS='|'; printf %s "${COMPREPLY[*]}")`
	return s.run(vars, "bash", append([]string{"-c", script, how}, words...)...)
}

// fish is what fish offers for a line.
func (s *shells) fish(vars []string, line string) string {
	s.t.Helper()
	tool, _, _ := strings.Cut(line, " ")
	return s.run(vars, "fish", "--no-config", "-c", `source "$LOGS/fish/`+tool+`"; complete -C '`+line+`'`)
}

// files are all files of the front-end with what is in them.
func (s *shells) files() string {
	s.t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			fmt.Fprintln(&all, path)
			return err
		}
		text, err := os.ReadFile(path)
		fmt.Fprintf(&all, "%s %x\n", path, sha256.Sum256(text))
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return all.String()
}

// TestIDs: bash and fish complete IDs of hosts and VMs and numbers of incidents, with their names where a list is shown; where none
// belongs, or there are none, they complete what they did before. Nothing is written, and nothing said.
func TestIDs(t *testing.T) {
	for _, version := range []string{"4.4.1", "7.4.1"} {
		t.Run(version, func(t *testing.T) {
			s := newShells(t, version)
			const nothing = "--"
			for _, words := range []string{"oneft incidents show", "oneft resume"} {
				if got := s.bash(false, nil, append(strings.Fields(words), "")...); !strings.HasPrefix(got, nothing) {
					t.Errorf("no journal: %s: %s", words, got)
				}
			}
			s.record()
			before := s.files()
			for _, c := range []struct {
				words      string
				one, shown string
			}{
				{"host_error ", "0|1|2", `0 (node0)|1 (a:b c)|2 (n2\u202ex)`},
				{"host_error --dry-run 1", "1", "1"},
				{"vm_failure 7", "7|70|71", "7 (vm7)|70 (vm70)|71 (vm71)"},
				{"vm_unknown 70", "70", "70"},
				{"oneft drill ", "0|1|2", `0 (node0)|1 (a:b c)|2 (n2\u202ex)`},
				{"oneft release 2", "2", "2"},
				{"oneft incidents show 1", "12|11|10|1", "12 (host 11 (node11): open)|11 (host 10 (node10): open)|10 (host 9 (node9): open)|1 (host 0 (node0): open)"},
				{"oneft resume 12", "12", "12"},
				{"oneft resume 99", "", ""},
				{"oneft res", "resume", "resume"},
				{"oneft drill 1 --js", "--json", "--json"},
				{"host_error 1 --fencing ", "auto|required|off", "auto|required|off"},
			} {
				cut := strings.LastIndex(c.words, " ") + 1
				words := append(strings.Fields(c.words[:cut]), c.words[cut:])
				for list, want := range map[bool]string{false: c.one, true: c.shown} {
					if got := s.bash(list, nil, words...); got != want {
						t.Errorf("bash, list %v: %s: %s; want %s", list, c.words, got, want)
					}
				}
			}
			for line, want := range map[string]string{
				"host_error ": "0\tnode0|1\ta:b c|2\tn2\\u202ex", "vm_unknown 70": "70\tvm70", "oneft drill 1": "1\ta:b c",
				"oneft resume 12": "12\thost 11 (node11): open", "oneft incidents show 11": "11\thost 10 (node10): open",
			} {
				if got := s.fish(nil, line); got != want {
					t.Errorf("fish: %s: %q; want %q", line, got, want)
				}
			}
			if got := s.fish(nil, "host_error 1 7"); got != "" {
				t.Errorf("a second host is offered: %s", got)
			}
			if after := s.files(); after != before {
				t.Errorf("files before and after:\n%s\n%s", before, after)
			}
		})
	}
}

// TestNoIDs: without oned, rights or credentials, and with an oned that hangs, there are none, nothing is said and Tab takes a
// second at most.
func TestNoIDs(t *testing.T) {
	s := newShells(t, "7.4.1")
	hanging, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hanging.Close()
	before := s.files()
	for name, vars := range map[string][]string{
		"no oned":        {"ONE_XMLRPC=http://127.0.0.1:1/RPC2"},
		"one that hangs": {"ONE_XMLRPC=http://" + hanging.Addr().String() + "/RPC2"},
		"no URL":         {"ONE_XMLRPC=nonsense"},
		"no rights":      {"ONE_AUTH=" + s.dir + "/alice"},
		"no credentials": {"ONE_AUTH=/dev/null"},
		"bad directory":  {"ONE_LOCATION=/dev/null/x"},
	} {
		for _, kind := range []string{"hosts", "vms", "incidents", "", "others"} {
			if name == "bad directory" && kind != "incidents" {
				continue
			}
			begun := time.Now()
			if got := s.run(vars, "oneft", "complete", kind, "--", "1"); got != "" {
				t.Errorf("%s: %s: %s", name, kind, got)
			}
			const slow = 2 * time.Second // of a busy machine, which starts the process
			if took := time.Since(begun); took > time.Second+slow {
				t.Errorf("%s: %s: it took %s", name, kind, took)
			}
		}
	}
	if after := s.files(); after != before {
		t.Errorf("files before and after:\n%s\n%s", before, after)
	}
	if got := s.run(nil, "oneft", "help"); strings.Contains(got, "complete") {
		t.Errorf("people are told of it:\n%s", got)
	}
}

// TestZsh: zsh, which completes at terminals only, shows IDs with their names.
func TestZsh(t *testing.T) {
	s := newShells(t, "7.4.1")
	s.record()
	const script = `zmodload zsh/zpty
zpty z zsh -f -i
await() {
    local line all='' n
    for ((n = 0; n < 600; n++)); do
        while zpty -r -t z line; do all+=$line; done
        [[ $all == *$1* ]] && return 0
        sleep 0.05
    done
    print -r -- "nothing of $1 in $all" >&2
    return 1
}
zpty -w z 'PS1="re""ady> "; fpath=($LOGS/zsh $fpath); autoload -Uz compinit; compinit -u -D; bindkey "^I" complete-word'
await 'ready> ' || exit 1
zpty -w -n z $'oneft drill \t'
await 'node0' || exit 1
zpty -w -n z $'\x15vm_failure 7\t'
await 'vm70' || exit 1
zpty -w -n z $'\x15oneft resume 1\t'
await 'node10' || exit 1
zpty -d z
print done`
	if got := s.run(nil, "zsh", "-fc", script); got != "done" {
		t.Errorf("%q", got)
	}
}
