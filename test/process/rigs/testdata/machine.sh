#!/bin/bash
# The first process of a simulated machine, in PID, mount and UTS namespaces of its own.
# $1 is a directory for what belongs to the machine, with its hosts and, when it has a network
# of its own, resolv.conf, and $2 is its host name. Prints "ready" and stays until its input ends; with it
# everything else in the PID namespace ends. bash, because it reaps the orphans at once,
# as init does; libvirt takes a guest for dead only when nothing is left of it.
set -eu
dir=$1 name=$2

# Nothing that is mounted from here on is seen outside.
mount --make-rprivate /
mount -t proc proc /proc
if [ -e "$dir/resolv.conf" ]; then
	umount -l /sys
	mount -t sysfs sysfs /sys
fi

# First of all: nothing in here can power off the real machine.
: >"$dir/sysrq"
: >"$dir/watchdog"
: >"$dir/power"
cat >"$dir/fake" <<END
#!/bin/sh
set -- "\${0##*/}" "\$@"
echo "\$*" >>"$dir/power"
END
chmod 755 "$dir/fake"
if [ -e /proc/sysrq-trigger ]; then
	mount --bind "$dir/sysrq" /proc/sysrq-trigger
fi
for device in /dev/watchdog*; do
	[ ! -e "$device" ] || mount --bind "$dir/watchdog" "$device"
done
for path in {,/usr,/usr/local}/{bin,sbin}/{systemctl,poweroff,reboot,halt,shutdown,telinit,init}; do
	if [ -e "$path" ] && [ ! "$path" -ef "$dir/fake" ]; then
		mount --bind "$dir/fake" "$path"
	fi
done
# systemd, D-Bus and the like are reached through sockets here.
mount -t tmpfs tmpfs /run

hostname "$name"
# libvirtd looks up the name of its host for each guest that it starts.
for file in hosts resolv.conf; do
	if [ -e "$dir/$file" ] && [ -e "/etc/$file" ]; then
		mount --bind "$dir/$file" "/etc/$file"
	fi
done
echo ready
exec >/dev/null
read -r _ || :
