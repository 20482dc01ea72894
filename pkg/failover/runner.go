package failover

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"one-ft/pkg/downtime"
	"one-ft/pkg/failfast"
	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// HostJob is the recovery of the VMs of one failed host.
type HostJob struct {
	Policy   recovery.Policy
	Dialect  one.Dialect
	Storm    Storm
	Opinions []Opinion
	Fence    Fencer // nil: nothing can be fenced
	// Alive is how long the host is watched while it answers although nothing proves it off.
	Alive time.Duration
	// Stood is what a process that works on the host now has judged; for dry runs. The zero value for none.
	Stood incident.Standing
	// Begun is since when that process works on it; the zero time for none.
	Begun time.Time
	// Insist: an operator says that the host is off, and does not wait for a process that watches it or holds a storm.
	Insist bool
	// Describe says for a dry run what the host would be fenced with; may be nil.
	Describe func(one.Host) []string
	// Outlook says for a dry run whether it would be proven off; may be nil.
	Outlook func(context.Context, one.Host) fence.Outlook
	// ProofTime says how long it takes until the host is proven off after it was watched for so long; may be nil.
	ProofTime func(host one.Host, watched time.Duration) downtime.Span
}

// Fencer proves that a host is off. fence.ErrNotConfigured means that nothing is configured for it. look is for leases.
type Fencer func(ctx context.Context, host one.Host, look fence.Look) (fence.Proof, error)

// Storm says what to do while many hosts fail at once.
type Storm struct {
	Policy recovery.GuardPolicy
	// CoolDown is how long a storm has to stay away before anything is done.
	CoolDown time.Duration
	// Cycle, when set, gives the time between two monitorings of a host when a storm is
	// held. Hosts that are well again show it one by one within it, so the cool-down is longer.
	Cycle func(context.Context) (time.Duration, error)
	// GiveUp is how long to hold at most.
	GiveUp time.Duration
	// Settle is how long others are given to follow a host into ERROR where the way to so many cannot be asked that it could
	// be a storm; one cycle, when that is shorter.
	Settle time.Duration
	// Quiet, when set, finds out until when nothing is done: oned has only just started or become leader. The zero time for not.
	Quiet func() time.Time
	// Override: an operator has decided to go on.
	Override bool
}

// quietUntil is the answer of Quiet.
func (s Storm) quietUntil() (until time.Time) {
	if s.Quiet != nil {
		until = s.Quiet()
	}
	return until
}

// Opinion is a second opinion about a host: alive means do not touch it. An error means that it has none.
type Opinion struct {
	Name string
	Ask  func(ctx context.Context, host one.Host) (alive bool, err error)
}

// OpinionTimeout bounds a second opinion.
const OpinionTimeout = 30 * time.Second

// VMJob is the recovery of one VM.
type VMJob struct {
	Dialect one.Dialect
	// Decide plans it: recovery.Failure or recovery.Unknown with their policy.
	Decide func(recovery.Single) recovery.Step
}

// Options are what all executables that act on VMs share.
type Options struct {
	Request  incident.Request // what is to be done
	Parallel int              // VMs acted on at the same time; at least 1
	Timeout  time.Duration    // for acting and verifying together
	// Quarantine takes a failed host out of scheduling before its VMs are started elsewhere.
	Quarantine bool
	// Estimate says what the cloud needs; nil takes the limits of this package.
	Estimate Estimate
	// Budget bounds what is done to VMs without an operator; nil does not.
	Budget *Budget
	// Placer, when set, places VMs that wait for a host instead of the scheduler.
	Placer Placer
	// Bar, when set, makes ssh to a host that is off fail at once.
	Bar func(ctx context.Context, host one.Host, names []string, incident int) (failfast.Barrier, error)
	// Paused says why nothing is acted on now, the zero Message when something may be; nil never does.
	Paused   func() wording.Message
	DryRun   bool // stop with the plan
	Attended bool // an operator or a script waits for the answer
	// FrontEnd is how this front-end is called in the claims on hosts (Claim); "" for no claims.
	FrontEnd string
	// Strays: VMs whose clean-up on the host has not ended are found, too, whoever has recreated them.
	Strays bool
	// Record, when set, keeps what is done.
	Record Recorder
	// Survey, when set, asks the way to the hosts; with Shared that one's counts.
	Survey Survey
	// Refuge, when set, reads where VMs could go; without it they are taken to have somewhere to go.
	Refuge Refuge
	// Shared is set when several hosts are recovered in one process.
	Shared *Shared
	// Notify, when set, gets each thing that happens. It is called from several goroutines, one at a time.
	Notify func(Event)
}

// Budget bounds what is done to VMs one by one without an operator.
type Budget struct {
	Policy recovery.Budget
	// Notes are the attempts of this front-end, Rate is for all its VMs.
	Notes *incident.Attempts
	Rate  *incident.Rate
	// GiveUp is how long a VM waits for its turn at most.
	GiveUp time.Duration
}

// Placer finds hosts, but not these, for VMs in the order of their priority; others than in the answer are the scheduler's.
type Placer func(ctx context.Context, ids []int, not map[int]bool) ([]Placement, error)

// Placement is where a VM is to be deployed: its ID, and those of the host and of a system datastore.
type Placement struct{ VM, Host, Datastore int }

// Estimate is what a cloud and its front-end need, for package downtime: all but what the VMs and the outage are.
type Estimate func(ctx context.Context, host string) downtime.Input

// runner carries one recovery out: of a failed host, or of a VM.
type runner struct {
	cloud   *HostObserver
	locks   *incident.Locks // nil without
	opt     Options
	mu      sync.Mutex // one Notify at a time
	started time.Time
	stood   incident.Standing // as it was last written down
	verdict recovery.Verdict  // of the last look of the guard
	rec     Recorder
	journal *incident.Writer // of the incident; nil for none
	turns   *turns
	// decide plans one VM again from what was just read.
	decide func(ctx context.Context, vm one.VM, before recovery.Step) (recovery.Step, error)

	object, state string         // what the recovery is about, for people
	notes         []string       // what a dry run found out
	outlook       *fence.Outlook // what a dry run says of the proof
	standing      *incident.Standing

	// Of a failed host.
	hostID   int // -1 for a VM
	job      HostJob
	host     one.Host // as it was first read
	before   Earlier
	first    reading               // of its VMs, the zero reading where that took too long
	sight    incident.Sight        // what they were when the host was first seen failed
	failed   time.Time             // since when oned has called it failed, as nearly as is known
	input    func() downtime.Input // what the cloud needs; nil until somebody asked
	barrier  failfast.Barrier      // nil without one
	barredAt time.Time             // when it was put up
	placed   time.Time             // when VMs were last placed

	// Of a VM.
	begun bool // rec.Begin was called
	apart bool // another process works on the incident of the VM
}

// newRunner makes a runner for a host, or for a VM with -1.
func newRunner(cloud Cloud, locks *incident.Locks, hostID int, opt Options) *runner {
	r := &runner{locks: locks, opt: opt, hostID: hostID, started: time.Now(), rec: opt.Record, object: fmt.Sprintf("host %d", hostID)}
	if r.rec == nil || opt.DryRun {
		r.rec = noRecorder{}
	}
	if s := opt.Shared; s != nil {
		r.turns, r.cloud = s.turns, newHostObserver(s.pending, hostID, s.pool)
		r.cloud.survey = s.survey
	} else {
		r.turns, r.cloud = newTurns(opt.Parallel), newHostObserver(cloud, hostID, nil)
		r.cloud.survey = newSurveyor(opt.Survey)
	}
	r.cloud.silence.since = opt.Request.Silent
	return r
}

// say reports what happens to the host (vm is -1) or to a VM.
func (r *runner) say(vm int, kind wording.Kind, args ...any) {
	m := wording.Of(kind, args...)
	r.tell(Event{VM: vm, Level: m.Level(), Message: m})
}

func (r *runner) tell(e Event) {
	if r.opt.Notify == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opt.Notify(e)
}

// checkHost compares a host with the event. 4.4 and 5.10 show ERROR in two states, and one in quarantine counts as in ERROR.
func (r *runner) checkHost(host one.Host) {
	if e := r.opt.Request.Event; e != nil {
		was := one.HostState(e.State)
		if was.Failed() && host.State.Failed() {
			was = host.State
		}
		r.checkEvent(host.Name, e.State >= 0 && !r.cloud.InQuarantine(), was.String(), host.State.String())
	}
}

// checkVM compares a VM with the event.
func (r *runner) checkVM(vm one.VM) {
	if e := r.opt.Request.Event; e != nil {
		was := one.VM{State: one.VMState(e.State), LCM: one.LCMState(e.LCMState)}
		r.checkEvent(vm.Name, e.State >= 0, was.Status(), vm.Status())
	}
}

// wholeName is how many bytes of a name package hook certainly keeps.
const wholeName = 250

// checkEvent says in what oned answers something else than it told its hook: an object of another name may be that of
// another cloud. What is done depends on the answer alone.
func (r *runner) checkEvent(name string, told bool, was, is string) {
	e := r.opt.Request.Event
	escaped := strings.Contains(name, `\`) // which package hook may do in another way
	if e.Name != "" && e.Name != name && len(name) <= wholeName && !escaped {
		r.say(-1, wording.ToldName, e.Name, name)
	}
	if told && was != is {
		r.say(-1, wording.ToldState, was, is)
	}
	r.opt.Request.Event = nil // once
}
