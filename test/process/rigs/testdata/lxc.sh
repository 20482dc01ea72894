#!/bin/bash
# Starts a container in a simulated machine as OpenNebula's driver lxc does (container.rb, opennebula_vm.rb): its disk is
# an image on a loop device, which is mounted in the datastore and again below /var/lib/lxc-one. $1 is the directory of
# the machine, $2 the name of the container, $3 the directory of its VM in the datastore, or nothing for a container of
# somebody else, which has a plain directory. Prints the loop device.
set -euo pipefail
dir=$1 name=$2 vm=$3

# It shares nothing with LXC outside, nor with that of other machines.
for path in var/lib/lxc var/lib/lxc-one; do
	mkdir -p "$dir/$path" "/$path"
	[ "/$path" -ef "$dir/$path" ] || mount --bind "$dir/$path" "/$path"
done
# As systemd has it: monitors have copies of all mounts, which go with these.
mount --make-rshared /
# A machine with a network has its own /sys.
[ -n "$(ls /sys/fs/cgroup)" ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup

root=$dir/roots/$name device=
if [ -n "$vm" ]; then
	mkdir -p "$vm/mapper/disk.0"
	truncate -s 8M "$vm/disk.0"
	mkfs.ext4 -q "$vm/disk.0"
	device=$(losetup --find --show "$vm/disk.0")
	mount "$device" "$vm/mapper/disk.0"
	root=/var/lib/lxc-one/${vm##*/}/disk.0
	mkdir -p "$root"
	mount --bind "$vm/mapper/disk.0" "$root" # the driver does it by bindfs, which maps the owners
fi
mkdir -p "$root"/{bin,dev,etc,proc,sys}
cp /bin/busybox "$root/bin"
cat >"$root/bin/work" <<'END'
trap "" TERM PWR INT
while :; do busybox sleep 1; done
END
cat >"$dir/$name.conf" <<END
lxc.rootfs.path = $root
lxc.uts.name = $name
lxc.net.0.type = empty
lxc.apparmor.profile = unconfined
lxc.autodev = 1
lxc.console.path = none
lxc.tty.max = 0
lxc.pty.max = 8
lxc.log.file = $dir/$name.log
lxc.init.cmd = /bin/busybox sh /bin/work $dir/$name
END
lxc-create -n "$name" -f "$dir/$name.conf" -t none >/dev/null
lxc-start -n "$name" || { cat "$dir/$name.log" >&2; exit 1; }
echo "$device"
