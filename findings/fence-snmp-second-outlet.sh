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

# A power strip with two outlets that are on (1 is on, 2 is off), as the oldest of APC show them.
outlets=.1.3.6.1.4.1.318.1.1.4.4.2.1
printf 'rwcommunity private 127.0.0.1\n' >conf
for n in 1 2; do
  printf 'override -rw %s.3.%d integer 1\noverride -rw %s.4.%d octet_str "outlet%d"\n' "$outlets" "$n" "$outlets" "$n" "$n" >>conf
done
port=$((20000 + $$ % 10000))
root/usr/sbin/snmpd -f -Lf log -C -c conf -I -smux,-agentx "udp:127.0.0.1:$port" >/dev/null 2>&1 &
snmpd=$!
# outlet N: what the power strip itself says.
outlet() { root/usr/bin/snmpget -v 1 -c private -Oeqnv "127.0.0.1:$port" "$outlets.3.$1"; }
for _ in {1..50}; do ! outlet 1 >/dev/null 2>&1 || break; sleep 0.1; done
outlet 1 >/dev/null || exit 2

# agent ACTION PLUG: what it answers, and its exit code.
agent() {
  local code=0 said
  said=$(printf '%s\n' "action=$1" "plug=$2" ip=127.0.0.1 "ipport=$port" "snmpget_path=$dir/root/usr/bin/snmpget" \
    "snmpset_path=$dir/root/usr/bin/snmpset" "snmpwalk_path=$dir/root/usr/bin/snmpwalk" |
    python3 root/usr/sbin/fence_apc_snmp 2>&1) || code=$?
  echo "$said, exit code $code"
}
got="off of 1,2: $(agent off 1,2)
status of 1,2: $(agent status 1,2)
outlet 1 of the power strip: $(outlet 1)
outlet 2 of the power strip: $(outlet 2)"
want='off of 1,2: Success: Powered OFF, exit code 0
status of 1,2: Status: OFF, exit code 2
outlet 1 of the power strip: 2
outlet 2 of the power strip: 1'
printf '%s\n%s\n' "${packages[*]}" "$got"
[ "$got" = "$want" ] || { printf 'this changed; it was\n%s\n' "$want"; exit 1; }
