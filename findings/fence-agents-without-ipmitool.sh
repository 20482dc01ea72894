#!/usr/bin/env bash
# fence-agents 4.12.1 (Debian 12): fence_ipmilan is installed without ipmitool, and everything but a real call works.
#
# The package depends on Python modules for clouds, and recommends snmp, but neither ipmitool nor telnet, gnutls-bin,
# amtterm or powerman are among Depends, Recommends and Suggests. The agent answers metadata and validate-all with success
# all the same, so a check that uses these finds nothing; "status" and "off" fail, and the first off is on the night when a
# host dies.
#
# one-ft says in oneft check and in dry runs which program an agent lacks, and which package has it.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
# shellcheck disable=SC2119 # and nothing else
fencing
dpkg-deb -f ./fence-agents_*.deb Depends Recommends Suggests >relations
named=
for program in ipmitool telnet gnutls-bin amtterm powerman snmp; do
  if grep -qE "(^|[ ,|])$program([ ,|(]|\$)" relations; then named+=" $program"; fi
done

# ends ACTION: the exit code of the agent where ipmitool is missing.
ends() {
  agent fence_ipmilan "action=$1" ip=127.0.0.1 username=admin password=x lanplus=1 "ipmitool_path=$dir/root/usr/bin/ipmitool"
  echo "$code"
}
got="named by the package:$named
exit codes without ipmitool: metadata $(ends metadata), validate-all $(ends validate-all), status $(ends status), off $(ends off)"
want='named by the package: snmp
exit codes without ipmitool: metadata 0, validate-all 0, status 1, off 1'
compare "$got" "$want"
