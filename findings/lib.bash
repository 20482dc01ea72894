# What the scripts here share: each is sourced into a temporary directory, installs pinned packages there, and compares
# what it saw. Nothing is left behind.
#
# A script's head says the versions, what one expects, what was seen, and what one-ft does about it. Its exit code is 0 when it
# is so, 1 when it is otherwise, 2 when it could not be tried: no network, a version that the mirror no longer has, not root.
# shellcheck shell=bash
set -euo pipefail

dir=$(mktemp -d)
started=() # processes that end with the script
installed=
finish() {
  # unshare takes no other signal; the shell would tell of those it killed.
  for pid in "${started[@]}"; do { kill -KILL "$pid" && wait "$pid"; } 2>/dev/null || true; done
  rm -rf "$dir"
}
trap finish EXIT
cd "$dir"
# A port of 127.0.0.1 for a server; below those that the kernel gives to clients.
port=$((20000 + $$ % 10000))

# untried WHY: it cannot be tried here.
untried() {
  echo "$*" >&2
  exit 2
}

# debs PACKAGE=VERSION...: unpacks them into root/, where their libraries, Python modules and fence agents are found first.
debs() {
  installed=$*
  apt-get -q download "$@" >/dev/null 2>&1 || untried "cannot download $*"
  for deb in ./*.deb; do dpkg-deb -x "$deb" root; done
  local library
  library=$(find root -name '*.so.*' | head -n 1)
  [ -z "$library" ] || export LD_LIBRARY_PATH="$dir/${library%/*}"
  export PYTHONPATH=$dir/root/usr/share/fence:$dir/root/usr/lib/python3/dist-packages
}

# fencing PACKAGE=VERSION...: fence-agents and what every agent imports, and these.
fencing() {
  debs fence-agents=4.12.1-1 python3-pexpect=4.8.0-4 python3-ptyprocess=0.7.0-5 python3-pycurl=7.45.2-3 "$@"
}

# agent NAME LINE...: runs an agent with these lines on its standard input; its words are in said, its exit code in code.
agent() {
  local name=$1
  shift
  code=0
  printf '%s\n' "$@" | python3 "root/usr/sbin/$name" >said 2>&1 || code=$?
}

# gobuild [MODULE VERSION]: builds ./try of a main package on standard input.
gobuild() {
  cat >main.go
  export GOFLAGS=-mod=mod GOWORK=off
  printf 'module try\n\ngo 1.25.0\n' >go.mod
  if [ $# = 2 ]; then
    installed="$1 $2"
    printf '\nrequire %s %s\n' "$1" "$2" >>go.mod
  fi
  go build -o try . >log 2>&1 || untried "$(cat log)"
}

# sshd LINE...: starts sshd of openssh-server, with these lines in its configuration; key is that of the server and of users.
sshd() {
  if [ "$(id -u)" != 0 ] || [ ! -d /run/sshd ]; then untried 'this has to be root, and /run/sshd has to be there'; fi
  root/usr/bin/ssh-keygen -q -t ed25519 -N '' -f key
  printf '%s\n' "Port $port" 'ListenAddress 127.0.0.1' "HostKey $dir/key" 'StrictModes no' 'PidFile none' 'PermitRootLogin yes' "$@" >conf
  "$dir/root/usr/sbin/sshd" -D -e -f "$dir/conf" 2>log &
  started+=($!)
  sleep 1
}

# pdu OUTLET...: starts snmpd of snmpd, as a power strip of APC whose outlets are on (1 is on, 2 is off).
pdu() {
  export SNMP_PERSISTENT_DIR=$dir MIBS=
  outlets=.1.3.6.1.4.1.318.1.1.4.4.2.1
  echo 'rwcommunity private 127.0.0.1' >conf
  for n; do printf 'override -rw %s\n' "$outlets.3.$n integer 1" "$outlets.4.$n octet_str outlet$n" >>conf; done
  root/usr/sbin/snmpd -f -Lf log -C -c conf -I -smux,-agentx "udp:127.0.0.1:$port" >/dev/null 2>&1 &
  started+=($!)
  for _ in {1..50}; do ! outlet 1 >/dev/null 2>&1 || return 0; sleep 0.1; done
  untried "$(cat log)"
}

# outlet N: what the power strip itself says.
outlet() { root/usr/bin/snmpget -v 1 -c private -Oeqnv "127.0.0.1:$port" "$outlets.3.$1"; }

# apc_snmp LINE...: runs fence_apc_snmp for that power strip.
apc_snmp() {
  agent fence_apc_snmp ip=127.0.0.1 "ipport=$port" "snmpget_path=$dir/root/usr/bin/snmpget" "snmpset_path=$dir/root/usr/bin/snmpset" \
    "snmpwalk_path=$dir/root/usr/bin/snmpwalk" "$@"
}

# within SECONDS COMMAND...: its exit code, or that it did not end; its words are in said.
within() {
  local limit=$1
  shift
  code=0
  timeout "$limit" "$@" >said 2>&1 || code=$?
  if [ "$code" = 124 ]; then echo "no end within $limit s"; else echo "exit code $code"; fi
}

# compare GOT WANT: ends the script.
compare() {
  printf '%s\n%s\n' "$installed" "$1"
  [ "$1" = "$2" ] || { printf 'this changed; it was\n%s\n' "$2"; exit 1; }
}
