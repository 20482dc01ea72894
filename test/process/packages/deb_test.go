package packages_test

import (
	"runtime"
	"strings"
	"testing"
)

// deb is the names of both packages of a version.
func deb(version string) string {
	return "/mnt/one-ft_" + version + "-1_" + runtime.GOARCH + ".deb /mnt/one-ft-host_" + version + "-1_" + runtime.GOARCH + ".deb"
}

// changed is what an admin wrote, and what one-ft did, between two versions.
const changed = `echo 'parallel: 4' >>/etc/one/one-ft.yaml
echo 'front_ends: [10.0.0.1]' >>/etc/one-ft/host_isolated.yaml
chmod 0600 /etc/one-ft/host_isolated.yaml
mkdir -p /var/lib/one-ft /var/lib/one/one-ft/incidents
echo '{}' >/var/lib/one/one-ft/incidents/1.json
chown -R oneadmin:oneadmin /var/lib/one/one-ft
echo x >/var/lib/one-ft/host_isolated.log
echo 'time="2026-01-01T00:00:00.000Z" level=info msg=x' | tee /var/log/one/oneft.log >/var/log/one/vm_failure.log.1
echo 'time="2026-01-01T00:00:00.000Z" level=info msg=x' | gzip >/var/log/one/oneft.log.2.gz
`

func debs(t *testing.T, packages string) {
	r := newRoot(t, packages)
	r.openNebula()
	before := r.tree()
	out := r.must("dpkg -i " + deb("1.0.0"))
	if strings.Contains(strings.ToLower(out), "warning") {
		t.Errorf("dpkg is not satisfied: %s", out)
	}
	installed(r, "v1.0.0")
	r.says("zcat /usr/share/doc/one-ft/changelog.Debian.gz | head -n 1; grep -c ^Copyright: /usr/share/doc/one-ft/copyright", "one-ft (1.0.0-1) stable; urgency=medium\n1")
	r.says("cd /usr/share/doc/one-ft; find . -name README.md | sort", strings.Join([]string{"./README.md", "./cmd/host_error/README.md", "./cmd/host_isolated/README.md", "./cmd/oneft/README.md",
		"./cmd/vm_failure/README.md", "./cmd/vm_unknown/README.md", "./pkg/fence/README.md", "./test/README.md"}, "\n"))
	units(r)
	pages(r)
	completions(r, "vendor-completions")
	faults(r)
	rotates(r, "oneadmin:oneadmin")
	makesDirectories(r)

	r.must(changed)
	r.must("dpkg --force-confold -i " + deb("1.1.0") + " </dev/null")
	kept(r)
	r.says("ls /etc/one/*.dpkg-dist /etc/one-ft", "/etc/one/one-ft.yaml.dpkg-dist\n\n/etc/one-ft:\nhost_isolated.yaml")

	r.must("dpkg -r one-ft one-ft-host")
	kept(r, "removed")
	r.says("ls /var/lib/one/remotes/hooks/ft", "host_error.rb")
	r.must("dpkg -P one-ft one-ft-host")
	r.same(before, r.tree())
}

// installed checks what is there, and that nothing was started.
func installed(r *root, version string) {
	r.t.Helper()
	r.says("stat -c '%n %a %U:%G' /var/lib/one/remotes/hooks/ft/* /usr/sbin/host_isolated /etc/one /etc/one/* /etc/one-ft/* /var/lib/one/remotes/hooks /var/lib/one/one-ft",
		`/var/lib/one/remotes/hooks/ft/host_error 755 root:root
/var/lib/one/remotes/hooks/ft/host_error.rb 644 oneadmin:oneadmin
/var/lib/one/remotes/hooks/ft/oneft 755 root:root
/var/lib/one/remotes/hooks/ft/vm_failure 755 root:root
/var/lib/one/remotes/hooks/ft/vm_unknown 755 root:root
/usr/sbin/host_isolated 755 root:root
/etc/one 750 root:oneadmin
/etc/one/one-ft.yaml 640 root:oneadmin
/etc/one/oned.conf 644 root:oneadmin
/etc/one-ft/host_isolated.yaml 644 root:root
/var/lib/one/remotes/hooks 750 oneadmin:oneadmin
/var/lib/one/one-ft 755 oneadmin:oneadmin`)
	for _, tool := range []string{"host_error", "vm_failure", "vm_unknown", "oneft", "host_isolated"} {
		r.says(tool+" --version", tool+" version "+version)
	}
	// oneadmin can read the configuration, and reaches for the journal.
	out, err := r.run("cd /; runuser -u oneadmin -- oneft incidents")
	if err != nil || !strings.Contains(out, "no incidents yet") {
		r.t.Errorf("oneft incidents as oneadmin: %v\n%s", err, out)
	}
	r.says("find /etc/systemd /etc/cron.d /etc/rc?.d /var/spool/cron -name '*one-ft*' -o -name '*host_isolated*' 2>/dev/null || :", "")
	for _, unit := range []string{"one-ft-resume.timer", "one-ft-watch.service", "host_isolated.service"} {
		r.says("systemctl --root=/ is-enabled "+unit+" || :", "disabled")
	}
}

// units checks the units where what they name exists.
func units(r *root) {
	r.t.Helper()
	for _, unit := range []string{"host_isolated.service", "one-ft-resume.service", "one-ft-resume.timer", "one-ft-watch.service"} {
		if out, err := r.run("systemd-analyze verify --recursive-errors=yes " + unit); err != nil || out != "" {
			r.t.Errorf("%s: %v\n%s", unit, err, out)
		}
	}
}

// pages checks the man pages as man and mandoc do.
func pages(r *root) {
	r.t.Helper()
	for _, page := range []string{"1 oneft", "5 one-ft.yaml", "5 host_isolated.yaml", "8 host_error", "8 vm_failure", "8 vm_unknown", "8 host_isolated"} {
		if out := r.must("MANROFFSEQ= MANWIDTH=80 man --warnings=w " + page + " 2>&1 >/dev/null"); out != "" {
			r.t.Errorf("man %s: %s", page, out)
		}
		if out, err := r.run("zcat $(man -w " + page + ") | mandoc -T lint -W warning"); err != nil {
			r.t.Errorf("mandoc %s: %v\n%s", page, err, out)
		}
	}
}

// completions asks the shells themselves; zsh has its files in this directory.
func completions(r *root, zsh string) {
	r.t.Helper()
	const bash = `exec bash -c '. /usr/share/bash-completion/completions/$1; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _$1; echo "${COMPREPLY[*]}"' bash `
	r.says(bash+"oneft res", "resume")
	r.says(bash+"oneft incidents sh", "show")
	r.says(bash+"oneft incidents show --h", "--html --help")
	r.says(bash+"oneft resume --failed re", "recreate retry")
	r.says(bash+"host_error 3 --fen", "--fencing --fence-first")
	r.says(bash+"host_error 3 --fencing ''", "auto required off")
	r.says(bash+"host_isolated --str", "--strict")
	r.says(`HOME=/tmp fish -c "complete -C 'oneft incidents sho'"`, "show\tshow one incident")
	r.says(`HOME=/tmp fish -c "complete -C 'oneft incidents show --ht'"`, "--html\twrite one self-contained page to FILE; - for stdout")
	r.says(`HOME=/tmp fish -c "complete -C 'host_error 3 --fencing re'"`, "required\tWHEN to prove the host off: auto (if fencing is configured for it, else continue with a warning), required (no proof, no action), off")
	r.says(`HOME=/tmp fish -c "complete -C 'oneft resu'"`, "resume\tfinish what processes left open, and handle hosts and VMs that no hook was called for")
	// zsh shows completions to terminals only: it reads the files, and finds the functions.
	r.says("zsh -fc 'fpath=(/usr/share/zsh/"+zsh+" $fpath); autoload -Uz compinit; compinit -u -D; for t in oneft host_error vm_failure vm_unknown host_isolated; do echo $_comps[$t]; zsh -n /usr/share/zsh/"+zsh+"/_$t; done'",
		"_oneft\n_host_error\n_vm_failure\n_vm_unknown\n_host_isolated")
}

// kept checks that configuration and state outlive another version, and a removal.
func kept(r *root, removed ...string) {
	r.t.Helper()
	r.says("tail -qn 1 /etc/one/one-ft.yaml /etc/one-ft/host_isolated.yaml; stat -c '%n %a %U:%G' /etc/one/one-ft.yaml /etc/one-ft/host_isolated.yaml; cat /var/lib/one/one-ft/incidents/1.json",
		"parallel: 4\nfront_ends: [10.0.0.1]\n/etc/one/one-ft.yaml 640 root:oneadmin\n/etc/one-ft/host_isolated.yaml 600 root:root\n{}")
	if len(removed) == 0 {
		r.says("oneft --version", "oneft version v1.1.0")
		r.says("host_isolated --print-bound | head -c 2 || :", "FT")
	}
}

// debsAlone is a machine without OpenNebula, or where it comes later.
func debsAlone(t *testing.T, packages string) {
	r := newRoot(t, packages)
	before := r.tree()
	r.must("dpkg -i " + deb("1.0.0"))
	r.says("stat -c '%n %a %U:%G' /etc/one/one-ft.yaml /var/lib/one; ls /var/lib/one; getent passwd oneadmin || :",
		"/etc/one/one-ft.yaml 644 root:root\n/var/lib/one 755 root:root\nremotes")
	rotates(r, "root:root")
	r.must("dpkg -i " + deb("1.1.0"))
	r.says("tail -n 1 /etc/one/one-ft.yaml", "# New in this version.")
	r.must("dpkg -P one-ft one-ft-host")
	r.same(before, r.tree())
}
