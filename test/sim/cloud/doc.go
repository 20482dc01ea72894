// Package cloud is a simulated OpenNebula: oned, its scheduler and its drivers,
// good enough to stand in for the real one in every test. It answers XML-RPC
// over HTTP and through an in-memory http.RoundTripper, as version 4.4, 4.14,
// 5.4, 5.8, 5.10, 5.12, 6.4, 6.10 or 7.4 does, with the same arguments, answers,
// texts, refusals, orders and traps.
//
//	c, err := cloud.New(cloud.Config{
//		Version: "5.10.6",
//		Hosts:   []cloud.Host{{ID: 0, Name: "host01"}, {ID: 1, Name: "host02"}},
//		VMs: []cloud.VM{{ID: 7, Name: "web", State: one.Active, LCM: one.Running,
//			History: []cloud.Record{{HostID: 0}}}},
//	})
//	if err != nil { ... }
//	defer c.Close()
//	client := &http.Client{Transport: c.Transport()}
//
//	c.FailHost(0)   // the states of the host go as the version's do
//	c.Inject(cloud.Rule{Method: "one.vm.recover", ID: 7, Times: 2, DropAfter: true})
//	...             // what is tested talks to http://any/RPC2 through client
//	c.Calls()       // what it asked
//	c.Guests(1)     // what really runs on host 1
//
// Inside a testing/synctest bubble the cloud's time is the bubble's: an hour of
// outage takes no time at all. Build the cloud inside the bubble, and use
// Transport, because real sockets do not let a bubble's time pass.
//
// # What is simulated
//
// The answers and transitions are data, in tables/calls.tsv and
// tables/drivers.tsv; see there for what they were taken from. Tests hold them
// against everything that was recorded: the matrices of testdata/matrix, where
// each call was tried from each state, and the tapes of test/testdata/tapes,
// which are whole requests and answers.
//
// A VM moves on when the driver at work is done, after Config.Step. Drivers
// fail on a dead host as they did in the matrices. A host that FailHost cuts
// off keeps its guests running: Guests tells what runs twice. Only failed hosts
// and hosts that come back are monitored by a timer, and the scheduler runs
// only while something waits for it, so an idle cloud does nothing.
//
// # Real drivers, and hosts that are really dead
//
// The recorded clouds had drivers that answer at once. With Config.Network (Local or Routed) each action of a
// driver is a row of ssh commands (tables/actions.tsv), each of which takes what an ssh to its host takes
// (tables/ssh.tsv): 0.3 s to a living host, 3 or 135 s to a dead one, for ever to a frozen one. 15 actions run
// at once in each of the two drivers, for all hosts together. The numbers are those that were measured with
// OpenNebula 6.10; the other releases have the same, their drivers being the same scripts, and only their own monitoring
// and scheduler. Then these are so, too:
//
//   - A share of what is begun on a dead host, clean-ups and everything else that the driver of VMs does, never ends
//     (Config.CleanUpsHang): the thread of the driver has died, oned waits for ever, and recover moves the VM on. Before 5.4 the
//     thread is lost, and its host with it.
//
//   - A live migration whose other host dies goes on for a quarter of an hour, also when recover has moved the VM on, and
//     then destroys what bears the name of its guest there.
//
//   - When recover moves a VM on whose thread lives, the thread goes on: what it does when its host can be
//     reached after all is seen in Guests and Harms.
//
//   - FailFast, EndSSH and EndMaster are what the front-end can do about it; SSHs shows what is under way.
//
//   - A VM that is placed where its old guest runs overwrites its disk and ends as RUNNING with the old guest.
//
//   - A frozen host (FreezeHost) never is in ERROR; one that is back in ERROR stays so until its next SYSTEM_HOST message
//     (Config.HostMessage), while its VMs run; the VMs of a disabled host that dies are UNKNOWN.
//
//   - The drivers end with oned, and nothing that they did is begun again: VMs stay in their state.
//
// Simpler than it is: a stale master is met only by commands that begin after the death; the monitoring of 4.4
// and 5.10 takes what that of 6.10 takes, without retries.
//
// Not simulated: users and groups beyond the two, quotas, ACLs, images,
// networks, sections in updated templates, and hook execution (OnHostState and
// OnVMState say when a hook would run).
package cloud
