package cloud

import (
	"net/http"

	"one-ft/pkg/one"
)

type Cloud struct{}

type HostEvent struct {
	Host        Host
	Prev, State one.HostState
}

type VMEvent struct {
	VM        VM
	PrevState one.VMState
	PrevLCM   one.LCMState
	State     one.VMState
	LCM       one.LCMState
}

func New(Config) (*Cloud, error)                                  { return &Cloud{}, nil }
func (c *Cloud) Close()                                           {}
func (c *Cloud) Transport() http.RoundTripper                     { return nil }
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {}
func (c *Cloud) FailHost(id int) error                            { return nil }
func (c *Cloud) HealHost(id int) error                            { return nil }
func (c *Cloud) SetHostState(id int, s one.HostState) error       { return nil }
func (c *Cloud) AddVM(vm VM) error                                { return nil }
func (c *Cloud) UpdateVM(id int, f func(*VM)) error               { return nil }
func (c *Cloud) CrashVM(id int) error                             { return nil }
func (c *Cloud) Hosts() []Host                                    { return nil }
func (c *Cloud) VMs() []VM                                        { return nil }
func (c *Cloud) VM(id int) (VM, bool)                             { return VM{}, false }
func (c *Cloud) Host(id int) (Host, bool)                         { return Host{}, false }
func (c *Cloud) Calls() []Call                                    { return nil }
func (c *Cloud) ResetCalls()                                      {}
func (c *Cloud) SetDown(down bool)                                {}
func (c *Cloud) SetShuttingDown(on bool)                          {}
func (c *Cloud) Deadlocked() bool                                 { return false }
func (c *Cloud) OnHostState(f func(HostEvent))                    {}
func (c *Cloud) OnVMState(f func(VMEvent))                        {}
func (c *Cloud) HostXML(id int) string                            { return "" }
func (c *Cloud) VMXML(id int) string                              { return "" }
