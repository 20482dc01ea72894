package drill

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"one-ft/pkg/downtime"
	"one-ft/pkg/failfast"
	"one-ft/pkg/text"
)

// lines are a downtime in words: a table of its stages, what a host that only hangs does, and what makes it shorter.
func (d *Downtime) lines() []string {
	local, routed := d.forecast(downtime.Silent), d.forecast(downtime.Dropped)
	rows := [][3]string{{"", downtime.Silent.Text(), downtime.Dropped.Text()}}
	for i, s := range local.Stages {
		if other := routed.Stages[i].Span; s.Span != (downtime.Span{}) || other != (downtime.Span{}) {
			rows = append(rows, [3]string{s.Kind.Text(), s.Span.String(), other.String()})
		}
	}
	rows = append(rows, [3]string{"in all", local.Total.String(), routed.Total.String()})
	lines := []string{fmt.Sprintf("downtime until the last of %d VMs runs again on %d other hosts:", d.VMs, d.Hosts)}
	lines = append(lines, columns(rows)...)
	lines = append(lines, d.remarks()...)
	if len(d.Levers) == 0 {
		return lines
	}
	lines = append(lines, "to shorten it, the largest saving first:")
	for i, l := range d.Levers {
		lines = append(lines, text.Printable(fmt.Sprintf("  %d. %s (%s)", i+1, l.Text(d.place), saving(l.Gains))))
	}
	return lines
}

// inShort is the longest downtime of a host that is off, and what saves most of it; "-" each for none.
func (d *Downtime) inShort() (most, lever string) {
	if d == nil || d.VMs == 0 {
		return "-", "-"
	}
	total, lever := d.forecast(downtime.Dropped).Total, "-"
	most = "no limit"
	if total.Bounded() {
		most = seconds(total.High.Seconds())
	}
	if len(d.Levers) > 0 {
		lever = d.Levers[0].Kind.Text()
	}
	return most, lever
}

func columns(rows [][3]string) []string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(w, "  "+strings.Join(r[:], "\t"))
	}
	_ = w.Flush() // into memory
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

func (d *Downtime) remarks() []string {
	var lines []string
	for _, f := range []downtime.Failure{downtime.Frozen, downtime.NoSSHD, downtime.NoLibvirtd} {
		seen := d.forecast(f).Stage(downtime.StageDetection)
		says := "ERROR after " + seen.String()
		if seen.Never() {
			says = "never ERROR: its VMs are not recovered, and the scheduler keeps using it"
		}
		lines = append(lines, "  "+f.Text()+": "+says)
	}
	lines = append(lines, fmt.Sprintf("  when many hosts fail at once: held for %s, at most %s (storm)",
		seconds(d.Storm.Low.Seconds()), seconds(d.Storm.High.Seconds())))
	switch d.Proof.Kind {
	case ProofOff:
		lines = append(lines, "  fencing is off: nothing proves that the host is off, so stuck clean-ups are not ended")
	case ProofNone:
		lines = append(lines, "  nothing fences this host: nothing proves that it is off, so stuck clean-ups are not ended")
	case ProofManual:
		lines = append(lines, "  an admin has to confirm that the host is off (oneft resume)")
	}
	switch {
	case d.sshErr != nil:
		lines = append(lines, text.Printable("  failed to read the settings of ssh, those that OpenNebula ships are assumed: "+d.sshErr.Error()))
	case d.FailFast == failfast.InForce:
		lines = append(lines, "  ssh to a host that is proven off fails at once")
	case d.FailFast == failfast.AlwaysFails:
		lines = append(lines, "  ssh from this front-end fails for every host: see oneft check")
	}
	if d.Needed > d.Timeout {
		lines = append(lines, fmt.Sprintf("  timeout: %s in the configuration is too short to follow all VMs; it must be at least %s",
			seconds(d.Timeout), seconds(d.Needed)))
	}
	for _, p := range d.NotRead {
		lines = append(lines, text.Printable("  "+p.Text(d.place)))
	}
	return lines
}

func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	return downtime.Span{Low: d, High: d}.String()
}

func saving(gains []downtime.Gain) string {
	var words, endless []string
	saved := map[downtime.Failure]string{}
	for _, g := range gains {
		switch {
		case g.Ends && g.Failure == downtime.Frozen:
			words = append(words, "a frozen host, which otherwise never becomes ERROR, is recovered")
		case g.Ends:
			endless = append(endless, g.Failure.Text())
		default:
			saved[g.Failure] = seconds(g.Seconds) + " sooner"
		}
	}
	if len(endless) > 0 {
		words = append([]string{strings.Join(endless, "; ") + ": without it there is no limit"}, words...)
	}
	local, routed := saved[downtime.Silent], saved[downtime.Dropped]
	if local != "" && local != routed {
		local += " in the same network"
	}
	if routed != "" && local != routed {
		routed += " when routed or filtered"
	}
	sooner := slices.Compact(filled(local, routed))
	words = append(filled(strings.Join(sooner, ", ")), words...)
	if len(words) == 0 { // of a frozen host alone
		words = append(words, saved[downtime.Frozen]+" for a frozen host")
	}
	return strings.Join(slices.Compact(words), "; ")
}
