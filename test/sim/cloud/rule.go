package cloud

import (
	"slices"
	"time"
)

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
	Lose   bool     // answer success with the first integer argument, execute nothing
	Body   []byte   // answer this body, execute nothing
	Status int      // HTTP status of Body, or without Body of an HTML page; 200 when 0

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

// activeRule is a rule with the count of its matches.
type activeRule struct {
	Rule
	seen int
}

// Inject adds a rule and returns the function that takes it away again. With
// the zero ID a rule is for object 0 alone; -1 is every object.
func (c *Cloud) Inject(r Rule) (remove func()) {
	c.mu.Lock()
	defer c.unlock()
	added := &activeRule{Rule: r}
	c.rules = append(c.rules, added)
	return func() {
		c.mu.Lock()
		defer c.unlock()
		c.rules = slices.DeleteFunc(c.rules, func(other *activeRule) bool { return other == added })
	}
}

// matching counts a call and gives the rules that apply to it, oldest first.
func (c *Cloud) matching(call Call) []Rule {
	c.mu.Lock()
	defer c.unlock()
	id, hasID := firstInt(call.Args)
	var list []Rule
	for _, r := range c.rules {
		if r.Method != "" && r.Method != call.Method || r.ID >= 0 && (!hasID || id != r.ID) {
			continue
		}
		r.seen++
		if r.seen > r.Skip && (r.Times == 0 || r.seen <= r.Skip+r.Times) {
			list = append(list, r.Rule)
		}
	}
	return list
}

// firstInt finds the first integer argument.
func firstInt(args []any) (int, bool) {
	for _, a := range args {
		if n, ok := a.(int); ok {
			return n, true
		}
	}
	return 0, false
}

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

// outcome is what the rules make of a call before it is executed.
type outcome struct {
	answer *answer // instead of executing
	page   *reply  // instead of an answer
}

// ruled gives the first answer that the rules have for a call.
func ruled(rules []Rule, args []any) outcome {
	for _, r := range rules {
		switch {
		case r.Fault != nil:
			return outcome{answer: &answer{code: r.Fault.Code, text: r.Fault.Text}}
		case r.Refuse != nil:
			return outcome{answer: &answer{code: r.Refuse.Code, text: r.Refuse.Text, obj: -1}}
		case r.Lose:
			id, _ := firstInt(args)
			return outcome{answer: &answer{value: id}}
		case r.Body != nil:
			out := reply{status: r.Status, body: r.Body, cut: -1, mime: mimeOf(r.Body)}
			setDefault(&out.status, 200)
			return outcome{page: &out}
		case r.Status != 0:
			out := htmlPage(r.Status, "The request could not be served")
			return outcome{page: &out}
		}
	}
	return outcome{}
}
