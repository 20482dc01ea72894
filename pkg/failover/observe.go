package failover

import (
	"context"
	"sync"
	"time"

	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// heardWithin is how old the last monitoring of a host may be that counts as heard now, while oned still calls the
// host failed: one that really is silent gets that state after a monitoring interval without a word, so what is
// younger than this came after it (MONITOR_HOST each 120 s, STATE_VM each 5 s: monitord.conf, 6.0 to 7.4).
const heardWithin = time.Minute

// observed is a Cloud whose hosts are as a recovery has to see them: a host in quarantine as failed while it is
// silent (recovery.Seen), and one that is monitored again as back, although oned calls it failed for up to ten
// minutes more (SYSTEM_HOST each 600 s; measured on 6.10).
type observed struct {
	Cloud
	mu    sync.Mutex
	first map[int]int64 // LastContact of a host when it was first seen failed
	heard map[int]bool
	kept  map[int]bool // hosts that are in quarantine
}

// Observed is a Cloud whose hosts are as a recovery has to see them.
func Observed(cloud Cloud) Cloud { return newObserved(cloud) }

func newObserved(cloud Cloud) *observed {
	if o, is := cloud.(*observed); is {
		return o
	}
	return &observed{Cloud: cloud, first: map[int]int64{}, heard: map[int]bool{}, kept: map[int]bool{}}
}

// Host reads a host.
func (o *observed) Host(ctx context.Context, id int) (one.Host, error) {
	h, err := o.Cloud.Host(ctx, id)
	if err != nil {
		return h, err
	}
	_, in := recovery.QuarantineOf(h)
	o.mu.Lock()
	o.kept[id] = in
	o.mu.Unlock()
	if in && h.LastContact == 0 {
		if last, err := o.Cloud.MonitoredAt(ctx, id); err == nil {
			h.LastContact = last
		}
	}
	return o.see(h, time.Now()), nil
}

// Hosts reads all hosts. Without LastContact none of those that are called failed counts as back.
func (o *observed) Hosts(ctx context.Context) ([]one.Host, error) {
	hosts, err := o.Cloud.Hosts(ctx)
	for i := range hosts {
		hosts[i] = recovery.Seen(hosts[i])
	}
	return hosts, err
}

// see makes a host what it has to be taken for.
func (o *observed) see(h one.Host, now time.Time) one.Host {
	h = recovery.Seen(h)
	o.mu.Lock()
	defer o.mu.Unlock()
	if !h.State.Failed() {
		delete(o.first, h.ID)
		delete(o.heard, h.ID)
		return h
	}
	first, known := o.first[h.ID]
	switch {
	case h.LastContact == 0:
	case !known:
		o.first[h.ID] = h.LastContact
	case h.LastContact <= first:
	case now.Sub(time.Unix(h.LastContact, 0)) < heardWithin:
		o.heard[h.ID] = true
		h.State = one.HostMonitored
	default: // it was back while nobody looked, and has failed anew
		o.first[h.ID] = h.LastContact
	}
	return h
}

// forget begins anew with a host.
func (o *observed) forget(id int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.first, id)
	delete(o.heard, id)
}

// Heard reports whether oned calls the host failed although it is monitored again.
func (o *observed) Heard(id int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.heard[id]
}

// InQuarantine reports whether a host was in quarantine when it was last read.
func (o *observed) InQuarantine(id int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.kept[id]
}

// How long a host that is monitored again stays in ERROR at most: SYSTEM_HOST each 600 s, and how long it may be silent
// meanwhile: MONITOR_HOST each 120 s (monitord.conf, 6.0 to 7.4).
const (
	livingFor   = 11 * time.Minute
	livingQuiet = 3 * time.Minute
)

// diesAgain watches a host that lives although oned calls it failed, until oned says so, too: no hook is called when it
// dies again before. A person does not wait for that.
func (r *runner) diesAgain(ctx context.Context) bool {
	if r.opt.Strays {
		return false
	}
	r.sayHeard()
	for end := time.Now().Add(livingFor); time.Now().Before(end); {
		if !wait(ctx, guardEvery) {
			return false
		}
		host, err := r.cloud.Cloud.Host(ctx, r.hostID)
		if err != nil {
			continue
		}
		if !host.State.Failed() {
			return false
		}
		if vms, err := r.cloud.VMSet(ctx, host.VMs); err == nil && recovery.Lives(vms, host.ID) || time.Since(time.Unix(host.LastContact, 0)) < livingQuiet {
			continue
		}
		r.say(-1, wording.SilentAgain)
		r.lives = false
		r.cloud.forget(r.hostID)
		return true
	}
	return false
}

// alive reports whether VMs of a host that oned calls failed say that it lives. oned makes the running VMs of a
// failed host UNKNOWN 0.1 s after ERROR, so those that are RUNNING some time later are monitored again.
func (r *runner) alive(ctx context.Context, host one.Host) bool {
	vms, err := r.cloud.VMSet(ctx, host.VMs)
	if err != nil || !recovery.Lives(vms, host.ID) {
		return false // before 5.12 such a host becomes MONITORED with its first word
	}
	if left := aliveAfter - time.Since(r.started); left > 0 && !wait(ctx, left) {
		return false
	}
	vms, err = r.cloud.VMSet(ctx, host.VMs)
	return err == nil && recovery.Lives(vms, host.ID)
}

// aliveAfter is how long after the begin of the work VMs that are RUNNING say something: ten times what oned
// needs to make them UNKNOWN, on a busy machine.
const aliveAfter = 2 * time.Second
