#!/bin/bash
# Runs cron in a simulated machine. $1 is a directory with cron.d, spool and crontab, $2 the
# library of faketime, or nothing, and $3 how many times as fast cron's clock goes.
set -eu
dir=$1 library=$2 speed=$3
mount --bind "$dir/cron.d" /etc/cron.d
mount --bind "$dir/spool" /var/spool/cron
[ ! -e /etc/crontab ] || mount --bind "$dir/crontab" /etc/crontab
if [ -n "$library" ]; then
	# The times of files stay real: cron compares them with one another only.
	export LD_PRELOAD="$library" FAKETIME="+0 x$speed" NO_FAKE_STAT=1
fi
exec cron -f -L 15
