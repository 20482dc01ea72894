package incident

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// child makes this test, when it is run by again, one of many processes with a journal.
const child = "JOURNAL_TEST_DIR"

// again runs the test in another process, which ends when the test does.
func again(t *testing.T, dir string) (cmd *exec.Cmd, said *bufio.Reader) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), child+"="+dir)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewReader(stdout)
}

func TestNumbersOfManyProcesses(t *testing.T) {
	const processes, each = 10, 5
	if dir := os.Getenv(child); dir != "" {
		j := openJournal(t, dir)
		for range each {
			fmt.Printf("number %d\n", begin(t, j, os.Getpid()).Number())
		}
		return
	}
	j := openJournal(t, t.TempDir())
	var wait []func()
	seen := map[int]int{}
	for range processes {
		cmd, said := again(t, j.dir)
		wait = append(wait, func() {
			text, _ := io.ReadAll(said)
			for line := range strings.Lines(string(text)) {
				var n int
				if _, err := fmt.Sscanf(line, "number %d", &n); err == nil {
					seen[n] = cmd.Process.Pid
				}
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("%v: %s", err, text)
			}
		})
	}
	for _, f := range wait {
		f()
	}
	if got := listed(t, j, 0); len(seen) != processes*each || len(got) != processes*each {
		t.Errorf("%d numbers, %d records", len(seen), len(got))
	}
	for n, pid := range seen {
		if r, err := j.Load(n); err != nil || r.ID != pid {
			t.Errorf("%d: %+v, %v", n, r, err)
		}
	}
}

// TestKilledWhileWriting: a process killed at any moment leaves a whole record with all
// that was flushed, and the next one goes on with it.
func TestKilledWhileWriting(t *testing.T) {
	if dir := os.Getenv(child); dir != "" {
		writeUntilKilled(t, openJournal(t, dir))
	}
	j := openJournal(t, t.TempDir())
	total := 0
	for kill := range 10 {
		cmd, said := again(t, j.dir)
		flushed := 0
		for range 1 + rand.IntN(60) { // bytes, so that the moment is any
			line, err := said.ReadString('\n')
			if err != nil {
				t.Fatal(err, line)
			}
			fmt.Sscanf(line, "flushed %d", &flushed)
		}
		if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		r, found, err := j.OpenOf("host", 3)
		if err != nil || !found || r.Number != 1 || len(r.Events) < max(flushed, total) {
			t.Fatalf("kill %d: %d events, %d flushed, %v, %v", kill, len(r.Events), flushed, found, err)
		}
		for i, e := range r.Events {
			if e.VM != i {
				t.Fatalf("kill %d: event %d is %+v", kill, i, e)
			}
		}
		total = len(r.Events)
	}
	if got := listed(t, j, 0); len(got) != 1 {
		t.Error(got)
	}
	if err := j.Prune(9, time.Hour, time.Now().Add(2*time.Hour)); err != nil || len(names(t, j)) != 1 {
		t.Errorf("%q, %v", names(t, j), err)
	}
}

func writeUntilKilled(t *testing.T, j *Journal) {
	r, found, err := j.OpenOf("host", 3)
	if err != nil {
		t.Fatal(err)
	}
	c, err := j.Continue(r.Number)
	if !found {
		c, err = j.Begin(Record{Kind: "host", ID: 3})
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := len(r.Events); ; i++ {
		c.Event(StepAct, i, "info", said(strings.Repeat("x", i%500)))
		if i%5 == 0 {
			if err := c.Flush(); err != nil {
				t.Fatal(err)
			}
			fmt.Println("flushed", i+1)
		} else {
			fmt.Println("event")
		}
	}
}
