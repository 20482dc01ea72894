package rigs_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"one-ft/test/process/rigs"
)

// job is a line of a crontab: what it notes in a file is its real time and its environment.
func job(dir string) string {
	return "* * * * * root { date +\\%s; env; } >" + dir + "/new && mv " + dir + "/new " + dir + "/run.$$"
}

// runs waits until a job has run n times, and returns what it noted, oldest first.
func runs(t *testing.T, dir string, n int) [][]string {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); ; <-tick.C {
		files, err := filepath.Glob(filepath.Join(dir, "run.*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) >= n {
			var all [][]string
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, strings.Split(strings.TrimSpace(string(text)), "\n"))
			}
			slices.SortFunc(all, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
			return all
		}
		if time.Now().After(end) {
			t.Fatalf("%d runs of %d", len(files), n)
		}
	}
}

// checkRun checks that a job saw the real time, and the environment that cron gives.
func checkRun(t *testing.T, run []string) {
	t.Helper()
	seconds, err := strconv.ParseFloat(run[0], 64)
	if off := math.Abs(seconds - float64(time.Now().Unix())); err != nil || off > 40 {
		t.Errorf("a job's time is off by %.0f s: %q, %v", off, run[0], err)
	}
	for _, want := range []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "SHELL=/bin/sh", "ONE_LOCATION=/nowhere"} {
		if !slices.Contains(run, want) {
			t.Errorf("%s is not in the environment: %q", want, run)
		}
	}
	for _, line := range run {
		if strings.HasPrefix(line, "LD_PRELOAD=") || strings.HasPrefix(line, "FAKETIME") {
			t.Errorf("a job has %s", line)
		}
	}
}

func TestCron(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start := time.Now()
	c := rigs.StartCron(t, nil, job(dir), 60, "ONE_LOCATION=/nowhere")
	all := runs(t, dir, 3)
	if took := time.Since(start); took < 2*time.Second {
		t.Errorf("three runs within %s: a minute is 1 s", took)
	}
	for _, run := range all {
		checkRun(t, run)
	}
	c.Stop()
	c.Stop() // again, and nothing happens
}

// In a hypervisor: cron's jobs see its guests and its fakes.
func TestCronInHypervisor(t *testing.T) {
	t.Parallel()
	h := rigs.StartHypervisor(t, nil)
	safe(t, h)
	h.Start("one-5")
	dir := t.TempDir()
	rigs.StartCron(t, h, "* * * * * root systemctl poweroff --from-cron; virsh -c "+h.URI+" list >"+dir+"/new && mv "+dir+"/new "+dir+"/run.$$", 30)
	if list := runs(t, dir, 1)[0]; !strings.Contains(strings.Join(list, "\n"), "one-5") {
		t.Errorf("virsh list: %q", list)
	}
	if calls := h.PowerCommands(); len(calls) == 0 || calls[0] != "systemctl poweroff --from-cron" {
		t.Errorf("power commands: %q", calls)
	}
	h.PowerCut()
	if len(h.Guests()) != 0 {
		t.Error("guests are left")
	}
}
