// Package failfast makes ssh from this front-end to a host that is proven off fail at once.
//
// oned cleans up on the dead host itself, command after command over ssh: 3 s each when ARP gets no answer, 135 s
// when packets are dropped, 40 s more behind a stale master (OpenNebula 6.10, measured). A block in the ssh
// configuration of the user that the drivers run as (Block) asks a file for each host name, a mark, and lets ssh fail
// where it is there: 9 ms.
//
// A mark carries its expiry as its modification time, in the future, and the block compares it with /proc/self, whose
// time is now. So a mark that nobody renews expires within MaxHold, without any process. That matters: oned starts
// the monitoring of a host that was powered on again over ssh, so a mark that stays keeps a living host in ERROR.
//
// Nothing here decides whether a host is off: who sets a mark has the proof.
package failfast
