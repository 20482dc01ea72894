// Package one is a small client for the OpenNebula XML-RPC API, 4.4 to 7.4.
//
// It reads and changes hosts and VMs, turns every answer and every fault into a value or a typed error, and hides what
// differs between versions behind a Dialect. It never decides anything, and it never repeats a call that changes
// something. Its facts come from recorded requests and answers of live daemons (test/testdata/tapes) and from
// OpenNebula's source, release by release.
package one
