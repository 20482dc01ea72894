package fence

import (
	"path/filepath"
	"slices"
	"strings"
)

// need is a program that an agent runs, and that its package does not bring along.
type need struct {
	param   string // that names another path
	program string // in one of the directories of agentPath
	pack    string // of Debian and Ubuntu
}

// needs are the programs that an agent runs. fence-agents 4.12.1 of Debian depends on none of them and recommends snmp alone
// (findings/fence-agents-without-ipmitool.sh). Agents that can use telnet and ssh use telnet unless they are told ssh.
func (d Device) needs() []need {
	is := func(names string) bool {
		return slices.Contains(strings.Fields(names), strings.TrimPrefix(d.Agent, "fence_"))
	}
	switch {
	case is("idrac ilo3 ilo4 ilo5 imm ipmilan ipmilanplus"):
		return []need{{"ipmitool_path", "ipmitool", "ipmitool"}}
	case is("apc_snmp eaton_snmp emerson ibmblade intelmodular ipdu lindypdu tripplite_snmp"):
		return []need{{"snmpget_path", "snmpget", "snmp"}, {"snmpset_path", "snmpset", "snmp"}, {"snmpwalk_path", "snmpwalk", "snmp"}}
	case is("ilo ilo2"):
		return []need{{"gnutlscli_path", "gnutls-cli", "gnutls-bin"}}
	case is("amt"):
		return []need{{"amttool_path", "amttool", "amtterm"}}
	case is("powerman"):
		return []need{{"powerman_path", "powerman", "powerman"}}
	case is("drac netio raritan"), is("apc bladecenter brocade cdu drac5 hds_cb hpblade ilo3_ssh ilo4_ssh ilo5_ssh ilo_mp ilo_ssh "+
		"raritan_px3 rsa rsb wti") && !d.on("ssh") && !d.on("secure"):
		return []need{{"telnet_path", "telnet", "telnet"}}
	}
	return nil
}

// on reports whether a switch of an agent is on.
func (d Device) on(param string) bool {
	return slices.Contains(onWords(), strings.ToLower(d.param(param)))
}

// lacks is a program that an agent of the system runs, and that is not there: none of its calls can work. Agents of a site's
// own that have the name of another one may do something else.
func (d *device) lacks() *Problem {
	if !slices.Contains(systemDirs(), filepath.Dir(d.path)) {
		return nil
	}
	for _, n := range d.needs() {
		paths := []string{d.param(n.param)}
		if paths[0] == "" {
			paths = nil
			for _, dir := range filepath.SplitList(agentPath) {
				paths = append(paths, filepath.Join(dir, n.program))
			}
		}
		if !slices.ContainsFunc(paths, func(path string) bool { return runnable(path, nil) == nil }) {
			return problem(NotInstalled, ErrNotInstalled, "%s runs %s, which is not installed (package %s)", d.Agent, n.program, n.pack)
		}
	}
	return nil
}

// systemDirs are where packages put agents.
func systemDirs() []string { return []string{"/usr/sbin", "/sbin", "/usr/bin"} }
