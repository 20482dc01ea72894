package fence

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/process"
)

// Prove powers a host off and proves it; without levels it is ErrNotConfigured, with levels that cannot be used the error
// of Check, and when no level proves it a *FailedError. The caller holds a lock of the host.
func Prove(ctx context.Context, host Host, s Settings) (Proof, error) {
	w, err := newWork(host, s)
	if err != nil {
		return Proof{}, err
	}
	return w.prove(ctx)
}

// prove tries the levels in their order: when a BMC died with its host, the power strip may still work.
func (w *work) prove(ctx context.Context) (Proof, error) {
	start := time.Now()
	failed := &FailedError{HostID: w.host.ID, Host: w.host.Name}
	for i, devices := range w.devices {
		if ctx.Err() != nil {
			break
		}
		stop := w.lookMeanwhile(ctx, i)
		errs := w.proveLevel(ctx, devices)
		stop()
		if len(errs) == 0 {
			how := fmt.Sprintf("%s (level %d), %.1f s", verdict(devices), i+1, time.Since(start).Seconds())
			return Proof{
				made: true, hostID: w.host.ID, how: how, by: fmt.Sprintf("level %d", i+1), at: time.Now(), certain: true,
				lease: devices[0].Kind == KindLease, commands: commands(devices),
			}, nil
		}
		for _, err := range errs {
			failed.Errs = append(failed.Errs, fmt.Errorf("%s, %w", levelName(i+1, w.settings.Levels[i].Name), err))
		}
	}
	if err := ctx.Err(); err != nil {
		failed.Errs = append(failed.Errs, fmt.Errorf("stopped: %w", err))
	}
	return Proof{}, failed
}

func verdict(devices []*device) string {
	names := labels(devices)
	switch {
	case devices[0].Kind == KindLease:
		return names[0] + " has run out: the host has stopped its VMs"
	case len(names) == 1:
		return names[0] + " says off"
	}
	return strings.Join(names, " and ") + " say off"
}

// commands are the paths of the commands among devices.
func commands(devices []*device) (all []string) {
	for _, d := range devices {
		if d.Kind == KindCommand {
			all = append(all, d.Command[0])
		}
	}
	return all
}

func labels(devices []*device) (all []string) {
	for _, d := range devices {
		all = append(all, d.label)
	}
	return all
}

// Power is what a device says about a host.
type Power string

// The answers of devices.
const (
	PowerOn      Power = "on"
	PowerOff     Power = "off"
	PowerUnknown Power = "unknown"
)

// DeviceStatus is what one device says now.
type DeviceStatus struct {
	Device string
	Power  Power
	Err    error // why it proves nothing; nil for devices that have no status
	// Took is how long its agent needed to answer, and Off how long an off takes then: an agent asks before and after
	// it, and waits. An off that does not fit into Settings.Timeout is killed before its end.
	Took, Off time.Duration
}

// Status asks all agents for the power of the host and changes nothing. Commands and confirmations have no status; they
// are listed as unknown without an error. "off" is the word of an agent here, not a proof.
func Status(ctx context.Context, host Host, s Settings) ([]DeviceStatus, error) {
	w, err := newWork(host, s)
	if err != nil {
		return nil, err
	}
	all := slices.Concat(w.devices...)
	list := make([]DeviceStatus, len(all))
	process.Each(len(all), len(all), func(i int) { list[i] = w.status(ctx, all[i]) })
	return list, nil
}

// AdvisesCipher reports whether an agent asks its BMC for the list of cipher suites because none is named: ipmitool
// 1.8.19 does that with lanplus, and some BMCs take 14 s to refuse it.
func (d Device) AdvisesCipher() bool {
	return slices.Contains([]string{"fence_ipmilan", "fence_ipmilanplus", "fence_idrac", "fence_ilo3", "fence_ilo4", "fence_ilo5", "fence_imm"}, d.Agent) &&
		d.param("cipher") == ""
}

// AdvisesSystem reports whether an agent asks and switches the last system of its BMC because none is named: that of another
// machine, where the BMC serves several (findings/fence-redfish-last-system.sh).
func (d Device) AdvisesSystem() bool {
	return d.Agent == "fence_redfish" && d.param("systems_uri") == ""
}

func (w *work) status(ctx context.Context, d *device) DeviceStatus {
	st := DeviceStatus{Device: d.label, Power: PowerUnknown}
	if d.Kind != KindAgent {
		return st
	}
	if err := d.fit(ctx, w.settings); err != nil {
		st.Err = err
		return st
	}
	if d.Agent == agentSBD {
		if _, st.Err = w.msgwait(ctx, d); st.Err != nil {
			return st
		}
	}
	start := time.Now()
	a := w.ask(ctx, d, actionStatus)
	st.Took = time.Since(start)
	st.Off = d.offNeeds(st.Took)
	switch {
	case d.Agent == agentSBD && a.code == exitOff:
		st.Err = errOldPill
	case a.err != nil:
		st.Err = a.err
	case a.code != exitOn && a.code != exitOff:
		st.Err = a.failed()
	default:
		if st.Err = w.listed(ctx, d); st.Err == nil {
			st.Power = map[int]Power{exitOn: PowerOn, exitOff: PowerOff}[a.code]
		}
	}
	return st
}

// offNeeds is how long an off takes when a status takes so long: the agent asks for the status, sends the command, waits,
// and asks again. fence_sbd has time-outs of its own.
func (d Device) offNeeds(status time.Duration) time.Duration {
	wait := powerWait(d.Agent)
	if seconds, err := strconv.Atoi(d.param("power_wait")); err == nil {
		wait = time.Duration(seconds) * time.Second
	}
	return 3*status + wait
}
