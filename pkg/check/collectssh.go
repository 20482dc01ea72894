package check

import (
	"context"
	"errors"
	"os"

	"one-ft/pkg/failfast"
	"one-ft/pkg/one"
)

// errNoState is a state directory that no hook has made yet.
var errNoState = errors.New("there is no state directory yet: oneft hooks install makes it")

// ssh looks at the ssh client as the drivers of oned use it. It writes a mark for a name that does not
// exist, for milliseconds, and only where there is a state directory.
func (c *collector) ssh(ctx context.Context, hosts []one.Host) (s SSH) {
	if !c.facts.FrontEnd.Local || c.Machine == nil {
		return s
	}
	client, err := failfast.NewClient(c.Machine, string(c.State))
	s.User = client.User.Name
	if errors.Is(err, failfast.ErrNoSSH) {
		s.Known, s.Force.State = true, failfast.NoSSH
		return s
	}
	if info, statErr := os.Stat(string(c.State)); err == nil && (statErr != nil || !info.IsDir()) {
		err = errNoState
	}
	if s.Err = err; err != nil {
		return s
	}
	s.Known = true
	marks := failfast.Open(string(c.State))
	s.Force = client.InForce(ctx, marks)
	s.Marks, s.MarksErr = marks.List()
	var names []string
	var asked []one.Host
	for _, h := range hosts {
		if h.State.Back() || h.State.Starting() || h.State.Failed() {
			names, asked = append(names, h.Name), append(asked, h)
		}
	}
	for i, a := range client.ResolveAll(ctx, names) {
		h := asked[i]
		s.Timeouts = append(s.Timeouts, HostTimeout{Host: h.ID, Timeout: a.ConnectTimeout, Err: a.Err})
		if !h.State.Failed() || a.ControlPath == "" {
			continue
		}
		masters, err := client.Masters(a.ControlPath)
		if err != nil {
			c.skip("persistent ssh connections to host %d: %v", h.ID, err)
		}
		for _, p := range masters {
			s.Stale = append(s.Stale, StaleMaster{Host: h.ID, Name: h.Name, PID: p.PID})
		}
	}
	return s
}
