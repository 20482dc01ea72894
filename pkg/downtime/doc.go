// Package downtime says how long the VMs of a host that dies are down: until oned notices, until the
// host is proven off, until oned's clean-up has ended, and until the scheduler has started the VMs
// elsewhere. Plain data in, plain data out: nothing here reads a file, a clock or the network.
//
// Settings and defaults are those of OpenNebula's sources, release by release (keys, in settings.go).
// How long a command to a dead host takes was measured with OpenNebula 6.10, real drivers, real ssh and
// the shipped ssh configuration, in November 2026 (SSH.Command). Detection up to 5.10 was read in the source
// and not measured (Detection). Where a number is an assumption, it says so.
//
// A Span is from a good case to a bad one that the settings allow. They are for the last VM of the host:
// the first ones run sooner. A stage that nothing bounds is Unbounded, one that never ends is Never.
package downtime
