// Package requirement reads and evaluates the requirements of OpenNebula's scheduler
// (SCHED_REQUIREMENTS, AUTOMATIC_REQUIREMENTS and those of datastores), such as
//
//	(CLUSTER_ID = 0 | CLUSTER_ID = 100) & !(PUBLIC_CLOUD = YES) & NAME = "rack2-*"
//
// the way the scheduler itself does it: src/parsers/expr_bool.y and expr_parser.l (src/xml in 4.4; the same but for
// @>). What is easily got wrong: & and | have the same precedence and go from left to right; a comparison with a
// missing attribute is false, also with !=; a number on the right compares numbers, anything else is a pattern as of
// fnmatch(3); characters that are no token are skipped, so a trailing semicolon is no error.
package requirement

// Verdict is what an expression gives.
type Verdict int8

// The verdicts. Their order makes "and" the lower, "or" the higher of two.
const (
	No      Verdict = iota
	Unknown         // it hangs on an attribute whose value is not known
	Yes
)

// Target is what requirements are about: a host, or a datastore.
type Target interface {
	// Values gives those of an attribute in the order of the object's XML, none without it; not known if that is not.
	Values(name string) (values []string, known bool)
	// HasVM reports whether a VM is on the host, for CURRENT_VMS.
	HasVM(id int) bool
}

// currentVMs is the attribute that the scheduler computes: the VM that it is compared with if that is on the host, else -1.
const currentVMs = "CURRENT_VMS"
