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

// LibvirtError means that libvirt cannot be asked for the VMs, or does not answer.
type LibvirtError struct {
	URI string
	Err error // ErrTimeout of package process: it hangs
}

// Error says what to look at.
func (e *LibvirtError) Error() string {
	return fmt.Sprintf("libvirt does not list its domains; try: virsh -c '%s' list --name: %v", text.Printable(e.URI), e.Err)
}

// Unwrap gives the cause.
func (e *LibvirtError) Unwrap() error { return e.Err }

// domains returns the names of OpenNebula that libvirt lists, running and paused, until
// ctx ends. The error is a *LibvirtError.
func (h Host) domains(ctx context.Context) ([]string, error) {
	r, err := h.virsh(ctx, "list", "--name")
	if err == nil && r.CutOff {
		err = errors.New("the list is too long")
	}
	if err != nil {
		return nil, &LibvirtError{URI: h.Libvirt, Err: err}
	}
	return domainNames(r.Output), nil
}

// domainNames are the names of OpenNebula in the output of virsh list.
func domainNames(output string) (names []string) {
	for name := range strings.SplitSeq(output, "\n") {
		if _, ours := ParseName(name); ours {
			names = append(names, name)
		}
	}
	return names
}

// virsh calls virsh until ctx ends.
func (h Host) virsh(ctx context.Context, args ...string) (process.Result, error) {
	if h.Libvirt == "" {
		return process.Result{}, errors.New("no URI of libvirt is given; give one, such as qemu:///system")
	}
	path, err := bounded(ctx, h.findVirsh) // PATH may name a directory that does not answer
	if err != nil {
		return process.Result{}, err
	}
	// With HOME, libvirt need not ask the users' directory for it, which may be a server.
	env := []string{"PATH=" + systemPath, "LANG=C", "HOME=" + cmp.Or(os.Getenv("HOME"), "/")}
	return run(ctx, env, append([]string{path, "-c", h.Libvirt}, args...)...)
}
