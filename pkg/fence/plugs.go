package fence

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"one-ft/pkg/text"
)

// actionList makes an agent print its plugs, a line each: the plug, a separator, and its name.
const actionList = "list"

// onlyFirstPlug reports whether an agent that is given several plugs switches the first of them alone, and says the status of
// that one for all: it looks the plug up once and keeps it (port_id of those for SNMP, --uuid of fence_vmware_soap, in
// fence-agents 4.12.1; findings/fence-snmp-second-outlet.sh shows it).
func onlyFirstPlug(agent string) bool {
	return slices.Contains([]string{"fence_apc_snmp", "fence_tripplite_snmp", "fence_eaton_snmp", "fence_ipdu", "fence_vmware_soap"}, agent)
}

// offForUnknown reports whether the status of an agent is off for whatever it does not understand: a plug that is not there
// (SNMP version 2c and 3), or a machine without virsh. Read in the sources of fence-agents 4.12.1, and seen
// (findings/fence-snmp-no-such-outlet.sh, findings/fence-virsh-without-virsh.sh). All of them can list their plugs.
func offForUnknown(agent string) bool {
	return slices.Contains([]string{
		"fence_apc_snmp", "fence_tripplite_snmp", "fence_emerson", "fence_ibmblade", "fence_intelmodular", "fence_ipdu", "fence_virsh",
	}, agent)
}

// plug is the parameter that names the plug, as it is written, and its value; "" when there is none. Agents take port for it, too.
func (d Device) plug() (name, value string) {
	for _, name := range slices.Sorted(maps.Keys(d.Params)) {
		if plain := plainParam(name); plain == "plug" || plain == "port" {
			return name, d.Params[name]
		}
	}
	return "", ""
}

// plugs are the plugs of a device, which agents take apart at plug_separator, a comma by default.
func (d Device) plugs() []string {
	_, value := d.plug()
	return slices.DeleteFunc(strings.Split(value, cmp.Or(d.param("plug_separator"), ",")), func(plug string) bool { return strings.TrimSpace(plug) == "" })
}

// Apart gives each plug of an agent that only knows the first of several a device of its own, in the same level: all of them
// have to be off at the same time. Other devices stay as they are. levels is not changed.
func Apart(levels []Level) []Level {
	levels = slices.Clone(levels)
	for i := range levels {
		var devices []Device
		for _, d := range levels[i].Devices {
			devices = append(devices, d.apart()...)
		}
		levels[i].Devices = devices
	}
	return levels
}

func (d Device) apart() (all []Device) {
	plugs := d.plugs()
	if !onlyFirstPlug(d.Agent) || len(plugs) < 2 {
		return []Device{d}
	}
	name, _ := d.plug()
	for _, plug := range plugs {
		one := d
		one.Params = maps.Clone(d.Params)
		one.Params[name] = strings.TrimSpace(plug)
		all = append(all, one)
	}
	return all
}

// listed is why the word off of an agent says nothing about its plugs: it says off for a plug that is not there, and does not
// list one of them. It is nil for other agents, and for devices without a plug.
func (w *work) listed(ctx context.Context, d *device) error {
	plugs := d.plugs()
	if !offForUnknown(d.Agent) || len(plugs) == 0 {
		return nil
	}
	a := w.ask(ctx, d, actionList)
	if a.code != 0 || a.err != nil {
		return fmt.Errorf("it says off also for a plug that is not there, and cannot list its plugs: %w", a.failed())
	}
	for _, plug := range plugs {
		if !inList(a.output, cmp.Or(d.param("separator"), ","), strings.TrimSpace(plug)) {
			return &notListedError{plug: plug}
		}
	}
	return nil
}

// notListedError is not worth another attempt: the plug is mistyped, or the device is another one.
type notListedError struct{ plug string }

func (e *notListedError) Error() string {
	return fmt.Sprintf("it says off also for a plug that is not there, and plug %q is not among those that it lists; correct the plug or the address", e.plug)
}

var isUUID = text.Pattern(`^[0-9a-fA-F-]{36}$`)

// inList reports whether a plug is in what an agent lists: as it is called, by its name, or by its number alone where a
// switch stands before it ("1:3"). virsh takes a UUID as well, and lists names alone: any guest shows that it is asked.
func inList(output, separator, plug string) bool {
	for line := range strings.Lines(output) {
		id, alias, ok := strings.Cut(strings.TrimSpace(line), separator)
		switch {
		case !ok:
		case id == plug, alias == plug, strings.HasSuffix(id, ":"+plug), isUUID().MatchString(plug):
			return true
		}
	}
	return false
}
