package oneftcmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/check"
	"one-ft/pkg/hostmark"
	"one-ft/pkg/one"
	"one-ft/pkg/pause"
	"one-ft/pkg/reconcile"
	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
)

// mostProblems is how many problems a status shows; oneft check has all.
const mostProblems = 8

// status is the command that says on one screen how it stands.
func (t *tool) status() *cli.Command {
	flags := append([]cli.Flag{
		&cli.DurationFlag{Name: "oned-wait", Value: checkWait, Usage: "keep trying for this `TIME` while oned does not answer"},
		&cli.BoolFlag{Name: "dry-run", Value: true, Hidden: true}, // no locks are made
	}, app.ConnectFlags()...)
	return &cli.Command{
		Name: "status", Usage: "one screen: is HA on, when did the sweep run, hosts, open incidents, what needs an operator; changes nothing", Flags: flags,
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return app.Usagef("status takes no %q; oneft incidents show %s shows an incident", c.Args().First(), "12")
			}
			if !c.IsSet("oned-wait") { // else that of the configuration would win
				if err := c.Set("oned-wait", checkWait.String()); err != nil {
					return err
				}
			}
			known := false
			ended := app.Show(c, t.env, func(ctx context.Context, s app.Session) (app.Answer, error) {
				facts, err := check.Collect(ctx, checking(ctx, s, true))
				if err != nil {
					return nil, err
				}
				known = true
				return statusPage(facts, check.Evaluate(facts), statedir.Dir(s.StateDir)), nil
			})
			var exit cli.ExitCoder
			if known || c.Context.Err() != nil || errors.As(ended, &exit) && exit.ExitCode() != app.ExitIncomplete {
				return ended
			}
			return cmp.Or(t.withoutOned(c), ended)
		},
	}
}

// withoutOned shows what this front-end knows on its own while oned cannot be asked; why has been said on stderr.
func (t *tool) withoutOned(c *cli.Context) error {
	dir, _, err := t.stateDir(c)
	if err != nil {
		return err
	}
	now := time.Now()
	state, err := pause.Read(dir)
	ha := "not known: oned could not be asked"
	switch {
	case err != nil:
		ha += ", and the pause could not be read: " + err.Error()
	case state.Active(now):
		ha = pausedText(state)
	}
	p := page{Rows: standing(ha, dir, "not known: oned could not be asked", now, dir.Closed() == nil), Code: app.ExitIncomplete,
		Summary: "oned could not be asked: what is shown is from the state directory alone, and nothing is recovered until oned is back"}
	if c.Bool("json") {
		return t.json(p)
	}
	if err := app.Table(t.env.Stdout, p.Rows); err != nil {
		return err
	}
	_, err = fmt.Fprintln(t.env.Stdout, p.Summary)
	return err
}

// standing are the first rows of a status; open says whether the state directory can be read.
func standing(ha string, dir statedir.Dir, hosts string, now time.Time, open bool) [][]string {
	sweep, lines := "not known", []string{"not known"}
	if open {
		sweep, lines = sweepText(reconcile.LastSweep(dir), now), orNothing(live(dir, now))
	}
	rows := [][]string{{"HA", ha}, {"sweep", sweep}, {"hosts", hosts}}
	for i, line := range lines {
		rows = append(rows, []string{map[bool]string{true: "incidents"}[i == 0], line})
	}
	return rows
}

// pausedText says until when one-ft is paused, by whom and why.
func pausedText(s pause.State) string {
	return "PAUSED until " + s.Until.Format(time.DateTime) + " by " + s.By + ": " + s.Reason
}

// statusPage is the answer of a status.
func statusPage(f check.Facts, r check.Report, dir statedir.Dir) page {
	now := f.Now
	p := page{Summary: r.Verdict, Code: r.ExitCode()}
	if r.Count(check.Warning) > 0 {
		p.Summary += "; oneft check shows them all"
	}
	row := func(what, says string) { p.Rows = append(p.Rows, []string{what, says}) }
	ha := "on"
	switch why := f.Pause.Message(now); {
	case f.Closed != nil:
		ha = "not known: whether one-ft is paused cannot be read"
	case !why.IsZero():
		ha = pausedText(f.Pause)
	case f.Follows:
		ha = "this front-end is a Raft follower: the leader recovers"
	case f.HostHook.Action == "":
		ha = "no hook of one-ft is known that recovers failed hosts: oneft hooks show"
	default:
		ha = onText(r, f.HostHook.Action)
	}
	p.Rows = standing(ha, dir, hostsText(f.Hosts), now, f.Closed == nil)
	n := 0
	for _, finding := range r.Findings {
		if finding.Severity != check.Problem {
			continue
		}
		if n++; n > mostProblems {
			row("", fmt.Sprintf("and %d more: oneft check", r.Count(check.Problem)-mostProblems))
			break
		}
		row(map[bool]string{true: "to do"}[n == 1], finding.What)
		row("", "  fix: "+finding.Fix)
	}
	if n == 0 {
		row("to do", "nothing")
	}
	return p
}

// onText says what HA is worth that is on, with this action.
func onText(r check.Report, action string) string {
	line := "on: the VMs of a failed host are handled with " + action
	if r.StopsAll() {
		line = "on, but a host that fails now would NOT be recovered safely"
	}
	for _, be := range []string{check.WouldBeRefused, check.WouldBeUnproven} {
		if ids := r.WouldBe(be); ids != "" {
			line += fmt.Sprintf("; %s, because nothing proves it off: host %s", strings.ToUpper(be), ids)
		}
	}
	return line
}

// sweepText says when oneft resume ran last.
func sweepText(last, now time.Time) string {
	switch {
	case last.IsZero():
		return "oneft resume never ran here: systemctl enable --now one-ft-resume.timer"
	case text.Ahead(last, now) != "":
		return "oneft resume ran last at " + atTime(last, now) + text.Ahead(last, now) + ", so nobody knows whether it runs: systemctl status one-ft-resume.timer"
	case now.Sub(last) > check.LateSweep:
		return "oneft resume ran last at " + atTime(last, now) + ", which is too long ago: systemctl status one-ft-resume.timer"
	}
	return "oneft resume ran last at " + atTime(last, now)
}

// hostsText counts the hosts by what they are, and names those in ERROR and in quarantine.
func hostsText(hosts []check.Host) string {
	service, others := 0, 0
	var failed, quarantined []string
	for _, h := range hosts {
		name := fmt.Sprintf("%d (%s)", h.ID, h.Name)
		_, out := hostmark.QuarantineOf(h.Host)
		switch {
		case h.State.Back():
			service++
		case h.State.Failed():
			failed = append(failed, name)
		case out:
			quarantined = append(quarantined, name)
		default:
			others++
		}
	}
	line := fmt.Sprintf("%d of %s in service", service, text.Plural(len(hosts), "host"))
	const named = 10
	if len(failed) > 0 {
		line += fmt.Sprintf("; %s: %s", one.HostError, text.Some(failed, named))
	}
	if len(quarantined) > 0 {
		line += "; in quarantine: " + text.Some(quarantined, named)
	}
	if others > 0 {
		line += fmt.Sprintf("; %d disabled, offline or new", others)
	}
	return line
}

// watchCheck is check --watch: the verdict and what is wrong, looked at again and again, and what goes on meanwhile.
func (t *tool) watchCheck(c *cli.Context) error {
	return app.Show(c, t.env, func(ctx context.Context, s app.Session) (app.Answer, error) {
		dir := statedir.Dir(s.StateDir)
		var last check.Report
		var looked time.Time
		view := func(ctx context.Context) []string {
			now := time.Now()
			if looked.IsZero() || now.Sub(looked) >= checkEvery {
				if facts, err := check.Collect(ctx, checking(ctx, s, true)); err != nil {
					last = check.Unreachable(text.Printable(err.Error()), now)
				} else {
					last = check.Evaluate(facts)
				}
				looked = time.Now()
			}
			lines := []string{last.Verdict}
			lines = append(lines, last.Problems()...)
			return append(lines, orNothing(live(dir, time.Now()))...)
		}
		(&screen{out: t.env.Stdout, terminal: t.env.Terminal}).follow(ctx, liveEvery, view)
		return page{Summary: last.Verdict, Code: last.ExitCode()}, nil
	})
}
