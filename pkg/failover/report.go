package failover

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/recovery"
)

// ExitCode is 0 when everything was handled or there was nothing to do, 1 when a VM was
// not handled, 3 when it would not have been safe.
func (r Report) ExitCode() int {
	switch {
	case r.Refused:
		return app.ExitRefused
	case !r.Complete() || r.Unrecorded != "":
		return app.ExitIncomplete
	}
	return app.ExitDone
}

// Notes are what a dry run found out about the guard and the fence.
func (r Report) Notes() []string { return r.Preview }

// Line is the report in one line.
func (r Report) Line() string {
	line := r.Object + ": " + r.Summary
	if r.Incident > 0 {
		line += fmt.Sprintf(" (incident %d)", r.Incident)
	}
	return line
}

// Table is the report for people.
func (r Report) Table() [][]string {
	last := "RESULT"
	if r.DryRun {
		last = "WHY"
	}
	rows := [][]string{{"VM", "NAME", "OWNER", "STATE", "ACTION", last}}
	for _, o := range r.Outcomes {
		result := string(o.Result)
		switch {
		case r.DryRun:
			result = o.Detail
		case o.Detail != "":
			result += ": " + o.Detail
		}
		rows = append(rows, []string{strconv.Itoa(o.VM), o.Name, o.Owner, o.State, string(o.Action), result})
	}
	return rows
}

// Problems names each VM that was not handled, with the reason.
func (r Report) Problems() []string {
	var lines []string
	for _, o := range r.Outcomes {
		if o.Result == Incomplete || o.Result == Refused {
			lines = append(lines, fmt.Sprintf("VM %d (%s, %s): %s", o.VM, o.Name, o.State, strings.TrimSpace(o.Detail)))
		}
	}
	if r.Unrecorded != "" {
		lines = append(lines, "this is not, or not completely, in the journal: "+r.Unrecorded)
	}
	return lines
}

// newOptions makes the options from the common flags, with progress going to the log.
func newOptions(s app.Session, rec *recorder) Options {
	return Options{
		Begin: rec.begin, Stage: rec.stage,
		Verify: Verify(s.Verify), Parallel: s.Parallel, Timeout: s.Timeout, DryRun: s.DryRun, AnyState: s.AnyState,
		Notify: func(e Event) { s.Log.VM(e.Level.logrus(), e.VM, e.Text) },
	}
}

// ForHost does the work of a job with the settings of a session.
func ForHost(ctx context.Context, s app.Session, job HostJob) (app.Answer, error) {
	rec := newRecorder(s, "host", job.HostID)
	report, err := Host(ctx, s.Client, locks(s), job, newOptions(s, rec))
	rec.end(&report, err)
	if errors.Is(err, ErrNoHost) {
		err = app.Usagef("%w; onehost list shows the hosts", err)
	}
	return report, err
}

// BudgetFlags are the flags of executables that act on single VMs.
func BudgetFlags() []cli.Flag {
	return []cli.Flag{&cli.BoolFlag{Name: "no-budget", Usage: "a person decided so: count neither attempts nor how many VMs fail"}}
}

// ForVM plans and recovers one VM with the settings of a session.
func ForVM(ctx context.Context, s app.Session, decide func(recovery.Single) recovery.Step) (app.Answer, error) {
	job := VMJob{VMID: s.ID, Dialect: s.Dialect, Decide: decide}
	if !s.Cli.Bool("no-budget") {
		job.Budget = NewBudget(s.Config.Values(), filepath.Join(s.StateDir, "attempts"))
	}
	rec := newRecorder(s, "VM", s.ID)
	report, err := VM(ctx, s.Client, locks(s), job, newOptions(s, rec))
	rec.end(&report, err)
	if errors.Is(err, ErrNoVM) {
		err = app.Usagef("%w; onevm list shows the VMs", err)
	}
	return report, err
}

// locks gives the locks of a session; nil if there are none.
func locks(s app.Session) Locker {
	if s.Locks == nil {
		return nil // not a Locker that holds a nil pointer
	}
	return s.Locks
}
