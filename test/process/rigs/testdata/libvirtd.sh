#!/bin/bash
# Starts libvirtd in a simulated machine, and returns when it answers, also for its guests.
# $1 is the directory of the machine, which has etc/libvirt; $2 is the URI; $3 is virtqemud-sock when it
# shall be reached as virtqemud is, which Debian 12 has not.
set -euo pipefail
dir=$1 uri=$2 socket=${3:-}

# It shares nothing with a libvirtd outside, nor with those of other machines.
for path in etc/libvirt var/lib/libvirt var/cache/libvirt var/log/libvirt; do
	mkdir -p "$dir/$path"
	[ "/$path" -ef "$dir/$path" ] || mount --bind "$dir/$path" "/$path"
done
ulimit -n 1024 # it closes as many as there may be before it starts a program
libvirtd --daemon --listen --config /etc/libvirt/libvirtd.conf
[ -z "$socket" ] || mv /run/libvirt/libvirt-sock "/run/libvirt/$socket"
# It reconnects to the guests of its predecessor in the background; a destroy meanwhile ends
# the guest and fails ("Domain not found"). A question to a guest waits for that, and fails when somebody stops it meanwhile.
virsh -c "$uri" list --uuid | while read -r guest; do
	[ -z "$guest" ] || virsh -c "$uri" dommemstat "$guest" >/dev/null 2>&1 || :
done
