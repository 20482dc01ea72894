package drill

import "fmt"

// Order is the order in which VMs look for a host.
type Order int

// The orders.
const (
	// ByID is how the scheduler takes those that wait: by USER_PRIORITY, then by ID.
	ByID Order = iota
	// ByRecovery is the order of the plan: as if the scheduler looked after each VM.
	ByRecovery
)

// Rank is which of the hosts that fit a VM takes; of equal ones the one with the lowest ID.
type Rank int

// The policies of sched.conf and rank.conf (DEFAULT_SCHED).
const (
	// FreeCPU takes the host with the most free CPU, then memory: policy 2, as far as that
	// is known without monitoring.
	FreeCPU Rank = iota
	// Striping takes the host with the fewest VMs: policy 1, the default of all versions.
	Striping
	// Packing takes the host with the most VMs: policy 0.
	Packing
)

// Strategy is one way to place VMs.
type Strategy struct {
	Order Order
	Rank  Rank
}

// Verdict is whether VMs find a host.
type Verdict int

// The verdicts, from good to bad.
const (
	NoNeed     Verdict = iota // nothing has to be placed
	Fits                      // placed by every Strategy
	NotKnown                  // hangs on something that was not evaluated
	Tight                     // placed by some strategies and not by others
	DoesNotFit                // placed by no Strategy
)

// String is the verdict in words.
func (v Verdict) String() string {
	words := [...]string{NoNeed: "-", Fits: "fits", NotKnown: "not known", Tight: "tight", DoesNotFit: "does not fit"}
	if v < 0 || int(v) >= len(words) {
		return fmt.Sprintf("verdict %d", int(v))
	}
	return words[v]
}

// MarshalText is the verdict in JSON.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }
