package lab

import (
	"context"
	"fmt"
	"strings"

	"one-ft/pkg/one"
	"one-ft/pkg/text"
	"one-ft/test/sim/cloud"
)

// Goal is what Wait waits for. All that is set must hold at the same time.
type Goal struct {
	// VMs is a state, such as RUNNING, of all VMs that are not DONE. None of them
	// may be on a host in ERROR then.
	VMs string `json:"vms,omitempty"`
	// Host is a host's ID or name, State its state; MONITORED and ERROR include
	// being polled at the moment.
	Host  string `json:"host,omitempty"`
	State string `json:"state,omitempty"`
	// Hooks is the number up to which all hooks have ended; they are numbered from
	// 1 as they start.
	Hooks int `json:"hooks,omitempty"`
}

// Wait waits for a goal. When ctx ends the error says what is missing.
func (l *Lab) Wait(ctx context.Context, g Goal) error {
	for {
		changed := l.change()
		missing, err := l.missing(g)
		if err != nil || missing == "" {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waited in vain: %s", missing)
		}
	}
}

// missing says what a goal lacks; "" is reached.
func (l *Lab) missing(g Goal) (string, error) {
	if g.VMs == "" && g.Host == "" && g.Hooks <= 0 {
		return "", Usagef("nothing to wait for: give --vms STATE, --host HOST --state STATE, or --hooks NUMBER")
	}
	if (g.Host == "") != (g.State == "") {
		return "", Usagef("--host and --state belong together: --host 1 --state ERROR")
	}
	if g.Host != "" {
		if missing, err := l.hostMissing(g); err != nil || missing != "" {
			return missing, err
		}
	}
	if n := l.runner.finished(); n < g.Hooks {
		return fmt.Sprintf("of the first %d hooks %d have ended", g.Hooks, n), nil
	}
	if g.VMs == "" {
		return "", nil
	}
	return l.vmsMissing(g.VMs)
}

// hostMissing looks at the host of a goal.
func (l *Lab) hostMissing(g Goal) (string, error) {
	want, known := hostState(g.State)
	if !known {
		return "", Usagef("--state %s: no host state has this name; MONITORED, ERROR, DISABLED and OFFLINE are some", text.Printable(g.State))
	}
	h, err := findHost(l.cloud.Hosts(), g.Host)
	switch {
	case err != nil:
		return "", err
	case h.State == want, want == one.HostError && h.State.Failed(), want == one.HostMonitored && h.State.Back():
		return "", nil
	}
	return fmt.Sprintf("host %d (%s) is %s", h.ID, h.Name, h.State), nil
}

// vmsMissing looks at all VMs.
func (l *Lab) vmsMissing(state string) (string, error) {
	vm, lcm, known := vmState(state)
	if !known {
		return "", Usagef("--vms %s: no VM state has this name; RUNNING, POWEROFF and UNKNOWN are some", text.Printable(state))
	}
	failed := map[int]bool{}
	for _, h := range l.cloud.Hosts() {
		failed[h.ID] = h.State.Failed()
	}
	var list []string
	for _, v := range l.cloud.VMs() {
		on, placed := placeOf(v)
		same := v.State == vm && (vm != one.Active || v.LCM == lcm)
		switch {
		case v.State == one.Done || same && !(placed && failed[on]):
		case placed:
			list = append(list, fmt.Sprintf("VM %d is %s on host %d", v.ID, stateName(v.State, v.LCM), on))
		default:
			list = append(list, fmt.Sprintf("VM %d is %s", v.ID, stateName(v.State, v.LCM)))
		}
	}
	const most = 5
	if len(list) > most {
		list = append(list[:most], fmt.Sprintf("and %d more VMs", len(list)-most))
	}
	return strings.Join(list, ", "), nil
}

// placeOf gives the host of a VM; false when it is on none.
func placeOf(v cloud.VM) (int, bool) {
	away := v.State == one.Pending || v.State == one.Hold || v.State == one.Done || v.State == one.Failed ||
		v.State == one.Stopped || v.State == one.Undeployed || v.State == one.Active && v.LCM == one.CleanupResubmit
	if len(v.History) == 0 || away {
		return 0, false
	}
	return v.History[len(v.History)-1].HostID, true
}
