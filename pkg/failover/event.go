package failover

import (
	"strings"

	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

// checkHost compares a host with the event. Hosts in ERROR are shown in two states by 4.4 and 5.10, and one in quarantine
// counts as in ERROR.
func (r *runner) checkHost(host one.Host) {
	if e := r.opt.Request.Event; e != nil {
		was := one.HostState(e.State)
		if was.Failed() && host.State.Failed() {
			was = host.State
		}
		r.checkEvent(host.Name, e.State >= 0 && !r.cloud.InQuarantine(), was.String(), host.State.String())
	}
}

// checkVM compares a VM with the event.
func (r *runner) checkVM(vm one.VM) {
	if e := r.opt.Request.Event; e != nil {
		was := one.VM{State: one.VMState(e.State), LCM: one.LCMState(e.LCMState)}
		r.checkEvent(vm.Name, e.State >= 0, was.Status(), vm.Status())
	}
}

// wholeName is how many bytes of a name package hook certainly keeps.
const wholeName = 250

// checkEvent says in what oned answers something else than it told its hook: an object of another name may be that of
// another cloud. What is done depends on the answer alone.
func (r *runner) checkEvent(name string, told bool, was, is string) {
	e := r.opt.Request.Event
	escaped := strings.Contains(name, `\`) // which package hook may do in another way
	if e.Name != "" && e.Name != name && len(name) <= wholeName && !escaped {
		r.say(-1, wording.ToldName, e.Name, name)
	}
	if told && was != is {
		r.say(-1, wording.ToldState, was, is)
	}
	r.opt.Request.Event = nil // once
}
