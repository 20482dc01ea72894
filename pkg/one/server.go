package one

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"one-ft/pkg/onedconf"
	"one-ft/pkg/text"
)

// The times between two monitorings of a host.
const (
	// DefaultInterval is that where neither oned nor monitord.conf names one: MONITORING_INTERVAL_HOST of
	// monitord, 6.0 to 7.4.
	DefaultInterval = 180 * time.Second
	// MaxInterval is the longest that is believed, in seconds: times that are multiplied must not overflow.
	MaxInterval = 24 * 60 * 60
)

// Interval finds the time between two monitorings of a host: from oned's configuration (before 6.0), else from monitord.conf
// (path; may be missing), else DefaultInterval. source says where it came from, and what kept monitord.conf from being
// read; it is printable.
func (c *Client) Interval(ctx context.Context, monitord string) (interval time.Duration, source string, err error) {
	seconds, err := c.interval.get(ctx, func() (int, error) { return c.MonitoringInterval(ctx) })
	if err != nil || seconds > 0 {
		return time.Duration(seconds) * time.Second, "configuration of oned", err
	}
	all, err := onedconf.ReadFile(monitord)
	switch interval, found := monitordInterval(all); {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return DefaultInterval, text.Printable(fmt.Sprintf("default of monitord, because its configuration cannot be read: %v", err)), nil
	case found:
		return interval, monitord, nil
	}
	return DefaultInterval, "default of monitord", nil
}

// intervalAge is how old the interval may be that oned told: its configuration is that of its start. A recovery needs it several
// times within a second. A choice.
const intervalAge = time.Minute

// told is a number that oned has told, read once by all who ask for it at the same time.
type told struct {
	turn  chan struct{} // whoever looks puts one in
	at    time.Time     // zero for never
	value int
}

// get is the number, which is read unless it was a short time ago.
func (t *told) get(ctx context.Context, read func() (int, error)) (value int, err error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	if age := time.Since(t.at); !t.at.IsZero() && age >= 0 && age < intervalAge {
		return t.value, nil
	}
	if value, err = read(); err == nil {
		t.value, t.at = value, time.Now()
	}
	return value, err
}

// monitordInterval finds MONITORING_INTERVAL_HOST in a monitord.conf; found is false when it is not
// there, or not between a second and MaxInterval.
func monitordInterval(conf []onedconf.Attribute) (interval time.Duration, found bool) {
	a, _ := onedconf.Find(conf, "MONITORING_INTERVAL_HOST")
	if n, ok := onedconf.Number(a.Value); ok && n > 0 && n <= MaxInterval {
		return time.Duration(n) * time.Second, true
	}
	return 0, false
}

// MonitoringInterval reads the seconds between two monitorings of a host from oned's configuration: MONITORING_INTERVAL
// (4.x), MONITORING_INTERVAL_HOST (5.x). It is 0 where oned has none (6.0 and later: monitord.conf does), or one above
// MaxInterval.
func (c *Client) MonitoringInterval(ctx context.Context) (int, error) {
	config, err := c.Configuration(ctx) // nil with an error
	for _, name := range []string{"MONITORING_INTERVAL_HOST", "MONITORING_INTERVAL"} {
		if n := config.Number(name); n > 0 && n <= MaxInterval {
			return int(n), nil
		}
	}
	return 0, err
}

// Follows reports whether this oned is a follower of another front-end or looks for a
// leader: its own hooks do not run then. It is false before 5.4, which knows no followers.
func (c *Client) Follows(ctx context.Context) (bool, error) {
	raft, err := c.document(ctx, "one.zone.raftstatus")
	if errors.Is(err, ErrUnsupported) {
		return false, nil
	}
	if err == nil {
		err = raft.Require("STATE")
	}
	const candidate, follower = 1, 2 // RaftManager.h, 5.4 to 7.4; 0 is alone, 3 the leader
	state := raft.Number("STATE")
	return state == follower || state == candidate, wrap(err, "read the state of the front-end")
}

// User is a user of the cloud.
type User struct {
	ID     int
	Name   string // printable
	Groups []int  // all, the primary one first
}

// Admin reports whether the user may do everything: oneadmin, and members of the group of
// that name (AuthManager.cc of 4.4 to 7.4; both have ID 0).
func (u User) Admin() bool { return u.ID == 0 || slices.Contains(u.Groups, 0) }

// ownUser is the ID with which one.user.info gives the user who asks.
const ownUser = -1

// OwnUser reads the user of this client.
func (c *Client) OwnUser(ctx context.Context) (User, error) {
	u, err := readObject(ctx, c, "USER", ownUser, (*Element).User, "one.user.info")
	return u, wrap(err, "read the own user")
}

// User reads a USER element.
func (e *Element) User() (User, error) {
	if err := cmp.Or(e.Require("ID", "GID"), e.Once("GROUPS")); err != nil {
		return User{}, wrap(err, "user")
	}
	primary := int(e.Number("GID"))
	others := slices.DeleteFunc(e.IDs("GROUPS"), func(id int) bool { return id == primary })
	return User{ID: int(e.Number("ID")), Name: text.Printable(e.Value("NAME")), Groups: append([]int{primary}, others...)}, nil
}
