package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Params are the parameters of a fence agent. When they are printed or written as
// JSON their secrets become ***.
type Params map[string]string

// hidden stands for a secret.
const hidden = "***"

// Secret reports whether the parameter with this name is a secret: a password, a
// key or a token of any fence agent, but not the path of a script or file that
// gives one.
func Secret(name string) bool {
	name = strings.ToLower(name)
	if strings.HasSuffix(name, "_script") || strings.HasSuffix(name, "_file") {
		return false
	}
	// hexadecimal_kg is of fence_ipmilan, community of the agents for SNMP.
	return slices.ContainsFunc([]string{"passw", "secret", "token", "api_key", "apikey", "community", "hexadecimal_kg"},
		func(part string) bool { return strings.Contains(name, part) })
}

// Expand returns the parameters with %h replaced by the host name, %i by the host ID
// and %% by a percent sign. Secrets are taken as they are. A host name that is not
// printable is an error: in the input of an agent a line break would begin another
// parameter.
func (p Params) Expand(hostName string, hostID int) (Params, error) {
	if !allPrintable(hostName) {
		return nil, fmt.Errorf("host %d: the name %q has characters that cannot be printed", hostID, hostName)
	}
	replace := strings.NewReplacer("%%", "%", "%h", hostName, "%i", strconv.Itoa(hostID))
	expanded := make(Params, len(p))
	for name, value := range p {
		if !Secret(name) {
			value = replace.Replace(value)
		}
		expanded[name] = value
	}
	return expanded, nil
}

// badExpansion reports whether a value has a % that is not %h, %i or %%.
func badExpansion(value string) bool {
	return strings.Contains(strings.NewReplacer("%%", "", "%h", "", "%i", "").Replace(value), "%")
}

// shown is p without its secrets.
func (p Params) shown() map[string]string {
	shown := make(map[string]string, len(p))
	for name, value := range p {
		if Secret(name) {
			value = hidden
		}
		shown[name] = value
	}
	return shown
}

// String is name=value of each parameter, sorted, without secrets.
func (p Params) String() string {
	shown := p.shown()
	words := make([]string, 0, len(shown))
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		words = append(words, fmt.Sprintf("%s=%q", name, shown[name]))
	}
	return "{" + strings.Join(words, " ") + "}"
}

// GoString is the same for %#v.
func (p Params) GoString() string { return p.String() }

// MarshalJSON gives an object without secrets.
func (p Params) MarshalJSON() ([]byte, error) { return json.Marshal(p.shown()) }

// allPrintable reports whether s has no control characters, line breaks, direction
// marks and the like.
func allPrintable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
