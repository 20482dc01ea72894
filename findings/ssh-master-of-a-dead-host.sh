#!/usr/bin/env bash
# OpenSSH 9.2p1 (Debian 12): while the master of a ControlPath is there, no ConnectTimeout counts, and "ssh -O check" calls
# a master of a dead host "running".
#
# A client of a master makes no connection, so it waits without a limit for the master to open a session, and the master
# for the host. -O check asks the master only whether it is a process that answers. The connection ends when the kernel gives
# it up, after a quarter of an hour by default, or by ServerAliveInterval of the *master*; that of the client does nothing.
# Here the host is an sshd whose processes are stopped, which is as silent as one without power.
#
# OpenNebula keeps masters for 70 s with ControlPersist, so a driver may hang on a host that died within that time. one-ft's
# block in the ssh configuration sets "ControlPath none" for hosts that are off, so that ssh does not ask such a master.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
debs openssh-server=1:9.2p1-2+deb12u10 openssh-client=1:9.2p1-2+deb12u10
sshd "AuthorizedKeysFile $dir/key.pub"
server=${started[0]}
ssh=("$dir/root/usr/bin/ssh" -F /dev/null -o "ControlPath=$dir/master")
login=(-o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=2 -i key -p "$port")
"${ssh[@]}" "${login[@]}" -o ControlMaster=auto -o ControlPersist=60 root@127.0.0.1 true >>log 2>&1 </dev/null || untried "$(cat log)"
mapfile -t serving < <(pgrep -P "$server")
kill -STOP "${serving[@]}" "$server"

# ended COMMAND...: whether it ends, and how.
ended() { within 6 "$@" </dev/null; }
got="check of the master: $(ended "${ssh[@]}" -O check host)
by the master, ConnectTimeout 2: $(ended "${ssh[@]}" "${login[@]}" root@127.0.0.1 true)
by the master, ServerAliveInterval 1 as well: $(
  ended "${ssh[@]}" "${login[@]}" -o ServerAliveInterval=1 -o ServerAliveCountMax=2 root@127.0.0.1 true)
ControlPath none: $(ended root/usr/bin/ssh -F /dev/null "${login[@]}" -o ControlPath=none root@127.0.0.1 true)"
kill -CONT "${serving[@]}" "$server"
"${ssh[@]}" -O exit host >>log 2>&1 || true
want='check of the master: exit code 0
by the master, ConnectTimeout 2: no end within 6 s
by the master, ServerAliveInterval 1 as well: no end within 6 s
ControlPath none: exit code 255'
compare "$got" "$want"
