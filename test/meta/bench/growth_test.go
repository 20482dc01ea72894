package bench

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// grown is what a recovery came to in a cloud of some size.
type grown struct {
	size   int // VMs on the host, or in the cloud
	values [4]float64
}

// growthNames are the values of grown; each has a panel of its own.
var growthNames = [4]string{"calls", "received, kB", "peak memory, MB", "time, ms"}

func (b *bench) grown(t *testing.T, size, times int) grown {
	t.Helper()
	r := b.median(t, times, "host_error", "0", "-r", "n")
	return grown{size, [4]float64{float64(r.calls), float64(r.bytes+r.pool) / 1e3, float64(r.memory) / (1 << 20), ms(r.took)}}
}

// TestScaleOfGrowth measures recoveries with growing numbers of VMs, and draws the picture of test/README.md.
func TestScaleOfGrowth(t *testing.T) {
	bin, w := build(t), newWay(t)
	hosts, clouds, times := []int{1, 10}, []int{100, 1000}, 1
	if *full {
		hosts, clouds, times = []int{1, 10, 100, 1000, 10_000}, []int{100, 1000, 10_000, 100_000}, 7
	}
	var onHost, inCloud []grown
	for _, on := range hosts {
		onHost = append(onHost, newBench(t, bin, field{"7.4.1", on, max(1000, on)}).lived(t, w).grown(t, on, times))
	}
	for _, vms := range clouds {
		inCloud = append(inCloud, newBench(t, bin, field{"7.4.1", 10, vms}).lived(t, w).grown(t, vms, times))
	}
	t.Log(onHost, inCloud)
	picture := drawGrowth(onHost, inCloud)
	path := filepath.Join(t.TempDir(), "growth.svg")
	if *full {
		path = filepath.Join("..", "..", "growth.svg")
	}
	if err := os.WriteFile(path, []byte(picture), 0o644); err != nil {
		t.Fatal(err)
	}
}

// drawGrowth draws one panel for each value, both axes logarithmic: VMs on the host in one colour, VMs in the cloud in another.
func drawGrowth(onHost, inCloud []grown) string {
	const width, height, left, top, gap = 200.0, 150.0, 46.0, 40.0, 64.0
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="10">`+"\n", 4*(width+gap)+10, height+top+54)
	fmt.Fprintf(&b, "<title>A recovery, OpenNebula 7.4, %s</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n", time.Now().Format("January 2006"))
	for panel, name := range growthNames {
		x0 := left + float64(panel)*(width+gap)
		low, high := math.Inf(1), 0.0
		for _, g := range append(append([]grown(nil), onHost...), inCloud...) {
			low, high = min(low, g.values[panel]), max(high, g.values[panel])
		}
		bottom := math.Floor(math.Log10(max(low, 0.1)))
		decades := max(1, math.Ceil(math.Log10(max(high, 0.1)))-bottom)
		x := func(size int) float64 { return x0 + math.Log10(float64(size))*width/5 }
		y := func(v float64) float64 { return top + height - (math.Log10(max(v, 0.1))-bottom)*height/decades }
		fmt.Fprintf(&b, `<text x="%.0f" y="%.0f" font-weight="bold">%s</text>`+"\n", x0, top-12, name)
		for d := 0.0; d <= decades; d++ {
			at := y(math.Pow(10, bottom+d))
			fmt.Fprintf(&b, `<path d="M%.0f %.1fh%.0f" stroke="#ddd"/><text x="%.0f" y="%.1f" text-anchor="end">%s</text>`+"\n", x0, at, width, x0-4, at+3, number(math.Pow(10, bottom+d)))
		}
		for d := range 6 {
			size := int(math.Pow10(d))
			fmt.Fprintf(&b, `<text x="%.1f" y="%.0f" text-anchor="middle">%s</text>`+"\n", x(size), top+height+14, number(float64(size)))
		}
		for i, line := range [][]grown{onHost, inCloud} {
			colour := [2]string{"#1f6fb4", "#d0661b"}[i]
			var points []string
			for _, g := range line {
				points = append(points, fmt.Sprintf("%.1f,%.1f", x(g.size), y(g.values[panel])))
				fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="2.5" fill="%s"/>`+"\n", x(g.size), y(g.values[panel]), colour)
			}
			fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="1.5"/>`+"\n", strings.Join(points, " "), colour)
		}
	}
	fmt.Fprintf(&b, `<text x="%.0f" y="%.0f" fill="#1f6fb4">VMs on the host, in a cloud of 1,000 or of as many</text><text x="%.0f" y="%.0f" fill="#d0661b">VMs in the cloud, 10 of them on the host</text>`+"\n</svg>\n",
		left, height+top+40, left+2*(width+gap), height+top+40)
	return b.String()
}

// number is a power of ten with thousands separators.
func number(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%.0f,000", v/1000)
	}
	return fmt.Sprint(v)
}
