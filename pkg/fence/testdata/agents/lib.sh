# Read by the agents beside it: key=value lines on standard input become $p_key.
# A device is a directory, $p_ip: "power" says on or off, "calls" has a line per call.
[ "$1" = -o ] && exit 1 # they have no metadata
while IFS= read -r line; do
	case $line in
	action=*) action=${line#action=} ;;
	ip=*) p_ip=${line#ip=} ;;
	password=*) p_password=${line#password=} ;;
	need=*) p_need=${line#need=} ;;
	esac
done
echo "$action" >>"$p_ip/calls"
count() { grep -c "^$1\$" "$p_ip/calls"; }
power() { cat "$p_ip/power"; }
status() {
	if [ "$(power)" = off ]; then
		echo "Status: OFF"
		exit 2
	fi
	echo "Status: ON"
	exit 0
}
off() {
	echo off >"$p_ip/power"
	echo "Success: Powered OFF"
	exit 0
}
fail() {
	echo "$1" >&2
	exit 1
}
on() {
	echo on >"$p_ip/power"
	echo "Success: Powered ON"
	exit 0
}
