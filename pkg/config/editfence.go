package config

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"one-ft/pkg/fence"
)

const fenceKey = "fence"

// HostAgent is an agent that fences one host.
type HostAgent struct {
	Host  string // its name
	Agent string // such as fence_ipmilan
	// Params are for the agent, as in a one-ft.yaml: %h is the host name, %i its ID, %% a percent sign. None is a secret.
	Params map[string]string
	// SecretFile has the password, by its absolute path; "" for none.
	SecretFile string
}

// device is how the agent is read out of a one-ft.yaml.
func (a HostAgent) device() fence.Device {
	return fence.Device{Kind: fence.KindAgent, Agent: a.Agent, Params: a.Params, SecretFile: a.SecretFile}
}

// lines are the entry in fence of a one-ft.yaml.
func (a HostAgent) lines() []string {
	var params []string
	for _, name := range slices.Sorted(maps.Keys(a.Params)) {
		params = append(params, name+": "+strconv.Quote(a.Params[name]))
	}
	lines := []string{
		"- hosts: [" + strconv.Quote(escaped(a.Host)) + "]",
		"  levels:",
		"    - devices:",
		"        - agent: " + a.Agent,
		"          params: {" + strings.Join(params, ", ") + "}",
	}
	if a.SecretFile != "" {
		lines = append(lines, "          password_file: "+strconv.Quote(a.SecretFile))
	}
	return lines
}

// escaped is a pattern that only this name matches.
func escaped(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
}

// AgentLines are the lines of a one-ft.yaml that fence these hosts, for an admin who writes them.
func AgentLines(hosts []HostAgent) []string {
	lines := []string{fenceKey + ":"}
	for _, a := range hosts {
		for _, line := range a.lines() {
			lines = append(lines, "  "+line)
		}
	}
	return lines
}

// WithAgents is the text of a one-ft.yaml with an entry in fence for each of these hosts, which no entry is for until now. Every
// other byte stays: comments, order, blanks, line ends. They come behind the entries that are there; where there are none the key
// comes behind its commented example, at the end, or before the first key, whichever leaves all other settings
// unchanged. An *Error means that the text is no valid one-ft.yaml, ErrByHand that none of these places does.
func WithAgents(text []byte, hosts []HostAgent) ([]byte, error) {
	before, err := parse(Name, text, othersNone)
	if err != nil {
		return nil, err
	}
	if len(hosts) == 0 {
		return text, nil
	}
	for _, fresh := range agentCandidates(text, hosts) {
		after, err := parse(Name, fresh, othersNone)
		if err == nil && reflect.DeepEqual(after.Values(), before.Values()) && after.adds(before, hosts) {
			return fresh, nil
		}
	}
	return nil, fmt.Errorf("%w: %s", ErrByHand, fenceKey)
}

// adds reports whether a file fences what another one does, and each of these hosts by an entry of its own.
func (f File) adds(other File, hosts []HostAgent) bool {
	if len(f.Fence) != len(other.Fence)+len(hosts) {
		return false
	}
	isFresh := func(e Entry) bool {
		return slices.ContainsFunc(hosts, func(a HostAgent) bool {
			return slices.Equal(e.Hosts, []string{escaped(a.Host)}) && reflect.DeepEqual(e.Levels, []fence.Level{{Name: "level-1", Devices: []fence.Device{a.device()}}})
		})
	}
	rest := slices.DeleteFunc(slices.Clone(f.Fence), isFresh)
	return len(rest) == len(other.Fence) && (len(rest) == 0 || reflect.DeepEqual(rest, other.Fence))
}

// agentCandidates are texts that may have the entries, the best first. The caller checks them.
func agentCandidates(text []byte, hosts []HostAgent) [][]byte {
	d, err := draftOf(text)
	if err != nil {
		return nil
	}
	_, list := d.setting(fenceKey)
	if list == nil {
		paragraph := func(first int) int { // the example goes on in the lines behind it
			if n := slices.IndexFunc(d.lines[first:], func(l []byte) bool { return !bytes.HasPrefix(l, []byte("#")) }); n > 0 {
				return n
			}
			return len(d.lines) - first
		}
		return d.added(fenceKey, strings.Join(AgentLines(hosts), "\n"), paragraph)
	}
	if list.Style&yaml.FlowStyle != 0 {
		return nil
	}
	indent := strings.Repeat(" ", list.Column-1)
	var block strings.Builder
	for _, a := range hosts {
		for _, line := range a.lines() {
			block.WriteString(indent + line + d.end)
		}
	}
	last := lastLine(list)
	first := block.String()
	if last >= len(d.lines) && len(d.lines[len(d.lines)-1]) > 0 { // it has no line break
		first = d.end + first
	}
	return [][]byte{inserted(d.lines, last, first), inserted(d.lines, list.Line-1, block.String())}
}

// lastLine is the line in which the last value below a node begins.
func lastLine(n *yaml.Node) int {
	last := n.Line
	for _, child := range n.Content {
		last = max(last, lastLine(child))
	}
	return last
}
