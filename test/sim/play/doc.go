// Package play plays scenarios: a simulated OpenNebula with hosts that have power and a
// network, devices that switch them off, front-ends with hook managers, and all of one-ft on them,
// in virtual time. It writes down who decides what and when, and looks after each event whether
// the promises were kept (audit.go).
//
// The tools are those of the executables, called with the words that oned of the version would
// give them; their files are real. Simulated are oned (test/sim/cloud), the network, power, and what machines
// and programs do (machine.go: processes, libvirt, LXC and disks of a host, as host_isolated finds them). A process
// that is killed leaves its files as they are at that moment.
//
// # A scenario file
//
// A txtar archive. First a sentence that says what the scenario protects, and, when needed, the lines
//
//	issues: 6126            (OpenNebula's issues that it is about)
//	versions: 4.4 7.4       (default: 4.4 5.10 6.10 7.4; also 4.14 5.4 5.8 5.12 6.4)
//
// Then the sections "cloud", "config" (one-ft.yaml; may be missing), "time line", and "log: VERSIONS",
// which is written by "go test ./test/scenarios -run NAME -update" and read by a person.
//
// # The cloud
//
//	hosts 6 [cpu=8 mem=16384 NAME=VALUE]   host0 to host5; NAME=VALUE is an attribute of the template
//	host host3 [DISABLED|OFFLINE|ERROR] [since=5h] [cluster=1] [name="any \x1b text"] [driver=lxc] [NAME=VALUE]
//	    [libvirt=virtqemud,libvirtd] [domains=windows,web] [containers=web]   which daemons serve (libvirtd); guests of somebody else
//	    [attributes=2000]                  since: how long it has been in ERROR; attributes: so many more in its template
//	vms 1-3,7 on host1 [STATE] [from host2] [cpu=0.5] [mem=256] [name="x"] [owner=alice] [datastore=1]
//	    (a VM with "from" migrates, or is resumed after it was stopped or undeployed there)
//	    [image=broken|unbootable] [disk=persistent] [requires="ID = 1"] [FT_PRIORITY=80] [template.FT_ACTION=none]
//	    [attributes=2000] [imported]       imported: its guest ran there before OpenNebula knew it, and keeps its name
//	    [driver=lxc] [autostart]           driver: it is a container beside VMs; autostart: its guest starts whenever the host boots
//	datastore 1 local|shared               a system datastore; 0 is shared
//	fencing all|host1 bmc strip sbd lease manual   the levels, first to last; "fencing none" takes the risk
//	                                       in the configuration also outlet1-%h and outlet2-%h, a host's two power supplies
//	isolated all|host1 host2               host_isolated --watch with strict runs there; LXC is installed where FT_LEASE_COVERS has lxc
//	front-ends 3                           A is the leader
//	hook host_error HOST -r n -p 2         HOST and VM become $ID up to 5.8, $TEMPLATE later; several may be given
//	hook vm_unknown VM                     on UNKNOWN
//	hook vm_failure VM -r                  on FAILED (4.4), *_FAILURE
//	no hooks
//	hooks get their words as arguments     5.10 and later; else on standard input
//	hooks have a bare environment          neither ONE_XMLRPC nor ONE_AUTH, only a HOME with .one/one_auth
//	timer 1m                               oneft resume on every front-end
//	watch                                  oneft watch on every front-end, started again when it ends; watch.act is in the configuration
//	hosts are monitored over 20s           one after the other, by their IDs: so do those that are lost at one moment become ERROR
//	interval 20s                           of monitoring; step 100ms: of a driver
//	network local|routed|instant           drivers work over ssh (test/sim/cloud), and a host that is back in ERROR stays so
//	                                       for "host message 600s"; instant: as the recorded clouds; the default is local with "host message 0s"
//	clean-ups hang 83%|never|always        of those on dead hosts; which ones: seed 7
//	ssh fail-fast on|off                   whether the block of one-ft is in the configuration of ssh (on)
//	ssh through a jump host                nobody can ask the way to the hosts
//	ssh connect-timeout 10s                in there; none as shipped
//	scheduler as shipped                   SCHED_INTERVAL, MAX_HOST and so on of the release
//	scheduler's word after 5s              SCHED_MESSAGE comes so long after PENDING
//
// Without any hook line there is the one of host_error above. FENCE_* attributes are "fencing", or
// "host" with attributes of its own.
//
// # The time line
//
// A host that "loses power" is switched off; one that "is cut off" goes on without a network, until it "is reachable
// again"; one whose "monitoring breaks" lives, and its guests with it, while oned calls it failed; "is back" gives power and network. One that "is frozen" stands still with its guests and its host_isolated:
// it answers nobody, and nobody says so. Drivers run on the front-end that leads, which is where ssh asks for the marks of hosts
// that are off; ssh -G, ssh -O exit and the processes of ssh are simulated there, with the time of the scenario.
//
// A time since the begin and what happens; the sentences are the tables in events.go. The last line is "end".
package play
