// Package fence proves that a host is off, so that its VMs may be started
// elsewhere: with fence agents of ClusterLabs, with a site's own command, or with
// the word of an admin.
//
// It never powers anything on, never takes "the agent said yes" for a proof, and
// never lets a secret into an argument list, an environment, an error or an event.
// The exit codes of agents are those of their API: 0 for success and for "on", 2 for
// "off" when asked for the status, 1 for every error; they were measured with
// fence_ipmilan 4.12.1 against a simulated BMC (test/process/rigs).
//
// # What a proof is worth
//
// A proof is about a moment, Proof.At. Afterwards somebody, or the setting of a BMC
// for the return of power, may power the host on again; then it boots without its
// VMs, which the caller has to see in the state of the host before it acts on each
// VM. A host that comes back while it is being fenced is powered off: what was begun
// is carried out, because a half-fenced host is no better.
//
// Only the front-end fences, never one host another, so two hosts cannot shoot each
// other. Different hosts do not wait for each other. Two requests for one host share
// one attempt within a Fencer; between processes the caller has to hold a lock of the
// host.
//
// An agent that cuts a host off from its storage or its network (fence_scsi,
// fence_mpath, fence_brocade, ...) says "off" while VMs still run on the host. Use
// agents that switch power.
//
// # Before it counts
//
// Ready looks at the levels of a host as far as the front-end can without running a device, by
// the same functions that a call finds its agent and its secret with. Foresee makes of it what a
// recovery would come to: provable, unproven, or refused. Dry runs, drills, checks and the question at a
// terminal have no knowledge of their own.
//
// # Who is trusted
//
// Attributes of a host template are written by admins, but also by the monitoring
// programs that run on the host itself. So a template chooses an agent and its
// parameters, and nothing else: no command, no parameter that makes an agent run a
// program or write a file here, and a file with a secret only by its name in
// Settings.SecretDir. A host that is in foreign hands can still name a device that
// lies; where that matters, leave fencing to the configuration.
package fence
