#!/usr/bin/env bash
# fence_apc_snmp of fence-agents 4.12.1 with net-snmp 5.9.3 (Debian 12): an outlet that the power strip does not have is
# off with SNMP version 2c, and an error with version 1.
#
# The agent says off for every answer that is not "on". In version 1 a missing object is an error, and snmpget fails; in 2c
# and 3 it is a value of its own and snmpget ends with 0, so that the agent reads it as off. A mistyped number is then a
# machine that is off already: "off" ends with 0, "status" with 2, and no power was switched. A mistyped name is always
# an error, because names are looked up in the list. fence_ipdu, fence_emerson, fence_ibmblade and fence_intelmodular have
# the same line.
#
# one-ft believes an off of these agents only when they list the plug, and oneft check asks them for the list beforehand.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
fencing snmpd=5.9.3+dfsg-2+deb12u1 snmp=5.9.3+dfsg-2+deb12u1 libsnmp40=5.9.3+dfsg-2+deb12u1
pdu 1

# ends ACTION PLUG VERSION: the exit code of the agent.
ends() {
  apc_snmp "action=$1" "plug=$2" "snmp_version=$3"
  echo "$code"
}
[ "$(ends status 1 2c)" = 0 ] || untried "$(cat said)"
got="version 1: status of outlet 9: $(ends status 9 1), off of outlet 9: $(ends off 9 1)
version 2c: status of outlet 9: $(ends status 9 2c), off of outlet 9: $(ends off 9 2c), off of outlet rack9: $(ends off rack9 2c)"
want='version 1: status of outlet 9: 1, off of outlet 9: 1
version 2c: status of outlet 9: 2, off of outlet 9: 0, off of outlet rack9: 1'
compare "$got" "$want"
