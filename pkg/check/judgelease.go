package check

import (
	"errors"
	"fmt"
	"path"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/fence"
)

// leaseOf reports why a lease of a host proves nothing.
func leaseOf(h Host, d Device) error { return d.Lease.Against(h.Promise, h.Promised, h.PromiseErr) }

// leaseLines are the attributes of a host that wait for long enough for what it promises.
func leaseLines(p fence.Promise) string {
	l := fence.Lease{Length: p.Lease, Reaction: p.Reaction, Margin: fence.DefaultMargin}
	for l.Covers(p) != nil {
		l.Reaction += time.Second
	}
	return fmt.Sprintf(`FENCE_LEASE = "%d", FENCE_LEASE_REACTION = "%d"`, seconds(l.Length), seconds(l.Reaction))
}

// seconds are whole seconds, rounded up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// leases judges what hosts publish, and whether the front-end waits for long enough. That a lease
// is refused is told here, also when another level works.
func (j *judge) leases() {
	if j.fencingMode() == config.FencingOff {
		return
	}
	var all []about
	good := 0
	for _, h := range j.Facts.Hosts {
		for _, level := range h.Levels {
			for _, d := range level.Devices {
				if d.Kind != fence.KindLease {
					continue
				}
				a := j.leaseFinding(h, d)
				a.host, a.topic = h.Host, TopicLease
				if a.severity == OK {
					good++
				} else {
					all = append(all, a)
				}
			}
		}
		if j.Own != "" && j.Own != "unknown" && h.Isolated != "" && h.Isolated != j.Own {
			all = append(all, about{Warning, TopicLease, h.Host, fmt.Sprintf("it runs host_isolated %s, and this is one-ft %s", h.Isolated, j.Own),
				fmt.Sprintf("scp host_isolated root@%s:/usr/sbin/ && ssh root@%s systemctl restart host_isolated", h.Name, h.Name)})
		}
	}
	j.group(all)
	if good > 0 && len(all) == 0 {
		j.say(OK, TopicLease, "", "the leases of %s are waited for long enough", counted(good, "host"))
	}
}

// leaseFinding judges one lease.
func (j *judge) leaseFinding(h Host, d Device) about {
	err := leaseOf(h, d)
	switch {
	case errors.Is(err, fence.ErrNotArmed):
		return about{severity: Problem, reason: err.Error(), fix: fmt.Sprintf("ssh root@%s host_isolated --check", h.Name)}
	case errors.Is(err, fence.ErrLeaseTooShort):
		fix := fmt.Sprintf("onehost update %d: %s", h.ID, leaseLines(h.Promise))
		if !d.FromTemplate {
			fix = fmt.Sprintf("%s: lease: %ds, reaction: %ds for this host", j.configName(), seconds(h.Promise.Lease), seconds(h.Promise.Reaction+(h.Promise.Lease+h.Promise.Reaction)/50))
		}
		return about{severity: Problem, reason: err.Error(), fix: fix}
	case err != nil:
		return about{severity: Problem, reason: err.Error(), fix: "install scripts/ft_isolated.sh of this one-ft as " + j.probe() + "; onehost sync --force"}
	case !h.Promised:
		return about{severity: Warning, reason: "it has not published what it promises (FT_LEASE), so FENCE_LEASE is trusted",
			fix: "install -m 0755 scripts/ft_isolated.sh " + j.probe() + "; onehost sync --force"}
	}
	return about{severity: OK}
}

// probe is where the monitoring probe belongs in this version (README).
func (j *judge) probe() string {
	dir := "/var/lib/one/remotes/im/kvm-probes.d"
	if !j.Facts.Version.Before(5, 12) {
		dir = path.Join(dir, "host/system")
	}
	return path.Join(dir, "ft_isolated.sh")
}
