// Package bench measures the executables as whole processes and holds them to the
// limits that the README names.
package bench

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/process/programs"
)

// full is set by make bench. Without it the tests measure as much as the limits need, and hold no limit of time: the machine may do
// other things.
var full = flag.Bool("full", false, "measure all sizes, which takes minutes")

// The limits. Calls grow with the VMs on the failed host. Nothing grows with the
// cloud but the pool of hosts, which the storm guard reads once. The time is for machines that do other
// things.
const (
	maxMemory = 64 << 20 // peak, bytes
	maxGrowth = 1.05     // bytes of an answer about a VM, the largest cloud against the smallest: the numbers have more digits
	maxTime   = 20 * time.Second
)

// maxCalls is how many calls a recovery of so many VMs may make that took so long: two for each VM
// and some for the host, its first sight, and the pools that tell whether there is somewhere to go. Each VM is read once more after it was acted on: before 5.12 one by one. What was read a
// second ago is read again before it is acted on.
func maxCalls(version string, vms int, took time.Duration) int {
	most := 2*vms + 30
	if v, err := one.ParseVersion(version); err == nil && v.Before(5, 12) {
		most += vms
	}
	if took > time.Second {
		most += vms + 10*int(took/time.Second)
	}
	return most
}

// build makes the executables as the Makefile does, and the bare client like them, once for all
// tests.
func build(t *testing.T) string {
	t.Helper()
	bin, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

var built = sync.OnceValues(func() (string, error) {
	bin, err := os.MkdirTemp("", "bench")
	if err != nil {
		return "", err
	}
	made = bin
	cmd, err := programs.Shipped("-ldflags", "-s -w", "-o", bin, "one-ft/cmd/...", "one-ft/test/meta/bench/floor")
	if err != nil {
		return "", err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return bin, fmt.Errorf("build: %w\n%s", err, out)
	}
	return bin, nil
})

// made is the directory of what was built.
var made string

// TestMain removes what build has made.
func TestMain(m *testing.M) {
	code := m.Run()
	if made != "" {
		_ = os.RemoveAll(made)
	}
	os.Exit(code)
}

// pair is host_error against the floor: the same requests from a bare client, one after the
// other.
type pair struct {
	run
	floor, floorCPU time.Duration
	ratio           float64 // the median of the ratios of runs side by side
}

// against measures host_error and the floor in turn, so many times.
func (b *bench) against(t *testing.T, times int) pair {
	t.Helper()
	recovery := []string{"0", "-r", "n"}
	first := b.run(t, true, "host_error", recovery...)
	if most := maxCalls(b.version, b.on, first.took); first.calls > most {
		t.Errorf("%s: %d calls in %s, want at most %d", b.field, first.calls, first.took, most)
	}
	requests := b.floorOf(t, first.requests)
	var took, floor, cpu, floorCPU []time.Duration
	var ratios []float64
	for range times {
		own, bare := b.run(t, false, "host_error", recovery...), b.run(t, false, "floor", requests...)
		took, floor = append(took, own.took), append(floor, bare.took)
		cpu, floorCPU = append(cpu, own.cpu), append(floorCPU, bare.cpu)
		ratios = append(ratios, float64(own.took)/float64(bare.took))
	}
	first.took, first.cpu = median(took), median(cpu)
	return pair{run: first, floor: median(floor), floorCPU: median(floorCPU), ratio: median(ratios)}
}

// check holds a recovery to the limits.
func (p pair) check(t *testing.T, f field) {
	t.Helper()
	if p.recreate != f.on {
		t.Errorf("%s: %d calls to recreate", f, p.recreate)
	}
	if p.memory > maxMemory {
		t.Errorf("%s: %d bytes of memory, want at most %d", f, p.memory, maxMemory)
	}
	if *full && p.took > maxTime {
		t.Errorf("%s: %s, want at most %s", f, p.took, maxTime)
	}
}

// TestScale measures recoveries of hosts with few and many VMs in small and large clouds, prints
// them as a table, and checks the limits.
func TestScale(t *testing.T) {
	versions, hosts, clouds, times := []string{"4.4.1", "7.4.1"}, []int{40}, []int{100, 10_000}, 1
	if *full {
		versions, hosts = []string{"4.4.1", "5.10.6", "6.10.0", "7.4.1"}, []int{1, 25, 100, 1000}
		clouds, times = []int{100, 1000, 10_000, 100_000}, 5
	}
	bin := build(t)
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "version\ton host\tVMs\tcalls\tkB received\tpool kB\tpeak MB\tms\tfloor ms\tratio\tCPU ms\tfloor CPU ms\toned ms\t")
	for _, version := range versions {
		for _, on := range hosts {
			var perVM []float64
			for _, vms := range clouds {
				if vms < on {
					continue
				}
				f := field{version, on, vms}
				pairs := times
				if on > 100 || vms > 10_000 { // which takes its time
					pairs = min(times, 3)
				}
				p := newBench(t, bin, f).against(t, pairs)
				p.check(t, f)
				perVM = append(perVM, p.perVM)
				fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.2f\t%.1f\t%.1f\t%.1f\t\n", version, on, vms, p.calls, float64(p.bytes)/1e3, float64(p.pool)/1e3,
					float64(p.memory)/(1<<20), ms(p.took), ms(p.floor), p.ratio, ms(p.cpu), ms(p.floorCPU), ms(p.oned))
			}
			if slices.Max(perVM)/perVM[0] > maxGrowth {
				t.Errorf("%s, %d VMs on the host: bytes of an answer about a VM in clouds of growing size: %.0f", version, on, perVM)
			}
		}
	}
	_ = w.Flush()
	t.Log("\n" + table.String())
}
