package oneftcmd

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/pause"
	"one-ft/pkg/statedir"
	"one-ft/pkg/support"
	"one-ft/pkg/text"
)

// mask knows all that has to be hidden in a bundle: secrets and names of the configuration, of this machine, of oned and of the
// journal. unknown are the errors by which names may be missing.
func (b *bundle) mask(ctx context.Context, getenv func(string) string) (m *support.Mask, unknown []error) {
	m = &support.Mask{}
	missed := func(err error) {
		if err != nil {
			unknown = append(unknown, err)
		}
	}
	access, _ := one.FindAccess(getenv, b.s.Endpoint, b.s.AuthFile) // oned, who cannot be asked, says why
	if user, password, ok := strings.Cut(access.Credentials, ":"); ok {
		m.Secret(access.Credentials)
		m.Secret(password)
		m.Name(support.User, user)
	}
	setting(m, "endpoint", access.Endpoint)
	if name, err := os.Hostname(); err == nil {
		m.Name(support.FrontEnd, name)
	}
	for _, name := range []string{"USER", "LOGNAME", "SUDO_USER"} {
		m.Name(support.User, getenv(name))
	}
	content, _ := statedir.ReadConfig(b.configFile, config.MaxSize) // a part says why
	config.EachValue(content, func(key, value string) { setting(m, key, value) })
	if paused, err := pause.Read(b.dir); err == nil {
		for name := range strings.SplitSeq(paused.By, " as ") {
			m.Name(support.User, name)
		}
	}
	seen, err := bounded(ctx, b.ofOned)
	missed(err)
	seen.name(m)
	all, err := bounded(ctx, func(context.Context) ([]incident.Record, error) { return b.glimpsed(knownWhole) })
	if !errors.Is(err, fs.ErrNotExist) { // nothing has happened yet
		missed(err)
	}
	for _, r := range all {
		ofRecord(m, r)
	}
	if b.away != nil {
		missed(errors.New("oned could not be asked for names: those are known that the journal, the configuration and the logs give beside an ID"))
	}
	for _, read := range b.told() {
		said, _ := bounded(ctx, read) // a part says why
		for _, found := range besideID().FindAllStringSubmatch(said, -1) {
			m.Name(map[bool]string{true: support.VM, false: support.Host}[found[1] == "VM"], found[2])
		}
	}
	return m, unknown
}

// besideID is how one-ft names a host or a VM in all that it says.
var besideID = text.Pattern(`\b(host|VM) \d+ \(([^(),\n]{1,128})[,)]`)

// inOned is what oned knows of names.
type inOned struct {
	hosts      []one.Host
	vms, users []one.Named
	etc        string // the directory of its configuration
}

// ofOned asks oned for names; nothing where it cannot be asked.
func (b *bundle) ofOned(ctx context.Context) (seen inOned, err error) {
	if seen.etc = b.s.Paths.Etc; b.away != nil {
		return seen, nil
	}
	var noVMs, noUsers error
	seen.hosts, err = b.s.Client.Hosts(ctx)
	seen.vms, noVMs = b.s.Client.VMNames(ctx)
	seen.users, noUsers = b.s.Client.UserNames(ctx)
	return seen, errors.Join(err, noVMs, noUsers)
}

// name names all that oned knows.
func (seen inOned) name(m *support.Mask) {
	for _, h := range seen.hosts {
		m.Name(support.Host, h.Name)
		m.Name(support.Host, h.Template["HOSTNAME"])
		for name, value := range h.Template {
			if name, fences := strings.CutPrefix(strings.ToUpper(name), "FENCE_"); fences {
				if name == "PASSWORD_FILE" && !filepath.IsAbs(value) {
					value = filepath.Join(seen.etc, "fence", value)
				}
				setting(m, name, value)
			}
		}
	}
	for _, v := range seen.vms {
		m.Name(support.VM, v.Name)
	}
	for _, u := range seen.users {
		m.Name(support.User, u.Name)
	}
}

// ofRecord names what an incident is about.
func ofRecord(m *support.Mask, r incident.Record) {
	m.Name(map[bool]string{true: support.VM, false: support.Host}[r.Kind == "VM"], r.Name)
	m.Name(support.FrontEnd, r.FrontEnd)
	if r.Host != nil {
		for _, name := range r.Host.FailFast {
			m.Name(support.Host, name)
		}
		if r.Host.Standing != nil {
			m.Name(support.Host, r.Host.Standing.Address)
		}
	}
	for _, v := range r.VMs {
		m.Name(support.VM, v.Name)
		m.Name(support.User, v.Owner)
	}
}

// setting hides the value of a setting by its key: of the configuration, or a parameter of a fence agent.
func setting(m *support.Mask, key, value string) {
	name, inner, assigns := strings.Cut(value, "=")
	switch key = strings.ToLower(key); {
	case fence.SecretParam(key):
		m.Secret(value)
	case key == "password_file":
		if content, err := statedir.ReadConfig(value, maxState); err == nil {
			m.Secret(strings.TrimSpace(string(content)))
		}
	case assigns && fence.SecretParam(name): // --token=x in the command of a notification
		m.Secret(inner)
	case key == "username" || key == "user" || key == "login":
		m.Name(support.User, value)
	case strings.Contains(value, "://"):
		u, err := url.Parse(value)
		if err != nil {
			m.Secret(value)
			return
		}
		m.Name(support.FrontEnd, u.Hostname())
		if password, has := u.User.Password(); has {
			m.Secret(password)
		}
		_, behind, _ := strings.Cut(value, "://")
		if _, path, _ := strings.Cut(behind, "/"); path != "RPC2" {
			m.Secret(path) // the path of a web hook is what lets one in
		}
	case key == "hosts" || key == "ip" || key == "ipaddr" || key == "host" || key == "hostname" || key == "address" || key == "port" || key == "plug":
		if host, _, err := net.SplitHostPort(value); err == nil {
			value = host
		}
		if strings.ContainsFunc(value, unicode.IsLetter) {
			m.Name(support.Host, value)
		}
	case key == "command" || key == "confirm":
		const token = 16 // characters of a word that may let one in: letters and digits, and no path
		if len(value) >= token && !strings.HasPrefix(value, "/") && strings.ContainsFunc(value, unicode.IsDigit) && strings.ContainsFunc(value, unicode.IsLetter) {
			m.Secret(value)
		}
	}
}
