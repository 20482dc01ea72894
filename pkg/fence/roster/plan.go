package roster

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/one"
	"one-ft/pkg/text"
)

// Facts are what a list is held against.
type Facts struct {
	File   string // the name of the list, for errors
	Hosts  []one.Host
	Config config.File
	// SecretDir is the absolute path of the directory for secrets.
	SecretDir string
	// Secret reads a secret, as fence.ReadSecret does; of a missing one the error is fs.ErrNotExist.
	Secret func(path string) (string, error)
}

// Change is what has to be written.
type Change struct {
	Agents  []config.HostAgent // into one-ft.yaml, in the order of the list
	Secrets []Secret           // each into a file that is not there
	Kept    []string           // hosts that are fenced so already, such as host 3 (node3)
}

// Secret is a password and the file for it.
type Secret struct {
	Path     string
	Password Password
}

// Plan says what a list changes. A host that is fenced already as the list says is kept, and one that is fenced in another way is an
// error: nothing that is there is replaced. The errors are *config.Error, about all lines; with any of them nothing may be written.
func Plan(list []BMC, in Facts) (Change, []error) {
	p := planner{Facts: in, hosts: map[int]int{}, devices: map[string]int{}}
	for _, b := range list {
		host, err := p.find(b)
		if err == nil {
			err = p.add(b, host)
		}
		if err != nil {
			p.errors = append(p.errors, err)
		}
	}
	if len(p.errors) > 0 {
		return Change{}, p.errors
	}
	return p.change, nil
}

type planner struct {
	Facts
	change  Change
	hosts   map[int]int    // the line of each host
	devices map[string]int // and of each device
	errors  []error
}

// wrong is an error about a line.
func (p *planner) wrong(b BMC, column, allowed, format string, args ...any) error {
	return &config.Error{File: p.File, Line: b.Line, Key: column, Problem: fmt.Sprintf(format, args...), Allowed: allowed}
}

// label is what a host is called.
func label(h *one.Host) string { return fmt.Sprintf("host %d (%s)", h.ID, text.Printable(h.Name)) }

// find gives the host of a line; digits alone are always an ID.
func (p *planner) find(b BMC) (*one.Host, error) {
	id, err := strconv.Atoi(b.Host)
	isID := err == nil && strings.Trim(b.Host, "0123456789") == ""
	var host, same *one.Host
	for i := range p.Hosts {
		if h := &p.Hosts[i]; isID && h.ID == id || !isID && h.Name == b.Host {
			host = h
		}
	}
	if host == nil {
		return nil, p.wrong(b, columnHost, "", "oned knows no host %s; onehost list shows the hosts", text.Quote(b.Host, 40))
	}
	for i := range p.Hosts {
		if h := &p.Hosts[i]; h.Name == host.Name && h.ID != host.ID {
			same = h
		}
	}
	switch line := p.hosts[host.ID]; {
	case same != nil:
		return nil, p.wrong(b, columnHost, "", "%s and %s have the same name, and one-ft.yaml goes by it; use FENCE_ attributes in their templates (onehost update)", label(host), label(same))
	case line > 0:
		return nil, p.wrong(b, columnHost, "", "%s is in line %d already", label(host), line)
	case host.API() != "":
		return nil, p.wrong(b, columnHost, "", "%s stands for a service (%s), which is never fenced", label(host), host.API())
	case host.Template["FENCE_AGENT"] != "":
		return nil, p.wrong(b, columnHost, "", "the template of %s has FENCE_AGENT, which wins; take its FENCE_ attributes out (onehost update %d), or this line", label(host), host.ID)
	}
	p.hosts[host.ID] = b.Line
	return host, nil
}

// add takes a host into the change, unless it is fenced already.
func (p *planner) add(b BMC, host *one.Host) error {
	a := config.HostAgent{Host: host.Name, Agent: b.Agent, Params: b.Params}
	own := filepath.Join(p.SecretDir, secretName(host))
	if b.Password != "" {
		a.SecretFile = own
	}
	wanted, err := (config.Entry{Settings: settingsOf(a)}).LevelsFor(host.Name, host.ID)
	if err == nil {
		err = fence.Check(wanted)
	}
	if err != nil {
		return p.wrong(b, "", "", "%v", err)
	}
	if line, twice := p.once(b, wanted[0].Devices[0]); twice {
		return p.wrong(b, columnAddress, "", "the same device as in line %d: one of both hosts would never be powered off", line)
	}
	entry, there := p.Config.FenceFor(host.Name, host.Cluster)
	if there {
		levels, err := entry.LevelsFor(host.Name, host.ID)
		if err != nil || !alike(levels, wanted) {
			return p.other(b, host, entry)
		}
		if a.SecretFile = levels[0].Devices[0].SecretFile; (a.SecretFile == "") != (b.Password == "") {
			return p.other(b, host, entry)
		}
	}
	missing, err := p.secret(b, host, a.SecretFile)
	switch {
	case err != nil:
		return err
	case missing && there && a.SecretFile != own:
		return p.wrong(b, columnPassword, "", "one-ft.yaml names %s for %s, and it is missing; write the password into it, mode 0600", a.SecretFile, label(host))
	case missing:
		p.change.Secrets = append(p.change.Secrets, Secret{Path: own, Password: b.Password})
	}
	if there {
		p.change.Kept = append(p.change.Kept, label(host))
	} else {
		p.change.Agents = append(p.change.Agents, a)
	}
	return nil
}

// settingsOf are the settings with this agent as the only device.
func settingsOf(a config.HostAgent) fence.Settings {
	d := fence.Device{Kind: fence.KindAgent, Agent: a.Agent, Params: a.Params, SecretFile: a.SecretFile}
	return fence.Settings{Levels: []fence.Level{{Devices: []fence.Device{d}}}}
}

// once notes a device, and gives the line in which it was before. Who logs in makes no other device of it.
func (p *planner) once(b BMC, d fence.Device) (line int, twice bool) {
	key := []string{d.Agent}
	for _, name := range slices.Sorted(maps.Keys(d.Params)) {
		if name != "username" {
			key = append(key, name+"="+d.Params[name])
		}
	}
	device := strings.Join(key, "\n")
	line, twice = p.devices[device]
	if !twice {
		p.devices[device] = b.Line
	}
	return line, twice
}

// alike reports whether levels are one device with this agent and these parameters, whatever they are called and wherever the
// password is.
func alike(levels, wanted []fence.Level) bool {
	if len(levels) != 1 || len(levels[0].Devices) != 1 {
		return false
	}
	d, w := levels[0].Devices[0], wanted[0].Devices[0]
	params := map[string]string{}
	for name, value := range d.Params {
		params[fence.CanonicalParam(name)] = value
	}
	return d.Agent == w.Agent && maps.Equal(params, w.Params)
}

// other is the error for a host that is fenced in another way.
func (p *planner) other(b BMC, host *one.Host, entry config.Entry) error {
	which := "hosts: " + text.Some(entry.Hosts, 3)
	if len(entry.Hosts) == 0 {
		which = "clusters: " + text.Some(entry.Clusters, 3)
	}
	return p.wrong(b, columnHost, "", "one-ft.yaml fences %s in another way, by the entry with %s; take it out of there, or this line out of the list", label(host), which)
}

// secret reports whether the password of a line has to be written; "" is no file, and nothing to write.
func (p *planner) secret(b BMC, host *one.Host, path string) (missing bool, err error) {
	if path == "" {
		return false, nil
	}
	switch found, err := p.Secret(path); {
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case err != nil:
		return false, p.wrong(b, columnPassword, "", "%v", err)
	case found != string(b.Password):
		return false, p.wrong(b, columnPassword, "", "%s has another password for %s; remove that file, or correct this line", path, label(host))
	}
	return false, nil
}

// secretName is the name of the file with the password of a host: the name of the host where that can be one.
func secretName(h *one.Host) string {
	odd := func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '.' || r == '-' || r == '_')
	}
	if h.Name == "" || h.Name[0] == '.' || len(h.Name) > 100 || strings.ContainsFunc(h.Name, odd) {
		return fmt.Sprintf("host@%d", h.ID) // no name of a host that can be one of a file
	}
	return h.Name
}
