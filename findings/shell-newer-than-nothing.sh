#!/usr/bin/env bash
# dash 0.5.12 and bash 5.2 (Debian 12): "test FILE -nt MISSING" is false in dash and true in bash.
#
# For bash a file is newer than one that is not there, for dash it is not; POSIX.1-2017 has no -nt. ssh runs
# the condition of "Match exec" with $SHELL, so the same line of an ssh configuration is true for a user with
# bash and false for one with dash, and a script's #!/bin/sh says nothing about it.
#
# one-ft's marks expire by their time: "test MARK -nt /proc/self". Where /proc is missing a mark would never expire for
# bash, so the condition also asks "-e /proc/self".

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
debs dash=0.5.12-2 bash=5.2.15-2+b13
touch file
touch -d '-1 hour' older

got=
for shell in dash bash; do
  path=$(find root/bin root/usr/bin -name "$shell" -type f 2>/dev/null | head -n 1)
  for other in older missing; do
    # shellcheck disable=SC2016 # the shell that is tried expands them
    if "$path" -c 'test "$1" -nt "$2"' "$shell" file "$other"; then answer=true; else answer=false; fi
    got+="$shell: file -nt $other: $answer"$'\n'
  done
done
want='dash: file -nt older: true
dash: file -nt missing: false
bash: file -nt older: true
bash: file -nt missing: true
'
compare "$got" "$want"
