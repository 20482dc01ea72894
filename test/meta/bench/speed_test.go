package bench

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"one-ft/pkg/one"
)

// slowBuild is the last commit before recoveries of few VMs were made faster.
const slowBuild = "113319e3"

// speedRuns is how often each of two builds is measured, in turn.
const speedRuns = 9

// lived gives a bench whose runs begin as on a front-end where oneft resume has run before: the state
// directory is there. All hosts but the failed one answer, and whether that one does is not asked.
func (b *bench) lived(t *testing.T, w way) *bench {
	t.Helper()
	for i := range b.cfg.Hosts[1:] {
		b.cfg.Hosts[1+i].Name = fmt.Sprintf("127.1.%d.%d", i/200, 1+i%200)
	}
	b.cfg.Hosts[0].Name = "127.2.255.1"
	b.config = fmt.Sprintf("survey: {port: %d, skip: [\"127.2.*\"], settle: 0s}\n", w.port)
	well := *b
	well.cfg.Hosts = slices.Clone(b.cfg.Hosts)
	well.cfg.VMs = slices.Clone(b.cfg.VMs[:min(len(b.cfg.VMs), 100)]) // of all that run it reads one pool
	well.cfg.Hosts[0].State = one.HostMonitored
	for i := range well.cfg.VMs {
		well.cfg.VMs[i].LCM = one.Running
	}
	home := well.run(t, false, "oneft", "resume").home
	b.seed = filepath.Join(home, "var", "one-ft")
	return b
}

// spread is what some runs came to.
type spread []time.Duration

func (s spread) String() string {
	return fmt.Sprintf("%.1f (%.1f to %.1f)", ms(median(s)), ms(slices.Min(s)), ms(slices.Max(s)))
}

// TestScaleOfSpeed measures this build and the one of before in turn, with the same clouds.
func TestScaleOfSpeed(t *testing.T) {
	versions, hosts, runs := []string{"7.4.1"}, []int{1}, 1
	now, w := build(t), newWay(t)
	old := now // make test measures nothing, it only tries
	if *full {
		versions, hosts, runs = []string{"4.4.1", "7.4.1"}, []int{1, 25, 100}, speedRuns
		old = before(t, slowBuild)
	}
	var table strings.Builder
	out := tabwriter.NewWriter(&table, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "version\ton host\tbefore ms\tnow ms\tfloor ms\tbefore : floor\tnow : floor\tCPU before\tCPU now\tcalls before\tnow\t")
	for _, version := range versions {
		for _, on := range hosts {
			f := field{version, on, max(1000, on)}
			pair := [2]*bench{newBench(t, old, f).lived(t, w), newBench(t, now, f).lived(t, w)}
			var took, cpu, floor [2]spread
			var calls [2]int
			var requests [2][]string
			for i, b := range pair {
				first := b.run(t, true, "host_error", "0", "-r", "n")
				calls[i] = first.calls
				requests[i] = b.floorOf(t, first.requests)
			}
			for range runs {
				for i, b := range pair {
					r := b.run(t, false, "host_error", "0", "-r", "n")
					took[i], cpu[i] = append(took[i], r.took), append(cpu[i], r.cpu)
					floor[i] = append(floor[i], (&bench{field: f, cfg: b.cfg, bin: now, home: b.home}).run(t, false, "floor", requests[i]...).took)
				}
			}
			ratio := func(i int) float64 { return float64(median(took[i])) / float64(median(floor[i])) }
			fmt.Fprintf(out, "%s\t%d\t%s\t%s\t%s\t%.2f\t%.2f\t%.1f\t%.1f\t%d\t%d\t\n", version, on, took[0], took[1], floor[1], ratio(0), ratio(1), ms(median(cpu[0])), ms(median(cpu[1])), calls[0], calls[1])
		}
	}
	_ = out.Flush()
	t.Log("\n" + table.String())
}
