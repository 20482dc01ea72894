package incident

import (
	"fmt"
	"math"
	"slices"
	"time"

	"one-ft/pkg/hook"
)

// Request is what is to be done about an outage of a host or a failure of a VM: what the event of oned or an admin
// wanted, with all that was not left to the configuration. Whoever resumes the incident does the same.
type Request struct {
	Kind string `json:"kind"` // "host" or "VM"
	ID   int    `json:"id"`
	Tool string `json:"tool"` // the executable that was called
	// Call is what it was called with: the ID instead of a template, and no password.
	Call []string `json:"call"`
	// Action is recreate, delete, migrate, retry or boot.
	Action string `json:"action"`
	// Idle includes suspended and powered-off VMs of a host.
	Idle bool `json:"idle,omitempty"`
	// Force recovers a failed VM whatever it was doing.
	Force    bool `json:"force,omitempty"`
	AnyState bool `json:"any_state,omitempty"`
	// Override goes on although many hosts failed.
	Override   bool   `json:"override_storm,omitempty"`
	FenceFirst bool   `json:"fence_first,omitempty"`
	NoBudget   bool   `json:"no_budget,omitempty"`
	Fencing    string `json:"fencing,omitempty"` // auto, required or off; "" as configured
	Verify     string `json:"verify,omitempty"`  // none, left or running; "" as configured
	// Confirm is how long a host is watched first, Timeout ends acting and verifying; in seconds.
	Confirm float64 `json:"confirm_seconds"`
	Timeout float64 `json:"timeout_seconds,omitempty"`
	// Opinions are the commands of --confirm.
	Opinions [][]string `json:"opinions,omitempty"`
	// ConfirmedOff: an admin has confirmed that the host is off.
	ConfirmedOff bool `json:"confirmed_off,omitempty"`
	// Follow: nothing is left but to follow VMs that left the host.
	Follow bool `json:"follow,omitempty"`
	// Event is what oned told its hook; nil for a request by hand, and where oned gave the ID only.
	Event *hook.Event `json:"event,omitempty"`
	// At is when it was made.
	At time.Time `json:"at"`
}

const (
	// maxSeconds bounds times in a request: a thousand monitoring cycles of an hour.
	maxSeconds = 1000 * 3600
	maxWords   = 200 // of a call, and of opinions
	maxTold    = 300 // bytes of a name; package hook keeps 256 and an ellipsis
)

// Check refuses what no one-ft asks for. Requests are read from files and from oned.
func (q Request) Check() error {
	known := func(value string, allowed ...string) bool { return slices.Contains(allowed, value) }
	seconds := func(s float64) bool { return s >= 0 && s <= maxSeconds && !math.IsNaN(s) }
	host := known(q.Action, "recreate", "delete", "migrate")
	single := known(q.Action, "recreate", "delete", "retry", "boot")
	words := len(q.Call) + len(q.Opinions)
	for _, o := range q.Opinions {
		words += len(o)
	}
	switch {
	case !knownKind(q.Kind):
		return fmt.Errorf("it is a request for a %q", shown(q.Kind))
	case q.ID < 0 || q.ID > math.MaxInt32:
		return fmt.Errorf("it is a request for %s %d", q.Kind, q.ID)
	case q.Kind == "host" && !host, q.Kind == "VM" && !single:
		return fmt.Errorf("it is a request to %q a %s", shown(q.Action), q.Kind)
	case !known(q.Fencing, "", "auto", "required", "off"), !known(q.Verify, "", "none", "left", "running"):
		return fmt.Errorf("it is a request with fencing %q and verify %q", shown(q.Fencing), shown(q.Verify))
	case !seconds(q.Confirm) || !seconds(q.Timeout):
		return fmt.Errorf("it is a request with a time of %g or %g seconds", q.Confirm, q.Timeout)
	case q.Event != nil && len(q.Event.Name) > maxTold:
		return fmt.Errorf("it is a request with a name of %d bytes", len(q.Event.Name))
	case words > maxWords:
		return fmt.Errorf("it is a request of %d words", words)
	}
	return nil
}

// Duration is a time of a Request.
func Duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }
