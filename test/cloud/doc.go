// Package cloud is a simulated OpenNebula: oned, its scheduler and its drivers,
// good enough to stand in for the real one in every test. It answers XML-RPC
// over HTTP and through an in-memory http.RoundTripper, as version 4.4, 5.10,
// 6.10 or 7.4 does, with the same arguments, answers, texts, refusals, orders
// and traps.
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
// Not simulated: users and groups beyond the two, quotas, ACLs, images,
// networks, sections in updated templates, and hook execution (OnHostState and
// OnVMState say when a hook would run).
package cloud
