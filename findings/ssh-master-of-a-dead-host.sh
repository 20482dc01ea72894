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
#
# Exit code: 0 it is so, 1 it is otherwise, 2 it could not be tried (it has to be root, for sshd).
set -euo pipefail
packages=(openssh-server=1:9.2p1-2+deb12u10 openssh-client=1:9.2p1-2+deb12u10)
dir=$(mktemp -d)
sshd=
ssh=("$dir/root/usr/bin/ssh" -F /dev/null -o "ControlPath=$dir/master")
finish() {
  if [ -n "$sshd" ]; then
    # shellcheck disable=SC2046 # one PID a word
    kill -CONT "$sshd" $(pgrep -P "$sshd") 2>/dev/null || true
    "${ssh[@]}" -O exit host >/dev/null 2>&1 || true
    kill "$sshd" || true
  fi
  rm -rf "$dir"
}
trap finish EXIT
cd "$dir"
if [ "$(id -u)" != 0 ] || [ ! -d /run/sshd ]; then
  echo 'this has to be root, and /run/sshd has to be there' >&2
  exit 2
fi
apt-get -q download "${packages[@]}" >/dev/null 2>&1 || { echo "cannot download ${packages[*]}" >&2; exit 2; }
for deb in ./*.deb; do dpkg-deb -x "$deb" root; done
root/usr/bin/ssh-keygen -q -t ed25519 -N '' -f key
port=$((20000 + $$ % 10000))
printf '%s\n' "Port $port" 'ListenAddress 127.0.0.1' "HostKey $dir/key" "AuthorizedKeysFile $dir/key.pub" 'StrictModes no' 'PidFile none' \
  'PermitRootLogin yes' >conf
"$dir/root/usr/sbin/sshd" -D -e -f "$dir/conf" 2>log &
sshd=$!
sleep 1
login=(-o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=2 -i key -p "$port")
"${ssh[@]}" "${login[@]}" -o ControlMaster=auto -o ControlPersist=60 root@127.0.0.1 true >>log 2>&1 || { cat log >&2; exit 2; }
# shellcheck disable=SC2046 # one PID a word
kill -STOP $(pgrep -P "$sshd") "$sshd"

# within COMMAND...: its exit code, or that it did not end within 6 s.
within() {
  local code=0
  timeout 6 "$@" >>log 2>&1 </dev/null || code=$?
  if [ "$code" = 124 ]; then echo 'no end within 6 s'; else echo "exit code $code"; fi
}
got="check of the master: $(within "${ssh[@]}" -O check host)
by the master, ConnectTimeout 2: $(within "${ssh[@]}" "${login[@]}" root@127.0.0.1 true)
by the master, ServerAliveInterval 1 as well: $(
  within "${ssh[@]}" "${login[@]}" -o ServerAliveInterval=1 -o ServerAliveCountMax=2 root@127.0.0.1 true)
ControlPath none: $(within root/usr/bin/ssh -F /dev/null "${login[@]}" -o ControlPath=none root@127.0.0.1 true)"
want='check of the master: exit code 0
by the master, ConnectTimeout 2: no end within 6 s
by the master, ServerAliveInterval 1 as well: no end within 6 s
ControlPath none: exit code 255'
printf '%s\n%s\n' "${packages[*]}" "$got"
[ "$got" = "$want" ] || { cat log; printf 'this changed; it was\n%s\n' "$want"; exit 1; }
