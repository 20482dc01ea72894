package fence

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"one-ft/pkg/text"
)

const maxTemplateLevels = 9

var levelSuffix = text.Pattern(`^(.+)_([0-9]+)$`)

// FromTemplate reads the levels of a host from the FENCE_* attributes of its template:
//
//	FENCE_AGENT          the agent, such as fence_ipmilan
//	FENCE_PASSWORD_FILE  the name of a file in Settings.SecretDir; FENCE_PASSWORD can be read by whoever sees the host
//	FENCE_<NAME>         parameter <name>, such as FENCE_IP, FENCE_PLUG, FENCE_IPPORT, FENCE_LANPLUS
//	FENCE_LEASE          seconds, after all others: the host runs host_isolated --strict with a lease of at most that
//	FENCE_LEASE_REACTION seconds from the end of its lease until its VMs are gone (--print-bound); default: DefaultReaction
//	FENCE_MANUAL = yes   after all others, an admin can confirm that the host is off
//
// Each with _2 to _9 at its end is for a further level, which is tried when those before it failed. A level has one
// device here; levels with several come from the configuration. Agents take several plugs (FENCE_PLUG = "1,2"); see Apart.
// FENCE_PORT is refused, since agents take "port" for the plug, and so are FENCE_COMMAND and parameters that make agents
// run programs or write files. The error names the attribute; it is ErrNoAgent when there are attributes but no agent
// for the address that they name; with it come the levels that need none.
func FromTemplate(template map[string]string) ([]Level, error) {
	lease, leased, err := TemplateLease(template)
	if err != nil {
		return nil, err
	}
	r := reader{devices: map[int]*Device{}, first: map[int]string{}}
	for _, attribute := range slices.Sorted(maps.Keys(template)) {
		if name, ours := strings.CutPrefix(strings.ToUpper(attribute), "FENCE_"); ours {
			if err := r.read(name, template[attribute]); err != nil {
				return nil, inTemplate(attribute, err)
			}
		}
	}
	levels, err := r.levels()
	if err != nil && !errors.Is(err, ErrNoAgent) {
		return nil, err
	}
	if leased {
		levels = append(levels, templateLevel(Device{Kind: KindLease, Lease: lease}))
	}
	if r.manual {
		levels = append(levels, templateLevel(Device{Kind: KindManual}))
	}
	return levels, err
}

func templateLevel(d Device) Level { return Level{Name: "host template", Devices: []Device{d}} }

// reader collects the devices of a template by their level.
type reader struct {
	devices map[int]*Device
	first   map[int]string // an attribute of each level, for errors
	manual  bool
}

// read takes one attribute; name is without FENCE_.
func (r *reader) read(name, value string) (err error) {
	switch name {
	case "MANUAL":
		value = strings.ToLower(strings.TrimSpace(value))
		r.manual = slices.Contains([]string{"yes", "true", "1"}, value)
		if !r.manual && !slices.Contains([]string{"no", "false", "0"}, value) {
			err = errors.New("allowed are yes and no")
		}
		return err
	case "LEASE", "LEASE_REACTION": // TemplateLease has read them
		return nil
	}
	name, level, err := splitLevel(name)
	switch {
	case err != nil:
		return err
	case value == "":
		return errors.New("it is empty; give it a value, or take it out")
	case name == "COMMAND":
		return errors.New("commands are allowed in the configuration only, not in a host template")
	case name == "MANUAL" || name == "LEASE" || name == "LEASE_REACTION":
		return fmt.Errorf("write FENCE_%s without a level", name)
	case name == "PORT":
		return errors.New("write FENCE_IPPORT for the port of the device's address, or FENCE_PLUG for its outlet")
	}
	d := r.devices[level]
	if d == nil {
		d = &Device{Kind: KindAgent, Params: map[string]string{}}
		r.devices[level], r.first[level] = d, attributeName(name, level)
	}
	param := CanonicalParam(name)
	_, twice := d.Params[param]
	_, password := d.Params["password"]
	switch {
	case name == "AGENT":
		d.Agent = value
		return checkAgentName(value)
	case name == "PASSWORD_FILE" && password:
		return errors.New("the password is given twice; keep one of them")
	case name == "PASSWORD_FILE":
		d.SecretFile = value
		return checkSecretName(value)
	case twice:
		return fmt.Errorf("parameter %s is given twice; keep one of them", text.Printable(param))
	case runsPrograms(param):
		return fmt.Errorf("parameter %s runs a program or writes a file on the front-end; it is allowed in the configuration only", text.Printable(param))
	}
	d.Params[param] = value
	return checkParam(param, value)
}

// levels puts what was read into order.
func (r *reader) levels() (levels []Level, err error) {
	for i, n := range slices.Sorted(maps.Keys(r.devices)) {
		switch {
		case r.devices[n].Agent == "" && n == 1:
			err = ErrNoAgent
		case r.devices[n].Agent == "":
			err = fmt.Errorf("%s is missing", attributeName("AGENT", n))
		case n != i+1:
			err = fmt.Errorf("there is no level %d: %s is missing", i+1, attributeName("AGENT", i+1))
		}
		if err != nil {
			return nil, inTemplate(r.first[n], err)
		}
		levels = append(levels, templateLevel(*r.devices[n]))
	}
	return levels, nil
}

// splitLevel takes the number of the level off a name.
func splitLevel(name string) (string, int, error) {
	m := levelSuffix().FindStringSubmatch(name)
	if m == nil {
		return name, 1, nil
	}
	n, err := strconv.Atoi(m[2])
	if err != nil || n < 2 || n > maxTemplateLevels || m[2][0] == '0' {
		return "", 0, fmt.Errorf("levels are _2 to _%d; the first has no number", maxTemplateLevels)
	}
	return m[1], n, nil
}

func attributeName(name string, level int) string {
	if level == 1 {
		return "FENCE_" + name
	}
	return fmt.Sprintf("FENCE_%s_%d", name, level)
}
