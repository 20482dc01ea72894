// Package vmfailure is vm_failure: its flags, and how they become a request. It is apart from the
// program so that the scenarios of test/scenarios can run it in virtual time.
package vmfailure

import (
	"context"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/coordinator"
	"one-ft/pkg/hook"
	"one-ft/pkg/incident"
	"one-ft/pkg/recovery"
)

const examples = `vm_failure VM -r|-d|--retry [options]

   VM is the ID of the VM, or its template in base64 as oned gives it; at a
   terminal also its name. With no arguments all of them are read from standard
   input, as oned 5.10 and later gives them with ARGUMENTS_STDIN = yes.

   Recreating a VM loses its disks that are not persistent. So -r looks at what the
   VM was doing: a failed prolog or boot is recreated, a failed migration goes back
   to its source, a failed epilog is finished, and the rest is left and reported.
   -f recreates whatever it was doing.

   By hand:
     vm_failure 42 -r --dry-run      what would be done
     vm_failure 42 -r                recover it as described above
     vm_failure 42 --retry           ask oned to repeat what failed (4.14 and later)
     vm_failure 42 -d                delete it

   As a hook, one for each *_FAILURE state: oneft hooks print shows the definitions for your OpenNebula,
   oneft hooks install installs them.

   Exit codes: 0 done, 1 the VM was not handled, 2 wrong usage, 3 refused for safety.`

// Tool is the tool that recovers one failed VM.
func Tool() app.Tool {
	var request incident.Request
	return app.Tool{
		Name: "vm_failure", Object: hook.VM, Examples: examples,
		Summary: "recover a failed VM",
		Flags: []cli.Flag{
			coordinator.NoBudgetFlag(),
			&cli.BoolFlag{Name: "recreate", Aliases: []string{"r"}, Usage: "recreate the VM, unless more than that would be lost"},
			&cli.BoolFlag{Name: "delete", Aliases: []string{"d"}, Usage: "delete the VM"},
			&cli.BoolFlag{Name: "retry", Usage: "ask oned to repeat what failed"},
			&cli.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "do it whatever the VM was doing, also if its host is in ERROR"},
		},
		Check: func(c *cli.Context, word hook.YesNo) (err error) {
			request, err = flags(c, word)
			return err
		},
		Act: func(ctx context.Context, s app.Session) (app.Answer, error) {
			return coordinator.ForVM(ctx, s, request)
		},
	}
}

// flags are what the flags of vm_failure ask for.
func flags(c *cli.Context, word hook.YesNo) (q incident.Request, err error) {
	mode, err := app.OneOf(c, "action", "-r", "-d", "--retry")
	if err == nil && word != hook.Unset {
		err = app.Usagef("y and n are for host_error; leave %s out", word)
	}
	modes := map[string]recovery.Mode{"-r": recovery.Recreate, "-d": recovery.Delete, "--retry": recovery.Retry}
	return incident.Request{Action: string(modes[mode]), Force: c.Bool("force"), NoBudget: c.Bool("no-budget")}, err
}
