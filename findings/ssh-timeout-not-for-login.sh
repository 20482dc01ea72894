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

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
debs openssh-server=1:9.2p1-2+deb12u10 openssh-client=1:9.2p1-2+deb12u10
# The keys of users come from a program that takes 20 s, as from a directory service that does not answer.
sshd 'AuthorizedKeysCommand /bin/sleep 20' 'AuthorizedKeysCommandUser root'

# login OPTION...: whether ssh ends, and how.
login() {
  within 8 root/usr/bin/ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i key -p "$port" \
    -o ConnectTimeout=2 "$@" root@127.0.0.1 true </dev/null
}
got="ConnectTimeout 2: $(login)
and ServerAliveInterval 1, ServerAliveCountMax 2: $(login -o ServerAliveInterval=1 -o ServerAliveCountMax=2)"
want='ConnectTimeout 2: no end within 8 s
and ServerAliveInterval 1, ServerAliveCountMax 2: exit code 255'
compare "$got" "$want"
