#!/usr/bin/env bash
# fence_apc_snmp of fence-agents 4.12.1 with net-snmp 5.9.3 (Debian 12): of "plug=1,2" only outlet 1 is switched, and the
# agent ends with success and says that both are off.
#
# Agents take several plugs, separated by commas, and fencing.py asks for each of them. Those for SNMP look the number of
# the outlet up once, keep it in a variable of the whole program, and use it for all that follow. So a machine with two
# power supplies runs on with the second, and "off" ends with 0 and "status" with 2. fence_tripplite_snmp, fence_ipdu,
# fence_eaton_snmp and, with the UUID of a guest, fence_vmware_soap are written alike. fence_apc, which logs in, does both.
#
# one-ft gives each plug of these agents a device of its own, all of which have to be off at the same time.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
fencing snmpd=5.9.3+dfsg-2+deb12u1 snmp=5.9.3+dfsg-2+deb12u1 libsnmp40=5.9.3+dfsg-2+deb12u1
pdu 1 2

# answer ACTION: what the agent answers for both outlets, and its exit code.
answer() {
  apc_snmp "action=$1" plug=1,2
  echo "$(cat said), exit code $code"
}
got="off of 1,2: $(answer off)
status of 1,2: $(answer status)
outlet 1 of the power strip: $(outlet 1)
outlet 2 of the power strip: $(outlet 2)"
want='off of 1,2: Success: Powered OFF, exit code 0
status of 1,2: Status: OFF, exit code 2
outlet 1 of the power strip: 2
outlet 2 of the power strip: 1'
compare "$got" "$want"
