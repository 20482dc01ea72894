#!/usr/bin/env bash
# fence_redfish of fence-agents 4.12.1 (Debian 12): without systems_uri the last of several systems is asked and switched.
#
# The parameter is not required, and a BMC of a single machine has one system. One that serves several (a chassis with
# nodes, a manager of blades) lists all of them, and one expects an error that asks for the system. The agent takes the last of
# the list, in the order that the BMC happens to give: the status is that of another machine, and "off" powers that one off, both
# with the exit codes of success.
#
# oneft check warns of a host whose fence_redfish has no systems_uri.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
fencing python3-requests=2.28.1+dfsg-1 python3-urllib3=1.26.12-1+deb12u4 python3-chardet=5.1.0+dfsg-2 python3-idna=3.3-1+deb12u1 \
  python3-certifi=2022.9.24-1 python3-six=1.16.0-4
openssl req -x509 -newkey rsa:2048 -nodes -keyout bmc.pem -out cert.pem -subj /CN=bmc -days 2 >log 2>&1 || untried "$(cat log)"
cat cert.pem >>bmc.pem
cat >bmc.py <<'PY'
import http.server, json, ssl
systems = "/redfish/v1/Systems"
power = {"node1": "On", "node2": "On"}
class BMC(http.server.BaseHTTPRequestHandler):
    def answer(self, document):
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        path = self.path.rstrip("/")
        if path == systems:
            self.answer({"Members": [{"@odata.id": systems + "/" + node} for node in power]})
        elif path.startswith(systems):
            node = path.split("/")[4]
            reset = {"target": path + "/Actions/ComputerSystem.Reset"}
            self.answer({"PowerState": power[node], "Actions": {"#ComputerSystem.Reset": reset}})
        else:
            self.answer({"Systems": {"@odata.id": systems}})
    def do_POST(self):
        power[self.path.split("/")[4]] = "Off"
        self.answer({})
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), BMC)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("bmc.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
PY
python3 bmc.py >bmc 2>log &
started+=($!)
for _ in {1..50}; do [ ! -s bmc ] || break; sleep 0.1; done

# ends ACTION [LINE]: the exit code of the agent.
ends() {
  agent fence_redfish "action=$1" ip=127.0.0.1 "ipport=$(cat bmc)" username=admin password=x ssl_insecure=1 "${@:2}"
  echo "$code"
}
at=systems_uri=/redfish/v1/Systems
got="off without systems_uri: exit code $(ends off)
status: node1 $(ends status "$at/node1"), node2 $(ends status "$at/node2"), without systems_uri $(ends status)"
want='off without systems_uri: exit code 0
status: node1 0, node2 2, without systems_uri 2'
compare "$got" "$want"
