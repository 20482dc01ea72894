package fence

import (
	"context"
	"slices"

	"one-ft/pkg/process"
)

// Answers reports whether all devices of a level say now whether the host is on or off, so that fencing it that failed before
// may work. It asks for the status only, and changes nothing. Levels with other devices than agents have nothing to ask.
func Answers(ctx context.Context, host Host, s Settings) (bool, error) {
	w, err := newWork(host, s)
	if err != nil {
		return false, err
	}
	levels := make([]bool, len(w.devices))
	process.Each(len(levels), len(levels), func(i int) { levels[i] = w.answers(ctx, w.devices[i]) })
	return slices.Contains(levels, true), nil
}

func (w *work) answers(ctx context.Context, devices []*device) bool {
	if slices.ContainsFunc(devices, func(d *device) bool { return d.Kind != KindAgent }) {
		return false
	}
	says := make([]bool, len(devices))
	process.Each(len(devices), len(devices), func(i int) { says[i] = w.status(ctx, devices[i]).Power != PowerUnknown })
	return !slices.Contains(says, false)
}
