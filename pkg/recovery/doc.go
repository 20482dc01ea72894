// Package recovery decides what to do with VMs: what is known of them goes in, a plan comes out.
//
// It never does anything: no I/O, no clock, no randomness. The same snapshot and policy always give the same plan. Its facts
// are the per-state table of the design, what live daemons accept from each state (the matrix of 4.4, 5.10, 6.10 and 7.4),
// and OpenNebula's source for the states that were not tried.
package recovery
