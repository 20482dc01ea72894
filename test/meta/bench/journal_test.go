package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

// kept is how many ended incidents a recovery leaves in the journal.
const kept = 1000

// maxJournal is how long a command may take with a full journal, for machines that do other things.
const maxJournal = 10 * time.Second

// fillJournal writes what so many earlier incidents of a host with so many VMs have left, each as
// the first, without the time for the disk of each.
func fillJournal(t *testing.T, dir string, host, incidents, vms int) {
	t.Helper()
	journal, err := incident.OpenJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := journal.Begin(incident.Record{Kind: "host", ID: host, Tool: "host_error"})
	if err != nil {
		t.Fatal(err)
	}
	var all []incident.VM
	for id := range vms {
		all = append(all, incident.VM{ID: id, Name: fmt.Sprintf("vm%d", id), State: "UNKNOWN", Action: "recreate", Result: "done", Detail: "left the host; oned starts it elsewhere"})
		c.Event(incident.StepAct, id, wording.Info, wording.Of(wording.Accepted).After("recreate"))
	}
	c.VMs(all)
	c.End(incident.Done, "recreated")
	name := func(number int) string { return filepath.Join(dir, fmt.Sprintf("incident-%06d.json", number)) }
	text, err := os.ReadFile(name(1))
	if err != nil || strings.Count(string(text), "\"incident\": 1,") != 1 {
		t.Fatalf("%v: %.200s", err, text)
	}
	for number := 2; number <= incidents; number++ {
		other := strings.Replace(string(text), "\"incident\": 1,", fmt.Sprintf("\"incident\": %d,", number), 1)
		if err := os.WriteFile(name(number), []byte(other), 0o640); err != nil {
			t.Fatal(err)
		}
	}
}

// TestScaleOfJournal measures commands with few and many earlier incidents in the journal.
func TestScaleOfJournal(t *testing.T) {
	sizes, times := []int{kept + 200}, 1
	if *full {
		sizes, times = []int{0, kept, 10_000}, 3
	}
	const on = 40
	bin := build(t)
	failed := newBench(t, bin, field{"6.10.0", on, 1000})
	well := newBench(t, bin, field{"6.10.0", on, 1000})
	well.cfg.Hosts[0].State = one.HostMonitored
	for i := range well.cfg.VMs {
		well.cfg.VMs[i].LCM = one.Running
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "incidents\tcommand\tms\tCPU ms\tpeak MB\t")
	for _, size := range sizes {
		journal := ""
		if size > 0 {
			journal = t.TempDir()
			fillJournal(t, journal, 999, size, on)
		}
		for _, command := range []struct {
			b    *bench
			line string
		}{{failed, "host_error 0 -r n"}, {well, "oneft resume"}, {well, "oneft incidents"}, {well, "oneft incidents --limit 0"}} {
			command.b.journal = journal
			words := strings.Fields(command.line)
			r := command.b.median(t, times, words[0], words[1:]...)
			fmt.Fprintf(w, "%d\t%s\t%.1f\t%.1f\t%.1f\t\n", size, command.line, ms(r.took), ms(r.cpu), float64(r.memory)/(1<<20))
			most := int64(maxMemory)
			if strings.HasSuffix(command.line, " 0") { // all that stands in all of them
				most *= 8
			}
			if *full && r.took > maxJournal || r.memory > most {
				t.Errorf("%s with %d incidents: %s, %d bytes of memory", command.line, size, r.took, r.memory)
			}
			left, err := os.ReadDir(filepath.Join(r.home, "var", "one-ft", "incidents"))
			if err != nil {
				t.Fatal(err)
			}
			if words[0] == "host_error" && len(left) != min(size+1, kept) && len(left) != min(size+1, kept)+1 {
				t.Errorf("%s with %d incidents left %d files", command.line, size, len(left))
			}
		}
	}
	_ = w.Flush()
	t.Log("\n" + table.String())
}
