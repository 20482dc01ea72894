package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/incident"
	"one-ft/pkg/process"
)

// bench is a front-end: a journal, a spool, and what commands and the log got.
type bench struct {
	t       *testing.T
	dir     string // of both
	journal *incident.Journal

	mu    sync.Mutex
	calls []call
	said  []string
	// answer is how the next runs of commands end; then they end well.
	answer []process.Result
}

// call is one run of a command.
type call struct {
	at    time.Time
	argv  []string
	env   map[string]string // FT_* only
	stdin string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir()}
	var err error
	if b.journal, err = incident.OpenJournal(filepath.Join(b.dir, "incidents")); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) spoolDir() string { return filepath.Join(b.dir, "notify") }

// mail is a command that hears of these.
func mail(on ...string) config.Notification {
	return config.Notification{Command: []string{"/bin/mail", "-x"}, On: on, Timeout: time.Minute}
}

// process is a one-ft process of the front-end, with a runner that only writes down.
func (b *bench) process(commands ...config.Notification) *Notifier {
	return New(b.spoolDir(), b.journal, commands, b.run, b.say)
}

func (b *bench) say(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said = append(b.said, fmt.Sprintf(format, args...))
}

func (b *bench) run(ctx context.Context, limit time.Duration, p process.Program) process.Result {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := call{at: time.Now(), argv: append([]string{p.Path}, p.Args...), env: map[string]string{}, stdin: string(p.Stdin)}
	for _, entry := range p.Env {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "FT_") {
			c.env[name] = value
		}
	}
	b.calls = append(b.calls, c)
	if limit != time.Minute {
		b.t.Errorf("a limit of %s", limit)
	}
	if len(b.answer) == 0 {
		return process.Result{}
	}
	result := b.answer[0]
	b.answer = b.answer[1:]
	return result
}

// events are what the commands were told, such as "end 3" or "digest [2 3]".
func (b *bench) events() []string {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	told := []string{}
	for _, c := range b.calls {
		text := c.env["FT_EVENT"] + " " + c.env["FT_INCIDENT"]
		if c.env["FT_EVENT"] == "digest" {
			text = fmt.Sprintf("digest %v", c.incidents(b.t))
		}
		told = append(told, text)
	}
	return told
}

// incidents are the numbers in a digest, sorted.
func (c call) incidents(t *testing.T) (numbers []int) {
	t.Helper()
	var d struct {
		Version, Digest int
		Incidents       []incident.Record
	}
	if err := json.Unmarshal([]byte(c.stdin), &d); err != nil || d.Version != 1 {
		t.Fatalf("%v: %s", err, c.stdin)
	}
	for _, r := range d.Incidents {
		numbers = append(numbers, r.Number)
	}
	if !slices.IsSortedFunc(numbers, func(a, b int) int { return b - a }) {
		t.Errorf("not the newest first: %v", numbers)
	}
	slices.Sort(numbers)
	return numbers
}

// toldThat checks what the commands were told, and that nothing else was wrong than these
// beginnings of lines.
func (b *bench) toldThat(want []string, wrong ...string) {
	b.t.Helper()
	if got := b.events(); !slices.Equal(got, want) {
		b.t.Errorf("told %q, want %q", got, want)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.said) != len(wrong) {
		b.t.Errorf("said %q, want %q", b.said, wrong)
		return
	}
	for i, line := range b.said {
		if !strings.HasPrefix(line, wrong[i]) {
			b.t.Errorf("said %q, want %q", line, wrong[i])
		}
	}
}

// record puts an incident of a host into the journal.
func (b *bench) record(number int, status incident.Status, change ...func(*incident.Record)) {
	b.t.Helper()
	r := incident.Record{
		Version: incident.RecordVersion, Number: number, Kind: "host", ID: number + 100, Name: fmt.Sprintf("node%d", number), Status: status,
		Began: time.Now().Add(-time.Minute), Summary: "it is over", Events: []incident.Event{{At: time.Now(), Step: incident.StepTold, VM: -1, Level: "info", Text: "ERROR"}},
	}
	for _, f := range change {
		f(&r)
	}
	text, err := json.Marshal(r)
	if err == nil {
		err = os.WriteFile(filepath.Join(b.dir, "incidents", fmt.Sprintf("incident-%06d.json", number)), text, 0o640)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// files are the names in the spool, but for those that are always there.
func (b *bench) files() []string {
	b.t.Helper()
	entries, err := os.ReadDir(b.spoolDir())
	if err != nil {
		b.t.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		if e.Name() != lockName && e.Name() != toldName {
			names = append(names, e.Name())
		}
	}
	return names
}

// isEmpty checks that nothing waits in the spool.
func (b *bench) isEmpty() {
	b.t.Helper()
	if names := b.files(); len(names) > 0 {
		b.t.Errorf("in the spool is %v", names)
	}
}
