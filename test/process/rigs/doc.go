// Package rigs has real components for tests: a BMC that real fence agents talk to
// over IPMI, with a machine behind it that is really dead when it is off; a network
// whose cables and directions can be cut, with a real sshd on its hosts; a hypervisor with a libvirtd and QEMU guests
// of its own, whose power can be cut, and which cannot power off the real machine; and a
// cron whose minutes are short.
//
// A rig ends with its test and touches nothing but processes that it started, namespaces
// that it made and addresses of the loopback interface; any number of them, in one or more
// processes, can run at once. Where a program is missing the test is skipped and says
// which packages are needed, and where it would have to be root, it says that; with CI in
// the environment it fails instead. When the process of the test is killed, its
// hypervisors die with it; network namespaces stay (ip netns list: oneft-PID-…), without
// a process in them.
package rigs
