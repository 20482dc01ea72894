package oneftcmd

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"one-ft/pkg/app"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/wording"
	"one-ft/test/sim/cloud"
)

// unpacked are the files of a bundle.
func unpacked(t rapid.TB, path string) map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for in := tar.NewReader(unzipped); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(h.Name, "one-ft-support/")] = string(content)
	}
}

// site is an OpenNebula with names, addresses and secrets that must not leave it.
type site struct {
	dir                     string
	cloud                   *cloud.Cloud
	hidden                  []string // what must not be in a bundle
	host, address, frontEnd string
	onlyOned                []string // of them those that nobody but oned knows
}

// newSite draws one.
func newSite(t *rapid.T, dir, version string) *site {
	s := &site{dir: dir}
	label := rapid.StringMatching(`[a-z]{2,6}[0-9]{2,4}(-[a-z]{2,4})?`)
	domain := rapid.SampledFrom([]string{"", ".dc1.example", ".rack-7.example.org"}).Draw(t, "domain")
	secret := func(name string) string {
		value := rapid.StringMatching(`[A-Za-z0-9!#$%&*+<>=@^~-]{8,20}`).Draw(t, name)
		s.hidden = append(s.hidden, value)
		return value
	}
	names := rapid.SliceOfNDistinct(label, 8, 8, rapid.ID).Draw(t, "names")
	s.frontEnd, s.onlyOned = names[7]+domain, []string{names[2], names[4]}
	s.address = fmt.Sprintf("10.%d.%d.%d", rapid.IntRange(1, 250).Draw(t, "a"), rapid.IntRange(1, 250).Draw(t, "b"), rapid.IntRange(1, 250).Draw(t, "c"))
	s.hidden = append(append(s.hidden, s.address, "fd00:77::1"), names...)
	if domain != "" {
		s.hidden = append(s.hidden, domain[1:])
	}
	config := cloud.Config{Version: version, Password: secret("one_auth"), Step: time.Second, MonitorInterval: time.Minute, Datastores: []cloud.Datastore{{ID: 0, Name: "system", Type: 1, Shared: true}}}
	template := map[string]string{"FENCE_AGENT": "fence_ipmilan", "FENCE_IP": "bmc-" + names[0] + domain, "FENCE_USER": names[5], "FENCE_PASSWORD": secret("bmc")}
	for id := range 3 {
		h := cloud.Host{ID: id, Name: names[id] + domain, Template: template}
		if strings.HasPrefix(version, "4.") {
			h.Cluster = -1
		}
		config.Hosts = append(config.Hosts, h)
	}
	s.host = config.Hosts[0].Name
	for id := range 2 {
		config.VMs = append(config.VMs, cloud.VM{ID: id, Name: names[3+id], CPU: 0.1, MemMB: 64, State: one.Active, LCM: one.Running, History: []cloud.Record{{HostID: 0, STime: 1, PSTime: 1, PETime: 2}}})
	}
	c, err := cloud.New(config)
	if err != nil {
		t.Fatal(err)
	}
	s.cloud = c
	said := fmt.Sprintf("%s (%s) at %s, [fd00:77::1]:22, %s@%s.: VM 0 (%s), %s", s.host, names[1], s.address, names[5], names[2], names[3], config.Password)
	files := map[string]string{
		".one/one_auth": "oneadmin:" + config.Password + "\n",
		"etc/one-ft.yaml": fmt.Sprintf("survey: {settle: 0s}\nfence:\n  - hosts: [%q, %q]\n    levels:\n      - name: bmc\n        devices:\n          - agent: fence_ipmilan\n"+
			"            params: {ip: %s, username: %s, password: %q}\nnotify:\n  - command: [/bin/true, %q, %q]\n", names[1]+"*", s.host, s.address, names[5], secret("param"),
			"--token="+secret("notify"), "https://hooks.example/"+secret("hook")+"?x=1"),
		"etc/oned.conf":         "HOST_HOOK = [ NAME = \"other\", ON = \"ERROR\", COMMAND = \"/x.sh\", ARGUMENTS = \"$ID --password=" + secret("argument") + "\" ]\nDB = [ BACKEND = \"mysql\", PASSWD = \"" + secret("db") + "\" ]\nMONITORING_INTERVAL = 60\n",
		"var/host_error.log":    strings.Repeat("time=x msg=\""+said+"\"\n", 3),
		"var/oneft.log":         strings.Repeat("x", 3*maxTail) + said + "\nthe last line\n",
		"var/one-ft/pause.json": `{"began":"2026-01-01T00:00:00Z","until":"2026-01-01T01:00:00Z","by":"` + names[6] + ` as root","reason":"for ` + names[6] + `"}`,
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	j, err := incident.OpenJournal(filepath.Join(dir, "var", "one-ft", "incidents"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := j.Begin(incident.Record{Kind: "host", ID: 0, Name: s.host, Call: []string{"0", "-r"}, FrontEnd: names[6] + domain})
	if err != nil {
		t.Fatal(err)
	}
	w.Event(incident.StepGuard, -1, wording.Info, wording.Of(wording.Trouble, errors.New(said)))
	return s
}

// run runs oneft in the site.
func (s *site) run(ctx context.Context, away bool, args ...string) (code int, stdout, stderr string) {
	var out, problems bytes.Buffer
	vars := map[string]string{"ONE_LOCATION": s.dir, "HOME": s.dir, "ONE_XMLRPC": "http://" + s.frontEnd + ":2633/RPC2"}
	env := app.Env{Args: append([]string{"oneft"}, args...), Stdout: &out, Stderr: &problems, Transport: s.cloud.Transport(), Machine: sshMachine{},
		Getenv: func(name string) string { return vars[name] },
		Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("no route to " + s.host)
		}}
	if away {
		vars["ONE_XMLRPC"], env.Transport = "http://127.0.0.1:1/RPC2", nil
	}
	code = Run(ctx, env)
	return code, out.String(), problems.String()
}

// TestBundleHides: whatever hosts, VMs, users, addresses and secrets are called, none of it is in any file of a bundle nor on the
// terminal, with oned and without; the same name is the same word in all files, and nothing of the site is changed.
func TestBundleHides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "bundle")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		s := newSite(t, dir, rapid.SampledFrom([]string{"4.4.1", "7.4.1"}).Draw(t, "version"))
		defer s.cloud.Close()
		away := rapid.Bool().Draw(t, "away")
		path := filepath.Join(dir, "made.tar.gz")
		code, out, problems := s.run(context.Background(), away, "support-bundle", path)
		if code != app.ExitDone || problems != "" {
			t.Fatalf("%d, %s%s", code, out, problems)
		}
		files := unpacked(t, path)
		for _, name := range []string{"README.txt", "versions.txt", "check.txt", "hooks.txt", "opennebula.txt", "configuration.txt", "incidents.txt", "incidents.json", "state.txt", "host_error.log", "oneft.log"} {
			if files[name] == "" {
				t.Errorf("no %s", name)
			}
			if !strings.Contains(out, name) && name != "README.txt" {
				t.Errorf("%s is not listed:\n%s", name, out)
			}
		}
		files["the terminal"] = strings.ReplaceAll(out, dir, "")
		for name, content := range files {
			for _, hidden := range s.hidden {
				if away && slices.Contains(s.onlyOned, hidden) {
					continue // it is said
				}
				if at := strings.Index(strings.ToLower(content), strings.ToLower(hidden)); at >= 0 {
					t.Errorf("%q is in %s: %q", hidden, name, content[max(at-60, 0):min(at+60, len(content))])
				}
			}
		}
		first, _, _ := strings.Cut(files["host_error.log"], " (")
		pseudonym := strings.TrimPrefix(first, `time=x msg="`)
		if !strings.HasPrefix(pseudonym, "<host-") || !strings.Contains(files["incidents.txt"], "host 0 ("+pseudonym+")") || !strings.Contains(files["incidents.json"], `"name": "`+pseudonym+`"`) {
			t.Errorf("the host is %q in the log:\n%s", pseudonym, files["incidents.txt"])
		}
		if !strings.HasSuffix(files["oneft.log"], "the last line\n") || len(files["oneft.log"]) > maxTail+1000 {
			t.Errorf("the end of a log: %d bytes", len(files["oneft.log"]))
		}
		if strings.Contains(files["check.txt"], "CANNOT BE READ") != away || strings.Contains(out, "names may be left") != away {
			t.Errorf("away %v:\n%s\n%s", away, files["check.txt"], out)
		}
	})
}

// TestBundleFile: an existing file stays, a bundle is for its owner alone, and what cannot be read ends nothing.
func TestBundleFile(t *testing.T) {
	dir := t.TempDir()
	for args, want := range map[string]string{"support-bundle": "takes the name of the file", "support-bundle a b": "takes the name", "support-bundle " + dir: "exists already, and nothing was written"} {
		if code, out, problems := call(t, strings.Fields(args)...); code != app.ExitUsage || out != "" || !strings.Contains(problems, want) {
			t.Errorf("%s: %d, %s%s", args, code, out, problems)
		}
	}
	path := filepath.Join(dir, "made")
	broken := filepath.Join(dir, "broken.yaml")
	if err := os.WriteFile(broken, []byte("fence: [\npassword: hunter2x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, problems := call(t, "support-bundle", path, "--config", broken, "--state-dir", dir+"/none", "--endpoint", "http://127.0.0.1:1/RPC2")
	if code != app.ExitDone || problems != "" {
		t.Fatalf("%d, %s%s", code, out, problems)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	files := unpacked(t, path)
	for name, want := range map[string]string{
		"check.txt": "CANNOT BE READ: ", "state.txt": "CANNOT BE READ: ", "incidents.txt": "CANNOT BE READ: ", "configuration.txt": "password: <secret>", "versions.txt": "one-ft ",
		"README.txt": "CANNOT BE READ: ",
	} {
		if !strings.Contains(files[name], want) || strings.Contains(files[name], "hunter2x") {
			t.Errorf("%s: %s", name, files[name])
		}
	}
	if !strings.Contains(out, "nothing was sent; read it before you do: tar -xzOf "+path+" | less") {
		t.Errorf("%s", out)
	}
	if code, _, problems := call(t, "support-bundle", path); code != app.ExitUsage || !strings.Contains(problems, "exists already") {
		t.Errorf("%d, %s", code, problems)
	}
	if code, _, problems := call(t, "support-bundle", dir+"/none/made"); code != app.ExitIncomplete || !strings.Contains(problems, "failed to write the bundle") {
		t.Errorf("%d, %s", code, problems)
	}
}

// TestBounded: a part that does not end is left behind.
func TestBounded(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Millisecond, errors.New("late"))
	defer cancel()
	ended := make(chan struct{})
	defer close(ended)
	if got, err := bounded(ctx, func(context.Context) (string, error) { <-ended; return "x", nil }); got != "" || err == nil || err.Error() != "late" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := bounded(t.Context(), func(context.Context) (int, error) { return 7, io.EOF }); got != 7 || !errors.Is(err, io.EOF) {
		t.Errorf("%d, %v", got, err)
	}
}
