// Package failover carries a recovery out: it confirms that a host failed, reads its VMs, lets package recovery decide, acts,
// and verifies the result.
//
// It never sends two calls for one VM at the same time, never acts on a VM that it has not just read, and never lets one VM
// stop the others. What oned does with the calls is in the design's "host_error step by step" and was measured on live
// daemons.
//
// The files read in this order, and a call from one goes to those behind it: vm.go (a single VM), host.go (a failed host,
// from the first look to the plan), sight.go (what its VMs were doing at first sight), refuge.go (whether they have somewhere to
// go), plan.go (also of what an earlier process left), follow.go (acts on the plan and follows the VMs until they run),
// forecast.go, claim.go (who has the host), barrier.go, budget.go, report.go, act.go (one call for one VM), runner.go (what is
// given), shared.go, observer.go (what is seen of hosts), silence.go (of a host that is silent while oned calls it MONITORED),
// survey.go (the way to them), stand.go (what stands between a host and its recovery, also for tools that only look), doc.go.
// The job of a host is host.go, follow.go and act.go; the others are what those use.
package failover

import (
	"context"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// Cloud is what a recovery needs from oned; *one.Client has it.
type Cloud interface {
	Host(ctx context.Context, id int) (one.Host, error)
	Hosts(ctx context.Context) ([]one.Host, error)
	VM(ctx context.Context, id int) (one.VM, error)
	VMSet(ctx context.Context, ids []int) ([]one.VM, error)
	PendingVMs(ctx context.Context) ([]one.VM, error)
	VMsIn(ctx context.Context, state one.VMState) ([]one.VM, error)
	Datastore(ctx context.Context, id int) (one.Datastore, error)
	MonitoredAt(ctx context.Context, hostID int) (int64, error)
	HeardOf(ctx context.Context) (map[int]int64, error)
	Do(ctx context.Context, action one.Action, vmID int) error
	Migrate(ctx context.Context, vmID, hostID int) error
	Annotate(ctx context.Context, vmID int, name, value string) error
	AnnotateHost(ctx context.Context, hostID int, name, value string) error
	SetSchedulable(ctx context.Context, hostID int, enable bool) error
	Deploy(ctx context.Context, vmID, hostID, datastoreID int) error
}

// Recorder opens the incident of a recovery, so that another process can resume it. None of its methods fails: a recovery
// does not wait for a disk.
type Recorder interface {
	// Open reports whether a process that was stopped has left the work open.
	Open() bool
	// Handled says that the event only repeats one about an outage that has been worked on,
	// and the result of that; the zero Message when there is something to do.
	Handled(ctx context.Context, host one.Host) wording.Message
	// Begin is called when the work begins: the object is locked, and there is something to
	// do. It returns the incident, nil for none, and what earlier processes have done.
	Begin(o Opening) (*incident.Writer, Earlier)
	// Stage is called at the begin of each step.
	Stage(step incident.Step)
	// Flush returns when what was written so far is on the disk.
	Flush()
}

// Opening is the begin of work on a host or VM.
type Opening struct {
	Name string
	// Contact is when oned last monitored the host; the zero time when it does not tell.
	Contact time.Time
	VMs     []int // of the host
	// From names the incident of another front-end that is taken over, which began at Since; "" for none.
	From  string
	Since time.Time
	// Settle: an open incident is ended, whatever it is about; no new one is begun.
	Settle bool
	// Apart: another process works on the open incident; this is one of its own.
	Apart bool
}

// Earlier is what earlier processes have done for the same outage: their incident, with the VMs that they had planned.
type Earlier struct {
	incident.Record
	// Watched is since when the host has been watched without a break that matters; the zero time for not yet.
	Watched time.Time
	// Following: everything was asked for, and what is left is to see the VMs run.
	Following bool
}

// noRecorder keeps nothing.
type noRecorder struct{}

func (noRecorder) Open() bool { return false }

func (noRecorder) Handled(context.Context, one.Host) wording.Message { return wording.Message{} }

func (noRecorder) Begin(Opening) (*incident.Writer, Earlier) { return nil, Earlier{} }

func (noRecorder) Stage(incident.Step) {}

func (noRecorder) Flush() {}

// What has to be seen before a VM counts as done: incident.Request.Verify.
const (
	VerifyNone    = "none"    // oned accepted the call
	VerifyLeft    = "left"    // the VM left the host and its clean-up is over, or it left the state that it failed in
	VerifyRunning = "running" // the VM runs again
)

// Event is one line of progress.
type Event struct {
	VM      int // -1 when it is about the host
	Level   wording.Level
	Message wording.Message
}

// Result is how it ended for one VM.
type Result string

// The results.
const (
	Planned    Result = "planned" // dry run
	Done       Result = "done"
	Unproven   Result = "unproven" // done, but the old copy may still run: nothing proves the host off
	Starting   Result = "starting" // it was asked for, and it is on its way
	Already    Result = "already"  // somebody else did it or is doing it
	Left       Result = "left"     // on purpose
	Incomplete Result = "incomplete"
	Refused    Result = "refused" // it would not have been safe
	// A dry run of a host that nothing would prove off, and of one whose fencing would fail.
	WouldUnproven Result = "would be unproven"
	WouldRefuse   Result = "would be refused"
)

// Outcome is the result for one VM.
type Outcome struct {
	VM     int           `json:"vm"`
	Name   string        `json:"name"`
	Owner  string        `json:"owner"`
	State  string        `json:"state"` // when it was planned
	Action recovery.Verb `json:"action"`
	Result Result        `json:"result"`
	Detail string        `json:"detail,omitempty"`
	// Kind says why it was not handled, for programs; "" where only Detail says it.
	Kind wording.Name `json:"kind,omitempty"`
	// Priority is its place in the order, 100 first.
	Priority int `json:"priority"`
	// Calls is how often oned was asked to change it.
	Calls int `json:"calls"`
	// Seconds from the first call to the last look.
	Seconds float64 `json:"seconds"`
	// Waits is what it waits for, or waited for when it was given up.
	Waits wording.Wait `json:"waits,omitempty"`
	// Path are the states that it was seen in.
	Path []incident.Hop `json:"path,omitempty"`
}

// record is an outcome as the journal has it.
func (o Outcome) record() incident.VM {
	return incident.VM{ID: o.VM, Name: o.Name, Owner: o.Owner, State: o.State, Action: string(o.Action), Result: string(o.Result),
		Detail: o.Detail, Kind: o.Kind, Priority: o.Priority, Calls: o.Calls, Seconds: o.Seconds, Path: o.Path}
}

// watchEvery is how often the host is looked at while waiting. A host that is back stays MONITORED for at least one
// monitoring interval, and no interval is shorter than a few seconds.
const watchEvery = time.Second

// The limits of acting and verifying.
const (
	// fresh is how old a reading of a VM may be when it is acted on. The plan reads VMs one by one where oned has no call for
	// several (before 5.12); reading each again within a second would only double the calls.
	fresh = time.Second
	// askAgain is how long a VM may stay unmoved after oned accepted a call, before
	// it is asked for again. oned moves a VM within 0.3 s (20 VMs on 5.10).
	askAgain = 10 * time.Second
	// maxAsks is how often one VM is asked for in all.
	maxAsks = 3
	// maxRefusals is how often a refusal because of the state is answered by reading and planning that VM again.
	maxRefusals = 2
	// maxResumes is how often a SUSPENDED or POWEROFF VM is resumed to recreate
	// it: the resume falls back within a fraction of a second on a dead host.
	maxResumes = 5
	// firstLook is the pause after the first look at the result, which doubles: oned 5.10 and later begin to recreate a VM 3 to
	// 4 ms after the answer.
	firstLook = 4 * time.Millisecond
	// fallsBack is how long after oned accepted a call a VM has to be as it was before, with a new history record, to have fallen
	// back where nobody saw it move: for some milliseconds, and tens of them on a busy machine, a VM whose resume has begun
	// is still POWEROFF (seen on 6.10). A choice.
	fallsBack = 2 * time.Second
	// firstPause and maxPause bound the growing pauses between two attempts, and maxPause those between two looks.
	firstPause = 100 * time.Millisecond
	maxPause   = 5 * time.Second
)

// Forgotten is after how long an incident that nobody works on is not resumed where
// oned does not tell whether the host was back in between (before 5.12). oned 4.4 calls the
// hook again on each failed cycle, and the timer of oneft resume runs each minute. A choice.
const Forgotten = time.Hour
