#!/usr/bin/env bash
# fence_virsh of fence-agents 4.12.1 (Debian 12): a machine that has no virsh says that each guest is off.
#
# The agent logs in, runs "virsh domstate" and reads the lines that come back. A line with "error:" is an error, and one
# that is a state such as "running" is on; when there is neither, the guest is off. What a shell says of a command that is
# not there has no "error:" in it. So does every other machine that lets the agent in: the wrong address, a hypervisor whose
# libvirt was removed, an account with another PATH. "status" ends with 2, and "off" with 0 without switching anything.
#
# one-ft believes an off of fence_virsh only when it lists the guest; such a machine lists none.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
fencing openssh-server=1:9.2p1-2+deb12u10 openssh-client=1:9.2p1-2+deb12u10
sshd "AuthorizedKeysFile $dir/key.pub" 'SetEnv PATH=/without/virsh'

# answer ACTION: what the agent answers, and its exit code.
answer() {
  agent fence_virsh "action=$1" plug=node1 ip=127.0.0.1 "ipport=$port" username=root ssh=1 "identity_file=$dir/key" login_timeout=20 \
    "ssh_path=$dir/root/usr/bin/ssh"
  echo "$(cat said), exit code $code"
}
got="status: $(answer status)
off: $(answer off)"
want='status: Status: OFF, exit code 2
off: Success: Already OFF, exit code 0'
compare "$got" "$want"
