package fence

import (
	"context"
	"encoding/xml"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// agentSBD writes a poison pill into a slot on a shared disk; its status is that slot, not the machine (sbd.go).
const agentSBD = "fence_sbd"

// Why the word of an agent is no proof, whatever it says.
const (
	cutsStorage = "it cuts off the storage of the host, which goes on running its VMs"
	cutsNetwork = "it cuts off the network of the host, which goes on running its VMs"
	isNoDevice  = "it switches nothing off"
	hasNoStatus = "it cannot say whether the host is off"
	hasNoOff    = "it cannot switch the host off"
	offAnyway   = "it says off also for a guest on a node that it cannot reach"
)

// unfit is why an agent is refused by its name; "" for others. Read in the sources and the metadata of the 84 agents of
// fence-agents 4.12.1, and in 4.17 for those that came later; fence_ack_manual, fence_watchdog and fence_pcmk are helpers
// of clusters. fence_evacuate and fence_crosslink claim to have everything that an agent of a power switch has. fence_skalar
// calls NODE_OFFLINE, ERROR and STARTING off.
func unfit(agent string) string {
	switch agent {
	case "fence_scsi", "fence_mpath", "fence_brocade", "fence_cisco_mds", "fence_sanbox2", "fence_vixel", "fence_mcdata", "fence_gnbd":
		return cutsStorage
	case "fence_ifmib", "fence_aws_vpc_net":
		return cutsNetwork
	case "fence_compute", "fence_evacuate", "fence_kdump", "fence_heuristics_ping", "fence_crosslink", "fence_watchdog", "fence_pcmk",
		"fence_ack_manual", "fence_manual", "fence_node", "fence_tool", "fence_virtd", "fence_dummy", "fence_na":
		return isNoDevice
	case "fence_ovh":
		return hasNoStatus
	case "fence_rcd_serial":
		return hasNoOff
	case "fence_skalar":
		return offAnyway
	}
	return ""
}

// powerAgents switch the power of a machine or of a virtual one, have off and status, and need not be asked for their
// metadata: those of fence-agents 4.12.1 and fence-virt, run one by one, without those that unfit names.
func powerAgents() []string {
	all := strings.Fields("" +
		"alom aliyun amt apc apc_snmp aws azure_arm bladecenter cdu cisco_ucs cyberpower_ssh docker drac drac5 eaton_snmp " +
		"ecloud emerson eps gce hds_cb hpblade ibm_powervs ibm_vpc ibmblade ibmz idrac ilo ilo2 ilo3 ilo3_ssh ilo4 ilo4_ssh " +
		"ilo5 ilo5_ssh ilo_moonshot ilo_mp ilo_ssh imm intelmodular ipdu ipmilan ipmilanplus ironic kubevirt ldom lindypdu " +
		"lpar netio openstack powerman pve raritan raritan_px3 redfish rhevm rsa rsb tripplite_snmp vbox virsh virt " +
		"vmware vmware_rest vmware_soap vmware_vcloud wti xenapi xvm zvmip sbd")
	for i := range all {
		all[i] = "fence_" + all[i]
	}
	return all
}

// powerWait is how long an agent waits by its own default between an off and its next question; seconds, from the metadata
// of 4.12.1.
func powerWait(agent string) time.Duration {
	seconds := map[string]time.Duration{
		"fence_bladecenter": 10, "fence_eaton_snmp": 2, "fence_emerson": 5, "fence_hds_cb": 5, "fence_ibm_powervs": 1, "fence_ibm_vpc": 1,
		"fence_idrac": 2, "fence_ilo3": 4, "fence_ilo3_ssh": 5, "fence_ilo4": 2, "fence_ilo4_ssh": 5, "fence_ilo5": 2, "fence_ilo5_ssh": 5,
		"fence_ilo_mp": 5, "fence_ilo_ssh": 5, "fence_imm": 2, "fence_ipmilan": 2, "fence_ipmilanplus": 2, "fence_powerman": 3,
		"fence_rhevm": 1, "fence_vmware_rest": 1, "fence_vmware_vcloud": 1,
	}
	return seconds[agent] * time.Second
}

// refused is the Problem of an agent whose word is no proof.
func refused(agent, why string) *Problem {
	return problem(NoProof, nil, "%s is no proof that the host is off: %s; use an agent that switches its power, such as fence_ipmilan", agent, why)
}

// metadataTime bounds asking an agent for its metadata, which is the start of a Python program (0.1 to 0.5 s) on a machine
// that may have much else to do.
const metadataTime = 10 * time.Second

// judge asks an agent that is not known by its name for its metadata, and refuses one that has no off, no status, or cuts
// off something other than power. One that gives no metadata is judged by what it does: off, and a status that says off.
func (s Settings) judge(ctx context.Context, path string) *Problem {
	name := filepath.Base(path)
	if slices.Contains(powerAgents(), name) {
		return nil
	}
	if why := lacking(s.metadata(ctx, path)); why != "" {
		return refused(name, why)
	}
	return nil
}

// lacking is what keeps an agent from proving a host off, by its metadata; "" for nothing, and for what is no metadata. An
// agent that has to run on the node, or that the cluster has to undo, cuts off storage or a network (fabric fencing:
// all_opt and metadata() in fencing.py).
func lacking(metadata []byte) string {
	var agent struct {
		XMLName xml.Name `xml:"resource-agent"`
		Actions []struct {
			Name      string `xml:"name,attr"`
			Automatic string `xml:"automatic,attr"`
			OnTarget  string `xml:"on_target,attr"`
		} `xml:"actions>action"`
	}
	if xml.Unmarshal(metadata, &agent) != nil {
		return ""
	}
	has := map[string]bool{}
	for _, a := range agent.Actions {
		if has[a.Name] = true; a.Name == actionOn && (a.Automatic == "1" || a.OnTarget == "1") {
			return "it cuts off storage or a network, not power"
		}
	}
	switch {
	case !has[actionOff]:
		return hasNoOff
	case !has[actionStatus]:
		return hasNoStatus
	}
	return ""
}
