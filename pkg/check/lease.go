package check

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/text"
)

func (h Host) lease(d Device) error { return d.Lease.Against(h.Promise, h.Promised, h.PromiseErr) }

// leaseLines are the attributes of a host that wait for long enough for what it promises.
func leaseLines(p fence.Promise) []string {
	l := fence.Lease{Length: p.Lease, Reaction: p.Reaction, Margin: fence.DefaultMargin}
	for l.Covers(p) != nil {
		l.Reaction += time.Second
	}
	return []string{fmt.Sprintf(`FENCE_LEASE = "%d"`, seconds(l.Length)), fmt.Sprintf(`FENCE_LEASE_REACTION = "%d"`, seconds(l.Reaction))}
}

// seconds are whole seconds, rounded up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// leases is about what hosts publish, and whether the front-end waits for long enough. That a lease
// is refused is reported here, also when another level works.
func (e *evaluation) leases() {
	if e.fencingMode() == config.FencingOff {
		return
	}
	var all []hostFinding
	good := 0
	for _, h := range e.Hosts {
		for _, d := range slices.Concat(h.Levels...) {
			if d.Kind != fence.KindLease {
				continue
			}
			if f := e.leaseOf(h, d); f.severity == OK {
				good++
			} else {
				all = append(all, f)
			}
		}
		if ids := e.VMs.Unleased[h.ID]; len(ids) > 0 && h.onlyLeased() {
			e.about(h.ID, Problem, "fence it by its power, too: "+addBMC(h.ID),
				"only a lease would prove %s off, and host_isolated does not stop %s on it (%s), by FT_LEASE_COVERS of the host: they would be left", h.name(), text.Plural(len(ids), "VM"), listed(ids))
		}
		if e.Own != "" && e.Own != "unknown" && h.Isolated != "" && h.Isolated != e.Own {
			all = append(all, hostFinding{Warning, h, fmt.Sprintf("it runs host_isolated %s, and this is one-ft %s", h.Isolated, e.Own),
				fmt.Sprintf("scp host_isolated root@%s:/usr/sbin/ && ssh root@%s systemctl restart host_isolated", h.Name, h.Name)})
		}
	}
	e.group(all)
	if good > 0 && len(all) == 0 {
		e.ok("the leases of %s are waited for long enough", text.Plural(good, "host"))
	}
}

func (e *evaluation) leaseOf(h Host, d Device) hostFinding {
	err := h.lease(d)
	f := hostFinding{severity: Problem, host: h}
	if err != nil {
		f.reason = err.Error()
	}
	switch {
	case errors.Is(err, fence.ErrNotArmed):
		f.fix = fmt.Sprintf("ssh root@%s host_isolated --check", h.Name)
	case errors.Is(err, fence.ErrLeaseTooShort) && d.FromTemplate:
		f.fix = appendTo(h.ID, leaseLines(h.Promise)...)
	case errors.Is(err, fence.ErrLeaseTooShort):
		f.fix = fmt.Sprintf("%s: lease: %ds, reaction: %ds for this host", e.configName(), seconds(h.Promise.Lease), seconds(h.Promise.Reaction+(h.Promise.Lease+h.Promise.Reaction)/50))
	case err != nil:
		f.fix = "install scripts/ft_isolated.sh of this one-ft as " + e.probe() + "; onehost sync --force"
	case !h.Promised:
		f.severity, f.reason = Warning, "it has not published what it promises (FT_LEASE), so FENCE_LEASE is trusted"
		f.fix = "install -m 0755 scripts/ft_isolated.sh " + e.probe() + "; onehost sync --force"
	default:
		f.severity = OK
	}
	return f
}

// probe is where the monitoring probe belongs in this version (README).
func (e *evaluation) probe() string {
	dir := "/var/lib/one/remotes/im/kvm-probes.d"
	if !e.Version.Before(5, 12) {
		dir = path.Join(dir, "host/system")
	}
	return path.Join(dir, "ft_isolated.sh")
}
