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
#
# Exit code: 0 it is so, 1 it is otherwise, 2 it could not be tried.
set -euo pipefail
packages=(fence-agents=4.12.1-1 snmpd=5.9.3+dfsg-2+deb12u1 snmp=5.9.3+dfsg-2+deb12u1 libsnmp40=5.9.3+dfsg-2+deb12u1
  python3-pexpect=4.8.0-4 python3-ptyprocess=0.7.0-5 python3-pycurl=7.45.2-3)
dir=$(mktemp -d)
snmpd=
trap '[ -z "$snmpd" ] || kill "$snmpd" || true; rm -rf "$dir"' EXIT
cd "$dir"
apt-get -q download "${packages[@]}" >/dev/null 2>&1 || { echo "cannot download ${packages[*]}" >&2; exit 2; }
for deb in ./*.deb; do dpkg-deb -x "$deb" root; done
libs=$(dirname "$(find "$dir/root" -name 'libnetsnmp.so.*' | head -n 1)")
export LD_LIBRARY_PATH=$libs PYTHONPATH=$dir/root/usr/share/fence:$dir/root/usr/lib/python3/dist-packages
export SNMP_PERSISTENT_DIR=$dir MIBS=

# A power strip with one outlet, which is on.
outlets=.1.3.6.1.4.1.318.1.1.4.4.2.1
printf '%s\n' 'rwcommunity private 127.0.0.1' "override -rw $outlets.3.1 integer 1" "override -rw $outlets.4.1 octet_str rack" >conf
port=$((20000 + $$ % 10000))
root/usr/sbin/snmpd -f -Lf log -C -c conf -I -smux,-agentx "udp:127.0.0.1:$port" >/dev/null 2>&1 &
snmpd=$!
for _ in {1..50}; do ! root/usr/bin/snmpget -v 1 -c private "127.0.0.1:$port" "$outlets.3.1" >/dev/null 2>&1 || break; sleep 0.1; done

# agent ACTION PLUG VERSION: its exit code.
agent() {
  local code=0
  printf '%s\n' "action=$1" "plug=$2" "snmp_version=$3" ip=127.0.0.1 "ipport=$port" "snmpget_path=$dir/root/usr/bin/snmpget" \
    "snmpset_path=$dir/root/usr/bin/snmpset" "snmpwalk_path=$dir/root/usr/bin/snmpwalk" |
    python3 root/usr/sbin/fence_apc_snmp >>said 2>&1 || code=$?
  echo "$code"
}
[ "$(agent status 1 2c)" = 0 ] || { cat said; exit 2; }
got="version 1: status of outlet 9: $(agent status 9 1), off of outlet 9: $(agent off 9 1)
version 2c: status of outlet 9: $(agent status 9 2c), off of outlet 9: $(agent off 9 2c), off of outlet rack9: $(agent off rack9 2c)"
want='version 1: status of outlet 9: 1, off of outlet 9: 1
version 2c: status of outlet 9: 2, off of outlet 9: 0, off of outlet rack9: 1'
printf '%s\n%s\n' "${packages[*]}" "$got"
[ "$got" = "$want" ] || { printf 'this changed; it was\n%s\n' "$want"; exit 1; }
