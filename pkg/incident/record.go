package incident

import (
	"fmt"
	"math"
	"slices"
	"time"

	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// RecordVersion is the version of the JSON of a Record. A reader leaves files of later versions alone.
const RecordVersion = 1

// Record is one outage of a host, or one failure of a VM: everything that was seen, decided and done, in the order of
// time.
type Record struct {
	Version int `json:"version"`
	// Number counts the incidents of a front-end, from 1.
	Number int    `json:"incident"`
	Kind   string `json:"kind"` // "host" or "VM"
	ID     int    `json:"id"`   // of the host or VM
	Name   string `json:"name"`
	// Tool is the executable that opened it, and Call what it was called with.
	Tool string   `json:"tool"`
	Call []string `json:"call"`
	// Request is what is to be done; nil in records of one-ft without it.
	Request *Request `json:"request,omitempty"`
	// FrontEnd is the host name of the front-end.
	FrontEnd string `json:"front_end"`
	// From names the incident of another front-end that this one continues, such as "one1-1f3a incident 12".
	From   string     `json:"from,omitempty"`
	Began  time.Time  `json:"began"`
	Ended  *time.Time `json:"ended,omitempty"` // nil while it is open
	Status Status     `json:"status"`
	// Summary is the end in one line.
	Summary string `json:"summary,omitempty"`
	// Reason is why it ended so, for programs; "" where only the summary says it.
	Reason wording.Name `json:"reason,omitempty"`
	// Tries is how often it was begun again after it had ended with something undone.
	Tries int `json:"tries,omitempty"`
	// Asked is how often it was asked, after a refusal for lack of a proof, whether there could be one now, and AskedAt when.
	Asked   int       `json:"asked,omitempty"`
	AskedAt time.Time `json:"asked_at,omitzero"`
	// Proof says how the host was proven off, or why it was done without.
	Proof string `json:"proof,omitempty"`
	// Proven: the machine is certainly off, or its guests are. It is false while nothing is known, and for an
	// incident that was carried out without a proof (Unproven).
	Proven bool `json:"proven,omitempty"`
	// Host is what the outage did to the host beside its VMs; nil in records of one-ft without it.
	Host *HostRecord `json:"host,omitempty"`
	// Forecast is how long each stage was expected to take: those before the plan when the incident began, the others
	// when the VMs were planned; empty without.
	Forecast []Stage `json:"forecast,omitempty"`
	Events   []Event `json:"events"`
	VMs      []VM    `json:"vms,omitempty"`
	// Sight is what the VMs of the host were when it was first seen failed; nil in records of one-ft without it.
	Sight *Sight `json:"first_sight,omitempty"`
}

// Sight is what the VMs of a host were at a moment. What a VM was doing when its host failed is known only for as long as
// its driver tries: 24 s on 6.10 (measured, terminate with a dead host), and then it is RUNNING or UNKNOWN again, and the
// history does not tell any more what its owner had asked for (set_action in src/lcm/LifeCycleStates.cc, 4.4 to 7.4).
type Sight struct {
	At  time.Time `json:"at"`
	VMs []SeenVM  `json:"vms"`
}

// SeenVM is a VM as it was seen.
type SeenVM struct {
	ID    int    `json:"id"`
	State string `json:"state"` // as oned names it, such as SHUTDOWN
	Seq   int    `json:"seq"`   // of its last history record
	Host  int    `json:"host"`  // that this record names
}

// HostRecord is what is remembered of the host of an incident.
type HostRecord struct {
	// Failed is when oned called it failed: the first time that it was seen so, when the hook or an admin called
	// one-ft; where that was late, when oned had done so at the latest, by Contact and its settings. The zero time
	// for not known, in records of one-ft without it and of hosts that oned does not call failed.
	Failed time.Time `json:"failed,omitzero"`
	// Contact is when oned had last monitored it then; the zero time where oned does not tell (before 5.12).
	Contact time.Time `json:"contact,omitzero"`
	// FailFast are the names under which ssh of this front-end to it fails at once, while it is proven off.
	FailFast []string `json:"fail_fast,omitempty"`
	// Quarantined is when it was taken out of scheduling; the zero time for not.
	Quarantined time.Time `json:"quarantined,omitzero"`
	// Standing is what stands between it and the recovery of its VMs; nil for nothing, and in records of one-ft without it.
	Standing *Standing `json:"standing,omitempty"`
}

// Stands is what stands between the host of an incident and the recovery of its VMs; the zero Standing for nothing.
func (r Record) Stands() (s Standing) {
	if r.Host != nil && r.Host.Standing != nil {
		s = *r.Host.Standing
	}
	return s
}

// Stage is a part of the downtime that was expected.
type Stage struct {
	Name    StageName `json:"stage"`
	Seconds float64   `json:"seconds"`
}

// StageName is a part of the downtime of a VM.
type StageName string

// The stages, in their order.
const (
	StageDetection StageName = "detection" // from the death of the host to ERROR
	StageWatch     StageName = "watch"
	StageGuard     StageName = "guard"
	StageProof     StageName = "proof"
	StageCleanup   StageName = "clean-up"   // of the VM on the dead host
	StageScheduler StageName = "scheduling" // PENDING
	StageProlog    StageName = "prolog"
	StageBoot      StageName = "boot"
)

// Status is how an incident stands.
type Status string

// The statuses.
const (
	Open       Status = "open"       // a process works on it, or was interrupted
	Done       Status = "done"       // every VM was handled, or left on purpose
	CameBack   Status = "came back"  // the host came back; nothing was done
	Incomplete Status = "incomplete" // some VM was not handled
	Refused    Status = "refused"    // nothing was done because it would not have been safe
	Failed     Status = "failed"     // it ended with an error, such as oned not answering
	Unproven   Status = "unproven"   // every VM was handled, and nobody knows whether the host is off
	Following  Status = "following"  // oned accepted everything, and some VM is not running yet; it has not ended
)

// Statuses are all statuses, from the best to the worst: VMs that may run twice are worse than some that do not run.
func Statuses() []Status {
	return []Status{Done, CameBack, Open, Following, Incomplete, Refused, Failed, Unproven}
}

// Ended reports whether the status is an end.
func (s Status) Ended() bool { return slices.Contains(Statuses(), s) && !s.Unfinished() }

// Unfinished reports whether the incident has not ended: a process works on it or follows its VMs, or another one has
// to resume it.
func (s Status) Unfinished() bool { return s == Open || s == Following }

// Undone reports whether the incident has ended with something left undone.
func (s Status) Undone() bool { return s == Incomplete || s == Refused || s == Failed }

// Event is something that was seen, decided or done.
type Event struct {
	At    time.Time     `json:"at"`
	Step  Step          `json:"step"`
	VM    int           `json:"vm"` // -1 when it is about the host
	Level wording.Level `json:"level"`
	// Kind says what happened, for programs; "" for an event that has only its text.
	Kind wording.Name `json:"kind,omitempty"`
	Text string       `json:"text"` // printable
}

// Step is a part of the work on an incident.
type Step string

// The steps, in their order.
const (
	StepTold    Step = "told"    // an event of oned, or an admin, began it or came again
	StepConfirm Step = "confirm" // watching the host
	StepGuard   Step = "guard"   // checking whether many hosts failed
	StepOpinion Step = "opinion" // second opinions
	StepFence   Step = "fence"   // proving the host off
	StepPlan    Step = "plan"    // deciding about each VM
	StepAct     Step = "act"     // calls to oned
	StepVerify  Step = "verify"  // verifying the results
	StepEnd     Step = "end"
)

// Steps are all steps, in their order.
func Steps() []Step {
	return []Step{StepTold, StepConfirm, StepGuard, StepOpinion, StepFence, StepPlan, StepAct, StepVerify, StepEnd}
}

// IsUnproven reports whether VMs run elsewhere, or will, and nobody knows whether their host is off, whatever the
// outcomes of other VMs.
func (r Record) IsUnproven() bool {
	return r.Status == Unproven || r.Status == Following && r.Kind == "host" && !r.Proven ||
		slices.ContainsFunc(r.VMs, func(vm VM) bool { return vm.Result == string(Unproven) })
}

// DeletedOnly reports whether all VMs of an incident that were not left alone were to be deleted.
func (r Record) DeletedOnly() bool {
	return len(r.VMs) > 0 && !slices.ContainsFunc(r.VMs, func(vm VM) bool { return vm.Action != "delete" && vm.Result != "left" })
}

// VM is the outcome of one VM.
type VM struct {
	ID       int          `json:"id"`
	Name     string       `json:"name"`
	Owner    string       `json:"owner"`
	State    string       `json:"state"`  // when it was planned
	Action   string       `json:"action"` // such as recreate
	Result   string       `json:"result"` // done, unproven, starting, already, left, incomplete or refused; "" while it is open
	Detail   string       `json:"detail,omitempty"`
	Kind     wording.Name `json:"kind,omitempty"` // why it was not handled, for programs; "" where only the detail says it
	Priority int          `json:"priority"`
	Calls    int          `json:"calls"`
	Seconds  float64      `json:"seconds"`
	// Path are the states that it was seen in since it was planned, oldest first; the first is the one that it was
	// planned in. Empty in records of one-ft without it.
	Path []Hop `json:"path,omitempty"`
}

// Hop is a state on the way of a VM from the failed host to where it runs again.
type Hop struct {
	At    time.Time    `json:"at"`    // when it was first seen so
	State string       `json:"state"` // as oned names it, such as CLEANUP_RESUBMIT
	Host  int          `json:"host"`  // that its last history record names; -1 for none
	Waits wording.Wait `json:"waits,omitempty"`
}

const (
	// maxText is how many characters of a text are kept; oned and fence agents say what is wrong in one line.
	maxText = 1000
	// maxName is the same for names, which have at most 128 characters in OpenNebula.
	maxName = 200
	// maxHops is how many states of a VM are kept: a recovery has six, and one that fails again and again more.
	maxHops = 50
)

// clean makes everything in a record printable and bounded. What is clean is not changed. What r points to is not
// changed but replaced: others may have it.
func clean(r *Record) {
	r.Call = cleanCall(r.Call)
	if r.Request != nil {
		q := *r.Request
		q.Call = cleanCall(q.Call)
		shorten(&q.Tool)
		r.Request = &q
	}
	shorten(&r.Name, &r.Tool, &r.FrontEnd)
	shorten(&r.Reason)
	sentences(&r.From, &r.Summary, &r.Proof)
	if r.Host != nil {
		h := *r.Host
		h.FailFast = slices.Clone(h.FailFast[:min(len(h.FailFast), maxHops)])
		for i := range h.FailFast {
			shorten(&h.FailFast[i])
		}
		if h.Standing != nil {
			s := *h.Standing
			shorten(&s.State)
			sentences(&s.Where, &s.Address, &s.Error)
			h.Standing = &s
		}
		r.Host = &h
	}
	r.Forecast = slices.Clone(r.Forecast[:min(len(r.Forecast), maxHops)])
	for i := range r.Forecast {
		shorten(&r.Forecast[i].Name)
		r.Forecast[i].Seconds = finite(r.Forecast[i].Seconds)
	}
	r.Events = append(make([]Event, 0, len(r.Events)), r.Events...) // [] in JSON, not null
	for i := range r.Events {
		cleanEvent(&r.Events[i])
	}
	r.VMs = slices.Clone(r.VMs)
	for i := range r.VMs {
		cleanVM(&r.VMs[i])
	}
	if r.Sight != nil {
		s := Sight{At: r.Sight.At, VMs: slices.Clone(r.Sight.VMs)}
		for i := range s.VMs {
			shorten(&s.VMs[i].State)
		}
		r.Sight = &s
	}
}

// cleanCall does the same for the words of a call.
func cleanCall(words []string) []string {
	call := make([]string, len(words))
	for i, word := range words {
		// The template that oned gives to a hook may have passwords of fence devices.
		if len(word) > maxName {
			word = fmt.Sprintf("<%d bytes>", len(word))
		}
		call[i] = shown(word)
	}
	return call
}

func cleanEvent(e *Event) {
	shorten(&e.Step)
	shorten(&e.Level)
	shorten(&e.Kind)
	sentences(&e.Text)
}

func cleanVM(vm *VM) {
	shorten(&vm.Name, &vm.Owner, &vm.State, &vm.Action, &vm.Result)
	sentences(&vm.Detail)
	vm.Path = slices.Clone(vm.Path)
	if n := len(vm.Path); n > maxHops { // the first and the last ones say most
		vm.Path = slices.Delete(vm.Path, maxHops/2, n-maxHops/2)
	}
	for i := range vm.Path {
		shorten(&vm.Path[i].State)
		shorten(&vm.Path[i].Waits)
	}
	vm.Seconds = finite(vm.Seconds)
}

func shorten[S ~string](all ...*S) {
	for _, s := range all {
		*s = S(text.Short(string(*s), maxName))
	}
}

func sentences(all ...*string) {
	for _, s := range all {
		*s = shown(*s)
	}
}

// shown is how text from outside stands in a record: printable, and the end of a very long one is cut off.
func shown(s string) string { return text.Short(s, maxText) }

// finite is 0 for numbers that JSON does not have.
func finite(n float64) float64 {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return 0
	}
	return n
}
