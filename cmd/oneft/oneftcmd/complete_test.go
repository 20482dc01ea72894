package oneftcmd

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
)

// TestLined: lines are whole, printable and bounded, and are those whose ID begins so.
func TestLined(t *testing.T) {
	var many []one.Named
	for id := range 2 * mostCandidates {
		many = append(many, one.Named{ID: id, Name: strings.Repeat("n\t\n", 100)})
	}
	got := lined(many, "")
	if n := strings.Count(got, "\n"); n != mostCandidates || strings.Count(got, "\t") != n || !strings.HasSuffix(got, "\n") || len(got) > 64<<10 {
		t.Errorf("%d lines, %d bytes, %.200s", n, len(got), got)
	}
	for begins, want := range map[string]string{"99": "99", "998": "998", "7777": "", "x": "", "-": ""} {
		if first, _, _ := strings.Cut(lined(many, begins), "\t"); first != want {
			t.Errorf("%s: %s, want %s", begins, first, want)
		}
	}
}

// TestComplete: numbers come from the journal, which stays as it is, damaged files as well; an oned that hangs holds nobody up.
func TestComplete(t *testing.T) {
	dir := t.TempDir()
	j, err := incident.OpenJournal(dir + "/incidents")
	if err != nil {
		t.Fatal(err)
	}
	for id := range 3 {
		if _, err := j.Begin(incident.Record{Kind: "VM", ID: id, Name: "a\tb"}); err != nil {
			t.Fatal(err)
		}
	}
	damaged := filepath.Join(dir, "incidents", "incident-000002.json")
	if err := os.WriteFile(damaged, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	const want = "3\tVM 2 (a\\tb): open\n1\tVM 0 (a\\tb): open\n"
	if code, out, problems := call(t, "complete", "incidents", "--state-dir", dir); code != 0 || out != want || problems != "" {
		t.Errorf("%d, %q, %q", code, out, problems)
	}
	if _, err := os.Stat(damaged); err != nil {
		t.Error(err)
	}
	if code, out, problems := call(t, "complete", "incidents", "--state-dir", dir+"/none"); code != 0 || out+problems != "" {
		t.Errorf("%d, %q, %q", code, out, problems)
	}
	if _, err := os.Stat(dir + "/none"); err == nil {
		t.Error("a directory was made")
	}
	hanging, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hanging.Close()
	auth := filepath.Join(dir, "auth")
	if err := os.WriteFile(auth, []byte("a:b"), 0o600); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	code, out, problems := call(t, "complete", "hosts", "--endpoint", fmt.Sprintf("http://%s/RPC2", hanging.Addr()), "--auth-file", auth)
	const busy = 2 * time.Second
	if took := time.Since(begun); code != 0 || out+problems != "" || took > time.Second+busy {
		t.Errorf("%d, %q, %q after %s", code, out, problems, took)
	}
}
