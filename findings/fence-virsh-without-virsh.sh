#!/usr/bin/env bash
# fence_virsh of fence-agents 4.12.1 (Debian 12): a machine that has no virsh says that each guest is off.
#
# The agent logs in, runs "virsh domstate" and reads the lines that come back. A line with "error:" is an error, and one
# that is a state such as "running" is on; when there is neither, the guest is off. What a shell says of a command that is
# not there has no "error:" in it. So does every other machine that lets the agent in: the wrong address, a hypervisor whose
# libvirt was removed, an account with another PATH. "status" ends with 2, and "off" with 0 without switching anything.
#
# one-ft believes an off of fence_virsh only when it lists the guest; such a machine lists none.
#
# Exit code: 0 it is so, 1 it is otherwise, 2 it could not be tried (it has to be root, for sshd).
set -euo pipefail
packages=(fence-agents=4.12.1-1 openssh-server=1:9.2p1-2+deb12u10 openssh-client=1:9.2p1-2+deb12u10 python3-pexpect=4.8.0-4
  python3-ptyprocess=0.7.0-5 python3-pycurl=7.45.2-3)
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
export PYTHONPATH=$dir/root/usr/share/fence:$dir/root/usr/lib/python3/dist-packages
root/usr/bin/ssh-keygen -q -t ed25519 -N '' -f key
root/usr/bin/ssh-keygen -q -t ed25519 -N '' -f hostkey
port=$((20000 + $$ % 10000))
printf '%s\n' "Port $port" 'ListenAddress 127.0.0.1' "HostKey $dir/hostkey" "AuthorizedKeysFile $dir/key.pub" 'StrictModes no' \
  'PidFile none' 'PermitRootLogin yes' 'SetEnv PATH=/without/virsh' >conf
"$dir/root/usr/sbin/sshd" -D -e -f "$dir/conf" 2>log &
sshd=$!
sleep 1

# agent ACTION: what it answers, and its exit code.
agent() {
  local code=0 said
  said=$(printf '%s\n' "action=$1" plug=node1 ip=127.0.0.1 "ipport=$port" username=root ssh=1 "identity_file=$dir/key" \
    login_timeout=20 "ssh_path=$dir/root/usr/bin/ssh" | python3 root/usr/sbin/fence_virsh 2>&1) || code=$?
  echo "$said, exit code $code"
}
got="status: $(agent status)
off: $(agent off)"
want='status: Status: OFF, exit code 2
off: Success: Already OFF, exit code 0'
printf '%s\n%s\n' "${packages[*]}" "$got"
[ "$got" = "$want" ] || { cat log; printf 'this changed; it was\n%s\n' "$want"; exit 1; }
