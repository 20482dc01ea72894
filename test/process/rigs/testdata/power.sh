#!/bin/sh
# The power switch of a simulated BMC: $1 is the directory of the machine, then what
# the BMC asks. The machine is a process group; off means that it is dead. The file
# "mode" makes the BMC lie, or be late.
dir=$1
shift
# The machine must not inherit the sockets of the BMC.
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-

group() { cat "$dir/group" 2>/dev/null; }
alive() {
	group=$(group)
	[ -n "$group" ] || return 1
	# A dead process may stay as a zombie.
	read -r _ _ state _ <"/proc/$group/stat" 2>/dev/null || return 1
	[ "$state" != Z ] && [ "$state" != X ]
}
on() {
	alive && return
	setsid sleep 100000 <&- >&- 2>&- &
	echo "$!" >"$dir/group.new"
	mv "$dir/group.new" "$dir/group"
}
off() {
	alive && kill -9 -"$(group)"
	rm -f "$dir/group"
}

echo "$*" >>"$dir/asked"
case "$1 $2 $3" in
"get power "*)
	# A late machine goes off at the eighth question after it was told to.
	if [ -e "$dir/told" ]; then
		echo . >>"$dir/told"
		[ "$(wc -l <"$dir/told")" -ge 8 ] && rm "$dir/told" && off
	fi
	if alive; then echo power:1; else echo power:0; fi
	;;
"get boot "*) echo boot:none ;;
"set power 1") on ;;
"set power 0")
	case $(cat "$dir/mode") in
	lies) ;;
	late) [ -e "$dir/told" ] || : >"$dir/told" ;;
	*) off ;;
	esac
	;;
"set reset 1") off && on ;;
"cut  ") off ;;
esac
exit 0
