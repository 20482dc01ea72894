package play

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// entry is one line of the log of a scenario.
type entry struct {
	at   time.Duration // since the begin, whole milliseconds
	rank int           // of its source among entries of the same moment
	who  string
	vm   int // -1 when it is about no single VM
	text string
	// output: it is what a command printed, which is worded for people.
	output bool
}

// What comes first in one moment: what happens to the cloud, what oned makes of it, what is
// called for, what the processes do.
const (
	rankEvent = iota
	rankOned
	rankHook
	rankProcess
	rankHost
	rankEnd
)

// log collects what happens. It may be used by several goroutines.
type log struct {
	mu      sync.Mutex
	began   time.Time
	old     bool // oned calls the hook of a host again and again
	entries []entry
}

func (l *log) add(rank int, who string, vm int, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, entry{at: time.Since(l.began).Truncate(time.Millisecond), rank: rank, who: who, vm: vm, text: fmt.Sprintf(format, args...)})
}

// toolLine is a line of the log of a tool, as logrus writes it. Of its message, which is for people, scenarios know nothing.
var toolLine = regexp.MustCompile(`^time="([^"]+)" level=(\w+)(?: msg=("(?:[^"\\]|\\.)*"|\S*))?(.*)$`)

// field is a field behind the message.
var field = regexp.MustCompile(`(\w+)=("(?:[^"\\]|\\.)*"|\S*)`)

// noise is what every run says, and what the time line says already.
var noise = regexp.MustCompile(`^((started|started-command|connected|monitoring-cycle|follower)\b.*|answered|answered-with answer=\[batch( errors=0| lines=\d+| reports=\[\])*\])$`)

// readTools adds what the tools of a front-end have logged.
func (l *log) readTools(frontEnd, dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		return err
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		tool := strings.TrimSuffix(filepath.Base(path), ".log")
		for line := range strings.Lines(string(text)) {
			e, keep, err := l.toolEntry(frontEnd, tool, strings.TrimSpace(line))
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if keep {
				l.entries = append(l.entries, e)
			}
		}
	}
	return nil
}

// toolEntry reads one line of the log of a tool.
func (l *log) toolEntry(frontEnd, tool, line string) (e entry, keep bool, err error) {
	m := toolLine.FindStringSubmatch(line)
	if m == nil {
		return e, false, fmt.Errorf("%q is no line of a log", line)
	}
	at, err := time.Parse(time.RFC3339Nano, m[1])
	if err != nil {
		return e, false, err
	}
	e = entry{at: at.Sub(l.began.Truncate(time.Millisecond)), rank: rankProcess, who: frontEnd + " " + tool, vm: -1}
	about, kind, fields := "", "", ""
	for _, f := range field.FindAllStringSubmatch(m[4], -1) {
		value := f[2]
		if strings.HasPrefix(value, `"`) {
			if value, err = strconv.Unquote(value); err != nil {
				return e, false, err
			}
		}
		switch f[1] {
		case "host":
			e.who = frontEnd + " " + tool + " " + value
		case "vm":
			if e.vm, err = strconv.Atoi(value); err != nil {
				return e, false, err
			}
			if tool == "vm_failure" || tool == "vm_unknown" {
				e.who = frontEnd + " " + tool
			}
		case "about":
			about = value + ": "
		case "kind":
			kind = value
		case "pid", "exit":
		default:
			if !strings.HasPrefix(value, "[") {
				value = f[2] // quoted where that is needed
			}
			fields += " " + f[1] + "=" + value
		}
	}
	e.text = about + kind + fields
	keep = !noise.MatchString(e.text)
	if m[2] != "info" {
		e.text = m[2] + ": " + e.text
	}
	return e, keep, nil
}

// print is add for a line that a command printed.
func (l *log) print(rank int, who, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, entry{at: time.Since(l.began).Truncate(time.Millisecond), rank: rank, who: who, vm: -1, text: line, output: true})
}

// printed are the lines that commands printed, behind their calls; it takes them out.
func (l *log) printed(clean func(who, text string) string) string {
	only := &log{}
	l.entries = slices.DeleteFunc(l.entries, func(e entry) bool {
		if e.output {
			only.entries = append(only.entries, e)
		}
		return e.output
	})
	return only.lines(clean)
}

// lines are the entries as an admin reads them: in the order of time, VMs with the same news
// in one line.
func (l *log) lines(clean func(who, text string) string) string {
	for i := range l.entries {
		l.entries[i].text = clean(l.entries[i].who, l.entries[i].text)
	}
	slices.SortStableFunc(l.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.rank, b.rank), cmp.Compare(a.who, b.who))
	})
	repeats := l.fold()
	var b strings.Builder
	for i := 0; i < len(l.entries); {
		n := i + 1
		for n < len(l.entries) && l.entries[n].at == l.entries[i].at && l.entries[n].rank == l.entries[i].rank && l.entries[n].who == l.entries[i].who {
			n++
		}
		for _, e := range together(l.entries[i:n]) {
			fmt.Fprintf(&b, "%s  %-14s %s\n", clock(e.at), e.who, e.text)
		}
		i = n
	}
	return b.String() + repeats
}

// repeated is what a call of a hook says that has nothing to do: oned 4.4 calls the hook of a
// host on each failed cycle.
var repeated = regexp.MustCompile(`\b(busy|already-handled|outage-handled|handed-over|handed-over-to)\b|answer=\[no-vms\]`)

// fold takes calls of hooks out that say the same as one before, and tells how many there were.
func (l *log) fold() string {
	count := map[string]int{}
	var order []string
	l.entries = slices.DeleteFunc(l.entries, func(e entry) bool {
		if !repeated.MatchString(e.text) && !(l.old && strings.HasPrefix(e.text, "hook: ")) {
			return false
		}
		key := fmt.Sprintf("%-14s %s", e.who, e.text)
		if count[key]++; count[key] == 1 {
			order = append(order, key)
			return false
		}
		return true
	})
	var b strings.Builder
	for _, key := range order {
		if n := count[key] - 1; n > 0 {
			fmt.Fprintf(&b, "%-7s  %s (again, %d times)\n", "", key, n)
		}
	}
	return b.String()
}

// together puts VMs with the same text into one line, behind what is about no VM.
func together(moment []entry) (all []entry) {
	vms := map[string][]int{}
	var texts []string
	for _, e := range moment {
		if e.vm < 0 {
			all = append(all, e)
			continue
		}
		if _, known := vms[e.text]; !known {
			texts = append(texts, e.text)
		}
		vms[e.text] = append(vms[e.text], e.vm)
	}
	for _, ids := range vms {
		slices.Sort(ids)
	}
	slices.SortStableFunc(texts, func(a, b string) int { return slices.Compare(vms[a], vms[b]) })
	for _, t := range texts {
		e := moment[0]
		e.text = "vm " + spans(vms[t]) + ": " + t
		all = append(all, e)
	}
	return all
}

// spans writes ascending numbers in short: 1-3,7.
func spans(ids []int) string {
	var parts []string
	for i := 0; i < len(ids); {
		n := i
		for n+1 < len(ids) && ids[n+1] <= ids[n]+1 {
			n++
		}
		switch {
		case ids[n] > ids[i]:
			parts = append(parts, fmt.Sprintf("%d-%d", ids[i], ids[n]))
		default:
			parts = append(parts, strconv.Itoa(ids[i]))
		}
		i = n + 1
	}
	return strings.Join(parts, ",")
}

// clock writes a time of a scenario: 02:07.1, 1:02:07.1.
func clock(d time.Duration) string {
	tenths := d.Milliseconds() / 100
	h, m, s := tenths/36000, tenths/600%60, tenths%600
	if h > 0 {
		return fmt.Sprintf("%d:%02d:%02d.%d", h, m, s/10, s%10)
	}
	return fmt.Sprintf("%02d:%02d.%d", m, s/10, s%10)
}
