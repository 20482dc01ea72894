package check

import (
	"context"
	"errors"
	"os"
	"time"

	"one-ft/pkg/failfast"
	"one-ft/pkg/one"
)

// SSH is what is known of the ssh client of the user that the drivers run as.
type SSH struct {
	// Looked: oned runs on this machine, and everything below was looked at. NotLooked says why not.
	Looked    bool
	NotLooked error
	User      string
	Force     failfast.Force
	// Timeouts are those of the hosts in service and in ERROR; by host ID.
	Timeouts []HostTimeout
	Marks    []failfast.Mark // all that there are, leftovers and others
	MarksErr error
	// Stale are persistent masters to hosts in ERROR.
	Stale []StaleMaster
}

// HostTimeout is the ConnectTimeout for one host.
type HostTimeout struct {
	Host int
	Name string
	// Timeout is 0 for none.
	Timeout time.Duration
	Err     error // ssh does not tell
}

// StaleMaster is a persistent master of ssh to a host in ERROR: each driver command waits for it.
type StaleMaster struct {
	Host int
	Name string
	PID  int
}

// errNoState is a state directory that no hook has made yet.
var errNoState = errors.New("there is no state directory yet: oneft hooks install makes it")

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// ssh looks at the ssh client as the drivers of oned use it. It writes a mark for a name that does not
// exist, for milliseconds, and only where there is a state directory.
func (l *look) ssh(ctx context.Context, hosts []one.Host) (s SSH) {
	if !l.facts.FrontEnd.Local || l.Machine == nil {
		return s
	}
	client, err := failfast.NewClient(l.Machine, l.StateDir)
	s.User = client.User.Name
	switch {
	case errors.Is(err, failfast.ErrNoSSH):
		s.Looked, s.Force.State = true, failfast.NoSSH
		return s
	case err == nil && !isDir(l.StateDir):
		err = errNoState
	}
	if s.NotLooked = err; err != nil {
		return s
	}
	s.Looked = true
	marks := failfast.Open(l.StateDir)
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
		s.Timeouts = append(s.Timeouts, HostTimeout{Host: h.ID, Name: h.Name, Timeout: a.ConnectTimeout, Err: a.Err})
		if !h.State.Failed() || a.ControlPath == "" {
			continue
		}
		masters, err := client.Masters(a.ControlPath)
		if err != nil {
			l.miss("persistent ssh connections to host %d: %v", h.ID, err)
		}
		for _, p := range masters {
			s.Stale = append(s.Stale, StaleMaster{Host: h.ID, Name: h.Name, PID: p.PID})
		}
	}
	return s
}
