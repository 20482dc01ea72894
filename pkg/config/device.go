package config

import (
	"strings"
	"time"
)

// parseDevice reads one device and refuses what contradicts itself.
func parseDevice(p place) (Device, error) {
	var d Device
	seen, err := p.mapping(fields{
		"agent":         store(&d.Agent, agent),
		"params":        store(&d.Params, parseParams),
		"password_file": store(&d.PasswordFile, passwordFile),
		"command":       store(&d.Command, argv(exampleProgram)),
		"manual":        store(&d.Manual, yesNo),
		"lease":         store(&d.Lease, times(minLease, maxLease)),
		"reaction":      store(&d.Reaction, times(time.Second, maxReaction)),
		"margin":        store(&d.Margin, times(time.Second, maxMargin)),
	})
	if err != nil {
		return d, err
	}
	var found []string
	for _, kind := range []string{"agent", "command", "manual", "lease"} {
		if _, ok := seen[kind]; ok {
			found = append(found, kind)
		}
	}
	const allowed = "one of agent, command, manual and lease"
	switch {
	case len(found) == 0:
		return d, p.wrong(allowed, "it is not said what fences")
	case len(found) > 1:
		return d, contradiction(seen, found[1], found[0], allowed)
	case found[0] == "manual" && !d.Manual:
		return d, seen["manual"].wrong("true, or no such device", "false says nothing")
	}
	return d, besides(seen, d, found[0])
}

// besides refuses keys that a device of this kind has no use for, and two passwords.
func besides(seen map[string]place, d Device, kind string) error {
	for _, only := range []struct{ key, kind string }{
		{"params", "agent"}, {"password_file", "agent"}, {"reaction", "lease"}, {"margin", "lease"},
	} {
		if at, ok := seen[only.key]; ok && kind != only.kind {
			return at.wrong("only beside "+only.kind, "a device with %s has no use for it", kind)
		}
	}
	for _, key := range []string{"password", "passwd"} {
		if _, ok := d.Params[key]; ok && d.PasswordFile != "" {
			return seen["password_file"].wrong("one of both", "contradicts params.%s", key)
		}
	}
	return nil
}

// agent reads the name of a fence agent.
func agent(p place) (string, error) {
	const allowed = "fence_ and letters, digits, _ and -, such as fence_ipmilan"
	text, err := p.scalar(allowed)
	rest, found := strings.CutPrefix(text, "fence_")
	if err == nil && (!found || !isWord(rest)) {
		err = p.wrong(allowed, "%q is not the name of a fence agent", shortened(text))
	}
	return text, err
}

// passwordFile reads the path of a secret.
func passwordFile(p place) (string, error) {
	text, err := absolute()(p)
	if err == nil && (strings.Contains(text, "%h") || strings.Contains(text, "%i")) {
		err = p.wrong("an absolute path; an entry for each host where passwords differ", "%%h and %%i are known in params only")
	}
	return text, err
}

// parseParams reads the parameters of an agent. It quotes no value, and only names
// that cannot be a value by mistake.
func parseParams(p place) (Params, error) {
	params := make(Params)
	err := p.pairs("a mapping such as {ip: 10.0.0.11, username: admin}", func(name string, value place) error {
		const names = "a letter, then letters, digits, _ and -; after the colon comes a space"
		if !isWord(name) || strings.ContainsAny(name[:1], "0123456789_-") {
			p.line = value.line
			return p.wrong(names, "not the name of a parameter")
		}
		if why := refusedParam(name); why != "" {
			return value.wrong("", "%s", why)
		}
		text, err := value.scalar("a text")
		switch {
		case err != nil:
			return err
		case strings.TrimSpace(text) != text:
			return value.wrong("", "begins or ends with a space, which agents remove")
		case len(text) > 1 && strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`):
			return value.wrong("", "has quotes in its quotes, which agents remove")
		case Secret(name) && p.doc.exposed != "":
			return value.wrong("password_file, or a secret here after chmod o-rwx,g-w", "a secret in a file that %s", p.doc.exposed)
		case !Secret(name) && badExpansion(text):
			return value.wrong("%h for the host name, %i for the host ID, %% for a percent sign", "an unknown %% in the value")
		}
		params[name] = text
		return nil
	})
	if len(params) == 0 {
		params = nil
	}
	return params, err
}

// refusedParam says why a parameter is never given to an agent; "" if it may be.
func refusedParam(name string) string {
	switch strings.ReplaceAll(strings.ToLower(name), "-", "_") {
	case "action", "option":
		return "one-ft itself tells the agent what to do"
	case "help", "version", "usage":
		return "it makes the agent do nothing"
	case "missing_as_off":
		return "a mistyped plug would count as a host that is off"
	case "password_file":
		return "it belongs beside params, not into them"
	}
	return ""
}
