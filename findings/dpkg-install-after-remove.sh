#!/usr/bin/env bash
# dpkg 1.21.23 (Debian 12): a package that is installed after it was removed is told the version before, as if it were an
# upgrade, and a configuration file that an admin deleted does not come back.
#
# "remove" keeps the configuration and the version. The next installation calls postinst with "configure" and that version, so
# the usual test for a first installation, an empty second argument, is false, although prerm and postrm of "remove" may
# have undone what it does; only preinst is told "install". A configuration file that is missing counts as a decision, also
# when it was deleted while the package was removed: it is not unpacked, whichever way the package is installed again,
# until it is purged or --force-confmiss is given. When the package has changed it as well, that is a question, and
# without a terminal an error.
#
# one-ft's postinst only sets the rights of a new configuration by that test, and its executables run without the file.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$(dirname "$0")/lib.bash" || exit 2
debs dpkg=1.21.23
export PATH=$dir/root/usr/bin:$dir/root/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin

# build VERSION: a package with a configuration file, and scripts that write what they are told.
build() {
  mkdir -p "pack$1/DEBIAN" "pack$1/etc"
  echo "of version $1" >"pack$1/etc/example.conf"
  echo /etc/example.conf >"pack$1/DEBIAN/conffiles"
  printf '%s\n' 'Package: example' "Version: $1" 'Architecture: all' 'Maintainer: nobody <nobody@example.org>' 'Description: none' \
    >"pack$1/DEBIAN/control"
  for script in preinst postinst prerm postrm; do
    printf '#!/bin/sh\nprintf "%%s, " "%s $*" >>%s/calls\n' "$script" "$dir" >"pack$1/DEBIAN/$script"
    chmod 0755 "pack$1/DEBIAN/$script"
  done
  dpkg-deb --build "pack$1" "$1.deb" >/dev/null
}
build 1
build 2
mkdir -p system/var/lib/dpkg/info system/var/lib/dpkg/updates
touch system/var/lib/dpkg/status
# run ARGUMENT...: what the scripts are told, the exit code, and whether the configuration is there.
run() {
  local code=0
  : >calls
  dpkg --root="$dir/system" --log=/dev/null --force-not-root --force-script-chrootless "$@" >>log 2>&1 </dev/null || code=$?
  echo "$(cat calls)exit code $code, file $([ -e system/etc/example.conf ] && echo there || echo missing)"
}
got="install: $(run -i 1.deb)
remove: $(run -r example)
install again: $(run -i 1.deb)
remove: $(run -r example)
install again, the file was deleted: $(rm system/etc/example.conf; run -i 1.deb)
upgrade, with another file: $(run -i 2.deb)
purge, and install: $(run -P example >/dev/null; run -i 1.deb)"
want='install: preinst install, postinst configure , exit code 0, file there
remove: prerm remove, postrm remove, exit code 0, file there
install again: preinst install 1 1, postinst configure 1, exit code 0, file there
remove: prerm remove, postrm remove, exit code 0, file there
install again, the file was deleted: preinst install 1 1, postinst configure 1, exit code 0, file missing
upgrade, with another file: prerm upgrade 2, preinst upgrade 1 2, postrm upgrade 2, exit code 1, file missing
purge, and install: preinst install, postinst configure , exit code 0, file there'
compare "$got" "$want"
