#!/usr/bin/env bash
# prometheus-node-exporter 1.5.0 (Debian 12): a metric that two text files have with different HELP texts is served from the first
# file only, and node_textfile_scrape_error stays 0.
#
# One expects the file to be refused and the error to be counted, as with a file that cannot be parsed: that one loses
# all its metrics, and the error is 1. But the texts are only compared when everything is put together for the answer,
# where the second series is left out; the answer is 200, and the collector successful. Only a line in the log of the exporter says so.
# A file without HELP beside one that has it, and the same series twice, end in the same way. So does the upgrade of one of two
# programs, when a text became better.
#
# one-ft has the text of each metric in one place for all executables.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
debs prometheus-node-exporter=1.5.0-1+b6
mkdir files
root/usr/bin/prometheus-node-exporter --collector.disable-defaults --collector.textfile --collector.textfile.directory=files \
  "--web.listen-address=127.0.0.1:$port" --web.disable-exporter-metrics >log 2>&1 &
started+=($!)
for _ in {1..50}; do ! curl -sf "http://127.0.0.1:$port/" >/dev/null || break; sleep 0.1; done

# served TEXT: what is served when the second of two files has this text.
served() {
  printf '# HELP vms VMs of a host.\n# TYPE vms gauge\nvms{host="1"} 6\n' >files/a.prom
  printf '%b' "$1" >files/b.prom
  local status
  status=$(curl -s -o answer -w '%{http_code}' "http://127.0.0.1:$port/metrics") || status=none
  echo "status $status, $(grep -c '^vms{' answer) of 2 series, error $(sed -n 's/^node_textfile_scrape_error //p' answer)"
}
got="the same HELP: $(served '# HELP vms VMs of a host.\n# TYPE vms gauge\nvms{host="2"} 7\n')
another HELP: $(served '# HELP vms VMs on a host.\n# TYPE vms gauge\nvms{host="2"} 7\n')
no HELP: $(served '# TYPE vms gauge\nvms{host="2"} 7\n')
cannot be parsed: $(served 'vms{host="2"} 7 VMs\n')"
want='the same HELP: status 200, 2 of 2 series, error 0
another HELP: status 200, 1 of 2 series, error 0
no HELP: status 200, 1 of 2 series, error 0
cannot be parsed: status 200, 1 of 2 series, error 1'
compare "$got" "$want"
