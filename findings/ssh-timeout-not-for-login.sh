#!/usr/bin/env bash
# OpenSSH 9.2p1 (Debian 12): ConnectTimeout ends with the key exchange. Where the login itself hangs ssh waits as long as the
# server lets it, and ServerAliveInterval, which ends it, works before anybody is logged in.
#
# ssh_config(5) says that ConnectTimeout is for the connection, the banner and the key exchange; a host with a dead disk
# or a dead directory service gets past these, because sshd is in memory, and hangs where it looks for keys and users. The
# server ends it after its LoginGraceTime, 2 minutes by default, if it still can. Options for connections that live,
# ServerAliveInterval and ServerAliveCountMax, end it after their product: here the process that serves the login is held,
# too, and answers nothing.
#
# The drivers of OpenNebula log in to hosts all the time, and hang on such a host whatever ConnectTimeout is.
# one-ft never logs in to a host that may be dead: it only asks whether a port answers, and refuses ssh to hosts that are off.
#
# Exit code: 0 it is so, 1 it is otherwise, 2 it could not be tried (it has to be root, for sshd).
set -euo pipefail
packages=(openssh-server=1:9.2p1-2+deb12u10 openssh-client=1:9.2p1-2+deb12u10)
dir=$(mktemp -d)
sshd=
trap '[ -z "$sshd" ] || kill "$sshd" || true; rm -rf "$dir"' EXIT
cd "$dir"
if [ "$(id -u)" != 0 ] || [ ! -d /run/sshd ]; then
  echo 'this has to be root, and /run/sshd has to be there' >&2
  exit 2
fi
apt-get -q download "${packages[@]}" >/dev/null 2>&1 || { echo "cannot download ${packages[*]}" >&2; exit 2; }
for deb in ./*.deb; do dpkg-deb -x "$deb" root; done
root/usr/bin/ssh-keygen -q -t ed25519 -N '' -f key
port=$((20000 + $$ % 10000))
# The keys of users come from a program that takes 20 s, as from a directory service that does not answer.
printf '%s\n' "Port $port" 'ListenAddress 127.0.0.1' "HostKey $dir/key" 'StrictModes no' 'PidFile none' 'PermitRootLogin yes' \
  'AuthorizedKeysCommand /bin/sleep 20' 'AuthorizedKeysCommandUser root' >conf
"$dir/root/usr/sbin/sshd" -D -e -f "$dir/conf" 2>log &
sshd=$!
sleep 1

# ended OPTION...: whether ssh ended within 8 s, and how.
ended() {
  local options=() code=0
  for option; do options+=(-o "$option"); done
  timeout 8 root/usr/bin/ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i key \
    -p "$port" -o ConnectTimeout=2 "${options[@]}" root@127.0.0.1 true >said 2>&1 </dev/null || code=$?
  if [ "$code" = 124 ]; then
    echo no
  else
    echo "exit code $code, $(tail -n 1 said | tr -d '\r' | sed "s/ port $port//")"
  fi
}
got="ConnectTimeout 2: $(ended)
and ServerAliveInterval 1, ServerAliveCountMax 2: $(ended ServerAliveInterval=1 ServerAliveCountMax=2)"
want='ConnectTimeout 2: no
and ServerAliveInterval 1, ServerAliveCountMax 2: exit code 255, Connection to 127.0.0.1 timed out'
printf '%s\n%s\n' "${packages[*]}" "$got"
[ "$got" = "$want" ] || { cat log; printf 'this changed; it was\n%s\n' "$want"; exit 1; }
