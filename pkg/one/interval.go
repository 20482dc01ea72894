package one

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"one-ft/pkg/onedconf"
)

// DefaultInterval is the time between two monitorings of a host where neither
// oned nor monitord.conf tells: MONITORING_INTERVAL_HOST of monitord, 6.0 to 7.4.
const DefaultInterval = 180 * time.Second

// Interval finds the time between two monitorings of a host: from oned's configuration
// (before 6.0), else from monitord.conf (path; may be missing), else
// DefaultInterval. The second result says where it came from, and what kept monitord.conf
// from being read; it is printable.
func Interval(ctx context.Context, cloud interface {
	MonitoringInterval(context.Context) (int, error)
}, monitord string) (time.Duration, string, error) {
	seconds, err := cloud.MonitoringInterval(ctx)
	if err != nil {
		return 0, "", err
	}
	if seconds > 0 {
		return time.Duration(seconds) * time.Second, "configuration of oned", nil
	}
	all, err := onedconf.ReadFile(monitord)
	switch interval, found := monitordInterval(all); {
	case errors.Is(err, fs.ErrNotExist):
		return DefaultInterval, "default of monitord", nil
	case err != nil:
		return DefaultInterval, Printable(fmt.Sprintf("default of monitord, because its configuration cannot be read: %v", err)), nil
	case found:
		return interval, monitord, nil
	}
	return DefaultInterval, "default of monitord", nil
}

// monitordInterval finds MONITORING_INTERVAL_HOST in a monitord.conf; found is false when it is not
// there, or not between a second and MaxInterval.
func monitordInterval(conf []onedconf.Attribute) (interval time.Duration, found bool) {
	a, found := onedconf.Find(conf, "MONITORING_INTERVAL_HOST")
	n, ok := onedconf.Number(a.Value)
	if !found || !ok || n <= 0 || n > MaxInterval {
		return 0, false
	}
	return time.Duration(n) * time.Second, true
}
