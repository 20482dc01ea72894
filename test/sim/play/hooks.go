package play

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"one-ft/pkg/one"
	"one-ft/test/sim/lab"
)

// callHooks has the hooks of this tool called for an object: those of the scenario, and those
// that an admin has installed in oned.
func (w *world) callHooks(tool string, id int) {
	f := w.frontEnds[max(0, slices.IndexFunc(w.frontEnds, (*frontEnd).serves))]
	for _, h := range w.spec.hooks {
		if h.tool == tool {
			d := w.delivery(h, id, w.spec.onStdin)
			f.deliver(tool, d.Words, d.Stdin)
		}
	}
	state, lcm := one.HostError.String(), ""
	if v, known := w.cloud.VM(id); tool != "host_error" && known {
		state, lcm = v.State.String(), v.LCM.String()
	}
	for _, h := range w.cloud.StateHooks() {
		if filepath.Base(h.Command) == tool && h.State == state && (h.Resource == "HOST" || h.LCM == lcm) {
			d := w.delivery(hookSpec{tool, h.Arguments}, id, h.OnStdin)
			f.deliver(tool, d.Words, d.Stdin)
		}
	}
}

// delivery is a call of a hook as oned of the version makes it. HOST and VM stand for $ID up to
// 5.8 and for $TEMPLATE later, as oneft hooks install writes them.
func (w *world) delivery(h hookSpec, id int, onStdin bool) lab.Delivery {
	object, xml, host := "VM", "", h.tool == "host_error"
	if host {
		object, xml = "HOST", w.cloud.HostXML(id)
	} else {
		xml = w.cloud.VMXML(id)
	}
	variable := "$TEMPLATE"
	if w.old() {
		variable = "$ID"
	}
	args := strings.Replace(h.args, object, variable, 1)
	return lab.Deliver(w.old(), onStdin && !w.old(), host, args, id, xml)
}

// executables puts what hooks run where oned looks for it. What it does is not in the files.
func executables(root string) error {
	dir := filepath.Join(root, "var", "remotes", "hooks", "ft")
	err := os.MkdirAll(dir, 0o755)
	for _, name := range []string{"host_error", "vm_failure", "vm_unknown", "oneft"} {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/false\n"), 0o755)
		}
	}
	return err
}
