package packages_test

// rotates lets logrotate put the logs aside, beside the settings that distributions have for all files. Who has a log open loses
// nothing; owner and mode stay, be there a user oneadmin or not. No log of before or after is left.
func rotates(r *root, owner string) {
	r.t.Helper()
	const (
		rotate = "logrotate --state /tmp/logrotate.state --force /tmp/logrotate.conf"
		look   = "cd /var/log/one; stat -c '%n %a %U:%G %s' host_error.log* vm_*.log* oneft.log* 2>/dev/null || :; "
	)
	r.must("mv /var/log/one /tmp/one.before 2>/dev/null || :; printf 'weekly\\nrotate 4\\ncreate\\ninclude /etc/logrotate.d/one-ft\\n' >/tmp/logrotate.conf")
	r.says(rotate+" 2>&1", "") // there is no directory of logs
	r.must("mkdir -m 0750 /var/log/one; chown " + owner + " /var/log/one")
	r.says(rotate+" 2>&1", "") // and no log
	r.must(`cd /var/log/one
for log in host_error oneft; do echo first >$log.log; chmod 0640 $log.log; chown ` + owner + ` $log.log; done
exec 3>>host_error.log 4>>oneft.log
` + rotate + ` >/tmp/said 2>&1
echo second >&3
echo second >&4`)
	r.says("cat /tmp/said; "+look+"cat host_error.log.1 oneft.log oneft.log.1.gz >/dev/null; zcat oneft.log.1.gz; cat oneft.log host_error.log.1",
		"host_error.log.1 640 "+owner+" 13\noneft.log 640 "+owner+" 7\noneft.log.1.gz 640 "+owner+" 26\nfirst\nsecond\nfirst\nsecond")
	// A week later, when the next hook has made a log of its own.
	r.says("cd /var/log/one; echo third >host_error.log; chown "+owner+" host_error.log; "+rotate+" 2>&1; zcat host_error.log.2.gz; cat host_error.log.1; zcat oneft.log.1.gz oneft.log.2.gz",
		"first\nsecond\nthird\nsecond\nfirst")
	r.must("rm -r /var/log/one; mv /tmp/one.before /var/log/one 2>/dev/null || :; rm -f /tmp/logrotate.*")
}

// makesDirectories: directories that are gone are made by who needs them, with their owner. So no package has to name a
// user in files of sysusers.d and tmpfiles.d: OpenNebula makes oneadmin, with an ID that its own packages choose.
func makesDirectories(r *root) {
	r.t.Helper()
	r.says(`rm -r /var/lib/one/one-ft
runuser -u oneadmin -- oneft pause 1m test >/dev/null
stat -c '%n %a %U:%G' /var/lib/one/one-ft
rm -r /var/lib/one/one-ft
oneft pause 1m test >/dev/null
stat -c '%n %a %U:%G' /var/lib/one/one-ft /var/lib/one/one-ft/pause.json
oneft unpause >/dev/null`,
		"/var/lib/one/one-ft 755 oneadmin:oneadmin\n/var/lib/one/one-ft 755 oneadmin:oneadmin\n/var/lib/one/one-ft/pause.json 644 oneadmin:oneadmin")
	r.says("rm -rf /run/one-ft /var/lib/one-ft; unshare --pid --fork --mount-proc host_isolated --front-end 127.0.0.1 >/dev/null 2>&1 || :; stat -c '%n %a %U:%G' /run/one-ft; rm -rf /run/one-ft /var/lib/one-ft",
		"/run/one-ft 755 root:root")
	r.says("find /usr/lib/sysusers.d /usr/lib/tmpfiles.d -name '*one-ft*'", "")
}
