package reach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"one-ft/pkg/failfast"
	"one-ft/pkg/statedir"
)

// route is how ssh connects to a host.
type route struct {
	Address string    `json:"address"`         // host:port
	Proxy   bool      `json:"proxy,omitempty"` // through something else
	Known   string    `json:"known,omitempty"` // the address that last answered, for when names cannot be looked up
	At      time.Time `json:"at"`
}

func routeOf(s failfast.Settings) route {
	return route{
		Address: net.JoinHostPort(s.HostName, strconv.Itoa(s.Port)), Proxy: s.ProxyCommand != "" || s.ProxyJump != "", At: time.Now(),
	}
}

const (
	// remembered is how long a route counts although files of ssh may have changed that are not in Sources, such as
	// those of an Include; stale is from when on Warm asks again. Choices.
	remembered, stale = 2 * time.Hour, time.Hour
	// warmedAtOnce is how many names Warm asks about: 1 to 3 s of a core.
	warmedAtOnce = 100
	// maxMemory bounds the file: 100,000 hosts with some 160 bytes each.
	maxMemory = 16 << 20
)

// Memory remembers how ssh connects to hosts, because asking it takes 10 to 30 ms of a core for each (measured): 1,000
// hosts would be half a minute in which a guard cannot judge. A nil Memory remembers nothing.
type Memory struct {
	path    string
	mu      sync.Mutex
	changed bool
	kept    memoryFile
}

// memoryFile is the file of a Memory.
type memoryFile struct {
	Sources string           `json:"sources"` // what the files of ssh were when it was asked
	Routes  map[string]route `json:"routes"`  // by the name of the host
	// Failed are names about which ssh said nothing, and when it was asked.
	Failed map[string]time.Time `json:"failed,omitempty"`
}

// Open reads the memory in a file. sources are the files that decide how ssh connects, and may be missing; when one of them
// has changed what is remembered does not count. A file that cannot be read counts as none: all that is lost is time.
func Open(path string, sources []string) *Memory {
	m := &Memory{path: path}
	now := fingerprint(sources)
	if text, err := statedir.ReadSmall(path, maxMemory); err == nil {
		_ = json.Unmarshal(text, &m.kept) // what was read of it until then is checked below
	}
	if m.kept.Sources != now || m.kept.Routes == nil {
		old := m.kept.Routes
		m.kept = memoryFile{Sources: now, Routes: map[string]route{}}
		for name, r := range old { // where a host was last is no matter of ssh
			m.kept.Routes[name] = route{Known: r.Known}
		}
	}
	return m
}

// SSHSources are the files of the ssh client of a user with that home directory.
func SSHSources(home string) []string {
	list := []string{filepath.Join(home, ".ssh", "config"), "/etc/ssh/ssh_config"}
	more, _ := filepath.Glob("/etc/ssh/ssh_config.d/*.conf") // the pattern is a good one
	return append(list, more...)
}

func fingerprint(files []string) (all string) {
	for _, f := range files {
		switch info, err := os.Stat(f); {
		case err == nil:
			all += fmt.Sprintf("%s %d %d\n", f, info.Size(), info.ModTime().UnixNano())
		case !errors.Is(err, fs.ErrNotExist):
			all += f + " unreadable\n"
		}
	}
	return all
}

func (m *Memory) route(name string) (r route, known bool) {
	if m == nil {
		return r, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r = m.kept.Routes[name]
	age := time.Since(r.At)
	return r, r.Address != "" && age >= 0 && age < remembered
}

// due reports whether ssh is to be asked about a name before somebody waits for it. Each is asked once an hour at most.
func (m *Memory) due(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := m.kept.Routes[name].At
	if failed := m.kept.Failed[name]; failed.After(last) {
		last = failed
	}
	age := time.Since(last)
	return age < 0 || age >= stale
}

// failed remembers that ssh said nothing about a name.
func (m *Memory) failed(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept.Failed == nil {
		m.kept.Failed = map[string]time.Time{}
	}
	m.kept.Failed[name], m.changed = time.Now(), true
}

// Warm asks ssh about names of which nothing is remembered, or soon will not be, and saves what it learns: the next recovery
// finds it. It asks about so many that it takes a few seconds at most; the next call goes on.
func (a Asker) Warm(ctx context.Context, names []string) error {
	if a.Memory == nil || a.Port != 0 {
		return nil
	}
	all, due := make(map[string]bool, len(names)), []string(nil)
	for _, name := range names {
		all[name] = true
		if len(due) < warmedAtOnce && !a.skips(name) && a.Memory.due(name) {
			due = append(due, name)
		}
	}
	if len(due) > 0 {
		limited, cancel := context.WithTimeout(ctx, resolveAllLimit)
		defer cancel()
		for i, answer := range a.Resolve(limited, due) {
			switch {
			case limited.Err() != nil && answer.Err != nil: // it was not asked
			case answer.Err != nil:
				a.Memory.failed(due[i])
			case !answer.Barred():
				a.Memory.learn(due[i], routeOf(answer.Settings))
			}
		}
	}
	return a.Memory.Save(all)
}

// learn remembers a route, and gives it with where the host was last.
func (m *Memory) learn(name string, r route) route {
	if m == nil {
		return r
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r.Known = m.kept.Routes[name].Known
	m.kept.Routes[name], m.changed = r, true
	return r
}

// met remembers the address at which a host has answered.
func (m *Memory) met(name, address string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.kept.Routes[name]; r.Known != address {
		r.Known = address
		m.kept.Routes[name], m.changed = r, true
	}
}

// Save writes what was learned, for the next process; hosts that are not in names are forgotten, unless names is nil.
func (m *Memory) Save(names map[string]bool) error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if names != nil {
		before := len(m.kept.Routes)
		maps.DeleteFunc(m.kept.Routes, func(name string, _ route) bool { return !names[name] })
		maps.DeleteFunc(m.kept.Failed, func(name string, _ time.Time) bool { return !names[name] })
		m.changed = m.changed || len(m.kept.Routes) != before
	}
	if !m.changed {
		return nil
	}
	text, err := json.Marshal(m.kept)
	if err == nil {
		err = statedir.File{Volatile: true}.Replace(m.path, text)
	}
	if err != nil {
		return fmt.Errorf("remember how ssh connects to the hosts: %w", err)
	}
	m.changed = false
	return nil
}
