// Package oneftcmd is oneft: its commands. It is apart from the program so that the scenarios of
// test/scenarios can run it in virtual time.
package oneftcmd

import (
	"context"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
)

const synopsis = `oneft status                         one screen: is HA on, hosts, open incidents, what needs an operator
   oneft check                          would a host that fails now be recovered? changes nothing
   oneft check --watch                  the same, again and again, and what goes on
   oneft drill 3                        what would happen to host 3, step by step
   oneft drill --all                    which host losses the rest cannot absorb (N+1)
   oneft hooks install                  install the hooks that this version needs
   oneft fence import hosts.csv         write the BMCs of many hosts into the configuration
   oneft incidents                      the last incidents
   oneft incidents --follow             what goes on now: stages, VMs by state, what is waited for
   oneft incidents show 12              what happened, what was done, what is left to do
   oneft incidents show 12 --json       the record itself
   oneft incidents show 12 --html FILE  one page with a drawing, to attach to a ticket
   oneft resume                         finish what was left open, handle what no hook was called for
   oneft resume --dry-run               what that would be
   oneft resume 12                      resume incident 12
   oneft resume 12 --confirm-off        the same, and you say that its host is off
   oneft pause 2h "new switches"        maintenance: record and notify, act on nothing; it ends on its own
   oneft unpause                        end that now
   oneft release 3                      give host 3 back to the scheduler, which one-ft has disabled
   oneft support-bundle FILE            what a bug report needs, secrets and names hidden
   oneft watch                          notify of hosts that are silent while oned calls them MONITORED

   Exit codes: 0 done, 1 something was not handled, or a file of the journal is damaged, 2 wrong
   usage, 3 refused for safety.`

// Command is oneft as a command line without actions.
func Command() *cli.Command { return (&tool{}).command() }

// Run runs oneft in a world and returns the exit code.
func Run(ctx context.Context, env app.Env) int {
	env, ended := env.Checked("oneft")
	return ended(app.Execute(ctx, env, (&tool{env}).command()))
}

// tool is oneft in its world.
type tool struct{ env app.Env }

func (t *tool) command() *cli.Command {
	return &cli.Command{
		Name: "oneft", Usage: "what one-ft has done, and what is left to do", UsageText: synopsis,
		Subcommands: []*cli.Command{t.status(), t.check(), t.drill(), t.hooks(), t.fence(), t.incidents(), t.resume(), t.pause(), t.unpause(), t.release(), t.watch(), t.supportBundle(), t.complete()},
	}
}

// page is an answer of rows and lines.
type page struct {
	Rows    [][]string `json:"rows,omitempty"`
	Text    []string   `json:"text,omitempty"`
	Summary string     `json:"summary,omitempty"`
	Wrong   []string   `json:"problems,omitempty"`
	Code    int        `json:"exit_code"`
}

// Table, Notes, Line, Problems and ExitCode make it an app.Answer.
func (p page) Table() [][]string  { return p.Rows }
func (p page) Notes() []string    { return p.Text }
func (p page) Line() string       { return p.Summary }
func (p page) Problems() []string { return p.Wrong }
func (p page) ExitCode() int      { return p.Code }
