#!/usr/bin/env bash
# fence_redfish of fence-agents 4.12.1 (Debian 12): login_timeout, shell_timeout and power_timeout bound nothing. A BMC that takes
# the connection and is silent holds it for ever.
#
# All agents list these parameters in their metadata, and those that use telnet, ssh, snmp, ipmitool or pycurl end by
# them. fence_redfish, fence_ibmz and fence_skalar ask with python3-requests, which waits without a limit unless it is given
# one, and they do not; where packets are dropped the kernel gives up after two minutes. fence_pve, which is tried beside
# it, has the same parameters and ends.
#
# one-ft bounds each call itself and kills it with all that it has started; "timeout" beside the levels in one-ft.yaml is
# the limit for these.
#
# Exit code: 0 it is so, 1 it is otherwise, 2 it could not be tried.
set -euo pipefail
packages=(fence-agents=4.12.1-1 python3-pexpect=4.8.0-4 python3-ptyprocess=0.7.0-5 python3-pycurl=7.45.2-3 python3-requests=2.28.1+dfsg-1
  python3-urllib3=1.26.12-1+deb12u4 python3-chardet=5.1.0+dfsg-2 python3-idna=3.3-1+deb12u1 python3-certifi=2022.9.24-1
  python3-six=1.16.0-4)
dir=$(mktemp -d)
silent=
trap '[ -z "$silent" ] || kill "$silent" || true; rm -rf "$dir"' EXIT
cd "$dir"
apt-get -q download "${packages[@]}" >/dev/null 2>&1 || { echo "cannot download ${packages[*]}" >&2; exit 2; }
for deb in ./*.deb; do dpkg-deb -x "$deb" root; done
export PYTHONPATH=$dir/root/usr/share/fence:$dir/root/usr/lib/python3/dist-packages
# A device that takes connections, writes its port, and says nothing.
python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 0), backlog=9)
print(s.getsockname()[1], flush=True)
time.sleep(600)' >port &
silent=$!
for _ in {1..50}; do [ ! -s port ] || break; sleep 0.1; done

# ended AGENT LINE...: whether its status ends within 15 s, with limits of 2 s.
ended() {
  local agent=$1 code=0
  shift
  printf '%s\n' action=status ip=127.0.0.1 "ipport=$(cat port)" username=admin password=x login_timeout=2 shell_timeout=2 \
    power_timeout=2 "$@" |
    timeout 15 python3 "root/usr/sbin/$agent" >>said 2>&1 || code=$?
  if [ "$code" = 124 ]; then echo no; else echo "exit code $code"; fi
}
got="fence_redfish: $(ended fence_redfish systems_uri=/redfish/v1/Systems/1 ssl_insecure=1)
fence_pve: $(ended fence_pve plug=100 pve_node=node1 ssl_insecure=1)"
want='fence_redfish: no
fence_pve: exit code 1'
printf '%s\n%s\n' "${packages[*]}" "$got"
[ "$got" = "$want" ] || { cat said; printf 'this changed; it was\n%s\n' "$want"; exit 1; }
