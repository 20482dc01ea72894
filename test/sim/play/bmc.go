package play

import (
	"context"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	exec "one-ft/pkg/process"
)

// AgentName is the fence agent of scenarios.
const AgentName = "fence_bmc"

// portAgent cuts off the switch port of a host, which only its metadata tell.
const portAgent = "fence_port"

// Agents are the fence agents of scenarios. Each has to be an executable file somewhere in PATH; what it does is
// simulated.
func Agents() []string { return []string{AgentName, portAgent, sbdAgent} }

// How a device that switches power can be, and how fence_ipmilan behaves then (rigs.md).
const (
	bmcWorks       = "works"
	bmcLies        = "lies"                          // acknowledges, and does nothing
	bmcUnreachable = "is unreachable"                // 20 s, then exit code 1
	bmcRefuses     = "refuses the password"          // exit code 1 after a second
	bmcLate        = "is late"                       // the power goes 10 s after the agent gave up
	bmcHangs       = "hangs"                         // no end at all
	bmcOnce        = "fails once"                    // and works then
	bmcOffline     = "loses its power with the host" // a BMC without a supply of its own
	sbdOldOff      = "holds an old off"              // in the slot of a host that has not read it
)

// What agents take for an action.
const (
	offTime    = 2400 * time.Millisecond
	statusTime = 290 * time.Millisecond
)

// program runs what the tool of a process runs; it is a process.Runner.
func (p *process) program(ctx context.Context, limit time.Duration, run exec.Program) exec.Result {
	w := p.frontEnd.world
	if p.dead.Load() {
		return exec.Result{Code: -1, Err: errDead}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, exec.ErrTimeout)
	defer cancel()
	name := filepath.Base(run.Path)
	switch name {
	case AgentName:
		return w.agent(ctx, p, string(run.Stdin))
	case portAgent:
		if len(run.Args) == 0 {
			return exec.Result{Code: 2, Output: "Status: OFF"}
		}
		return exec.Result{Output: `<resource-agent name="fence_port"><actions><action name="on" automatic="1"/><action name="off"/><action name="status"/></actions></resource-agent>`}
	case sbdAgent, "sbd":
		return w.sbd(ctx, name, string(run.Stdin))
	case "fence_host.sh":
		return w.fenceScript(ctx, p, string(run.Stdin))
	case "ssh":
		return w.sshProgram(ctx, p, run.Args)
	case "is_alive":
		return w.opinion(ctx, run.Env)
	case "tell":
		w.log.add(rankProcess, p.frontEnd.name+" tell", -1, "%s", told(run.Env))
		return exec.Result{}
	}
	return exec.Result{Code: -1, Err: fmt.Errorf("%w: fork/exec %s: no such file or directory", exec.ErrStart, run.Path)}
}

// told is the event of a notification in short.
func told(env []string) string {
	var parts []string
	for _, v := range env {
		key, value, _ := strings.Cut(v, "=")
		if key == "FT_EVENT" || key == "FT_OBJECT" || key == "FT_STATUS" {
			parts = append(parts, value)
		}
	}
	return strings.Join(parts, ", ")
}

var deviceName = regexp.MustCompile(`(?m)^ip=((?:bmc|strip|outlet[12])-host(\d+))$`)

// agent is fence_ipmilan for a device of the scenario.
func (w *world) agent(ctx context.Context, p *process, stdin string) exec.Result {
	m := deviceName.FindStringSubmatch(stdin)
	if m == nil {
		return exec.Result{Code: 1, Output: "Failed: no such device"}
	}
	action, _, _ := strings.Cut(strings.TrimPrefix(stdin, "action="), "\n")
	id, err := w.spec.hostID("host" + m[2])
	if err != nil {
		return exec.Result{Code: 1, Output: err.Error()}
	}
	return w.switchPower(ctx, p, m[1], action, w.node(id))
}

// switchPower does an action of an agent.
func (w *world) switchPower(ctx context.Context, p *process, device, action string, n *node) exec.Result {
	mode := w.bmcMode(device)
	failed := func(after time.Duration, text string) exec.Result {
		if !sleep(ctx, after) {
			return exec.Result{Code: -1, Err: context.Cause(ctx)}
		}
		return exec.Result{Code: 1, Output: text}
	}
	switch {
	case mode == bmcUnreachable, mode == bmcOffline && !n.powered():
		return failed(20*time.Second, "Failed: Connection timed out")
	case mode == bmcRefuses:
		return failed(time.Second, "Failed: Unable to obtain correct plug status or plug is not available")
	case mode == bmcHangs:
		return failed(time.Hour, "")
	case mode == bmcOnce && action == "off":
		w.setBMC(device, bmcWorks)
		return failed(time.Second, "Failed: Unable to connect/login to fencing device")
	}
	if action == "status" {
		if !sleep(ctx, statusTime) {
			return exec.Result{Code: -1, Err: context.Cause(ctx)}
		}
		if n.feeds(device) {
			return exec.Result{Code: 0, Output: "Status: ON"}
		}
		return exec.Result{Code: 2, Output: "Status: OFF"}
	}
	if !n.feeds(device) {
		return failedAs(failed(statusTime, "Success: Already OFF"))
	}
	if mode == bmcLate {
		r := failed(7500*time.Millisecond, "Failed: Timed out waiting to power OFF")
		time.AfterFunc(10*time.Second, func() { n.switchOff(device) })
		return r
	}
	r := failedAs(failed(offTime, "Success: Powered OFF"))
	if r.Code == 0 && mode != bmcLies && !p.dead.Load() {
		n.switchOff(device)
	}
	return r
}

// sbdAgent is the agent of hosts that read their power-off from a slot on a shared disk, "sbd-hostN".
const sbdAgent = "fence_sbd"

var sbdPlug = regexp.MustCompile(`(?m)^plug=(host\d+)$`)

const (
	sbdWait   = 10 * time.Second // msgwait, in the header of the disk
	sbdReacts = 3 * time.Second  // until sbd on the host has read its slot and resets it
)

// sbd is fence_sbd, and sbd itself, which it asks for its time-outs. What is in a slot stays there: off is sent once.
func (w *world) sbd(ctx context.Context, name, stdin string) exec.Result {
	killed := func() exec.Result { return exec.Result{Code: -1, Err: context.Cause(ctx)} }
	m := sbdPlug.FindStringSubmatch(stdin)
	switch {
	case name == "sbd":
		return exec.Result{Output: fmt.Sprintf("Timeout (watchdog) : 5\nTimeout (msgwait)  : %d\n", int(sbdWait.Seconds()))}
	case m == nil:
		return exec.Result{Code: 1, Output: "Failed: no such node"}
	case !sleep(ctx, statusTime):
		return killed()
	}
	id, err := w.spec.hostID(m[1])
	if err != nil {
		return exec.Result{Code: 1, Output: err.Error()}
	}
	device := "sbd-" + m[1]
	mode, old := w.bmcMode(device), w.bmcMode(device) == sbdOldOff
	if strings.HasPrefix(stdin, "action=status\n") {
		if old {
			return exec.Result{Code: 2, Output: "Status: OFF"}
		}
		return exec.Result{Output: "Status: ON"}
	}
	if old {
		return exec.Result{Output: "Success: Already OFF"}
	}
	w.setBMC(device, sbdOldOff)
	if mode == bmcHangs {
		sleep(ctx, time.Hour)
		return killed()
	}
	time.AfterFunc(sbdReacts, func() { w.node(id).powerOff(device) })
	if !sleep(ctx, sbdWait) {
		return killed()
	}
	return exec.Result{Output: "Success: Powered OFF"}
}

// feeds reports whether a device says that it is on: a BMC as long as its host has power, an
// outlet until it was switched off, whatever hangs on it.
func (n *node) feeds(device string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if strings.HasPrefix(device, "outlet") {
		return !n.dark[device]
	}
	return n.power
}

// switchOff is what a device does to its host; one outlet of a host with two power supplies does
// nothing to it.
func (n *node) switchOff(device string) {
	n.mu.Lock()
	n.dark[device] = true
	running := strings.HasPrefix(device, "outlet") && len(n.dark) < 2
	n.mu.Unlock()
	if running {
		n.world.log.add(rankHost, device, -1, "%s has one power supply left", n.name())
		return
	}
	n.powerOff(device)
}

// failedAs makes a success of what ended in time.
func failedAs(r exec.Result) exec.Result {
	if r.Err == nil {
		r.Code = 0
	}
	return r
}

// fenceScript is a site's own fence_host.sh: it powers off what the BMC can.
func (w *world) fenceScript(ctx context.Context, p *process, stdin string) exec.Result {
	xml, err := base64.StdEncoding.DecodeString(stdin)
	m := regexp.MustCompile(`<ID>(\d+)</ID>`).FindSubmatch(xml)
	if err != nil || m == nil {
		return exec.Result{Code: 1, Output: "no host"}
	}
	id, err := w.spec.hostID("host" + string(m[1]))
	if err != nil {
		return exec.Result{Code: 1, Output: err.Error()}
	}
	r := w.switchPower(ctx, p, fmt.Sprintf("bmc-host%d", id), "off", w.node(id))
	w.log.add(rankHost, "fence_host.sh", -1, "host%d: %s", id, r.Output)
	return r
}

// opinion is the second opinion is_alive: 0 for a host of which the scenario says so.
func (w *world) opinion(ctx context.Context, env []string) exec.Result {
	w.mu.Lock()
	thinks := w.thinks
	w.mu.Unlock()
	if !sleep(ctx, thinks) {
		return exec.Result{Code: -1, Err: context.Cause(ctx)}
	}
	for _, v := range env {
		if id, is := strings.CutPrefix(v, "FT_HOST_ID="); is {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.alive["host"+id] {
				return exec.Result{}
			}
		}
	}
	return exec.Result{Code: 1}
}

func (w *world) bmcMode(device string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if mode := w.bmcs[device]; mode != "" {
		return mode
	}
	return bmcWorks
}

func (w *world) setBMC(device, mode string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bmcs[device] = mode
}
