package coordinator_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/hook"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// pager is a configured command that writes what it is told into a file each time; more is the rest of the configuration.
func pager(t *testing.T, f *frontEnd, on, more string) (told func() []string) {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "pager")
	text := fmt.Sprintf("#!/bin/sh\nn=$(ls %[1]s/told-* 2>/dev/null | wc -l)\n{ echo \"$FT_EVENT|$FT_OBJECT|$FT_STATUS|$FT_SUMMARY\"; cat; } > %[1]s/told-$(printf %%03d $n)\n", dir)
	if err := os.WriteFile(program, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	f.config(fmt.Sprintf("notify:\n  - command: [%s]\n    on: [%s]\nmetrics_file: %s\n%s", program, on, filepath.Join(dir, "one_ft.prom"), more))
	return func() (all []string) {
		names, _ := filepath.Glob(filepath.Join(dir, "told-*"))
		for _, n := range names {
			text, err := os.ReadFile(n)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(text))
		}
		if prom, err := os.ReadFile(filepath.Join(dir, "one_ft.prom")); err == nil {
			all = append(all, string(prom))
		}
		return all
	}
}

// TestPeopleAreTold: one event, one message with the record; and the metrics are counted.
func TestPeopleAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hosts("7.4.1", 6, running(11, 1, 0)))
		w.fail(1)
		f := w.frontEnd()
		told := pager(t, f, "end, hold", fences)
		if r := f.hostError(t.Context(), 1, nil); r.code != 0 {
			t.Fatalf("exit %d: %s", r.code, r.stderr)
		}
		all := told()
		if len(all) != 2 {
			t.Fatalf("%d messages: %v", len(all), all)
		}
		head, record, _ := strings.Cut(all[0], "\n")
		if !strings.HasPrefix(head, "end|host 1 (node01)|done|1 VMs: recovered 1") {
			t.Errorf("told: %s", head)
		}
		var r incident.Record
		if err := json.Unmarshal([]byte(record), &r); err != nil || r.Number != 1 || len(r.VMs) != 1 || r.Status != incident.Done {
			t.Errorf("%v: %s", err, record)
		}
		has(t, all[1], `one_ft_incidents_total{kind="host",status="done"} 1`, `one_ft_vms_total{action="recreate",result="done"} 1`)
	})
}

// TestStormIsADigest: 12 hosts fail; there is one message at once, and then a digest.
func TestStormIsADigest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var vms []cloud.VM
		var dead []int
		for h := 1; h <= 12; h++ {
			vms, dead = append(vms, running(h*10, h, 0)), append(dead, h)
		}
		w := newWorld(t, hosts("6.10.0", 30, vms...))
		w.fail(dead...)
		f := w.frontEnd()
		told := pager(t, f, "end", fences)
		queue := newHooks(10)
		for _, h := range dead {
			queue.start(func() ran { return f.hostError(t.Context(), h, func(q *incident.Request) { q.Override = true }) })
		}
		queue.wait()
		all := told()
		if len(all) < 3 || len(all) > 4 {
			t.Fatalf("%d messages: %v", len(all), all)
		}
		digest, n := false, 0
		for _, m := range all[:len(all)-1] {
			head, _, _ := strings.Cut(m, "\n")
			digest = digest || strings.HasPrefix(head, "digest|")
			n += strings.Count(m, `"incident":`)
		}
		if !digest || n != 12 {
			t.Errorf("digest %v, %d incidents in %d messages", digest, n, len(all)-1)
		}
		has(t, all[len(all)-1], `one_ft_incidents_total{kind="host",status="done"} 12`)
	})
}

// TestSameOutageIsOneIncident: fencing is refused, and the hook is called again and again. That is
// one incident, of which people are told once; and once more when it ends otherwise. It is not tried again by that: it is
// left to a person.
func TestSameOutageIsOneIncident(t *testing.T) { sameOutage(t, true) }

// TestSameOutageByHand: from 5.10 on, where oned gives its hooks the template, a call with the ID alone is one of a person, who
// is heard each time.
func TestSameOutageByHand(t *testing.T) { sameOutage(t, false) }

func sameOutage(t *testing.T, template bool) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, hosts(version, 6, running(11, 1, 0)))
		w.fail(1)
		f := w.frontEnd()
		told := pager(t, f, "end", "")
		tries, code := 5, 3
		byID := slices.Contains([]string{"4.4.1", "4.14.2", "5.4.16"}, version) // hooks get the ID alone
		for i := range 5 {
			if i > 0 && (template || byID) { // a repeated event
				tries, code = 1, 0
			}
			r := f.hostError(t.Context(), 1, func(q *incident.Request) {
				if q.Fencing = "required"; template && !byID {
					q.Event = &hook.Event{Kind: hook.Host, ID: 1, Name: "node01", State: int(one.HostError), FromTemplate: true}
				}
			})
			if r.code != code {
				t.Errorf("exit %d: %s", r.code, r.stderr)
			}
			time.Sleep(time.Minute)
		}
		f.wants("host 1: refused")
		if n := strings.Count(strings.Join(told(), ""), "|refused|"); n != 1 {
			t.Errorf("told %d times: %v", n, told())
		}
		if r := f.hostError(t.Context(), 1, nil); r.code != 0 {
			t.Errorf("exit %d: %s", r.code, r.stderr)
		}
		w.once(11)
		f.wants("host 1: unproven")
		if n := strings.Count(strings.Join(told(), ""), "end|host 1 (node01)|unproven|"); n != 1 {
			t.Errorf("told %d times of the other end: %v", n, told())
		}
		if r := f.incidents()[0]; r.Tries != tries || r.Request.Fencing != "auto" || len(r.VMs) != 1 {
			t.Errorf("tried %d times again: %+v", r.Tries, r.Request)
		}
	})
}

// TestTellingIsNotInTheWay: a command that hangs, and one that is missing, do not keep a VM
// down.
func TestTellingIsNotInTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hosts("7.4.1", 6, running(11, 1, 0)))
		w.fail(1)
		f := w.frontEnd()
		f.config("notify:\n  - command: [/nonexistent/pager]\n    on: [begin, end]\n")
		began := time.Now()
		if r := f.hostError(t.Context(), 1, nil); r.code != 0 || r.took > 2*time.Minute {
			t.Fatalf("exit %d after %s: %s", r.code, r.took, r.stderr)
		}
		w.once(11)
		if _, last := w.recreates(); last.Sub(began) > 2*time.Second { // of which it takes 1.5 s to see that the host does not answer
			t.Errorf("recreated after %s", last.Sub(began))
		}
		has(t, f.log("host_error"), "/nonexistent/pager")
	})
}
