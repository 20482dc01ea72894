// Package rigs has real components for tests: a BMC that real fence agents talk to
// over IPMI, with a machine behind it that is really dead when it is off.
//
// A rig ends with its test and touches nothing but processes that it started and
// addresses of the loopback interface. Where a program is missing the test is skipped
// and says which packages are needed; with CI in the environment it fails instead.
package rigs
