package incident

import "time"

// RecordVersion is the version of the JSON of a Record. A reader leaves files of later
// versions alone.
const RecordVersion = 1

// Record is one outage of a host, or one failure of a VM: everything that was seen,
// decided and done, in the order of time.
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
	// Request is what was asked for; nil in records of one-ft without it.
	Request *Request `json:"request,omitempty"`
	// FrontEnd is the host name of the front-end.
	FrontEnd string `json:"front_end"`
	// From names the incident of another front-end that this one goes on with, such as
	// "one1-1f3a incident 12".
	From   string     `json:"from,omitempty"`
	Began  time.Time  `json:"began"`
	Ended  *time.Time `json:"ended,omitempty"` // nil while it is open
	Status Status     `json:"status"`
	// Summary is the end in one line.
	Summary string `json:"summary,omitempty"`
	// Tries is how often it was begun again after it had ended with something undone.
	Tries int `json:"tries,omitempty"`
	// Proof says how the host was proven off, or why it was done without.
	Proof  string  `json:"proof,omitempty"`
	Events []Event `json:"events"`
	VMs    []VM    `json:"vms,omitempty"`
}

// Status is how an incident stands.
type Status string

// The statuses.
const (
	Open       Status = "open"       // somebody works on it, or was stopped in the middle
	Done       Status = "done"       // every VM was handled, or left on purpose
	CameBack   Status = "came back"  // the host came back by itself; nothing was done
	Incomplete Status = "incomplete" // some VM was not handled
	Refused    Status = "refused"    // nothing was done because it would not have been safe
	Failed     Status = "failed"     // it ended with an error, such as oned not answering
)

// Event is something that was seen, decided or done.
type Event struct {
	At   time.Time `json:"at"`
	Step Step      `json:"step"`
	VM   int       `json:"vm"` // -1 when it is about the host
	// Level is "info", "warning" or "problem".
	Level string `json:"level"`
	Text  string `json:"text"` // printable
}

// Step is a part of the work on an incident.
type Step string

// The steps, in their order.
const (
	StepTold    Step = "told"    // an event of oned, or an admin, began it or came again
	StepConfirm Step = "confirm" // watching the host
	StepGuard   Step = "guard"   // looking whether many hosts failed
	StepOpinion Step = "opinion" // second opinions
	StepFence   Step = "fence"   // proving the host off
	StepPlan    Step = "plan"    // deciding about each VM
	StepAct     Step = "act"     // calls to oned
	StepVerify  Step = "verify"  // looking whether it happened
	StepEnd     Step = "end"
)

// VM is what became of one VM.
type VM struct {
	ID       int     `json:"id"`
	Name     string  `json:"name"`
	Owner    string  `json:"owner"`
	State    string  `json:"state"`  // when it was planned
	Action   string  `json:"action"` // such as recreate
	Result   string  `json:"result"` // done, already, left, incomplete or refused; "" while it is open
	Detail   string  `json:"detail,omitempty"`
	Priority int     `json:"priority"`
	Calls    int     `json:"calls"`
	Seconds  float64 `json:"seconds"`
}
