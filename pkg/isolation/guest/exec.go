package guest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"one-ft/pkg/process"
	"one-ft/pkg/text"
)

// systemPath is the PATH of virsh.
const systemPath = "/usr/sbin:/usr/bin:/sbin:/bin"

// run runs a program until ctx ends, and does not wait any longer: neither for one that the kernel holds, nor for the
// disk that it is on. The error says how it failed, in words fit for a log.
func (h Host) run(ctx context.Context, env []string, command ...string) (process.Result, error) {
	if len(command) == 0 || !filepath.IsAbs(command[0]) {
		return process.Result{}, errors.New("no program is configured; give its path, such as /usr/bin/virsh")
	}
	if ctx.Err() != nil {
		return process.Result{}, fmt.Errorf("not started: %w", context.Cause(ctx))
	}
	r, err := process.Bounded(ctx, func() (process.Result, error) {
		return h.System.Run(ctx, process.Program{Path: command[0], Args: command[1:], Env: env, Script: true}), nil
	})
	if err != nil {
		return r, err
	}
	return r, failure(r)
}

// environment is that of programs of libvirt and LXC. With HOME they need not ask the users' directory for it, which may
// be a server.
func environment() []string {
	return []string{"PATH=" + systemPath, "LANG=C", "HOME=" + cmp.Or(os.Getenv("HOME"), "/")}
}

// failure is why a program has failed, with what it said at its end; nil when it has not.
func failure(r process.Result) error {
	err := r.Err
	switch {
	case err == nil && r.Code == 0:
		return nil
	case err == nil:
		err = fmt.Errorf("exit code %d", r.Code)
	}
	if said := text.Printable(lastLines(r.Output)); said != "" {
		err = fmt.Errorf("%w: %s", err, said)
	}
	return err
}

// maxSaid is how many bytes of the output of a program are shown: programs say at the end what is wrong.
const maxSaid = 300

func lastLines(output string) string {
	said := strings.Join(strings.Fields(output), " ")
	if len(said) > maxSaid {
		said = "…" + strings.ToValidUTF8(said[len(said)-maxSaid:], "")
	}
	return said
}

const maxListed = 20

// listed joins names; a few of very many.
func listed(names []string) string { return text.Some(names, maxListed) }
