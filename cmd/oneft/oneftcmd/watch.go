package oneftcmd

import (
	"context"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/reconcile"
	"one-ft/pkg/text"
)

// watch is the command that watches for hosts that oned does not call failed.
func (t *tool) watch() *cli.Command {
	return &cli.Command{
		Name: "watch", Usage: "notify of hosts that are silent while oned calls them MONITORED, and recover their VMs with watch.act", Flags: app.FlagsFor("dry-run", "verify", "timeout", "oned-wait", "parallel"),
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return app.Usagef("watch takes no %q: it watches all hosts; oneft watch --help lists its options", c.Args().First())
			}
			return app.Command(c, t.env, func(ctx context.Context, s app.Session) (app.Answer, error) {
				defer func() { _, _ = daemon.SdNotify(false, daemon.SdNotifyStopping) }()
				return reconcile.Watch(ctx, s, manager())
			})
		},
	}
}

// manager tells systemd how it stands; without it nothing is told.
func manager() (alive func(status string)) {
	ready := daemon.SdNotifyReady + "\n"
	return func(status string) {
		_, _ = daemon.SdNotify(false, ready+daemon.SdNotifyWatchdog+"\nSTATUS="+text.Printable(status))
		ready = ""
	}
}
