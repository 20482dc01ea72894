package bench

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"one-ft/pkg/one"
	"one-ft/pkg/statedir"
	"one-ft/test/sim/cloud"
)

// field is where host_error is measured: a cloud of some size with one failed host.
type field struct {
	version string
	on      int // VMs on the failed host
	vms     int // in the cloud, on hosts of 100 VMs each
}

func (f field) String() string { return fmt.Sprintf("%s, %d of %d VMs", f.version, f.on, f.vms) }

// config makes the cloud. The drivers are done at once and the scheduler never runs, so that
// each run meets its VMs in the same state, PENDING, however busy the machine is.
func (f field) cloud() cloud.Config {
	cfg := cloud.Config{Version: f.version, Step: time.Nanosecond, SchedInterval: time.Hour}
	for id := range f.vms/100 + 2 {
		cfg.Hosts = append(cfg.Hosts, cloud.Host{ID: id, Name: fmt.Sprintf("node%d", id), CPU: 20000, MemMB: 1 << 20})
	}
	cfg.Hosts[0].State = one.HostError
	for id := range f.vms {
		v := cloud.VM{ID: id, Name: fmt.Sprintf("vm%d", id), State: one.Active, LCM: one.Running, CPU: 1, MemMB: 128}
		host := 1 + id/100
		if every := f.vms / f.on; id%every == 0 && id/every < f.on {
			host, v.LCM = 0, one.Unknown
		}
		v.History = []cloud.Record{{HostID: host, STime: 1, PSTime: 1, PETime: 1, RSTime: 1}}
		cfg.VMs = append(cfg.VMs, v)
	}
	return cfg
}

// run is what one process came to.
type run struct {
	took, cpu time.Duration
	home      string // what it has left
	recorded
}

// recorded is what only a run tells that is watched, which takes time of its own.
type recorded struct {
	memory   int64
	requests [][]byte
	calls    int
	recreate int           // calls among them
	bytes    int64         // received, but for the pool
	perVM    float64       // bytes of an answer about one VM
	pool     int64         // the pool of hosts, which the storm guard has to see
	oned     time.Duration // from the last recreate until the last VM had left the host
}

// bench runs processes against fresh clouds of one configuration.
type bench struct {
	field
	cfg  cloud.Config
	bin  string
	home string // what all runs share
	// journal, when set, is the directory of earlier incidents, which each run begins with.
	journal string
	// config, when set, is more of one-ft.yaml, and ways a memory of how ssh connects that each run begins with.
	config, ways string
	// seed, when set, is a state directory that each run begins with.
	seed string
}

func newBench(t *testing.T, bin string, f field) *bench {
	t.Helper()
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "auth"), []byte("oneadmin:opennebula"), 0o600); err != nil {
		t.Fatal(err)
	}
	return &bench{field: f, cfg: f.cloud(), bin: bin, home: home}
}

// fresh gives a new ONE_LOCATION with an empty state directory, or with the journal. Those of
// earlier runs stay until the test has ended: ext4 takes its time to give the place of a file that
// was just removed to another one.
func (b *bench) fresh(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	if b.seed != "" {
		if err := os.CopyFS(filepath.Join(home, "var", "one-ft"), os.DirFS(b.seed)); err != nil {
			t.Fatal(err)
		}
	}
	incidents := filepath.Join(home, "var", "one-ft", "incidents")
	if err := os.MkdirAll(incidents, 0o755); err != nil {
		t.Fatal(err)
	}
	verifyLeft(t, home, b.config)
	if b.ways != "" {
		text, err := os.ReadFile(b.ways)
		if err == nil {
			err = os.WriteFile(statedir.Dir(filepath.Join(home, "var", "one-ft")).Ways(), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if b.journal == "" {
		return home
	}
	// Links are as good as copies: a record is replaced, never written into.
	entries, err := os.ReadDir(b.journal)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.Link(filepath.Join(b.journal, e.Name()), filepath.Join(incidents, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return home
}

// verifyLeft configures one-ft in a cloud whose scheduler never runs: nothing there is followed until it runs. Hosts have names
// only, so none is waited for unless more says something else.
func verifyLeft(t *testing.T, location string, more ...string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(location, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(location, "etc", "one-ft.yaml"), []byte("verify: left\n"+cmp.Or(strings.Join(more, ""), "survey: {settle: 0s}\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs a program with arguments, in which URL stands for the endpoint of a fresh cloud.
// watched says that it is recorded, which takes time of its own.
func (b *bench) run(t *testing.T, watched bool, program string, args ...string) run {
	t.Helper()
	home := b.fresh(t)
	c, err := cloud.New(b.cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var seen tape
	handler := http.Handler(c)
	if watched {
		handler = seen.of(c)
		c.OnVMState(seen.moved)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	args = slices.Clone(args)
	for i, word := range args {
		args[i] = strings.ReplaceAll(word, "URL", server.URL+"/RPC2")
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(b.bin, program), args...)
	cmd.Env = []string{"ONE_XMLRPC=" + server.URL + "/RPC2", "ONE_AUTH=" + filepath.Join(b.home, "auth"), "ONE_LOCATION=" + home, "PATH=" + os.Getenv("PATH")}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	// The collector of this process, which has the whole cloud in its memory, would work beside
	// the one that is measured.
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	r := run{home: home}
	done, peak := make(chan struct{}), make(chan int64, 1)
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if watched {
		go func() { peak <- peakMemory(cmd.Process.Pid, done) }()
	}
	err = cmd.Wait()
	r.took, r.cpu = time.Since(start), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
	close(done)
	if err != nil {
		t.Fatalf("%s on %s: %v\n%s", program, b.field, err, out.String())
	}
	if watched {
		r.recorded = seen.recorded(c)
		r.memory = <-peak
	}
	return r
}

// median runs a program once watched and then so many times alone; the times are the medians of
// those.
func (b *bench) median(t *testing.T, times int, program string, args ...string) run {
	t.Helper()
	first := b.run(t, true, program, args...)
	var took, cpu []time.Duration
	for range times {
		r := b.run(t, false, program, args...)
		took, cpu = append(took, r.took), append(cpu, r.cpu)
	}
	first.took, first.cpu = median(took), median(cpu)
	return first
}

// tape records requests.
type tape struct {
	mu       sync.Mutex
	requests [][]byte
	left     time.Time // when a VM was last seen to leave UNKNOWN
}

func (s *tape) of(c *cloud.Cloud) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.requests = append(s.requests, body)
		s.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		c.ServeHTTP(w, r)
	})
}

func (s *tape) moved(e cloud.VMEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.PrevLCM == one.Unknown {
		s.left = time.Now()
	}
}

// recorded sums the calls of a cloud up.
func (s *tape) recorded(c *cloud.Cloud) (r recorded) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.requests = s.requests
	var answers, bytesOfVMs float64
	for _, call := range c.Calls() {
		r.calls++
		switch call.Method {
		case "one.hostpool.info":
			r.pool += int64(call.BytesOut)
			continue
		case "one.vm.recover", "one.vm.action":
			r.recreate++
			r.oned = s.left.Sub(call.At)
		}
		r.bytes += int64(call.BytesOut)
		if call.Method == "one.vm.info" {
			answers, bytesOfVMs = answers+1, bytesOfVMs+float64(call.BytesOut)
		}
	}
	r.perVM = bytesOfVMs / max(answers, 1)
	return r
}

// floorOf writes the requests for the bare client and gives its arguments.
func (b *bench) floorOf(t *testing.T, requests [][]byte) []string {
	t.Helper()
	var text bytes.Buffer
	for _, body := range requests {
		fmt.Fprintf(&text, "%d\n%s", len(body), body)
	}
	path := filepath.Join(b.home, "requests")
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"URL", path}
}

func ms(d time.Duration) float64 { return d.Seconds() * 1000 }

// median is that of a few durations.
func median[T time.Duration | float64](all []T) T {
	all = slices.Clone(all)
	slices.Sort(all)
	return all[len(all)/2]
}
