package check

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// WriteMetrics writes a report for the textfile collector of node_exporter, as a whole or not at
// all, readable for everybody. path ends in .prom, and its directory exists.
func WriteMetrics(path string, r Report) error {
	if filepath.Ext(path) != ".prom" {
		return fmt.Errorf("write metrics: %s does not end in .prom, and node_exporter reads nothing else", path)
	}
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("write metrics: %s is no file", path)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write metrics: %w", err)
	}
	// A name that does not end in .prom is not read, should it be left.
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	_, err = f.Write(r.exposition())
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

// exposition is the report in the text format of Prometheus, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
func (r Report) exposition() []byte {
	var b bytes.Buffer
	family := func(name, help string) { fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name) }
	family("one_ft_check_findings", "What oneft check found, by severity.")
	for _, s := range []Severity{Problem, Warning, OK} {
		fmt.Fprintf(&b, "one_ft_check_findings{severity=\"%s\"} %d\n", s, r.Count(s))
	}
	family("one_ft_check_ok", "1 when a host that fails now would be recovered, 0 when there are problems.")
	fmt.Fprintf(&b, "one_ft_check_ok %d\n", zeroOne(r.Works))
	family("one_ft_check_last_run_timestamp_seconds", "When oneft check ran last, in Unix seconds.")
	fmt.Fprintf(&b, "one_ft_check_last_run_timestamp_seconds %s\n", strconv.FormatFloat(float64(r.At.UnixNano()/int64(time.Millisecond))/1000, 'f', -1, 64))
	if len(r.Hosts) == 0 || r.FencingNotAsked { // a 1 that nobody has seen is worse than no series
		return b.Bytes()
	}
	family("one_ft_check_host_fencing_ok", "1 when the host can be proven off without a person, 0 when not; no series when fencing was not looked at.")
	for _, h := range r.Hosts {
		fmt.Fprintf(&b, "one_ft_check_host_fencing_ok{host_id=\"%d\",host=\"%s\"} %d\n", h.ID, label(h.Name), zeroOne(h.OK))
	}
	return b.Bytes()
}

func zeroOne(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// label is a value of a label as it stands between quotes.
func label(s string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) }
