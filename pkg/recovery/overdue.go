package recovery

import (
	"time"

	"one-ft/pkg/one"
)

// silentFor is for how long a living host leaves no record of a monitoring at most, since 5.12: MONITOR_HOST each 120 s, by UDP, so
// one may be lost, and what the probes take (monitord.conf, 5.12 to 7.4).
const silentFor = 255 * time.Second

// tick is how often oned looks for hosts that are due, and perTick how many it begins with then (MANAGER_TIMER and
// HOST_PER_INTERVAL of oned.conf, 4.4 to 5.10): a large cloud takes longer than its interval.
const (
	tick    = 15 * time.Second
	perTick = 15
)

// Overdue reports whether oned has not heard for too long of a host that it calls MONITORED: heard is when it last did, from 5.12
// on, 0 where that is not known. Before, the last attempt was a success where the host is MONITORED, and cycle is the time
// between two, in a cloud of so many hosts.
func Overdue(h one.Host, heard int64, now time.Time, cycle time.Duration, hosts int) bool {
	switch {
	case heard > 0:
		return now.Sub(time.Unix(heard, 0)) > max(silentFor, cycle)
	case h.State == one.HostMonitored || h.State == one.HostMonitoringMonitored:
		return h.LastAttempt > 0 && cycle > 0 && now.Sub(time.Unix(h.LastAttempt, 0)) > 2*max(cycle, tick, time.Duration(hosts)*tick/perTick)
	}
	return false
}

// heardLate is how long after the last word of a host oned may write down that it heard it: an answer that was under way,
// and probes that had begun. A choice.
const heardLate = 5 * time.Second

// HeardSince reports whether oned has monitored a host since it went silent for the front-end. From 5.12 on it says when;
// before, the last attempt was a success where the host is MONITORED.
func HeardSince(h one.Host, silent time.Time) bool {
	heard := h.LastContact
	if heard == 0 && h.State == one.HostMonitored {
		heard = h.LastAttempt
	}
	return heard > silent.Add(heardLate).Unix()
}
