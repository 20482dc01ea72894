#!/usr/bin/env bash
# LXC 5.0.2 (Debian 12): a container that runs is STOPPED for lxc-info and "not running" for lxc-stop when the directory of
# the containers is written in another way: through a symbolic link, or with "/./" in it.
#
# The tools reach a container by a socket whose name has the path of the directory as text, and nobody makes it canonical;
# only a slash at its end is taken off. A container whose socket is not there is called STOPPED, and lxc-info ends with 0.
# lxc-stop --kill ends with 2 and kills nothing. lxc-wait for STOPPED is satisfied at once, also for a container that has
# never existed.
#
# one-ft takes no word of these tools for the end of a container: it looks for its processes.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
[ "$(id -u)" = 0 ] || untried 'this has to be root'
debs lxc=1:5.0.2-1+deb12u4 liblxc1=1:5.0.2-1+deb12u4 busybox-static=1:1.35.0-4+deb12u1+b1
# lxc TOOL DIRECTORY ARGUMENT...: runs a tool for the container.
lxc() { "root/usr/bin/lxc-$1" -n node -P "$2" "${@:3}"; }
mkdir -p all/node mount system/{bin,dev,proc,sys}
cp root/bin/busybox system/bin/
printf 'lxc.%s\n' "rootfs.path = dir:$dir/system" "rootfs.mount = $dir/mount" 'uts.name = node' 'net.0.type = none' 'console.path = none' \
  'pty.max = 0' 'tty.max = 0' 'apparmor.profile = unconfined' 'init.cmd = /bin/busybox sleep 60' >all/node/config
ln -s all link
lxc start "$dir/all" >log 2>&1 || untried "$(cat log)"

# asked PATH: what the tools say of it.
asked() {
  local state stop=0
  state=$(lxc info "$1" --state --no-humanize)
  [ "$1" = "$dir/all" ] || lxc stop "$1" --kill >>log 2>&1 || stop=$?
  echo "$state, exit code of lxc-stop $stop"
}
code() { "$@" >>log 2>&1 && echo 0 || echo $?; }
got="by the link: $(asked "$dir/link")
with a dot: $(asked "$dir/./all")
as it was started, after these: $(asked "$dir/all")
lxc-wait for STOPPED: by the link $(code lxc wait "$dir/link" --state STOPPED --timeout 1), as it was started $(
  code lxc wait "$dir/all" --state STOPPED --timeout 1), where there is none $(code lxc wait "$dir/mount" --state STOPPED --timeout 1)"
lxc stop "$dir/all" --kill
want='by the link: STOPPED, exit code of lxc-stop 2
with a dot: STOPPED, exit code of lxc-stop 2
as it was started, after these: RUNNING, exit code of lxc-stop 0
lxc-wait for STOPPED: by the link 0, as it was started 1, where there is none 0'
compare "$got" "$want"
