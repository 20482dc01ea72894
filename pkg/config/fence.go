package config

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/fence"
)

// Entry says how some hosts are fenced.
type Entry struct {
	// Hosts are shell patterns of host names as path.Match knows them: *, ?, [a-z]. Upper and lower
	// case differ.
	Hosts []string
	// Clusters are names of clusters. The entry is for a host when one of Hosts or one of Clusters
	// matches; at least one of both is set.
	Clusters []string
	// Settings has the Levels, at least one, and the Timeout, Attempts and Backoff that are set.
	fence.Settings
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

// LevelsFor returns the levels with %h in the parameters of agents replaced by the host name, %i by the
// host ID and %% by a percent sign. Secrets stay as they are. A host name that is not printable is
// an error: in the input of an agent a line break would begin another parameter.
func (e Entry) LevelsFor(hostName string, hostID int) ([]fence.Level, error) {
	if !allPrintable(hostName) {
		return nil, fmt.Errorf("host %d: the name %q has characters that cannot be printed", hostID, hostName)
	}
	replace := strings.NewReplacer("%%", "%", "%h", hostName, "%i", strconv.Itoa(hostID))
	levels := slices.Clone(e.Levels)
	for i := range levels {
		levels[i].Devices = slices.Clone(levels[i].Devices)
		for j, d := range levels[i].Devices {
			d.Params = maps.Clone(d.Params)
			for name, value := range d.Params {
				if !fence.SecretParam(name) {
					d.Params[name] = replace.Replace(value)
				}
			}
			levels[i].Devices[j] = d
		}
	}
	return levels, nil
}

// badExpansion reports whether a value has a % that is not %h, %i or %%.
func badExpansion(s string) bool {
	return strings.Contains(strings.NewReplacer("%%", "", "%h", "", "%i", "").Replace(s), "%")
}

// readFence reads fence, and refuses entries behind one that takes every host.
func readFence(n node) ([]Entry, error) {
	var catchAll string
	return listOf("a list of entries with hosts or clusters, and levels", from(func(item node) (Entry, error) {
		e, err := readEntry(item)
		if err == nil && catchAll != "" {
			err = item.wrong("", "never used: the first entry that matches wins, and %s takes every host", catchAll)
		}
		if slices.Contains(e.Hosts, "*") {
			catchAll = item.key
		}
		return e, err
	})).read(n)
}

func readEntry(n node) (Entry, error) {
	var e Entry
	_, err := n.mapping(table{
		as("hosts", &e.Hosts, listOf(`a list of patterns of host names, such as ["node0*"]`, pattern())),
		as("clusters", &e.Clusters, listOf("a list of names of clusters, such as [default]", name("the name of a cluster"))),
		as("timeout", &e.Timeout, times(time.Second, 10*time.Minute)),
		as("attempts", &e.Attempts, numbers(1, 10)),
		as("back_off", &e.Backoff, times(time.Second, 5*time.Minute)),
		as("levels", &e.Levels, from(readLevels)),
	})
	switch {
	case err != nil:
	case e.Hosts == nil && e.Clusters == nil:
		err = n.wrong("hosts, clusters or both", "no hosts or clusters")
	case e.Levels == nil:
		err = n.wrong("one level or more", "no levels")
	}
	return e, err
}

// readLevels reads the levels of an entry and gives names to those that have none: level-1, level-2, ...
func readLevels(n node) ([]fence.Level, error) {
	lines := make(map[string]int)
	number := 0
	return listOf("a list of levels, such as [{devices: [{manual: true}]}]", from(func(item node) (fence.Level, error) {
		number++
		level := fence.Level{Name: fmt.Sprintf("level-%d", number)}
		_, err := item.mapping(table{
			as("name", &level.Name, levelName()),
			as("devices", &level.Devices, listOf("a list of devices, such as [{manual: true}]", from(readDevice))),
		})
		has := func(kind fence.Kind) bool {
			return slices.ContainsFunc(level.Devices, func(d fence.Device) bool { return d.Kind == kind })
		}
		switch first, twice := lines[level.Name]; {
		case err != nil:
			return level, err
		case level.Devices == nil:
			return level, item.wrong("one device or more", "no devices")
		case len(level.Devices) > 1 && has(fence.KindManual):
			return level, item.wrong("manual: true alone in its level", "manual beside other devices")
		case len(level.Devices) > 1 && has(fence.KindLease):
			return level, item.wrong("a lease alone in its level", "lease beside other devices")
		case twice:
			return level, item.wrong("a different name for each level", "the name %q is used in line %d", level.Name, first)
		}
		lines[level.Name] = item.line
		return level, nil
	})).read(n)
}

func levelName() kind[string] {
	const most = 32
	return words(fmt.Sprintf("1 to %d letters, digits, _ and -", most), "is not a name", func(s string) bool {
		return isWord(s) && len(s) <= most
	})
}

// readDevice reads one device and refuses what contradicts itself. Its kinds are named like their keys.
func readDevice(n node) (fence.Device, error) {
	var d fence.Device
	var manual bool
	seen, err := n.mapping(table{
		as("agent", &d.Agent, words("fence_ and letters, digits, _ and -, such as fence_ipmilan", "is not the name of a fence agent", fence.ValidAgent)),
		as("params", &d.Params, from(readParams)),
		as("password_file", &d.SecretFile, from(passwordFile)),
		as("command", &d.Command, program(exampleProgram)),
		as("manual", &manual, yesNo()),
		as("lease", &d.Lease.Length, times(fence.MinLease, fence.MaxLease)),
		as("reaction", &d.Lease.Reaction, times(time.Second, time.Hour)),
		as("margin", &d.Lease.Margin, times(time.Second, 10*time.Minute)),
	})
	if err != nil {
		return d, err
	}
	kinds := slices.DeleteFunc([]string{"agent", "command", "manual", "lease"}, func(kind string) bool {
		_, ok := seen[kind]
		return !ok
	})
	const allowed = "one of agent, command, manual and lease"
	switch {
	case len(kinds) == 0:
		return d, n.wrong(allowed, "nothing to fence with")
	case len(kinds) > 1:
		return d, contradiction(seen, kinds[1], kinds[0], allowed)
	case kinds[0] == "manual" && !manual:
		return d, seen["manual"].wrong("true, or no such device", "false has no effect")
	}
	d.Kind = fence.Kind(kinds[0])
	for _, only := range [][2]string{{"params", "agent"}, {"password_file", "agent"}, {"reaction", "lease"}, {"margin", "lease"}} {
		if at, ok := seen[only[0]]; ok && kinds[0] != only[1] {
			return d, at.wrong("only beside "+only[1], "a device with %s has no use for it", kinds[0])
		}
	}
	for param := range d.Params {
		if d.SecretFile != "" && fence.CanonicalParam(param) == "password" {
			return d, seen["password_file"].wrong("one of both", "contradicts params.%s", param)
		}
	}
	return d, nil
}

func passwordFile(n node) (string, error) {
	s, err := absolute().read(n)
	if err == nil && (strings.Contains(s, "%h") || strings.Contains(s, "%i")) {
		err = n.wrong("an absolute path; an entry for each host where passwords differ", "%%h and %%i are known in params only")
	}
	return s, err
}

// notParam is said of what stands where the name of a parameter has to be. It may be a value by mistake, and is not quoted.
const notParam = "not the name of a parameter"

// CheckParam says what is wrong with a parameter of an agent, as it stands in params; nil for nothing. The *Error has no
// place, and no part of the value.
func CheckParam(name, value string) error {
	if !fence.ValidParam(name) {
		return refuse("a letter, then letters, digits, _ and -", notParam)
	}
	if !allPrintable(value) {
		return refuse("", unprintable)
	}
	if err := fence.CheckParam(name, value); err != nil {
		return refuse("", "%v", err)
	}
	if !fence.SecretParam(name) && badExpansion(value) {
		return refuse("%h for the host name, %i for the host ID, %% for a percent sign", "an unknown %% in the value")
	}
	return nil
}

// readParams reads the parameters of an agent. It quotes no value, and only names that cannot be a
// value by mistake.
func readParams(n node) (map[string]string, error) {
	var params map[string]string
	err := n.pairs("a mapping such as {ip: 10.0.0.11, username: admin}", func(name string, value node) error {
		if !fence.ValidParam(name) {
			n.line = value.line
			return n.wrong("a letter, then letters, digits, _ and -; after the colon comes a space", notParam)
		}
		s, err := anyText().read(value)
		if err != nil {
			return err
		}
		if err := CheckParam(name, s); err != nil {
			return value.refused(err)
		}
		if fence.SecretParam(name) && n.doc.exposed != "" {
			return value.wrong("password_file, or a secret here after chmod o-rwx,g-w", "a secret in a file that %s", n.doc.exposed)
		}
		if params == nil {
			params = map[string]string{}
		}
		params[name] = s
		return nil
	})
	return params, err
}
