#!/usr/bin/env bash
# fence-agents 4.12.1 (Debian 12): on standard input a parameter with a typing error is ignored, and a switch that is set
# to 0 is on; as options both are errors.
#
# Agents take the same parameters as options and, as clusters give them, as lines on standard input. An option that is not
# known ends the agent. A line that is not known is a warning, and the agent goes on without it: with "lanpluss=1" it
# talks to the BMC without lanplus, and "plugg=3" may leave it with no plug. A switch cannot have a value as an option; on
# standard input "ssh=0" is stored as "0", and the agent only looks whether it is stored. So an identity file, which is an
# error without ssh, is right with "ssh=0".
#
# one-ft leaves a switch out whose value is off, and oneft check warns of parameters that the metadata of an agent lack.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
# shellcheck disable=SC2119 # and nothing else
fencing
touch key

# lines AGENT LINE...: its exit code for validate-all, with the parameters on standard input.
lines() {
  agent "$1" action=validate-all ip=127.0.0.1 username=admin "${@:2}"
  echo "$code"
}
# options AGENT OPTION...: the same with options.
options() {
  code=0
  python3 "root/usr/sbin/$1" --action=validate-all --ip=127.0.0.1 --username=admin "${@:2}" >said 2>&1 </dev/null || code=$?
  echo "$code"
}
key="identity_file=$dir/key"
got="a parameter that is not known: as a line $(lines fence_ipmilan password=x lanpluss=1), as an option $(
  options fence_ipmilan --password=x --lanpluss)
identity file: without ssh $(lines fence_apc plug=1 "$key"), ssh=1 $(lines fence_apc plug=1 "$key" ssh=1), ssh=0 $(
  lines fence_apc plug=1 "$key" ssh=0), --ssh=0 $(options fence_apc --plug=1 "--${key/_/-}" --ssh=0)"
want='a parameter that is not known: as a line 0, as an option 1
identity file: without ssh 1, ssh=1 0, ssh=0 0, --ssh=0 1'
compare "$got" "$want"
