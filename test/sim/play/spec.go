package play

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// spec is the cloud of a scenario.
type spec struct {
	cloud     cloud.Config
	frontEnds int
	hooks     []hookSpec
	onStdin   bool
	bare      bool          // hooks and timers get neither ONE_XMLRPC nor ONE_AUTH
	timer     time.Duration // of oneft resume; 0 for none
	watch     bool          // oneft watch on every front-end
	isolated  map[int]bool  // hosts with host_isolated --strict
	machines  map[int]machineSpec
	autostart map[int][]int // VMs whose guests start with a host, by host
	fenced    map[int]bool  // hosts for which any fencing is configured
	// noFailFast: the block of one-ft is not in the configuration of ssh.
	noFailFast bool
	jump       bool // ssh goes through a jump host
	unsafe     bool // the scenario has no fencing and says so
}

// hookSpec is a hook as an admin wrote it, with HOST or VM for what stands for its object.
type hookSpec struct {
	tool, args string
}

// The cloud that a scenario has when it does not say otherwise: one that recovers within
// minutes.
const (
	defaultInterval = 20 * time.Second
	defaultLease    = "60"
	defaultReaction = "48"
	promised        = 108 * time.Second // both
)

// newSpec reads the lines of a cloud for a family of versions.
func newSpec(family, config string, text []string) (*spec, error) {
	s := &spec{frontEnds: 1, onStdin: true, isolated: map[int]bool{}, fenced: map[int]bool{}, machines: map[int]machineSpec{}, autostart: map[int][]int{}}
	s.cloud = cloud.Config{Version: version(family), MonitorInterval: defaultInterval, DeadStep: 500 * time.Millisecond, Network: cloud.Local,
		Datastores: []cloud.Datastore{{ID: 0, Name: "system", Type: 1, Shared: true}}}
	hooks := false
	for _, line := range text {
		words, err := fields(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
		hooks = hooks || words[0] == "hook" || line == "no hooks"
		if err := s.statement(words); err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
	}
	if !hooks {
		s.hooks = []hookSpec{{"host_error", "HOST -r n -p 2"}}
	}
	if strings.Contains(config, "fence:") {
		for _, h := range s.cloud.Hosts {
			s.fenced[h.ID] = true
		}
	}
	return s, nil
}

// fields are the words of a line; a word in double quotes may hold blanks and Go's escapes.
func fields(line string) (words []string, err error) {
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		before, quoted, found := strings.Cut(line, `"`)
		if blank := strings.IndexAny(line, " \t"); !found || blank >= 0 && blank < len(before) {
			word, rest, _ := strings.Cut(line, " ")
			words, line = append(words, word), rest
			continue
		}
		text, err := strconv.QuotedPrefix(`"` + quoted)
		if err != nil {
			return nil, err
		}
		value, err := strconv.Unquote(text)
		if err != nil {
			return nil, err
		}
		words, line = append(words, before+value), quoted[len(text)-1:]
	}
	return words, nil
}

// statement reads one line.
func (s *spec) statement(words []string) error {
	if known, err := s.networkStatement(words); known {
		return err
	}
	rest := words[1:]
	switch words[0] {
	case "hosts":
		return s.addHosts(rest)
	case "host":
		return s.changeHosts(rest)
	case "vm", "vms":
		return s.addVMs(rest)
	case "datastore":
		return s.addDatastore(rest)
	case "fencing":
		return s.addFencing(rest)
	case "isolated":
		return s.addIsolated(rest)
	case "front-ends":
		return number(rest, &s.frontEnds)
	case "interval":
		return duration(rest, &s.cloud.MonitorInterval)
	case "step":
		return duration(rest, &s.cloud.Step)
	case "timer":
		return duration(rest, &s.timer)
	case "watch":
		s.watch = true
		return nil
	case "hook":
		if len(rest) == 0 {
			return fmt.Errorf("the tool is missing")
		}
		s.hooks = append(s.hooks, hookSpec{rest[0], strings.Join(rest[1:], " ")})
		return nil
	case "hooks":
		s.onStdin = s.onStdin && strings.Join(rest, " ") != "get their words as arguments"
		s.bare = s.bare || strings.Join(rest, " ") == "have a bare environment"
		return nil
	case "no":
		return nil // no hooks
	}
	return fmt.Errorf("what is %q?", words[0])
}

func number(words []string, n *int) (err error) {
	if len(words) != 1 {
		return fmt.Errorf("one number is needed")
	}
	*n, err = strconv.Atoi(words[0])
	return err
}

func duration(words []string, d *time.Duration) (err error) {
	if len(words) != 1 {
		return fmt.Errorf("one time is needed")
	}
	*d, err = time.ParseDuration(words[0])
	return err
}

// addHosts reads "hosts 8", "hosts 8 cpu=2".
func (s *spec) addHosts(words []string) error {
	n := 0
	if err := number(words[:1], &n); err != nil {
		return err
	}
	for id := range n {
		h := cloud.Host{ID: id, Name: fmt.Sprintf("host%d", id), State: one.HostMonitored, Template: map[string]string{}}
		if s.family44() {
			h.Cluster = -1
		}
		s.cloud.Hosts = append(s.cloud.Hosts, h)
	}
	return s.setHosts(0, n, words[1:])
}

func (s *spec) family44() bool { return strings.HasPrefix(s.cloud.Version, "4.") }

// changeHosts reads "host host3 DISABLED", "host host2 host3 cluster=1 cpu=4 name=x".
func (s *spec) changeHosts(words []string) error {
	n := 0
	for n < len(words) && hostName.MatchString(words[n]) {
		n++
	}
	for _, w := range words[:n] {
		id, err := s.hostID(w)
		if err == nil {
			err = s.setHosts(id, id+1, words[n:])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// setHosts gives hosts attributes.
func (s *spec) setHosts(from, to int, words []string) (err error) {
	for _, w := range words {
		key, value, has := strings.Cut(w, "=")
		for i := from; i < to && err == nil; i++ {
			h, m := &s.cloud.Hosts[i], s.machines[i]
			switch {
			case key == "libvirt":
				m.daemons = strings.Split(value, ",")
			case key == "domains":
				m.domains = strings.Split(value, ",")
			case key == "containers":
				m.containers = strings.Split(value, ",")
			case key == "cpu":
				h.CPU, err = strconv.Atoi(value)
				h.CPU *= 100
			case key == "mem":
				h.MemMB, err = strconv.Atoi(value)
			case key == "cluster":
				h.Cluster, err = strconv.Atoi(value)
			case key == "name":
				h.Name = value
			case key == "driver":
				h.Driver = value
			case key == "since":
				h.FailedFor, err = time.ParseDuration(value)
			case key == "attributes":
				err = addAttributes(h.Template, value)
			case has:
				h.Template[key] = value
				s.fenced[i] = s.fenced[i] || strings.HasPrefix(key, "FENCE_")
			default:
				if h.State, has = hostStates()[w]; !has {
					err = fmt.Errorf("what is %q?", w)
				}
			}
			s.machines[i] = m
		}
	}
	return err
}

// addAttributes makes a template big.
func addAttributes(template map[string]string, number string) error {
	n, err := strconv.Atoi(number)
	for i := range n {
		template[fmt.Sprintf("SITE_ATTRIBUTE_%d", i)] = "of a site that keeps its inventory in templates"
	}
	return err
}

// hostStates are the states that a host may begin in.
func hostStates() map[string]one.HostState {
	return map[string]one.HostState{"DISABLED": one.HostDisabled, "OFFLINE": one.HostOffline, "ERROR": one.HostError}
}

var hostName = regexp.MustCompile(`^host(\d+)$`)

// hostID finds a host by what the scenario calls it.
func (s *spec) hostID(word string) (int, error) {
	m := hostName.FindStringSubmatch(word)
	if m == nil {
		return 0, fmt.Errorf("%q is no host; hosts are host0, host1 and so on", word)
	}
	id, err := strconv.Atoi(m[1])
	if err != nil || id >= len(s.cloud.Hosts) {
		return 0, fmt.Errorf("there is no %s", word)
	}
	return id, nil
}

// addDatastore reads "datastore 1 local".
func (s *spec) addDatastore(words []string) error {
	if len(words) != 2 || words[1] != "local" && words[1] != "shared" {
		return fmt.Errorf("a number, and local or shared")
	}
	id, err := strconv.Atoi(words[0])
	d := cloud.Datastore{ID: id, Name: fmt.Sprintf("system%d", id), Type: 1, Shared: words[1] == "shared"}
	s.cloud.Datastores = slices.DeleteFunc(s.cloud.Datastores, func(o cloud.Datastore) bool { return o.ID == id })
	s.cloud.Datastores = append(s.cloud.Datastores, d)
	return err
}

// addFencing reads "fencing all bmc", "fencing host1 bmc strip lease", one level after the
// other; "none" is for a cloud that runs the risk.
func (s *spec) addFencing(words []string) error {
	if len(words) == 1 && words[0] == "none" {
		s.unsafe = true
		return nil
	}
	if len(words) < 2 {
		return fmt.Errorf("which host, and by what?")
	}
	for i := range s.cloud.Hosts {
		h := &s.cloud.Hosts[i]
		if words[0] != "all" && words[0] != fmt.Sprintf("host%d", i) {
			continue
		}
		s.fenced[i] = true
		for n, kind := range words[1:] {
			if err := fenceAttributes(h.Template, n+1, kind, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// fenceAttributes adds a level to the template of a host. A strip is a second device, such as
// a switched power strip.
func fenceAttributes(t map[string]string, level int, kind string, host int) error {
	suffix := ""
	if level > 1 {
		suffix = fmt.Sprintf("_%d", level)
	}
	switch kind {
	case "bmc", "strip":
		t["FENCE_AGENT"+suffix] = AgentName
		t["FENCE_IP"+suffix] = fmt.Sprintf("%s-host%d", kind, host)
		t["FENCE_USER"+suffix], t["FENCE_PASSWORD"+suffix] = "admin", "s3cret"
	case "sbd":
		t["FENCE_AGENT"+suffix], t["FENCE_DEVICES"+suffix] = sbdAgent, "/dev/disk/by-id/sbd"
		t["FENCE_PLUG"+suffix] = fmt.Sprintf("host%d", host)
	case "lease":
		t["FENCE_LEASE"], t["FENCE_LEASE_REACTION"] = defaultLease, defaultReaction
	case "manual":
		t["FENCE_MANUAL"] = "yes"
	default:
		return fmt.Errorf("fencing by %q: known are bmc, strip, sbd, lease and manual", kind)
	}
	return nil
}

// addIsolated reads "isolated all" or the hosts where host_isolated runs.
func (s *spec) addIsolated(words []string) error {
	for _, w := range words {
		if w == "all" {
			for i := range s.cloud.Hosts {
				s.isolated[i] = true
			}
			continue
		}
		id, err := s.hostID(w)
		if err != nil {
			return err
		}
		s.isolated[id] = true
	}
	return nil
}
