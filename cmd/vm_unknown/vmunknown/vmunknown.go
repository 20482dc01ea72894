// Package vmunknown is vm_unknown: its flags, and how they become a request. It is apart from the
// program so that the scenarios of test/scenarios can run it in virtual time.
package vmunknown

import (
	"context"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/coordinator"
	"one-ft/pkg/hook"
	"one-ft/pkg/incident"
	"one-ft/pkg/recovery"
)

const examples = `vm_unknown VM [options]

   VM is the ID of the VM, or its template in base64 as oned gives it; at a
   terminal also its name. With no arguments all of them are read from standard
   input, as oned 5.10 and later gives them with ARGUMENTS_STDIN = yes.

   A VM in UNKNOWN crashed, or its host failed. If the host is in ERROR nothing is
   done: host_error owns its VMs. Else the VM is booted again where it is.

   By hand:
     vm_unknown 42 --dry-run         what would be done
     vm_unknown 42                   boot it

   As a hook: oneft hooks print shows its definition for your OpenNebula, oneft hooks install installs it.

   Exit codes: 0 done, 1 the VM was not handled, 2 wrong usage, 3 refused for safety.`

// Tool is the tool that boots a crashed VM again.
func Tool() app.Tool {
	return app.Tool{
		Name: "vm_unknown", Object: hook.VM, Examples: examples,
		Summary: "boot a crashed VM again",
		Flags:   []cli.Flag{coordinator.NoBudgetFlag()},
		Check: func(_ *cli.Context, word hook.YesNo) error {
			if word != hook.Unset {
				return app.Usagef("y and n are for host_error; leave %s out", word)
			}
			return nil
		},
		Act: func(ctx context.Context, s app.Session) (app.Answer, error) {
			return coordinator.ForVM(ctx, s, incident.Request{Action: string(recovery.VerbBoot), NoBudget: s.Cli.Bool("no-budget")})
		},
	}
}
