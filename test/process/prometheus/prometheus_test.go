// Package prometheus_test feeds a real Prometheus with the metrics of one-ft, and asks it what the dashboard and the alerts ask.
package prometheus_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"one-ft/pkg/check"
	"one-ft/pkg/incident"
	"one-ft/pkg/incident/metrics"
	"one-ft/test/process/rigs"
)

// shipped is the directory with rules and dashboard.
const shipped = "../../../scripts/prometheus"

// limit bounds each wait.
const limit = time.Minute

// TestRules lets promtool play the alerts: when each fires, and when not.
func TestRules(t *testing.T) {
	rigs.Need(t, "prometheus", "promtool")
	for _, words := range [][]string{{"check", "rules", "one-ft.rules.yaml"}, {"test", "rules", "one-ft.rules.test.yaml", "one-ft.days.test.yaml"}} {
		cmd := exec.CommandContext(t.Context(), "promtool", words...)
		cmd.Dir = shipped
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %q: %v\n%s", words, err, out)
		}
	}
}

// TestQueries: each query of the dashboard has an answer, and the alerts know only metrics that there are.
func TestQueries(t *testing.T) {
	rigs.Need(t, "prometheus", "prometheus")
	text := exposed(t)
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(text) }))
	defer source.Close()
	at := start(t, source.Listener.Addr().String())
	rules, err := os.ReadFile(filepath.Join(shipped, "one-ft.rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`one_ft_[a-z_]+`).FindAllString(string(rules), -1) {
		if !strings.Contains(string(text), "\n"+name+"{") && !strings.Contains(string(text), "\n"+name+" ") {
			t.Errorf("an alert asks for %s, which there is not", name)
		}
	}
	for _, expr := range queries(t) {
		if n, err := at.ask(t.Context(), expr); err != nil || n == 0 {
			t.Errorf("%s: %d answers, %v", expr, n, err)
		}
	}
}

// exposed are the metrics of a front-end, as node_exporter would show them.
func exposed(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	counters, front, checked := filepath.Join(dir, "metrics.json"), filepath.Join(dir, "one_ft.prom"), filepath.Join(dir, "check.prom")
	now := time.Now()
	r := incident.Record{Version: 1, Number: 1, Kind: "host", Status: incident.Done, Began: now.Add(-time.Minute), Ended: &now,
		Events: []incident.Event{{At: now.Add(-time.Minute), Step: incident.StepTold, VM: -1}},
		VMs:    []incident.VM{{ID: 7, Action: "recreate", Result: "done", Path: []incident.Hop{{At: now.Add(-time.Minute), State: "UNKNOWN"}, {At: now, State: "RUNNING"}}}}}
	if err := metrics.Add(t.Context(), counters, front, r, now); err != nil {
		t.Fatal(err)
	}
	if err := metrics.Set(t.Context(), counters, front, metrics.Swept{At: now, Following: metrics.Now{Count: 1, Since: now}}); err != nil {
		t.Fatal(err)
	}
	report := check.Report{At: now, Works: true, Hosts: []check.HostFencing{{ID: 3, Name: "node3", OK: true}}}
	if err := check.WriteMetrics(checked, report); err != nil {
		t.Fatal(err)
	}
	var text []byte
	for _, path := range []string{front, checked} {
		some, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, some...)
	}
	return text
}

// queries are those of the dashboard, with the variables of Grafana put in.
func queries(t *testing.T) (all []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(shipped, "one-ft.dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			all = append(all, strings.ReplaceAll(target.Expr, "$__range", "1h"))
		}
	}
	if len(all) < len(board.Panels) || len(all) == 0 {
		t.Fatalf("%d panels have %d queries", len(board.Panels), len(all))
	}
	return all
}

// server is the address of a Prometheus.
type server string

// start starts a Prometheus with the alerts, which has read its source twice when this returns.
func start(t *testing.T, source string) server {
	t.Helper()
	dir := t.TempDir()
	rules, err := filepath.Abs(filepath.Join(shipped, "one-ft.rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nrule_files: [%q]\nscrape_configs:\n  - job_name: one-ft\n    static_configs: [{targets: [%q]}]\n", rules, source)
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := server(free.Addr().String())
	free.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+string(at), "--log.level=warn")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	for end := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		n, err := at.ask(ctx, `count_over_time(one_ft_sweep_timestamp_seconds[1m]) > 2`)
		if n > 0 {
			return at
		}
		if time.Now().After(end) {
			cancel()
			_ = cmd.Wait()
			t.Fatalf("Prometheus has read nothing: %v\n%s", err, said.String())
		}
	}
}

// ask gives how many series a query has.
func (s server) ask(ctx context.Context, expr string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+string(s)+"/api/v1/query?query="+url.QueryEscape(expr), nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return 0, err
	}
	var answer struct {
		Error string
		Data  struct{ Result []json.RawMessage }
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.Error != "" {
		return 0, fmt.Errorf("%s %w", answer.Error, err)
	}
	return len(answer.Data.Result), nil
}
