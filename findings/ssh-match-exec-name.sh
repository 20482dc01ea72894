#!/usr/bin/env bash
# OpenSSH 9.2p1 (Debian 12): the name %h in "Match exec" depends on where in the file it stands.
#
# ssh_config(5) calls %h "the remote hostname" and %n "the original remote hostname, as given on the
# command line", so one expects %h to be what HostName says. Above the HostName line %h is the name as typed,
# in its capital letters, too; below it is that of HostName. And one "Match final" anywhere in the
# file, for a host that nobody connects to, lets ssh run every "Match exec" a second time, with the other
# name in small letters.
#
# one-ft marks hosts by files with their names, and a Match exec looks for the file: a mark has to have
# the name that oned passes to ssh, and the one that ssh connects to.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
debs openssh-client=1:9.2p1-2+deb12u10

# names CONFIG HOST: the %h of each Match exec, in the order in which ssh runs them.
names() {
  : >asked
  printf '%s\n' "$1" >config
  root/usr/bin/ssh -F config -G "$2" >/dev/null 2>&1 </dev/null
  tr '\n' ' ' <asked
}
ask="Match exec \"echo %h >>$dir/asked\""
alias=$'Host ALIAS\n  HostName Real.example'
final=$'Match final host nobody\n  User nobody'

got="above: $(names "$ask"$'\n'"$alias" ALIAS)
below: $(names "$alias"$'\n'"$ask" ALIAS)
above, with Match final: $(names "$ask"$'\n'"$alias"$'\n'"$final" ALIAS)
no HostName, with Match final: $(names "$ask"$'\n'"$final" NODE1)"
want='above: ALIAS 
below: Real.example 
above, with Match final: ALIAS real.example 
no HostName, with Match final: NODE1 node1 '
compare "$got" "$want"
