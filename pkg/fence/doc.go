// Package fence proves that a host is off, so that its VMs may be started elsewhere: with fence agents of
// ClusterLabs, with a site's own command, with a lease, or with the word of an admin. Its README.md says
// for admins what counts as a proof and who is trusted.
//
// It never powers anything on but to end a test, never takes "the agent said yes" for a proof, and never lets a secret
// into an argument list, an environment, an error or an event. The exit codes of agents are those of their API: 0 for
// success and for "on", 2 for "off" when the status was requested, 1 for every error (measured with fence_ipmilan 4.12.1).
//
// A proof is about a moment, Proof.At. Afterwards somebody, or the setting of a BMC for the return of power, may power
// the host on again; then it boots without its VMs, which the caller has to see in the state of the host before it acts
// on each VM. A host that comes back while it is being fenced is powered off: a half-fenced host is no better.
//
// Only the front-end fences, so two hosts cannot shoot each other. For one host the caller holds a lock. Ready and Foresee
// tell without running a device what a proof would come to, by the functions that a call finds its agent and secret with.
//
// Attributes of a host template are also written by the monitoring programs that run on the host itself. So a template
// chooses an agent and its parameters: no command, no parameter that makes an agent run a program or write a file here,
// and a secret only by its name in Settings.SecretDir. A host in foreign hands can still name a device that lies; where
// that matters, leave fencing to the configuration.
package fence
