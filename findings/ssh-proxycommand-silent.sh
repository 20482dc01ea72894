#!/usr/bin/env bash
# OpenSSH 9.2p1 (Debian 12): with ControlPath and ControlPersist, what a ProxyCommand writes to standard
# error is lost, even with "ControlMaster no".
#
# ssh opens /dev/null as the standard error of the ProxyCommand then, because a master that stays in the
# background would keep the terminal. ssh_config(5) says nothing of it, and that no master will be made does not
# matter. With ControlPath alone, or ControlPersist alone, the words arrive. The configuration that OpenNebula
# ships (5.12 to 7.4) sets both, with ControlMaster no.
#
# one-ft lets ssh to a host that is proven off fail by a ProxyCommand that says why; its block has "ControlPath
# none", or no log of a driver would ever show the reason.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
debs openssh-client=1:9.2p1-2+deb12u10

# heard OPTION...: whether the words of the ProxyCommand arrive.
heard() {
  local options=()
  for option; do options+=(-o "$option"); done
  root/usr/bin/ssh -F /dev/null -o 'ProxyCommand=sh -c "echo the host is off >&2"' "${options[@]}" node1 true >said 2>&1 </dev/null || true
  if grep -q 'the host is off' said; then
    echo arrives
  else
    echo lost
  fi
}
got="neither: $(heard ControlMaster=no)
ControlPath: $(heard ControlMaster=no "ControlPath=$dir/%C")
ControlPersist: $(heard ControlMaster=no ControlPersist=70s)
both: $(heard ControlMaster=no ControlPersist=70s "ControlPath=$dir/%C")
both, then ControlPath none: $(heard ControlMaster=no ControlPersist=70s ControlPath=none)"
want='neither: arrives
ControlPath: arrives
ControlPersist: arrives
both: lost
both, then ControlPath none: arrives'
compare "$got" "$want"
