package check

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"one-ft/pkg/promtext"
	"one-ft/pkg/statedir"
)

// WriteMetrics writes a report for the textfile collector of node_exporter, as a whole or not at
// all, readable for everybody. path ends in .prom, and its directory exists.
func WriteMetrics(path string, r Report) error {
	info, err := os.Lstat(path)
	switch {
	case filepath.Ext(path) != ".prom":
		err = fmt.Errorf("%s does not end in .prom, and node_exporter reads nothing else", path)
	case err == nil && !info.Mode().IsRegular():
		err = fmt.Errorf("%s is no file", path)
	case err == nil || errors.Is(err, fs.ErrNotExist):
		err = statedir.Replace(path, r.exposition())
	}
	if err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

func (r Report) exposition() []byte {
	var t promtext.Text
	const findings, works, lastRun, fencing = "one_ft_check_findings", "one_ft_check_ok", "one_ft_check_last_run_timestamp_seconds", "one_ft_check_host_fencing_ok"
	t.Family(findings, "gauge", "What oneft check found, by severity.")
	for _, s := range []Severity{Problem, Warning, OK} {
		t.Sample(findings, float64(r.Count(s)), "severity", string(s))
	}
	t.Family(works, "gauge", "1 when a host that fails now would be recovered, 0 when there are problems.")
	t.Sample(works, zeroOne(r.Works))
	t.Family(lastRun, "gauge", "When oneft check ran last, in Unix seconds.")
	t.Sample(lastRun, float64(r.At.UnixMilli())/1000)
	if len(r.Hosts) == 0 || r.FencingNotAsked { // a 1 that nobody has seen is worse than no series
		return t.Bytes()
	}
	t.Family(fencing, "gauge", "1 when the host can be proven off without an admin, 0 when not; no series when fencing was not checked.")
	for _, h := range r.Hosts {
		t.Sample(fencing, zeroOne(h.OK), "host_id", strconv.Itoa(h.ID), "host", h.Name)
	}
	return t.Bytes()
}

func zeroOne(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
