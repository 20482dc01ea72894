package fence

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// gear is a place for the devices of one test.
type gear struct {
	t   *testing.T
	dir string

	mu     sync.Mutex
	events []Event
}

func newGear(t *testing.T) *gear {
	t.Helper()
	return &gear{t: t, dir: t.TempDir()}
}

// path makes the directory of a device whose machine is on.
func (g *gear) path(name string) string {
	g.t.Helper()
	dir := filepath.Join(g.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		g.t.Fatal(err)
	}
	g.write(name, "power", "on")
	g.write(name, "calls", "")
	return dir
}

// agent is a device with a fake agent.
func (g *gear) agent(name, agent string) Device {
	g.t.Helper()
	return Device{Kind: KindAgent, Agent: agent, Params: map[string]string{"ip": g.path(name), "username": "admin"}}
}

// with adds a parameter to a device.
func with(d Device, name, value string) Device {
	d.Params[name] = value
	return d
}

func level(devices ...Device) Level { return Level{Devices: devices} }

// settings are quick and use the fake agents.
func (g *gear) settings(levels ...Level) Settings {
	g.t.Helper()
	agents, err := filepath.Abs("testdata/agents")
	if err != nil {
		g.t.Fatal(err)
	}
	return Settings{
		Levels: levels, Timeout: 20 * time.Second, Attempts: 2, Backoff: 10 * time.Millisecond,
		Late: time.Second, Poll: 10 * time.Millisecond, AgentDir: []string{agents}, SecretDir: g.dir,
		Notify: func(e Event) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.events = append(g.events, e)
		},
	}
}

// told are all events in one text.
func (g *gear) told() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var b strings.Builder
	for _, e := range g.events {
		b.WriteString(e.Device + ": " + e.Message.String() + "\n")
	}
	return b.String()
}

func (g *gear) write(name, file, text string) {
	g.t.Helper()
	if err := os.WriteFile(filepath.Join(g.dir, name, file), []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gear) read(name, file string) string {
	g.t.Helper()
	text, err := os.ReadFile(filepath.Join(g.dir, name, file))
	if err != nil {
		g.t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// calls is how often a device was asked for an action.
func (g *gear) calls(name, action string) int {
	g.t.Helper()
	n := 0
	for line := range strings.Lines(g.read(name, "calls")) {
		if strings.TrimSpace(line) == action {
			n++
		}
	}
	return n
}

// alive makes the FIFO of a device. Its reader gets a line when processes of the
// agent hold it, and the end when all of them are gone.
func (g *gear) alive(name string) <-chan string {
	g.t.Helper()
	path := filepath.Join(g.dir, name, "alive")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		g.t.Fatal(err)
	}
	signs := make(chan string)
	go func() {
		defer close(signs)
		f, err := os.Open(path)
		if err != nil {
			return
		}
		defer f.Close()
		buf := make([]byte, 100)
		for {
			n, err := f.Read(buf)
			if err != nil {
				return
			}
			signs <- string(buf[:n])
		}
	}()
	return signs
}

// sign waits for the line, or with want "" for the end.
func sign(t *testing.T, signs <-chan string, want string) {
	t.Helper()
	select {
	case got := <-signs:
		if strings.TrimSpace(got) != want {
			t.Fatalf("sign %q, want %q", got, want)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("no sign %q", want)
	}
}

var theHost = Host{ID: 0, Name: "node1"}
