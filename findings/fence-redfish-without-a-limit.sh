#!/usr/bin/env bash
# fence_redfish of fence-agents 4.12.1 (Debian 12): login_timeout, shell_timeout and power_timeout bound nothing. A BMC that takes
# the connection and is silent holds it for ever.
#
# All agents list these parameters in their metadata, and those that use telnet, ssh, snmp, ipmitool or pycurl end by
# them. fence_redfish and fence_skalar ask with python3-requests, which waits without a limit unless it is given one, and
# they give none; where packets are dropped the kernel gives up after two minutes. fence_ibmz has limits of its own instead,
# 30 s for a connection with 3 repetitions, and 5 minutes for an answer. fence_pve, which is tried here beside fence_redfish,
# has the same parameters and ends.
#
# one-ft bounds each call itself and kills it with all that it has started; "timeout" beside the levels in one-ft.yaml is
# the limit for these.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
fencing python3-requests=2.28.1+dfsg-1 python3-urllib3=1.26.12-1+deb12u4 python3-chardet=5.1.0+dfsg-2 python3-idna=3.3-1+deb12u1 \
  python3-certifi=2022.9.24-1 python3-six=1.16.0-4
# A device that takes connections, writes its port, and says nothing.
python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 0), backlog=9)
print(s.getsockname()[1], flush=True)
time.sleep(600)' >port &
started+=($!)
for _ in {1..50}; do [ ! -s port ] || break; sleep 0.1; done

# ended AGENT LINE...: whether its status ends within 15 s, with limits of 2 s.
ended() {
  printf '%s\n' action=status ip=127.0.0.1 "ipport=$(cat port)" username=admin password=x login_timeout=2 shell_timeout=2 \
    power_timeout=2 "${@:2}" >lines
  within 15 python3 "root/usr/sbin/$1" <lines
}
got="fence_redfish: $(ended fence_redfish systems_uri=/redfish/v1/Systems/1 ssl_insecure=1)
fence_pve: $(ended fence_pve plug=100 pve_node=node1 ssl_insecure=1)"
want='fence_redfish: no end within 15 s
fence_pve: exit code 1'
compare "$got" "$want"
