package app

// adminSection is the section of manuals for commands of admins.
const adminSection = 8

// FrontEndManual is the Manual of an executable for front-ends, in this section.
func FrontEndManual(section int) Manual {
	return Manual{
		Section: section,
		Files: []Term{
			{"/var/lib/one/remotes/hooks/ft/", "The executables, where oned's hooks find them."},
			{"/etc/one/one-ft.yaml", "The configuration: see one-ft.yaml(5). Without it the defaults count."},
			{"/var/lib/one/one-ft/", "Locks, attempts and the journal of incidents."},
			{"/var/log/one/", "The log of each executable, NAME.log."},
			{"/var/lib/one/.one/one_auth", "user:password, when neither ONE_AUTH nor ~/.one/one_auth names another."},
		},
		Environment: []Term{
			{"ONE_XMLRPC", "URL of oned."},
			{"ONE_AUTH", "File with user:password."},
			{"ONE_CERT_DIR", "Directory with certificates to trust for https."},
			{"ONE_DISABLE_SSL_VERIFY", "When it is set, certificates are not looked at."},
			{"ONE_LOCATION", "Root of an OpenNebula that is installed by itself: its etc and var are used instead of the directories above."},
		},
		SeeAlso: []string{"oneft(1)", "one-ft.yaml(5)", "host_error(8)", "vm_failure(8)", "vm_unknown(8)", "host_isolated(8)"},
	}
}

// HostManual is the Manual of host_isolated.
func HostManual() Manual {
	return Manual{
		Section: adminSection,
		Files: []Term{
			{"/etc/one-ft/host_isolated.yaml", "The configuration: see host_isolated.yaml(5)."},
			{"/run/one-ft/", "What was seen, until the next boot."},
			{"/var/lib/one-ft/host_isolated.log", "What was done."},
		},
		Environment: []Term{
			{"NOTIFY_SOCKET, WATCHDOG_USEC", "Set by systemd, which is told that host_isolated --watch is ready and alive."},
		},
		SeeAlso: []string{"host_isolated.yaml(5)", "host_error(8)", "systemd.service(5)", "virsh(1)"},
	}
}
