package notify

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/incident"
	"one-ft/pkg/wording"
)

func TestSingle(t *testing.T) { bubble(t, testSingle) }

func testSingle(t *testing.T, b *bench) {
	b.record(12, incident.Incomplete, func(r *incident.Record) {
		r.Kind, r.Name, r.Summary = "VM", "a\x1b[2J<b>", "1 of 2 VMs\nwas not handled"
	})
	n := b.process(mail("end"))
	n.Enqueue(End, 12)
	n.Enqueue(End, 12)
	n.Deliver(t.Context())
	n.Enqueue(End, 12) // another process that ends it again
	n.Deliver(t.Context())
	b.process(mail("end")).Deliver(t.Context())
	b.toldThat([]string{"end 12"})
	b.isEmpty()
	c := b.calls[0]
	want := map[string]string{"FT_EVENT": "end", "FT_INCIDENT": "12", "FT_OBJECT": `VM 112 (a\x1b[2J<b>)`,
		"FT_STATUS": "incomplete", "FT_SUMMARY": `1 of 2 VMs\nwas not handled`}
	if fmt.Sprint(c.env) != fmt.Sprint(want) || !slices.Equal(c.argv, []string{"/bin/mail", "-x"}) {
		t.Errorf("got %q %q", c.argv, c.env)
	}
	stored, err := b.journal.Load(12)
	if err != nil {
		t.Fatal(err)
	}
	var got incident.Record
	if err := json.Unmarshal([]byte(c.stdin), &got); err != nil || len(got.Events) != 1 || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", stored) {
		t.Errorf("%v: %s", err, c.stdin)
	}
	if strings.Contains(c.stdin, `\u003c`) {
		t.Errorf("< is not as it is: %s", c.stdin)
	}
}

func TestSummary(t *testing.T) {
	events := []incident.Event{{Text: "ERROR"}, {Kind: wording.Held.Name(), Text: "holding: 3 of 4"}, {Text: "still 2 of 4"}}
	for _, c := range []struct {
		kind    Kind
		summary string
		events  []incident.Event
		want    string
	}{
		{End, "all done", events, "all done"},
		{Begin, "", events[:1], "ERROR"},
		{Begin, "", nil, ""},
		{Hold, "", events, "holding: 3 of 4"},
		{Begin, "", events, "still 2 of 4"},
		{Hold, "", events[:1], "ERROR"},
	} {
		if got := summary(c.kind, incident.Record{Summary: c.summary, Events: c.events}); got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

// An incident that ended unproven says what a person has to do, alone and among others, and a digest with
// one is about the worst that there is.
func TestUnproven(t *testing.T) {
	r := incident.Record{Kind: "host", ID: 3, Status: incident.Unproven, Summary: "2 VMs: started 2 elsewhere, UNPROVEN"}
	if got := summary(End, r); !strings.HasPrefix(got, r.Summary+"; nothing proves that the host is off: make sure of it before") {
		t.Errorf("summary %q", got)
	}
	r.Status, r.VMs = incident.Incomplete, []incident.VM{{Action: "recreate", Result: "unproven"}, {Action: "recreate", Result: "incomplete"}}
	if got := summary(End, r); !strings.HasSuffix(got, "else its VMs run twice") {
		t.Errorf("one unproven, one not handled: %q", got)
	}
	r.VMs = []incident.VM{{Action: "delete", Result: "unproven"}, {Action: "recreate", Result: "left"}}
	if got := summary(End, r); !strings.HasSuffix(got, "else deleted VMs run there, unknown to OpenNebula") {
		t.Errorf("deleted without a proof: %q", got)
	}
	r.VMs = r.VMs[1:]
	if got := summary(End, r); got != r.Summary {
		t.Errorf("nothing was started: %q", got)
	}
	var all []incident.Record
	for _, s := range []incident.Status{incident.Unproven, incident.Done, incident.Failed, incident.Following, incident.Done, incident.Unproven} {
		all = append(all, incident.Record{Kind: "host", Status: s})
	}
	if text, worst := counts(all); text != "2 done, 1 still starting, 1 failed, 2 started elsewhere, UNPROVEN" || worst != incident.Unproven {
		t.Errorf("%q, worst %q", text, worst)
	}
	if text, worst := counts(all[1:4]); text != "1 done, 1 still starting, 1 failed" || worst != incident.Failed {
		t.Errorf("%q, worst %q", text, worst)
	}
}

// Every status has a place in a digest: one that has none would not be counted.
func TestStandings(t *testing.T) {
	for _, s := range []incident.Status{incident.Open, incident.Done, incident.CameBack, incident.Incomplete, incident.Refused, incident.Failed, incident.Unproven, incident.Following} {
		if text, worst := counts([]incident.Record{{Status: s}}); worst != s || !strings.HasPrefix(text, "1 ") {
			t.Errorf("%s: %q, %s", s, text, worst)
		}
	}
}

// What each command hears of.
func TestOn(t *testing.T) {
	statuses := []incident.Status{incident.Done, incident.CameBack, incident.Incomplete, incident.Refused, incident.Failed, incident.Open, incident.Unproven}
	for _, c := range []struct {
		on   string
		kind Kind
		want string // of each status
	}{
		{"begin", Begin, "yyyyyyy"}, {"begin", Hold, "nnnnnnn"}, {"begin", End, "nnnnnnn"},
		{"hold", Hold, "yyyyyyy"}, {"hold", End, "nnnnnnn"},
		{"end", End, "yyyyyyy"}, {"end", Begin, "nnnnnnn"},
		{"problem", End, "nnyyyyy"}, {"problem", Hold, "nnnnnnn"}, {"problem", Begin, "nnnnnnn"},
		{"hold,problem", End, "nnyyyyy"}, {"hold,problem", Hold, "yyyyyyy"},
		{"begin", "digest", "nnnnnnn"},
	} {
		for i, status := range statuses {
			b := newBench(t)
			b.record(1, status)
			n := b.process(mail(strings.Split(c.on, ",")...))
			n.Enqueue(c.kind, 1)
			n.Deliver(t.Context())
			if told := len(b.events()) == 1; told != (c.want[i] == 'y') || len(b.said) > 0 {
				t.Errorf("%s, %s, %s: told %v, said %q", c.on, c.kind, status, told, b.said)
			}
		}
	}
}

// Two commands get what each of them is for.
func TestTwoCommands(t *testing.T) {
	b := newBench(t)
	b.record(1, incident.Done)
	b.record(2, incident.Failed)
	pager := config.Notification{Command: []string{"/bin/pager"}, On: []string{"problem"}, Timeout: time.Minute}
	synctest.Test(t, func(t *testing.T) {
		n := b.process(mail("end"), pager)
		n.Enqueue(End, 1)
		n.Enqueue(End, 2)
		n.Deliver(t.Context())
	})
	var got []string
	for i, event := range b.events() {
		got = append(got, b.calls[i].argv[0]+" "+event)
	}
	slices.Sort(got)
	if want := []string{"/bin/mail end 1", "/bin/mail end 2", "/bin/pager end 2"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// Whoever cannot tell anybody says so, or does nothing.
func TestNobodyToTell(t *testing.T) {
	var none *Notifier
	none.Enqueue(End, 1)
	none.Deliver(t.Context())
	b := newBench(t)
	quiet := b.process()
	quiet.Enqueue(End, 1)
	quiet.Deliver(t.Context())
	if _, err := os.Lstat(b.spoolDir()); !os.IsNotExist(err) {
		t.Errorf("a spool was made: %v", err)
	}
	n := b.process(mail("end"))
	n.Deliver(t.Context()) // there is no spool
	n.Enqueue(End, 0)
	n.Enqueue(End, 7) // which the journal does not have
	n.Deliver(t.Context())
	b.toldThat([]string{}, "no notification of the end of an incident that is not in the journal", "no notification of the end of incident 7: incident 7: there is no such incident")
	b.isEmpty()
}

// Who makes the spool gives it to the owner of the directory that it is in.
func TestOwner(t *testing.T) {
	b := newBench(t)
	if os.Geteuid() == 0 {
		if err := os.Chown(b.dir, 4711, 4712); err != nil {
			t.Fatal(err)
		}
	}
	b.record(1, incident.Done)
	n := b.process(mail("end"))
	n.Enqueue(End, 1)
	owner := func(path string) string {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		stat := info.Sys().(*syscall.Stat_t)
		return fmt.Sprint(stat.Uid, stat.Gid)
	}
	check := func(name string, mode os.FileMode) {
		path := filepath.Join(b.spoolDir(), name)
		if owner(path) != owner(b.dir) {
			t.Errorf("%s is of %s, not of %s", name, owner(path), owner(b.dir))
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&^mode != 0 {
			t.Errorf("%s has the mode %v", name, info.Mode())
		}
	}
	check("end-1", 0o640)
	n.Deliver(t.Context())
	for _, dir := range []string{".", toldName} {
		check(dir, 0o750)
	}
	check(lockName, 0o640)
}

func TestNames(t *testing.T) {
	for _, e := range []event{{Begin, 1, ""}, {Hold, 999_999_999, ""}, {End, 10, id(mail("end"))}} {
		if got, ok := parseName(e.name()); !ok || got != e {
			t.Errorf("%s is read as %+v, %v", e.name(), got, ok)
		}
	}
	for _, name := range []string{"", "end", "end-", "end-0", "end-01", "end-1 ", "end-1\n", "end--1", "end-1-again-", "end-1-again-ff", "End-1", "digest-1",
		"end-9999999999", "end-1-again-" + strings.Repeat("f", 14), "xend-1", ".end-1"} {
		if e, ok := parseName(name); ok {
			t.Errorf("%q is read as %+v", name, e)
		}
	}
	if a, b := (config.Notification{Command: []string{"/a", "b"}}), (config.Notification{Command: []string{"/a b"}}); id(a) == id(b) {
		t.Error("two commands look the same")
	}
}

func TestLastLine(t *testing.T) {
	for output, want := range map[string]string{"": "", "\n\n": "", "a\n b \r\n\n": "b", "a": "a"} {
		if got := lastLine(output); got != want {
			t.Errorf("%q: got %q", output, got)
		}
	}
}
