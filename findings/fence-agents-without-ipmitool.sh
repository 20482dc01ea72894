#!/usr/bin/env bash
# fence-agents 4.12.1 (Debian 12): fence_ipmilan is installed without ipmitool, and everything but a real call works.
#
# The package depends on Python modules for clouds, and recommends snmp, but neither ipmitool nor telnet, gnutls-bin,
# amtterm or powerman are among Depends, Recommends and Suggests. The agent answers metadata and validate-all with success
# all the same, so a check that uses these finds nothing; "status" and "off" fail, and the first off is on the night when a
# host dies.
#
# one-ft says in oneft check and in dry runs which program an agent lacks, and which package has it.
#
# Exit code: 0 it is so, 1 it is otherwise, 2 it could not be tried.
set -euo pipefail
packages=(fence-agents=4.12.1-1 python3-pexpect=4.8.0-4 python3-ptyprocess=0.7.0-5 python3-pycurl=7.45.2-3)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get -q download "${packages[@]}" >/dev/null 2>&1 || { echo "cannot download ${packages[*]}" >&2; exit 2; }
for deb in ./*.deb; do dpkg-deb -x "$deb" root; done
export PYTHONPATH=$dir/root/usr/share/fence:$dir/root/usr/lib/python3/dist-packages
dpkg-deb -f ./fence-agents_*.deb Depends Recommends Suggests >relations
named=
for program in ipmitool telnet gnutls-bin amtterm powerman snmp; do
  if grep -qE "(^|[ ,|])$program([ ,|(]|\$)" relations; then named+=" $program"; fi
done

# agent ACTION: its exit code, where ipmitool is missing.
agent() {
  local code=0
  printf '%s\n' "action=$1" ip=127.0.0.1 username=admin password=x lanplus=1 "ipmitool_path=$dir/root/usr/bin/ipmitool" |
    python3 root/usr/sbin/fence_ipmilan >>said 2>&1 || code=$?
  echo "$code"
}
got="named by the package:$named
exit codes without ipmitool: metadata $(agent metadata), validate-all $(agent validate-all), status $(agent status), off $(agent off)"
want='named by the package: snmp
exit codes without ipmitool: metadata 0, validate-all 0, status 1, off 1'
printf '%s\n%s\n' "${packages[*]}" "$got"
[ "$got" = "$want" ] || { printf 'this changed; it was\n%s\n' "$want"; exit 1; }
