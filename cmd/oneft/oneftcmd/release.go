package oneftcmd

import (
	"context"
	"strconv"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/reconcile"
)

// release is the command that ends the quarantine of a host.
func (t *tool) release() *cli.Command {
	return &cli.Command{
		Name: "release", Usage: "give a host back to the scheduler that was disabled before its VMs were started elsewhere", ArgsUsage: "HOST",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "force", Usage: "you have made sure that none of its old guests runs, whatever oned knows"},
		}, app.CommonFlags()...),
		Action: func(c *cli.Context) error {
			id, err := strconv.Atoi(c.Args().First())
			if c.NArg() != 1 || err != nil || id < 0 {
				return app.Usagef("release takes the ID of one host; oneft check names the hosts in quarantine")
			}
			return app.Command(c, t.env, func(ctx context.Context, s app.Session) (app.Answer, error) {
				return reconcile.ReleaseHost(ctx, s, id, c.Bool("force"))
			})
		},
	}
}
