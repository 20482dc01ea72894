package hostisolated

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/fence"
	"one-ft/pkg/isolation"
	"one-ft/pkg/isolation/probe"
	"one-ft/pkg/one"
	"one-ft/pkg/text"
)

// seconds rounds up.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// armed reports whether the lease of this host is watched over now.
func (h *host) armed() bool {
	now := h.world.Uptime()
	st, err := h.store.Load(now)
	return err == nil && st.Armed(now, h.policy)
}

// printBound prints what this host promises, for a monitoring probe.
func (h *host) printBound(ctx context.Context) error {
	armed, patience := "NO", "FT_ISOLATED_AFTER=%d\nFT_ISOLATED_REACTION=%d\n"
	if h.armed() {
		armed = "YES"
	}
	if h.settings.Strict {
		patience = "FT_LEASE=%d\nFT_LEASE_REACTION=%d\n"
	}
	lease, reaction := seconds(h.promise.Lease), seconds(h.promise.Reaction)
	_, err := fmt.Fprintf(h.world.Stdout, patience+"FT_LEASE_ARMED=%s\nFT_LEASE_COVERS=%q\nFT_ISOLATED_VERSION=%q\n", lease, reaction, armed, h.machine.Covers(ctx), app.Version())
	return err
}

// check shows what host_isolated sees, and what it would do now. The exit code is 1 when something has to be looked
// at.
func (h *host) check(ctx context.Context) error {
	c := &checker{host: h}
	f := h.prober.Round(ctx)
	c.probes(f)
	c.report(f)
	c.vms(ctx)
	c.verdict(f)
	if c.wrong {
		return app.Exit(app.ExitIncomplete)
	}
	return nil
}

// checker shows what --check finds.
type checker struct {
	*host
	wrong bool
}

// say prints a line.
func (c *checker) say(format string, args ...any) {
	fmt.Fprintln(c.world.Stdout, text.Printable(fmt.Sprintf(format, args...)))
}

// bad prints a line that an admin has to look at.
func (c *checker) bad(format string, args ...any) {
	c.wrong = true
	c.say("WRONG: "+format, args...)
}

// probes shows the probes and the routes.
func (c *checker) probes(f isolation.Findings) {
	var rows [][]string
	probes := func(prefix string, results []probe.Result) {
		for _, r := range results {
			rows = append(rows, []string{prefix + r.Target, r.Reach.String(), r.Took.Round(100 * time.Microsecond).String(), r.Detail})
		}
	}
	probes("", f.FrontEnd)
	probes("witness ", f.Witness)
	links, err := c.network.Links()
	for _, l := range links {
		via := ""
		if l.Gateway.IsValid() {
			via = l.Gateway.String()
		}
		rows = append(rows, []string{"default route", "via " + via, "dev " + l.Interface, "carrier " + l.Carrier})
	}
	_ = app.Table(c.world.Stdout, rows)
	switch {
	case err != nil:
		c.bad("the routes of this host cannot be read: %v", err)
	case len(links) == 0:
		c.bad("this host has no default route")
	}
	for _, r := range slices.Concat(f.FrontEnd, f.Witness) {
		if r.Reach == probe.Unknown {
			c.bad("%s cannot be asked: %s", r.Target, r.Detail)
		}
	}
}

// report shows what oned says, and whether a front-end would wait for long enough.
func (c *checker) report(f isolation.Findings) {
	switch {
	case c.oned == nil:
		c.say("oned: not asked, because there is no token (auth_file)")
		return
	case errors.Is(f.Unclear, one.ErrAuthentication):
		c.bad("oned: %v; write user:token that is valid there into %s (on a front-end: oneuser token-create USER --time -1)", f.Unclear, c.settings.AuthFile)
		return
	case f.Unclear != nil:
		c.bad("oned: %v", f.Unclear)
		return
	}
	id := c.oned.Host().ID
	c.say("oned: host %d is %s", id, f.Round.Reported)
	if !c.settings.Strict {
		return
	}
	l, found, err := fence.TemplateLease(c.oned.Host().Template)
	if err == nil && found {
		err = l.Covers(c.promise)
	}
	attributes := fmt.Sprintf("FENCE_LEASE = %d and FENCE_LEASE_REACTION = %d", seconds(c.promise.Lease), seconds(c.promise.Reaction))
	switch {
	case err != nil:
		c.bad("%v; set %s by onehost update %d", err, attributes, id)
	case !found:
		c.say("front-end: the template of this host has no FENCE_LEASE; for a lease set %s by onehost update %d", attributes, id)
	default:
		c.say("front-end: host_error waits %s (%s + %s + %s)", l.Wait(), l.Length, l.Reaction, l.Margin)
	}
}

// vms shows the VMs, and whether this process could stop them and remember things.
func (c *checker) vms(ctx context.Context) {
	guests, found, err := c.machine.Look(ctx)
	if err != nil {
		c.bad("%v", err)
	}
	for _, way := range c.machine.Ways(ctx, &found) {
		c.say("%s", way)
	}
	c.say("VMs of OpenNebula here: %d", len(guests))
	for _, name := range c.machine.Autostarted() {
		c.bad("%s starts whenever this host boots, and would run twice if its VM was started elsewhere before; run virsh autostart --disable %s", name, name)
	}
	if os.Geteuid() != 0 {
		c.bad("not run by root; run it as root, or VMs whose processes hang cannot be killed, and the host cannot be powered off")
	}
	for _, dir := range []struct{ key, path string }{{"state_dir", c.settings.StateDir}, {"run_dir", c.settings.RunDir}} {
		if err := writable(dir.path); err != nil {
			c.bad("%v", c.noDir(fmt.Errorf("%s %s: %w", dir.key, dir.path, err), dir.key))
		}
	}
}

// verdict shows what would be done now, and how long it takes at most.
func (c *checker) verdict(f isolation.Findings) {
	st, err := c.store.Load(c.world.Uptime())
	if err != nil {
		c.bad("%v", err)
	}
	_, v := isolation.Decide(st.History, f.Round, c.policy)
	c.say("now: %s: %s", v.Phase, v.Why)
	c.wrong = c.wrong || v.Phase != isolation.Fine
	what := "the network is lost"
	if c.settings.Strict {
		what = "the last request was sent that oned answered well"
		if !c.armed() {
			c.bad("nothing watches over a lease of this host now; start it: systemctl enable --now host_isolated, or by cron")
		}
	}
	lease, reaction := c.promise.Lease, c.promise.Reaction
	c.say("bound: VMs are stopped (%s) and gone at most %s + %s = %s after %s", c.settings.Action, lease, reaction, lease+reaction, what)
}

// writable tries to write into a directory that may not be there yet.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".check-*")
	if errors.Is(err, os.ErrNotExist) {
		if parent := filepath.Dir(dir); parent != dir {
			if err := writable(parent); err != nil {
				return fmt.Errorf("it is not there and cannot be made: %w", cmp.Or(errors.Unwrap(err), err))
			}
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("nothing can be written there: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
