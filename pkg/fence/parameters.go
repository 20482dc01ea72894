package fence

import (
	"context"
	"encoding/xml"
	"maps"
	"slices"

	"one-ft/pkg/process"
)

// Parameters asks an agent for the names of its parameters, as it compares them: in lower case, with _ for -. It contacts no
// device. They are none where the agent is not there, or gives no metadata.
func Parameters(ctx context.Context, s Settings, agent string) []string {
	s = s.WithDefaults()
	path, p := s.findAgent(agent)
	if p != nil {
		return nil
	}
	var metadata struct {
		XMLName    xml.Name `xml:"resource-agent"`
		Parameters []struct {
			Name string `xml:"name,attr"`
		} `xml:"parameters>parameter"`
	}
	if xml.Unmarshal(s.metadata(ctx, path), &metadata) != nil {
		return nil
	}
	var names []string
	for _, p := range metadata.Parameters {
		names = append(names, plainParam(p.Name))
	}
	return names
}

// Ignored are the parameters of an agent that it does not know, sorted: on standard input it goes on without them
// (findings/fence-parameters-by-stdin.sh). known is what Parameters gives; none tell nothing.
func (d Device) Ignored(known []string) (names []string) {
	if d.Kind != KindAgent || len(known) == 0 {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(d.Params)) {
		if !slices.Contains(known, plainParam(name)) {
			names = append(names, name)
		}
	}
	return names
}

// metadata is what an agent says of itself; nil when it fails.
func (s Settings) metadata(ctx context.Context, path string) []byte {
	r := s.Run(ctx, metadataTime, process.Program{Path: path, Args: []string{"-o", "metadata"}, Dir: "/", Env: agentEnv()})
	if r.Code != 0 || r.Err != nil {
		return nil
	}
	return []byte(r.Output)
}
