// Package isolation keeps the VMs of a host from running twice when the host loses the network: it asks again and
// again what can be reached, decides, and stops the VMs before the cloud starts them elsewhere.
//
// Decide is pure. Watcher does the rest: probes (package probe), what oned says (OnedClient), stopping VMs (package
// guest), what must be remembered (Store).
//
// All times are since the host was booted (CLOCK_BOOTTIME): they go on while the host is suspended, and no change of
// the date touches them.
package isolation
