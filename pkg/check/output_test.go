package check

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

var update = flag.Bool("update", false, "write the golden files anew")

// bad is a cloud with trouble of every kind.
func bad(t testing.TB) Facts {
	f := good(t, v74)
	for i := range f.Hosts {
		f.Hosts[i].Template = map[string]string{"FENCE_PASSWORD": "geheim"}
	}
	for id := 4; id <= 9; id++ {
		h := hostWith(id)
		h.Err = fence.ErrNotConfigured
		f.Hosts = append(f.Hosts, h)
	}
	f.Hosts[0].Levels[0] = agentLevel(1, fence.PowerUnknown, errTest)
	f.Hosts[1] = leased(2, fence.Promise{Lease: time.Minute, Reaction: 70 * time.Second})
	f.Hosts[2].State = one.HostDisabled
	f.VMs.Active[3], f.VMs.Loses = 4, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	f.VMs.Count = 14
	f.Hooks = []Finding{{Severity: Problem, What: "hook 3 (host_error): oned does not know $HID, and the hook is called without a host", Fix: `onehook update 3: ARGUMENTS = "$TEMPLATE -r"`}}
	f.FrontEnd.Manager, f.FrontEnd.Timer, f.FrontEnd.UID = false, false, 0
	f.VMs.Failed = []FailedVM{{ID: 7, Name: "web\x1b[2J", Status: "UNKNOWN", Host: 1, Judged: true, Spent: recovery.Spent{Exhausted: true, Attempts: 3, Limit: 3}}}
	f.Incidents.Open = []Incident{{Record: incident.Record{Number: 12, Kind: "host", ID: 9, Name: "node9", Began: noon.Add(-time.Hour)}, HeldKnown: true}}
	f.Skipped = []string{"budgets of 3 more failed VMs"}
	return f
}

// TestGolden: the table and the file for Prometheus of a cloud with trouble.
func TestGolden(t *testing.T) {
	r := Evaluate(bad(t))
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 8, 2, ' ', 0)
	for _, row := range r.Table() {
		_, _ = w.Write([]byte(strings.TrimRight(strings.Join(row, "\t"), "\t ") + "\n"))
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	table.WriteString(r.Line() + "\n")
	prom := filepath.Join(t.TempDir(), "check.prom")
	if err := WriteMetrics(prom, r); err != nil {
		t.Fatal(err)
	}
	metrics, err := os.ReadFile(prom)
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string][]byte{"bad.golden": table.Bytes(), "bad.prom.golden": metrics} {
		file := filepath.Join("testdata", name)
		if *update {
			write(t, file, string(got))
		}
		want, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
		if bytes.Contains(got, []byte("geheim")) || bytes.Contains(got, []byte("\x1b")) {
			t.Errorf("%s: a secret, or a control character", name)
		}
	}
}

func TestJSON(t *testing.T) {
	text, err := json.Marshal(Evaluate(bad(t)))
	if err != nil {
		t.Fatal(err)
	}
	var back map[string]any
	if err := json.Unmarshal(text, &back); err != nil || back["ok"] != false || back["version"] != "7.4.1" || len(back["hosts"].([]any)) != 9 || bytes.Contains(text, []byte("geheim")) {
		t.Errorf("%v: %s", err, text)
	}
	if text, err = json.Marshal(Unreachable("no oned", noon)); err != nil || !strings.Contains(string(text), `"hosts":[]`) {
		t.Errorf("%v: %s", err, text)
	}
}

// TestWriteMetrics: the file is replaced as a whole, everybody can read it, and nothing else stays.
func TestWriteMetrics(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "check.prom")
	write(t, path, "old")
	r := Evaluate(good(t, v44))
	r.Hosts[0].Name = "a\\b\"c"
	if err := WriteMetrics(path, r); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"one_ft_check_ok 1\n", `one_ft_check_findings{severity="problem"} 0`, "one_ft_check_last_run_timestamp_seconds 1795348800\n",
		`one_ft_check_host_fencing_ok{host_id="1",host="a\\b\"c"} 1`} {
		if !strings.Contains(string(text), line) {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
	info, err := os.Stat(path)
	entries, listErr := os.ReadDir(dir)
	if err != nil || listErr != nil || info.Mode().Perm() != 0o644 || len(entries) != 1 {
		t.Errorf("%v %v %v %v", err, listErr, info.Mode(), entries)
	}
	for _, bad := range []string{filepath.Join(dir, "check.txt"), filepath.Join(dir, "none", "check.prom")} {
		if WriteMetrics(bad, r) == nil {
			t.Errorf("%s: no error", bad)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "d.prom"), 0o755); err != nil {
		t.Fatal(err)
	}
	if WriteMetrics(filepath.Join(dir, "d.prom"), r) == nil {
		t.Error("a directory: no error")
	}
}
