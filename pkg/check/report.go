package check

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/exitcode"
	"one-ft/pkg/incident"
	"one-ft/pkg/promtext"
	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
)

// Severity says how bad a finding is.
type Severity string

// The severities.
const (
	OK      Severity = "ok"
	Warning Severity = "warning" // it works, but not always, or it cannot be known
	Problem Severity = "problem" // VMs are not recovered, or run twice
)

// Stops says what a problem keeps from being recovered safely.
type Stops string

// What problems stop; "" is nothing.
const (
	StopsHosts      Stops = "hosts"      // the recovery of Finding.Hosts
	StopsEverything Stops = "everything" // the recovery of every host
)

// Finding is one thing that was checked. All texts are printable lines.
type Finding struct {
	Severity Severity `json:"severity"`
	Topic    string   `json:"topic"` // that of its rule, such as fencing
	What     string   `json:"what"`
	// Fix is the command or line that repairs it; "" when OK.
	Fix   string `json:"fix,omitempty"`
	Stops Stops  `json:"stops,omitempty"`
	// Hosts are the IDs of the hosts that it is about.
	Hosts []int `json:"hosts,omitempty"`
}

// HostFencing is what came out about the fencing of one host.
type HostFencing struct {
	ID   int    `json:"id"`
	Name string `json:"name"` // printable
	// OK: it can be proven off without an admin, as far as that can be seen.
	OK bool `json:"fencing_ok"`
	// Fencing says why, such as "level 1: fence_ipmilan on 10.0.0.11 says on".
	Fencing string `json:"fencing"`
	// WouldBe is what its VMs would be if it failed without anybody there: WouldBeRefused, WouldBeUnproven, or "" for neither, as
	// far as that can be seen.
	WouldBe string `json:"would_be,omitempty"`
}

// The values of HostFencing.WouldBe.
const (
	WouldBeRefused  = "refused"  // not touched: nothing proves the host off
	WouldBeUnproven = "unproven" // started elsewhere although nothing proves the host off
)

// StopsAll reports whether something keeps every host from being recovered.
func (r Report) StopsAll() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Stops == StopsEverything })
}

// WouldBe names the IDs of the hosts that would be that, ascending; "" for none.
func (r Report) WouldBe(what string) string {
	var ids []int
	for _, h := range r.Hosts {
		if h.WouldBe == what {
			ids = append(ids, h.ID)
		}
	}
	return listed(ids)
}

// Report is the result of a check; it is an app.Answer.
type Report struct {
	Verdict  string        `json:"verdict"`
	Works    bool          `json:"ok"` // no problem was found
	Version  string        `json:"version"`
	Endpoint string        `json:"endpoint"`
	At       time.Time     `json:"at"`
	Findings []Finding     `json:"findings"`
	Hosts    []HostFencing `json:"hosts"`
	// Standings are what stands between the hosts in ERROR and the recovery of their VMs.
	Standings []incident.HostStanding `json:"standings,omitempty"`
	// FencingNotAsked: no fence agent was asked, so Hosts say only what the front-end itself sees.
	FencingNotAsked bool `json:"fencing_not_asked,omitempty"`
	// Skipped are the things that could not or should not be checked.
	Skipped []string `json:"not_looked_at"`
	// Downtime is how long VMs would be down; nil when there are no settings to tell by.
	Downtime *Downtime `json:"downtime,omitempty"`
	blind    bool      // too little could be read to say that it would work
}

// Count is how many findings have a severity.
func (r Report) Count(s Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// Unreachable is the report when nothing could be checked: oned does not answer, the
// credentials are wrong, or the configuration cannot be read. why is a printable line.
func Unreachable(why string, now time.Time) Report {
	r := Report{At: now, Hosts: []HostFencing{}, Skipped: []string{"everything else"}, Findings: []Finding{{
		Severity: Problem, Topic: rules()[0].topic, Stops: StopsEverything, What: why, Fix: "see the line on standard error",
	}}}
	r.finish()
	return r
}

// finish puts the worst findings first, and gives the verdict.
func (r *Report) finish() {
	worst := []Severity{Problem, Warning, OK}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return slices.Index(worst, a.Severity) - slices.Index(worst, b.Severity) })
	r.Works = r.Count(Problem) == 0
	r.Verdict = r.verdict()
}

func (r *Report) verdict() string {
	var hosts []int
	for _, f := range r.Findings {
		if f.Stops == StopsHosts {
			hosts = append(hosts, f.Hosts...)
		}
	}
	slices.Sort(hosts)
	hosts = slices.Compact(hosts)
	warnings := ""
	if n := r.Count(Warning); n > 0 {
		warnings = ", " + text.Plural(n, "warning")
	}
	counts := text.Plural(r.Count(Problem), "problem")
	switch {
	case r.StopsAll():
		return fmt.Sprintf("a host that fails now would NOT be recovered safely: %s%s", counts, warnings)
	case len(hosts) == 1:
		return fmt.Sprintf("host %d would NOT be recovered safely if it failed now: %s%s", hosts[0], counts, warnings)
	case len(hosts) > 1:
		return fmt.Sprintf("hosts %s would NOT be recovered safely if they failed now: %s%s", listed(hosts), counts, warnings)
	case r.blind:
		return fmt.Sprintf("whether a host that fails now would be recovered is not known: %s%s", counts, warnings)
	case !r.Works:
		return fmt.Sprintf("it would work now, but something is left to do: %s%s", counts, warnings)
	}
	return "it would work now" + warnings
}

// Table has the worst first, each with its fix below it.
func (r Report) Table() [][]string {
	rows := [][]string{{"SEVERITY", "ABOUT", "WHAT"}}
	for _, f := range r.Findings {
		rows = append(rows, []string{string(f.Severity), f.Topic, f.What})
		if f.Fix != "" {
			rows = append(rows, []string{"", "", "  fix: " + f.Fix})
		}
	}
	for _, n := range r.Skipped {
		rows = append(rows, []string{"-", "not looked at", n})
	}
	return rows
}

// Notes are none: everything is in the table.
func (r Report) Notes() []string { return nil }

// Line is the verdict.
func (r Report) Line() string { return r.Verdict }

// Problems are the problems, a line each.
func (r Report) Problems() []string {
	var lines []string
	for _, f := range r.Findings {
		if f.Severity == Problem {
			lines = append(lines, f.Topic+": "+f.What+"; fix: "+f.Fix)
		}
	}
	return lines
}

// ExitCode is 1 with problems; warnings alone are 0.
func (r Report) ExitCode() int {
	if r.Works {
		return exitcode.Done
	}
	return exitcode.Incomplete
}

// maxListed is how many IDs are named in a line; the JSON has all.
const maxListed = 10

func listed(ids []int) string {
	return text.Some(strings.Fields(strings.Trim(fmt.Sprint(ids), "[]")), maxListed)
}

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
	one := map[bool]float64{true: 1}
	t.Family(findings, "gauge", "What oneft check found, by severity.")
	for _, s := range []Severity{Problem, Warning, OK} {
		t.Sample(findings, float64(r.Count(s)), "severity", string(s))
	}
	t.Family(works, "gauge", "1 when a host that fails now would be recovered, 0 when there are problems.")
	t.Sample(works, one[r.Works])
	t.Family(lastRun, "gauge", "When oneft check ran last, in Unix seconds.")
	t.Sample(lastRun, float64(r.At.UnixMilli())/1000)
	if len(r.Hosts) == 0 || r.FencingNotAsked { // a 1 that nobody has seen is worse than no series
		return t.Bytes()
	}
	t.Family(fencing, "gauge", "1 when the host can be proven off without an admin, 0 when not; no series when fencing was not checked.")
	for _, h := range r.Hosts {
		t.Sample(fencing, one[h.OK], "host_id", strconv.Itoa(h.ID), "host", h.Name)
	}
	return t.Bytes()
}
