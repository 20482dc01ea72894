package packages_test

import "testing"

// rpm is the names of both packages of a version.
func rpm(version string) string {
	return "/mnt/one-ft-" + version + "-1." + rpmArch() + ".rpm /mnt/one-ft-host-" + version + "-1." + rpmArch() + ".rpm"
}

// rpms is the same with rpm, on an empty database; it has no purge.
func rpms(t *testing.T, packages string) {
	r := newRoot(t, packages)
	r.openNebula()
	// These belong to rpm's distributions.
	r.must("mkdir -p /usr/share/licenses /usr/share/zsh/site-functions /etc/logrotate.d; rpm --initdb")
	before := r.tree()
	// What rpm calls itself and /bin/sh are not in the database.
	const install = "rpm --force-debian --nodeps -U "
	r.must(install + rpm("1.0.0"))
	installed(r, "v1.0.0")
	completions(r, "site-functions")
	r.says("rpm -qc one-ft one-ft-host", "/etc/logrotate.d/one-ft\n/etc/one/one-ft.yaml\n/etc/one-ft/host_isolated.yaml")
	r.says("rpm -q --qf '%{LICENSE} %{VERSION}\\n' one-ft one-ft-host", "Apache-2.0 1.0.0\nApache-2.0 1.0.0")

	rotates(r, "oneadmin:oneadmin")
	makesDirectories(r)
	r.must(changed)
	r.must(install + rpm("1.1.0"))
	kept(r)
	r.must("rpm --nodeps -e one-ft one-ft-host")
	r.says("ls /etc/one /etc/one-ft /var/lib/one/remotes/hooks/ft", "/etc/one:\none-ft.yaml.rpmnew\none-ft.yaml.rpmsave\noned.conf\n\n/etc/one-ft:\nhost_isolated.yaml.rpmsave\n\n/var/lib/one/remotes/hooks/ft:\nhost_error.rb")
	// State and logs are left to admins.
	r.must("rm -r /etc/one/one-ft.yaml.* /etc/one-ft /var/lib/one/one-ft /var/lib/one-ft /var/log/one/oneft.log* /var/log/one/vm_failure.log.1")
	r.same(before, r.tree())
}
