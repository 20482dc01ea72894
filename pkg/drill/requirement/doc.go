// Package requirement reads and evaluates the requirements of OpenNebula's scheduler
// (SCHED_REQUIREMENTS, AUTOMATIC_REQUIREMENTS and those of datastores), such as
//
//	(CLUSTER_ID = 0 | CLUSTER_ID = 100) & !(PUBLIC_CLOUD = YES) & NAME = "rack2-*"
//
// the way the scheduler itself does it: src/parsers/expr_bool.y and expr_parser.l (src/xml
// in 4.4; the same but for @>). What is easily got wrong: & and | have the same precedence and
// go from left to right; a comparison with a missing attribute is false, also with !=; a
// number on the right compares numbers, anything else is a pattern as of fnmatch(3);
// characters that are no token are skipped, so a trailing semicolon is no error.
package requirement

// Verdict is what an expression gives.
type Verdict int8

// The verdicts. Unknown means that it hangs on an attribute whose value cannot be told.
const (
	No Verdict = iota
	Yes
	Unknown
)

// Target is what requirements are about: a host, or a datastore.
type Target interface {
	// Values gives the values of an attribute in the order of the object's XML, none when it
	// has no such attribute. known is false when that cannot be told.
	Values(name string) (values []string, known bool)
	// HasVM reports whether a VM is on the host, for CURRENT_VMS.
	HasVM(id int) bool
}

// currentVMs is the attribute that the scheduler computes: the VM asked for if it is on
// the host, else -1.
const currentVMs = "CURRENT_VMS"

// and, or and not are the logic of three values: what is unknown decides nothing that the
// other side has decided.
func and(a, b Verdict) Verdict {
	switch {
	case a == No || b == No:
		return No
	case a == Yes && b == Yes:
		return Yes
	}
	return Unknown
}

func or(a, b Verdict) Verdict { return not(and(not(a), not(b))) }

func not(a Verdict) Verdict {
	switch a {
	case No:
		return Yes
	case Yes:
		return No
	}
	return Unknown
}

// of makes a verdict of a condition.
func of(condition bool) Verdict {
	if condition {
		return Yes
	}
	return No
}
