package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/fence"
	"one-ft/pkg/isolation"
	"one-ft/pkg/isolation/probe"
	"one-ft/pkg/one"
)

// printBound prints what this host promises, for a monitoring probe. Seconds are rounded
// up.
func (h *host) printBound(out io.Writer) int {
	seconds := func(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }
	armed := "NO"
	if st, err := h.store.Load(isolation.Uptime()); err == nil && st.Armed(isolation.Uptime(), h.policy) {
		armed = "YES"
	}
	if h.settings.Strict {
		fmt.Fprintf(out, "FT_LEASE=%s\nFT_LEASE_REACTION=%s\n", seconds(h.promise.Lease), seconds(h.promise.Reaction))
	} else {
		fmt.Fprintf(out, "FT_ISOLATED_AFTER=%s\nFT_ISOLATED_REACTION=%s\n", seconds(h.promise.Lease), seconds(h.promise.Reaction))
	}
	fmt.Fprintf(out, "FT_LEASE_ARMED=%s\nFT_ISOLATED_VERSION=%q\n", armed, app.Version())
	return app.ExitDone
}

// check shows what host_isolated sees, and what it would do now. The exit code is 1 when
// something has to be looked at.
func (h *host) check(ctx context.Context, out io.Writer) int {
	c := &checker{host: h, out: out}
	f := h.prober.Round(ctx)
	c.network(f)
	c.oned(f)
	c.vms(ctx)
	c.verdict(f)
	if c.wrong > 0 {
		return app.ExitIncomplete
	}
	return app.ExitDone
}

// checker shows what --check finds.
type checker struct {
	*host
	out   io.Writer
	wrong int
}

// say prints a line.
func (c *checker) say(format string, args ...any) {
	fmt.Fprintln(c.out, one.Printable(fmt.Sprintf(format, args...)))
}

// bad prints a line that an admin has to look at.
func (c *checker) bad(format string, args ...any) {
	c.wrong++
	c.say("WRONG: "+format, args...)
}

// network shows the probes and the routes.
func (c *checker) network(f isolation.Findings) {
	table := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
	row := func(cells ...string) {
		for i, cell := range cells {
			if i > 0 {
				fmt.Fprint(table, "\t")
			}
			fmt.Fprint(table, one.Printable(cell))
		}
		fmt.Fprintln(table)
	}
	probes := func(prefix string, results []probe.Result) {
		for _, r := range results {
			row(prefix+r.Target, r.Reach.String(), r.Took.Round(100*time.Microsecond).String(), r.Detail)
		}
	}
	probes("", f.FrontEnd)
	probes("witness ", f.Witness)
	links, err := c.host.network.Links()
	for _, l := range links {
		row("default route", "via "+l.Gateway, "dev "+l.Interface, "carrier "+l.Carrier)
	}
	_ = table.Flush()
	switch {
	case err != nil:
		c.bad("the routes of this host cannot be read: %v", err)
	case len(links) == 0:
		c.bad("this host has no default route")
	}
	for _, r := range append(f.FrontEnd, f.Witness...) {
		if r.Reach == probe.Unknown {
			c.bad("%s cannot be asked: %s", r.Target, r.Detail)
		}
	}
}

// oned shows what oned says, and whether a front-end would wait for long enough.
func (c *checker) oned(f isolation.Findings) {
	if c.asker == nil {
		c.say("oned: not asked, because there is no token (auth_file)")
		return
	}
	if f.Unclear != nil {
		c.bad("oned: %v", f.Unclear)
		return
	}
	c.say("oned: host %d is %s", c.asker.HostID(), f.Round.Says)
	if !c.settings.Strict {
		return
	}
	l, found, err := fence.TemplateLease(c.asker.Template())
	if err == nil && found {
		err = l.Covers(c.promise)
	}
	attributes := fmt.Sprintf("FENCE_LEASE = %d and FENCE_LEASE_REACTION = %d", int(math.Ceil(c.promise.Lease.Seconds())), int(math.Ceil(c.promise.Reaction.Seconds())))
	switch {
	case err != nil:
		c.bad("%v; set %s by onehost update %d", err, attributes, c.asker.HostID())
	case !found:
		c.say("front-end: the template of this host has no FENCE_LEASE; for a lease set %s by onehost update %d", attributes, c.asker.HostID())
	default:
		c.say("front-end: host_error waits %s (%s + %s + %s)", l.Wait(), l.Length, l.Reaction, l.Margin)
	}
}

// vms shows the VMs, and whether this process could stop them and remember things.
func (c *checker) vms(ctx context.Context) {
	guests, err := c.guests.Guests(ctx)
	if err != nil {
		c.bad("%v", err)
	}
	c.say("VMs of OpenNebula here: %d", len(guests))
	if os.Geteuid() != 0 {
		c.bad("not run by root; run it as root, or VMs whose processes hang cannot be killed, and the host cannot be powered off")
	}
	for _, dir := range []string{c.settings.StateDir, c.settings.RunDir} {
		if err := writable(dir); err != nil {
			c.bad("%v", err)
		}
	}
}

// verdict shows what would be done now, and how long it takes at most.
func (c *checker) verdict(f isolation.Findings) {
	st, err := c.store.Load(isolation.Uptime())
	if err != nil {
		c.bad("%v", err)
	}
	_, v := isolation.Decide(st.History, f.Round, c.policy)
	c.say("now: %s: %s", v.Phase, v.Why)
	if v.Phase != isolation.Fine {
		c.wrong++
	}
	what := "the network is lost"
	if c.settings.Strict {
		what = "the last request was sent that oned answered well"
		if !st.Armed(isolation.Uptime(), c.policy) {
			c.bad("nothing watches over a lease of this host now; start it: systemctl enable --now host_isolated, or by cron")
		}
	}
	c.say("bound: VMs are stopped (%s) and gone at most %s + %s = %s after %s", c.settings.Action, c.promise.Lease, c.promise.Reaction,
		c.promise.Lease+c.promise.Reaction, what)
}

// writable tries to write into a directory that may not be there yet.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".check-*")
	if errors.Is(err, os.ErrNotExist) {
		if parent := filepath.Dir(dir); parent != dir {
			return writable(parent)
		}
	}
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", dir, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
