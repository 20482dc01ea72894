package fence

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"one-ft/pkg/text"
)

// Describe lists what would be fenced with, a line for each device, for dry runs. It shows only harmless parameters.
func Describe(levels []Level) []string {
	var lines []string
	for i, level := range levels {
		for _, d := range level.Devices {
			lines = append(lines, levelName(i+1, level.Name)+": "+d.describe())
		}
	}
	return lines
}

func (d Device) describe() string {
	line := d.String()
	switch l := d.Lease.WithDefaults(); {
	case d.Kind == KindCommand && len(d.Command) > 1:
		return fmt.Sprintf("%s with %d arguments", line, len(d.Command)-1)
	case d.Kind == KindLease:
		return fmt.Sprintf("%s, waited for %s (reaction %s, margin %s)", line, l.Wait(), l.Reaction, l.Margin)
	}
	var params []string
	for _, name := range slices.Sorted(maps.Keys(d.Params)) {
		value := d.Params[name]
		if !harmless(name) {
			value = maskText
		}
		params = append(params, name+"="+value)
	}
	if d.SecretFile != "" {
		params = append(params, "password from "+d.SecretFile)
	}
	if len(params) > 0 {
		line += " (" + strings.Join(params, ", ") + ")"
	}
	return newMasker([]Device{d}).maskLong(text.Printable(line))
}

// harmless reports whether the value of a parameter may be shown.
func harmless(name string) bool {
	return slices.Contains([]string{
		"ip", "ipport", "username", "plug", "lanplus", "cipher", "method", "auth", "privlvl",
		"power_wait", "power_timeout", "login_timeout", "shell_timeout", "ipmitool_timeout", "retry_on", "delay",
		"ssl", "ssl_secure", "ssl_insecure", "notls", "ssh", "secure", "sudo", "inet4_only", "inet6_only",
		"region", "zone", "project", "switch", "identity_file", "systems_uri", "redfish_uri", "type", "status_file",
	}, name)
}
