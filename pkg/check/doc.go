// Package check is the work behind "oneft check": would a host that fails now be recovered, and only once?
//
// Collect reads what there is to see: oned, the hosts and what they are fenced with, VMs, datastores, the journal, and
// this machine. It changes nothing, neither in the cloud nor on the disk (but for a mark of a host that does not exist,
// for the milliseconds in which ssh is asked about it, and what ssh says of the way to the hosts, which the next recovery
// finds there), takes no lock, and asks fence agents for their status only.
// Evaluate applies the rules, a pure decision over that. What cannot be known is never taken for good: it is reported
// as a warning, or among the things that were skipped.
//
// What is known of hooks comes from the caller (package install), as plain values.
package check
