package cloud

import "time"

// Rule makes some calls slow, wrong or lost. Several rules may match one call:
// their delays add up, all their hooks run, and the first that gives an answer
// of its own wins.
type Rule struct {
	Method string // "" matches every method
	ID     int    // first integer argument; -1 matches any, also none
	Skip   int    // let so many matching calls pass first
	Times  int    // then apply to so many; 0 is forever

	// Hook runs before the call is executed, with nothing locked, so it may
	// change the cloud under the caller's feet.
	Hook func(Call)

	Delay      time.Duration // wait before executing
	DropBefore bool          // reset the connection instead of executing

	Fault  *Fault   // answer this fault, execute nothing
	Refuse *Refusal // answer this failure, execute nothing
	Lose   bool     // answer success, execute nothing
	Body   []byte   // answer this body, execute nothing
	Status int      // HTTP status of the answer, 200 when 0; alone (without Body) it comes with an HTML page

	DropAfter bool                // execute, then reset the connection without an answer
	Truncate  int                 // send only so many bytes of the body; 0 sends all
	Mangle    func([]byte) []byte // change the body that is sent
}

// Fault is an XML-RPC fault.
type Fault struct {
	Code int
	Text string
}

// Refusal is an answer that begins with false.
type Refusal struct {
	Code int
	Text string
}

// Inject adds a rule and returns the function that takes it away again.
func (c *Cloud) Inject(r Rule) (remove func()) { return func() {} }

// Call is one request that reached the cloud.
type Call struct {
	At     time.Time
	Method string // "" when the body was no XML-RPC call
	Args   []any  // what follows the session: int, int64, string, bool, float64 or []any
	OK     bool   // the answer begins with true
	Code   int    // OpenNebula's error code, or the fault code when negative
	Text   string // error or fault text
	// BytesOut is the length of the body that was sent; -1 when the connection
	// broke instead.
	BytesOut int
	Remote   string // address of the client, "memory" for the in-memory transport
}
