package guest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"one-ft/pkg/process"
	"one-ft/pkg/text"
)

// domains returns the names of OpenNebula that libvirt lists, running and paused, until ctx ends.
func (h Host) domains(ctx context.Context) ([]string, error) {
	r, err := h.virsh(ctx, "list", "--name")
	if err == nil && r.CutOff {
		err = errors.New("the list is too long")
	}
	if err != nil {
		return nil, fmt.Errorf("failed to list the domains of libvirt; try: virsh -c '%s' list --name: %w", text.Printable(h.Settings.Libvirt), err)
	}
	return domainNames(r.Output), nil
}

func domainNames(output string) (names []string) {
	for name := range strings.SplitSeq(output, "\n") {
		if _, ours := ParseName(name); ours {
			names = append(names, name)
		}
	}
	return names
}

func (h Host) virsh(ctx context.Context, args ...string) (process.Result, error) {
	if h.Settings.Libvirt == "" {
		return process.Result{}, errors.New("no URI of libvirt is configured; give one, such as qemu:///system")
	}
	path, err := process.Bounded(ctx, h.findVirsh) // PATH may name a directory that does not answer
	if err != nil {
		return process.Result{}, err
	}
	// With HOME, libvirt need not ask the users' directory for it, which may be a server.
	env := []string{"PATH=" + systemPath, "LANG=C", "HOME=" + cmp.Or(os.Getenv("HOME"), "/")}
	return run(ctx, env, append([]string{path, "-c", h.Settings.Libvirt}, args...)...)
}
