// Package check is the work behind "oneft check": would a host that fails now be recovered, and only once?
//
// Collect reads what there is to see: oned, the hosts and what they are fenced with, VMs, datastores, the journal, and
// this machine. It changes nothing, neither in the cloud nor on the disk (but for a mark of a host that does not exist,
// for the milliseconds in which ssh is asked about it, and what ssh says of the way to the hosts, which the next recovery
// finds there), takes no lock, and asks fence agents for their status only.
// Evaluate applies the rules, a pure decision over that. What cannot be known is never taken for good: it is reported
// as a warning, or among the things that were skipped.
//
// What is known of hooks comes from the caller (package install), as plain values.
package check

import (
	"cmp"
	"fmt"

	"one-ft/pkg/config"
	"one-ft/pkg/text"
)

type rule struct {
	topic string
	check func(*evaluation)
}

// rules are all of them, in the order in which findings of the same severity are shown.
func rules() []rule {
	return []rule{
		{"oned", (*evaluation).oned}, {"pause", (*evaluation).pause}, {"rights", (*evaluation).rights}, {"configuration", (*evaluation).configuration},
		{"hooks", (*evaluation).hooks}, {"times", (*evaluation).times}, {"hook manager", (*evaluation).manager}, {"timer", (*evaluation).timer},
		{"watch", (*evaluation).watch}, {"hosts", (*evaluation).hosts}, {"survey", (*evaluation).survey}, {"ssh", (*evaluation).ssh},
		{"downtime", (*evaluation).downtime},
		{"fencing", (*evaluation).fencing}, {"lease", (*evaluation).leases}, {"datastores", (*evaluation).datastores},
		{"VMs", (*evaluation).vms}, {"budgets", (*evaluation).budgets}, {"incidents", (*evaluation).incidents},
		{"clock", (*evaluation).clock}, {"files", (*evaluation).files},
	}
}

// Evaluate decides what is wrong, and what to do about it. It is pure.
func Evaluate(f Facts) Report {
	e := &evaluation{Facts: f, report: Report{
		Version: f.Version.String(), Endpoint: f.Endpoint, At: f.Now, Findings: []Finding{}, Hosts: []HostFencing{}, Skipped: []string{},
	}}
	for _, line := range f.Skipped {
		e.skip("%s", line)
	}
	for _, r := range rules() {
		e.topic = r.topic
		r.check(e)
	}
	e.report.finish()
	return e.report
}

type evaluation struct {
	Facts
	report Report
	topic  string // of the rule at hand
}

// add adds a finding on the topic at hand; its texts become printable.
func (e *evaluation) add(f Finding) {
	f.Topic, f.What, f.Fix = e.topic, text.Printable(f.What), text.Printable(f.Fix)
	e.report.Findings = append(e.report.Findings, f)
}

func (e *evaluation) ok(format string, args ...any) {
	e.add(Finding{Severity: OK, What: fmt.Sprintf(format, args...)})
}

func (e *evaluation) warn(fix, format string, args ...any) {
	e.add(Finding{Severity: Warning, Fix: fix, What: fmt.Sprintf(format, args...)})
}

// problem adds a problem that keeps no host that fails now from being recovered.
func (e *evaluation) problem(fix, format string, args ...any) {
	e.add(Finding{Severity: Problem, Fix: fix, What: fmt.Sprintf(format, args...)})
}

// stop adds a problem that keeps every host from being recovered.
func (e *evaluation) stop(fix, format string, args ...any) {
	e.add(Finding{Severity: Problem, Stops: StopsEverything, Fix: fix, What: fmt.Sprintf(format, args...)})
}

// about adds a finding about a host that keeps none from being recovered.
func (e *evaluation) about(host int, s Severity, fix, format string, args ...any) {
	e.add(Finding{Severity: s, Hosts: []int{host}, Fix: fix, What: fmt.Sprintf(format, args...)})
}

func (e *evaluation) skip(format string, args ...any) {
	e.report.Skipped = append(e.report.Skipped, text.Printable(fmt.Sprintf(format, args...)))
}

// fencingMode is what decides whether hosts are fenced: the hook, else the configuration.
func (e *evaluation) fencingMode() string {
	return cmp.Or(e.HostHook.Fencing, e.Values.Fencing, config.Default().Fencing)
}

func (e *evaluation) configName() string { return cmp.Or(e.ConfigFile, config.Name) }
