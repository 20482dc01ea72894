// Package drill answers what would happen if a host died now, and whether the rest of the cloud could take its VMs. It
// changes nothing: Read reads the live data once, and everything else is a pure decision over it.
//
// # What is judged
//
// A VM fits when the scheduler would find a host for it: one in service (MONITORED), with enough CPU and memory that is
// not promised to others (MAX_CPU and MAX_MEM less CPU_USAGE and MEM_USAGE, so reservations and overcommitment are in
// it), that meets AUTOMATIC_REQUIREMENTS (clusters, pinning), SCHED_REQUIREMENTS and the rules of its VM group, and
// with a system datastore of its cluster that meets the requirements of datastores and has room
// (src/scheduler/src/sched/Scheduler.cc, 4.4 to 6.10; src/schedm_mad/remotes/rank, 7.x). What was not evaluated is said
// in the notes, and a verdict that hangs on it is NotKnown.
//
// # How far the verdict can be trusted
//
// The scheduler places one VM after another and moves none to make room, so whether the last one finds a host depends
// on the order, and on which of several hosts the earlier ones took. The order is by ID for the VMs that wait when it
// looks, but which wait by then depends on when it looks. So the VMs are placed in every Strategy: both orders, each
// with the three policies that OpenNebula ships. Fits means that all VMs are placed in all of them, DoesNotFit that
// some VM is placed in none, and Tight is between.
//
// Tests hold that against the simulated scheduler, which takes the lowest ID first and the host with the most free CPU
// (ByID, FreeCPU). When all VMs wait at its first look and nothing else changes the cloud, each VM is where its Strategy
// puts it. When it looks while VMs are still being recovered, only this is certain: a VM for which no other host is large
// enough, or meets its requirements, waits. The real scheduler places at most MAX_HOST VMs on a host per run, and may
// have another rank: a cloud that Fits may then in rare cases still leave a VM waiting. The headroom says how close it is.
//
// Foretell says how long VMs are down (package downtime), and what makes it shorter; Place, where VMs that wait for a host
// are to be deployed now instead of waiting for the scheduler (place: true).
package drill
