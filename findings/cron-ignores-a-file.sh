#!/usr/bin/env bash
# cron 3.0pl1-162 (Debian 12): one wrong line, or a last line without a line break, disables a whole file in /etc/cron.d.
#
# One expects cron to skip the line that it does not understand, and to read a last line as editors write it. It reads
# nothing of the file then, good lines before it included, and tells syslog alone. A user that does not exist is such a
# line. A file with a dot in its name, such as example.cron, is ignored without a word, as run-parts does; so is one that a
# group can write to. PATH=$PATH:/x is taken literally. With line breaks of Windows the command is run, with a carriage return at
# its end.
#
# one-ft's crontabs say under which name they are to be copied, and oneft check names a file that would run oneft resume
# and that cron does not read.
#
# The script takes up to 75 s: cron starts jobs once a minute. It sees a cron of its own, in namespaces.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
unshare --mount --pid --fork true || untried 'this has to be root, and may make namespaces'
debs cron=3.0pl1-162
mkdir -p cron.d spool/crontabs ran
touch crontab
# file NAME LINE...: a file of cron.d, each of whose jobs leaves its name in ran. The last line has no line break.
file() {
  printf '%s\n' "${@:2:$#-2}" >"cron.d/$1"
  printf '%s' "${!#}" >>"cron.d/$1"
}
job() { echo "* * * * * ${2-root} touch $dir/ran/$1"; }
file plain "$(job plain)" ''
file example.cron "$(job dotted)" ''
file no-end "$(job before-no-end)" "$(job no-end)"
file user "$(job before-user)" "$(job user nobody-has-this-name)" ''
file fields "$(job before-fields)" '* * * * root true' ''
file group "$(job group)" ''
chmod g+w cron.d/group
file windows "$(job windows)"$'\r' ''
# shellcheck disable=SC2016 # cron does not expand it, either
file path 'PATH=$PATH:/x' "* * * * * root echo \"\$PATH\" >$dir/path" ''
for system in /etc/cron.d /etc/crontab /var/spool/cron; do [ -e "$system" ] || untried "there is no $system to put another one over"; done
# shellcheck disable=SC2016 # the shell in the namespaces expands them
unshare --mount --pid --fork --kill-child sh -c '
  mount --bind "$1/cron.d" /etc/cron.d && mount --bind "$1/crontab" /etc/crontab && mount --bind "$1/spool" /var/spool/cron || exit 2
  mkdir "$1/run" && mount --bind "$1/run" /run || exit 2
  exec "$1/root/usr/sbin/cron" -f' sh "$dir" >log 2>&1 &
started+=($!)
for _ in {1..150}; do [ ! -e ran/plain ] || break; sleep 0.5; done
sleep 2
[ -e ran/plain ] || untried "$(cat log)"
got="ran: $(cd ran && for name in *; do printf '%q ' "$name"; done)
PATH: $(cat path)"
# shellcheck disable=SC2016
want='ran: plain $'\''windows\r'\'' 
PATH: $PATH:/x'
compare "$got" "$want"
