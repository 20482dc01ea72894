package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/fence/agent"
)

// Entry says how some hosts are fenced. A Timeout, Attempts or BackOff of 0 is not set: then the
// default of package fence counts, as for a host that is fenced by its template.
type Entry struct {
	// Hosts are shell patterns of host names as path.Match knows them: *, ?, [a-z]. Upper and lower
	// case differ.
	Hosts []string `yaml:"hosts,omitempty"`
	// Clusters are names of clusters. The entry is for a host when one of Hosts or one of Clusters
	// matches; at least one of both is set.
	Clusters []string `yaml:"clusters,omitempty"`
	// Timeout is the most time for one call of an agent or command.
	Timeout time.Duration `yaml:"timeout,omitempty"`
	// Attempts is how often each device of a level is tried.
	Attempts int `yaml:"attempts,omitempty"`
	// BackOff is the pause before the second attempt; it doubles with each.
	BackOff time.Duration `yaml:"back_off,omitempty"`
	// Levels are tried in order until one proves that the host is off; at least one.
	Levels []Level `yaml:"levels"`
}

// Level is one way to fence.
type Level struct {
	// Name is for logs: 1 to 32 letters, digits, _ and -, different in each level of an entry.
	// Default: level-1, level-2, ...
	Name string `yaml:"name"`
	// Devices must all succeed, such as two power supplies; at least one.
	Devices []Device `yaml:"devices"`
}

// Device is one agent, one command, an admin, or a lease: exactly one of Agent, Command, Manual and
// Lease is set.
type Device struct {
	// Agent is the name of a ClusterLabs fence agent, such as fence_ipmilan.
	Agent string `yaml:"agent,omitempty"`
	// Params are given to the agent on its standard input, after Params.Expand. Only for an agent.
	Params Params `yaml:"params,omitempty"`
	// PasswordFile is the absolute path of a file whose content is given to the agent as password.
	// Only for an agent; package fence reads it.
	PasswordFile string `yaml:"password_file,omitempty"`
	// Command is a program by its absolute path, and its arguments.
	Command []string `yaml:"command,omitempty"`
	// Manual: an admin confirms that the host is off. Alone in its level.
	Manual bool `yaml:"manual,omitempty"`
	// Lease: the host keeps its VMs only while oned says that it is MONITORED (host_isolated in
	// strict mode), so waiting proves that they are gone. It is the lease of that host's
	// host_isolated; 0 when the device is no lease. Alone in its level.
	Lease time.Duration `yaml:"lease,omitempty"`
	// Reaction is the most time that the host takes to stop its VMs once its lease is over, Margin is
	// waited on top of both; 0 for the defaults of package fence. Only with Lease.
	Reaction time.Duration `yaml:"reaction,omitempty"`
	Margin   time.Duration `yaml:"margin,omitempty"`
}

// FenceFor returns the first entry for the host, and whether there is one. A cluster without a name
// matches no entry.
func (f File) FenceFor(hostName, cluster string) (Entry, bool) {
	i := slices.IndexFunc(f.Fence, func(e Entry) bool {
		return slices.ContainsFunc(e.Hosts, func(pattern string) bool {
			ok, err := path.Match(pattern, hostName)
			return ok && err == nil
		}) || cluster != "" && slices.Contains(e.Clusters, cluster)
	})
	if i < 0 {
		return Entry{}, false
	}
	return f.Fence[i], true
}

// The lease of a device is that of host_isolated on the host.
const (
	minLease = 10 * time.Second
	maxLease = time.Hour
)

// readFence reads fence, and refuses entries behind one that takes every host.
func readFence(n node) ([]Entry, error) {
	var catchAll string
	return listOf("a list of entries with hosts or clusters, and levels", reader[Entry](func(item node) (Entry, error) {
		e, err := readEntry(item)
		if err == nil && catchAll != "" {
			err = item.wrong("", "never used: the first entry that matches wins, and %s takes every host", catchAll)
		}
		if slices.Contains(e.Hosts, "*") {
			catchAll = item.key
		}
		return e, err
	}))(n)
}

// readEntry reads one entry of fence.
func readEntry(n node) (Entry, error) {
	var e Entry
	_, err := n.mapping(table{
		as("hosts", &e.Hosts, listOf(`a list of patterns of host names, such as ["node0*"]`, pattern())),
		as("clusters", &e.Clusters, listOf("a list of names of clusters, such as [default]", name("the name of a cluster"))),
		as("timeout", &e.Timeout, times(time.Second, 10*time.Minute)),
		as("attempts", &e.Attempts, numbers(1, 10)),
		as("back_off", &e.BackOff, times(time.Second, 5*time.Minute)),
		as("levels", &e.Levels, reader[[]Level](readLevels)),
	})
	switch {
	case err != nil:
	case e.Hosts == nil && e.Clusters == nil:
		err = n.wrong("hosts, clusters or both", "it is not said for which hosts")
	case e.Levels == nil:
		err = n.wrong("one level or more", "no levels")
	}
	return e, err
}

// readLevels reads the levels of an entry and gives names to those that have none.
func readLevels(n node) ([]Level, error) {
	lines := make(map[string]int)
	number := 0
	return listOf("a list of levels, such as [{devices: [{manual: true}]}]", reader[Level](func(item node) (Level, error) {
		number++
		level := Level{Name: fmt.Sprintf("level-%d", number)}
		_, err := item.mapping(table{
			as("name", &level.Name, levelName()),
			as("devices", &level.Devices, listOf("a list of devices, such as [{manual: true}]", reader[Device](readDevice))),
		})
		switch first, twice := lines[level.Name]; {
		case err != nil:
			return level, err
		case level.Devices == nil:
			return level, item.wrong("one device or more", "no devices")
		case len(level.Devices) > 1 && slices.ContainsFunc(level.Devices, func(d Device) bool { return d.Manual }):
			return level, item.wrong("manual: true alone in its level", "manual beside other devices")
		case len(level.Devices) > 1 && slices.ContainsFunc(level.Devices, func(d Device) bool { return d.Lease > 0 }):
			return level, item.wrong("a lease alone in its level", "lease beside other devices")
		case twice:
			return level, item.wrong("a different name for each level", "the name %q is used in line %d", level.Name, first)
		}
		lines[level.Name] = item.line
		return level, nil
	}))(n)
}

// levelName is the name of a level.
func levelName() form[string] {
	const most = 32
	return words(fmt.Sprintf("1 to %d letters, digits, _ and -", most), "is not a name", func(s string) bool {
		return isWord(s) && len(s) <= most
	})
}

// readDevice reads one device and refuses what contradicts itself.
func readDevice(n node) (Device, error) {
	var d Device
	seen, err := n.mapping(table{
		as("agent", &d.Agent, words("fence_ and letters, digits, _ and -, such as fence_ipmilan", "is not the name of a fence agent", agent.ValidName)),
		as("params", &d.Params, reader[Params](readParams)),
		as("password_file", &d.PasswordFile, reader[string](passwordFile)),
		as("command", &d.Command, program{example: exampleProgram}),
		as("manual", &d.Manual, yesNo()),
		as("lease", &d.Lease, times(minLease, maxLease)),
		as("reaction", &d.Reaction, times(time.Second, time.Hour)),
		as("margin", &d.Margin, times(time.Second, 10*time.Minute)),
	})
	if err != nil {
		return d, err
	}
	found := slices.DeleteFunc([]string{"agent", "command", "manual", "lease"}, func(kind string) bool {
		_, ok := seen[kind]
		return !ok
	})
	const allowed = "one of agent, command, manual and lease"
	switch {
	case len(found) == 0:
		return d, n.wrong(allowed, "it is not said what fences")
	case len(found) > 1:
		return d, contradiction(seen, found[1], found[0], allowed)
	case found[0] == "manual" && !d.Manual:
		return d, seen["manual"].wrong("true, or no such device", "false says nothing")
	}
	for _, only := range []struct{ key, kind string }{
		{"params", "agent"}, {"password_file", "agent"}, {"reaction", "lease"}, {"margin", "lease"},
	} {
		if at, ok := seen[only.key]; ok && found[0] != only.kind {
			return d, at.wrong("only beside "+only.kind, "a device with %s has no use for it", found[0])
		}
	}
	for param := range d.Params {
		if d.PasswordFile != "" && agent.Canonical(param) == "password" {
			return d, seen["password_file"].wrong("one of both", "contradicts params.%s", param)
		}
	}
	return d, nil
}

// passwordFile reads the path of a secret.
func passwordFile(n node) (string, error) {
	s, err := absolute().read(n)
	if err == nil && (strings.Contains(s, "%h") || strings.Contains(s, "%i")) {
		err = n.wrong("an absolute path; an entry for each host where passwords differ", "%%h and %%i are known in params only")
	}
	return s, err
}

// Params are the parameters of a fence agent. When they are printed or written as JSON their secrets
// become ***.
type Params map[string]string

// readParams reads the parameters of an agent. It quotes no value, and only names that cannot be a
// value by mistake.
func readParams(n node) (Params, error) {
	params := make(Params)
	err := n.pairs("a mapping such as {ip: 10.0.0.11, username: admin}", func(name string, value node) error {
		if !agent.ValidParam(name) {
			n.line = value.line
			return n.wrong("a letter, then letters, digits, _ and -; after the colon comes a space", "not the name of a parameter")
		}
		s, err := anyText().read(value)
		if err != nil {
			return err
		}
		if err := agent.Check(name, s); err != nil {
			return value.wrong("", "%v", err)
		}
		switch {
		case agent.Secret(name) && n.doc.exposed != "":
			return value.wrong("password_file, or a secret here after chmod o-rwx,g-w", "a secret in a file that %s", n.doc.exposed)
		case !agent.Secret(name) && badExpansion(s):
			return value.wrong("%h for the host name, %i for the host ID, %% for a percent sign", "an unknown %% in the value")
		}
		params[name] = s
		return nil
	})
	if len(params) == 0 {
		params = nil
	}
	return params, err
}

// badExpansion reports whether a value has a % that is not %h, %i or %%.
func badExpansion(s string) bool {
	return strings.Contains(strings.NewReplacer("%%", "", "%h", "", "%i", "").Replace(s), "%")
}

// Expand returns the parameters with %h replaced by the host name, %i by the host ID and %% by a
// percent sign. Secrets stay as they are. A host name that is not printable is an error: in the
// input of an agent a line break would begin another parameter.
func (p Params) Expand(hostName string, hostID int) (Params, error) {
	if !allPrintable(hostName) {
		return nil, fmt.Errorf("host %d: the name %q has characters that cannot be printed", hostID, hostName)
	}
	replace := strings.NewReplacer("%%", "%", "%h", hostName, "%i", strconv.Itoa(hostID))
	return p.mapped(func(name, value string) string {
		if agent.Secret(name) {
			return value
		}
		return replace.Replace(value)
	}), nil
}

// mapped is p with other values.
func (p Params) mapped(value func(name, value string) string) Params {
	fresh := make(Params, len(p))
	for name, old := range p {
		fresh[name] = value(name, old)
	}
	return fresh
}

// hidden stands for a secret.
const hidden = "***"

// shown is p without its secrets, of another type, which JSON does not ask again.
func (p Params) shown() map[string]string {
	return p.mapped(func(name, value string) string {
		if agent.Secret(name) {
			return hidden
		}
		return value
	})
}

// String is name=value of each parameter, sorted, without secrets.
func (p Params) String() string {
	var words []string
	shown := p.shown()
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		words = append(words, fmt.Sprintf("%s=%q", name, shown[name]))
	}
	return "{" + strings.Join(words, " ") + "}"
}

// GoString is the same for %#v.
func (p Params) GoString() string { return p.String() }

// MarshalJSON gives an object without secrets.
func (p Params) MarshalJSON() ([]byte, error) { return json.Marshal(p.shown()) }
