package fence

import (
	"errors"
	"slices"
	"strings"

	"one-ft/pkg/text"
)

// There is one set of rules about agents and their parameters for host templates and the configuration.
var (
	agentName = text.Pattern(`^fence_[A-Za-z0-9_-]+$`)
	paramName = text.Pattern(`^[A-Za-z][A-Za-z0-9_-]*$`)
)

// ValidAgent reports whether name can be that of an agent; paths and other programs cannot.
func ValidAgent(name string) bool { return agentName().MatchString(name) }

// ValidParam reports whether name can be that of a parameter.
func ValidParam(name string) bool { return paramName().MatchString(name) }

// CanonicalParam is the present name of a parameter that has an outdated one, too.
func CanonicalParam(param string) string {
	switch param = strings.ToLower(param); param {
	case "user", "login":
		return "username"
	case "ipaddr":
		return "ip"
	case "passwd":
		return "password"
	}
	return param
}

// SecretParam reports whether a parameter is a secret, by its name: a password, a key or a token, but not the path of a
// file or script that has it. hexadecimal_kg is of fence_ipmilan, community of the agents for SNMP.
func SecretParam(param string) bool {
	param = strings.ToLower(param)
	if strings.Contains(param, "_file") || strings.HasSuffix(param, "_script") || strings.HasSuffix(param, "_path") {
		return false
	}
	return slices.ContainsFunc([]string{"pass", "secret", "token", "key", "cred", "community", "hexadecimal_kg"},
		func(part string) bool { return strings.Contains(param, part) })
}

// runsPrograms reports whether a parameter makes an agent run a program or write a file on the
// front-end. It knows those of fence-agents 4.12.1; api_path is a part of a URL.
func runsPrograms(param string) bool {
	param = strings.ReplaceAll(param, "-", "_")
	switch param {
	case "ssh_options", "debug", "debug_file", "logfile", "exec", "cookie_file", "openrc", "kubeconfig":
		return true
	}
	return param != "api_path" && (strings.HasSuffix(param, "_path") || strings.HasSuffix(param, "_script"))
}

// CheckParam says why a parameter cannot be passed to an agent; the error has no part of the value. Agents
// read lines, and remove spaces and quotes around a value.
func CheckParam(param, value string) error {
	name := plainParam(param)
	switch name {
	case "action", "option":
		return errors.New("it is set by one-ft")
	case "help", "version", "usage":
		return errors.New("it makes the agent do nothing")
	case "missing_as_off":
		return errors.New("a mistyped plug would count as a host that is off")
	case "network_fencing":
		return errors.New("it cuts off the network of the host, which goes on running its VMs; take it out, so that the power is switched")
	case "delay":
		return errors.New("it only takes time from each attempt, and no two front-ends fence each other; take it out")
	case "password_file":
		return errors.New("it belongs beside params, not into them")
	}
	switch {
	case strings.ContainsAny(value, "\n\r\x00\v\f\u0085\u2028\u2029"):
		return errors.New("it has more than one line")
	case strings.TrimSpace(value) != value:
		return errors.New("it begins or ends with a space, which agents remove")
	case len(value) > 1 && strings.HasPrefix(value, `"`) && strings.HasSuffix(value, `"`):
		return errors.New("it is in quotes, which agents remove")
	case isSwitch(name) && !slices.Contains(onWords(), strings.ToLower(value)) && !slices.Contains(offWords(), strings.ToLower(value)):
		return errors.New("allowed are 1 and 0; agents ignore other words")
	}
	return nil
}

// plainParam is a parameter as agents compare it: in lower case, with _ for -.
func plainParam(param string) string { return strings.ReplaceAll(strings.ToLower(param), "-", "_") }

// isSwitch reports whether agents take a parameter for a switch without a value: those with type="boolean" in the metadata
// of the 84 agents of fence-agents 4.12.1. No agent has one of these names for something else.
func isSwitch(param string) bool {
	return slices.Contains([]string{
		"aptpl", "baremetalsolution", "disable_http_filter", "disable_ssl", "earlyexit", "force", "graceful", "inet4_only", "inet6_only",
		"insecure", "instance_filtering", "lanplus", "load_on_activate", "msi", "no_shared_storage", "notls", "port_as_ip", "pve_node_auto",
		"quiet", "readonly", "secure", "ssh", "ssl", "ssl_insecure", "ssl_secure", "stackdriver_logging", "sudo", "suppress_errors",
		"tls1.0", "use_cookies", "use_sudo", "verbose",
	}, param)
}

// onWords and offWords are the values of a switch that agents know (_parse_input_stdin in fencing.py); upper and lower case
// are alike.
func onWords() []string  { return []string{"1", "yes", "on", "true"} }
func offWords() []string { return []string{"0", "no", "off", "false"} }

// leftOut reports whether a parameter is a switch that is off and must not be passed: nearly all agents of 4.12 and later
// only see that it is there, so that 0 turns it on. lanplus and verbose are read (fence_ilo3 and others have lanplus
// on by default), and so is ssl by fence_zvmip. The agents before 4.12 ignore an off, too.
func leftOut(agent, param, value string) bool {
	switch param = plainParam(param); {
	case !isSwitch(param), param == "lanplus", param == "verbose", param == "ssl" && agent == "fence_zvmip":
		return false
	}
	return slices.Contains(offWords(), strings.ToLower(value))
}
