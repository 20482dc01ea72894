package fence

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What an agent runs depends on the agent and on ssh; a program that is not there is named with its package, without a call.
func TestNeeds(t *testing.T) {
	dir := t.TempDir()
	there, missing := filepath.Join(dir, "there"), filepath.Join(dir, "missing")
	if err := os.WriteFile(there, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"fence_ipmilan ipmitool_path=missing":                                        "fence_ipmilan runs ipmitool, which is not installed (package ipmitool)",
		"fence_ipmilan ipmitool-path=missing":                                        "package ipmitool",
		"fence_ipmilan ipmitool_path=there":                                          "",
		"fence_ilo5 ipmitool_path=missing":                                           "package ipmitool",
		"fence_apc_snmp snmpget_path=there snmpset_path=missing snmpwalk_path=there": "runs snmpset, which is not installed (package snmp)",
		"fence_apc_snmp snmpget_path=there snmpset_path=there snmpwalk_path=there":   "",
		"fence_ilo2 gnutlscli_path=missing":                                          "package gnutls-bin",
		"fence_amt amttool_path=missing":                                             "package amtterm",
		"fence_powerman powerman_path=missing":                                       "package powerman",
		"fence_apc telnet_path=missing":                                              "package telnet",
		"fence_apc telnet_path=missing ssh=1":                                        "",
		"fence_apc telnet_path=missing ssh=0":                                        "package telnet",
		"fence_wti telnet_path=missing secure=yes":                                   "",
		"fence_netio telnet_path=missing":                                            "package telnet",
		"fence_virsh telnet_path=missing":                                            "",
		"fence_redfish ipmitool_path=missing":                                        "",
	} {
		words := strings.Fields(text)
		d := &device{Device: Device{Kind: KindAgent, Agent: words[0], Params: map[string]string{}}, path: "/usr/sbin/" + words[0]}
		for _, word := range words[1:] {
			name, value, _ := strings.Cut(word, "=")
			d.Params[name] = strings.NewReplacer("missing", missing, "there", there).Replace(value)
		}
		got := ""
		if p := d.lacks(); p != nil {
			got = p.Detail
			if p.Kind != NotInstalled {
				t.Errorf("%s: %s", text, p.Kind)
			}
		}
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
		d.path = "/opt/site/" + words[0]
		if p := d.lacks(); p != nil {
			t.Errorf("%s: an agent of a site's own: %v", text, p)
		}
	}
}
