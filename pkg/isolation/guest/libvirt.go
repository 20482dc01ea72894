package guest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"one-ft/pkg/config"
	"one-ft/pkg/process"
	"one-ft/pkg/text"
)

// A daemon of libvirt is one that has QEMU guests, and the name of its socket below /run/libvirt.
var daemons = [...]struct{ name, socket string }{
	{"virtqemud", "virtqemud-sock"}, // the driver alone: the default of Fedora 35, RHEL 9, SLES 16 and later
	{"libvirtd", "libvirt-sock"},    // the one with all drivers
}

// libvirt finds out which daemon serves the default URI, and the URI that reaches that one. A socket file proves nothing: one
// that has ended leaves it behind, and the clients of libvirt choose by the file. Without a daemon the URI is as it is
// configured, and virsh says what is wrong. One that hangs accepts the connection.
func (h Host) libvirt(ctx context.Context) (uri, daemon string) {
	if h.Settings.Libvirt != config.DefaultLibvirt || h.Run == "" {
		return h.Settings.Libvirt, ""
	}
	for _, d := range daemons {
		socket := filepath.Join(h.Run, "libvirt", d.socket)
		if h.System.Connect(ctx, socket) == nil {
			return "qemu+unix:///system?socket=" + socket, d.name
		}
	}
	return h.Settings.Libvirt, ""
}

// Covers says whose guests are stopped on this host, as the front-end reads it (recovery.Leasable): libvirt, and lxc where LXC
// is installed.
func (h Host) Covers(ctx context.Context) string {
	ctx, cancel := context.WithTimeoutCause(ctx, lookLimit, process.ErrTimeout)
	defer cancel()
	if h.lxcStop(ctx) == "" {
		return "libvirt"
	}
	return "libvirt lxc"
}

// Found is how many VMs of OpenNebula were seen in each place; one that is seen in several counts in each.
type Found struct {
	Domains    int  // in the list of libvirt
	Answered   bool // libvirt gave that list
	Processes  int  // QEMU processes, each for itself
	Containers int  // of LXC
}

// Ways says in what ways guests are found and stopped on this host, one line each, with how many were found so. found is nil
// where nobody has looked.
func (h Host) Ways(ctx context.Context, found *Found) []string {
	ctx, cancel := context.WithTimeoutCause(ctx, lookLimit, process.ErrTimeout)
	defer cancel()
	qemu := "neither virtqemud nor libvirtd answers; VMs are found by their processes, and killed"
	uri, daemon := h.libvirt(ctx)
	served := daemon != "" || uri != config.DefaultLibvirt
	switch {
	case daemon != "":
		qemu = "by " + daemon
	case served:
		qemu = "at " + uri
	}
	lxc, stop := "not installed (no lxc-stop)", h.lxcStop(ctx)
	if stop != "" {
		lxc = "by " + stop
	}
	if found == nil {
		return []string{"libvirt: " + qemu, "containers (lxc): " + lxc}
	}
	switch {
	case found.Answered:
		qemu += ": " + text.Plural(found.Domains, "VM")
	case served:
		qemu += ": it gave no list"
	}
	if stop != "" {
		lxc += ": " + text.Plural(found.Containers, "VM")
	}
	return []string{"libvirt: " + qemu, "QEMU processes, by the name in their arguments: " + text.Plural(found.Processes, "VM"), "containers (lxc): " + lxc}
}

// domains returns the names of all domains that libvirt lists, running and paused, until ctx ends.
func (s *stopper) domains(ctx context.Context) ([]string, error) {
	r, err := s.virsh(ctx, "list", "--name")
	if err == nil && r.CutOff {
		err = errors.New("the list is too long")
	}
	if err != nil {
		return nil, fmt.Errorf("failed to list the domains of libvirt; try: virsh -c '%s' list --name: %w", text.Printable(s.host.Settings.Libvirt), err)
	}
	return domainNames(r.Output), nil
}

func domainNames(output string) (names []string) {
	for name := range strings.SplitSeq(output, "\n") {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

func (s *stopper) virsh(ctx context.Context, args ...string) (process.Result, error) {
	uri := s.uri
	if uri == "" {
		return process.Result{}, errors.New("no URI of libvirt is configured; give one, such as " + config.DefaultLibvirt)
	}
	// PATH may name a directory that does not answer.
	path, err := process.Bounded(ctx, func() (string, error) { return s.host.System.Find("virsh"), nil })
	if err == nil && path == "" {
		err = errors.New("virsh not found; it is in the package libvirt-clients (Debian, Ubuntu) or libvirt-client")
	}
	if err != nil {
		return process.Result{}, err
	}
	return s.host.run(ctx, environment(), append([]string{path, "-c", uri}, args...)...)
}
