#!/bin/sh
# A monitoring probe of OpenNebula: tells the front-end what this host promises, so that
# host_error can see whether it waits for long enough. On the front-end it belongs into
# /var/lib/one/remotes/im/kvm-probes.d (4.4 to 5.10) or
# /var/lib/one/remotes/im/kvm-probes.d/host/system (5.12 and later; for hosts of containers
# lxc-probes.d); then onehost sync.
#
# It never fails: oned calls a host on which one probe fails ERROR, however well it is (6.10). A
# host without host_isolated, or with one that refuses its configuration, has no lease.
promise=$(/usr/sbin/host_isolated --print-bound 2>/dev/null) || promise=FT_LEASE_ARMED=NO
printf '%s\n' "$promise"
