package failover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"one-ft/pkg/hostmark"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/recovery"
)

// HostObserver is a Cloud whose hosts are as a recovery has to see them, and owns everything that was seen of them: a host in
// quarantine counts as failed while it is silent (recovery.Seen), and one that is monitored again as back, although oned
// calls it failed for up to ten minutes more (SYSTEM_HOST each 600 s; measured on 6.10).
type HostObserver struct {
	Cloud
	id    int // the failed host; -1 for none
	began time.Time
	pool  *pool // what several recoveries see together; nil for one alone
	// survey asks the way to the hosts; nil asks nobody.
	survey *surveyor
	cycle  func(context.Context) (time.Duration, error) // between two monitorings; nil where nobody knows
	// supposed: the host is judged as if it had failed. once: a host in ERROR is read at most once.
	supposed, once bool

	silence silence // of the failed host

	now    gated[one.HostState] // of the failed host, -1 while it is not known
	streak streak
	lives  bool              // VMs of the failed host say that it is monitored again
	mute   int64             // LastContact when it died again: what its VMs say counts when it is heard of after that
	lost   map[int]bool      // hosts that oned does not call failed, and that did not answer when all were last judged
	since  map[int]time.Time // when hosts in ERROR were last in contact with oned, where that was needed

	mu    sync.Mutex
	sight map[int]sight
}

// sight is what was seen of a host.
type sight struct {
	first       int64 // LastContact when it was first seen failed; 0 before
	heard       bool  // it is monitored again although oned calls it failed
	quarantined bool  // when it was last read on its own
}

// Observed is a Cloud whose hosts are as a recovery has to see them.
func Observed(cloud Cloud) Cloud { return newHostObserver(cloud, -1, nil) }

func newHostObserver(cloud Cloud, id int, p *pool) *HostObserver {
	o := &HostObserver{Cloud: cloud, id: id, began: time.Now(), pool: p, now: newGated[one.HostState](), sight: map[int]sight{}}
	o.now.value = -1
	return o
}

// Read reads the failed host with all that oned tells. Everything that looks at it while nothing has been touched goes
// through Read, Look or Judge.
func (o *HostObserver) Read(ctx context.Context) (one.Host, error) {
	sent := time.Now()
	host, err := o.Host(ctx, o.id)
	if err == nil {
		o.streak.add(sent, host)
	}
	return host, err
}

// Look is Read, or what the pool of all hosts tells, which is less, where many recoveries look at the same time.
func (o *HostObserver) Look(ctx context.Context) (one.Host, error) {
	if o.pool != nil && o.pool.users.Load() >= Crowd {
		hosts, sent, err := o.pool.get(ctx)
		if i := indexOf(hosts, o.id); err == nil && i >= 0 {
			host := o.overrule(ctx, hosts[i])
			o.streak.add(sent, host)
			return host, nil
		}
	}
	return o.Read(ctx)
}

func indexOf(hosts []one.Host, id int) int {
	return slices.IndexFunc(hosts, func(h one.Host) bool { return h.ID == id })
}

// All reads all hosts, together with other recoveries of this process.
func (o *HostObserver) All(ctx context.Context) (hosts []one.Host, sent time.Time, err error) {
	if o.pool != nil {
		return o.pool.get(ctx)
	}
	sent = time.Now()
	hosts, err = o.Hosts(ctx)
	return hosts, sent, err
}

// Now is the state of the failed host, -1 where it is not known. It looks at most once in the time that a reading is fresh.
func (o *HostObserver) Now(ctx context.Context) one.HostState {
	if o.id < 0 {
		return -1
	}
	state, _, err := o.now.get(ctx, func(state one.HostState, read time.Time) bool { return state.Back() || time.Since(read) < fresh },
		func(before one.HostState, read time.Time) (one.HostState, time.Time, error) {
			host, err := o.Host(ctx, o.id)
			if err != nil {
				return before, read, nil
			}
			return host.State, time.Now(), nil
		})
	if err != nil {
		return -1
	}
	return state
}

// Back reports whether oned has monitored the failed host meanwhile: then no VM may be touched any more.
func (o *HostObserver) Back(ctx context.Context) bool { return o.Now(ctx).Back() }

// heardOf is up to how many failed hosts each is read on its own while a storm is held: from 6.0 on those that are monitored
// again stay in ERROR for ten minutes, and only that tells. A choice: some 64 calls each guardEvery.
const heardOf = 64

// Judge reads all hosts once, judges them, and gives the failed one. Since when a host has been in ERROR is only read when it
// matters: oned tells since 5.12; before, all hosts in ERROR count as having failed just now. The window ends when this
// recovery began: a storm must not grow old while it is held.
func (o *HostObserver) Judge(ctx context.Context, policy recovery.GuardPolicy) (v recovery.Verdict, host one.Host, err error) {
	hosts, sent, err := o.All(ctx)
	if err != nil {
		return v, host, err
	}
	own := indexOf(hosts, o.id)
	if own < 0 {
		// An ordinary user gets an empty pool, without an error.
		return v, host, fmt.Errorf("the pool of %d hosts does not hold host %d: this user does not see all hosts, so the storm guard cannot judge; run as oneadmin, or give the user USE rights on all hosts", len(hosts), o.id)
	}
	host = o.overrule(ctx, hosts[own])
	o.streak.add(sent, host)
	if o.supposed {
		hosts = slices.Clone(hosts) // others read them, too
		hosts[own].State = one.HostError
		host = hosts[own]
	}
	since := map[int]time.Time{} // of those in ERROR still: one that was back in between has failed again
	for _, h := range hosts {
		if at, known := o.since[h.ID]; known && h.State.Failed() {
			since[h.ID] = at
		}
	}
	o.since = since
	seen := o.lookAround(ctx, hosts)
	o.lost = seen.lost
	v = judge(hosts, nil, o.began, policy, o.id, seen)
	if o.overrules() && !seen.answer { // nobody answers: it is the front-end that lost its network
		v.Hold = true
		return v, host, nil
	}
	if !v.Hold || host.State.Back() {
		return v, host, nil
	}
	hosts = slices.Clone(hosts) // others read them, too
	for i, h := range hosts {
		if _, known := since[h.ID]; known && (o.once || v.Worst.Failed > heardOf) || !h.State.Failed() || i == own && o.supposed {
			continue
		}
		full, err := o.Host(ctx, h.ID)
		if err != nil {
			continue // it counts as having failed just now, and is read again
		}
		if full.State.Back() { // the pool does not tell that it is monitored again
			if hosts[i].State = full.State; i == own {
				host.State = full.State
			}
			continue
		}
		since[h.ID] = o.began // before 5.12 oned does not tell
		if full.LastContact > 0 {
			since[h.ID] = time.Unix(full.LastContact, 0)
		}
	}
	return judge(hosts, since, o.began, policy, o.id, seen), host, nil
}

// errBack means that the host came back while a lease was waited for.
var errBack = errors.New("the host came back")

// NoLeaseSince is the fence.Look of this recovery.
func (o *HostObserver) NoLeaseSince(ctx context.Context) (time.Time, error) {
	host, err := o.Look(ctx)
	switch {
	case err != nil:
		return time.Time{}, err
	case o.overrules():
		return time.Time{}, fmt.Errorf("oned calls the host MONITORED: it keeps its VMs then, so its lease proves nothing")
	case host.State.Back():
		return time.Time{}, errBack
	case !noLease(host.State):
		return time.Time{}, fmt.Errorf("the host is %s: it keeps its VMs then, so its lease proves nothing; onehost offline %d ends it", host.State, host.ID)
	}
	return o.streak.since, nil
}

// aliveAfter is from when on VMs that are RUNNING say something: oned needs a tenth of it to make them UNKNOWN when busy.
const aliveAfter = 2 * time.Second

// Alive reports whether VMs of the failed host say that it lives. oned makes the running VMs of a
// failed host UNKNOWN 0.1 s after ERROR, so those that are RUNNING some time later are monitored again.
func (o *HostObserver) Alive(ctx context.Context, host one.Host) bool {
	if o.overrules() {
		return false // of a host that it calls MONITORED oned calls all VMs RUNNING
	}
	if o.mute > 0 { // the pool of all hosts does not tell when it was last heard of
		if now, err := o.Cloud.Host(ctx, o.id); err != nil || now.LastContact <= o.mute {
			return false
		}
	}
	o.lives = Lives(ctx, o, host)
	if left := aliveAfter - time.Since(o.began); o.lives && left > 0 && !process.Pause(ctx, left) {
		o.lives = false
	}
	o.lives = o.lives && Lives(ctx, o, host)
	return o.lives
}

// Lives reports whether VMs of a host say that it is monitored again (recovery.Lives). Where they cannot be read together,
// before 5.12, a host that is monitored again is MONITORED.
func Lives(ctx context.Context, cloud Cloud, host one.Host) bool {
	vms, err := cloud.VMSet(ctx, host.VMs)
	return err == nil && recovery.Lives(vms, host.ID)
}

// OnlyHeard reports whether the failed host counts as back although oned calls it failed.
func (o *HostObserver) OnlyHeard() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lives || o.sight[o.id].heard
}

// Forget starts over with the failed host, which was last heard of then and has died again.
func (o *HostObserver) Forget(lastContact int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.sight[o.id]
	s.first, s.heard = 0, false
	o.sight[o.id], o.lives, o.mute = s, false, lastContact
}

// InQuarantine reports whether the failed host was in quarantine when it was last read.
func (o *HostObserver) InQuarantine() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sight[o.id].quarantined
}

// Hosts reads all hosts. Without LastContact none of those that are called failed counts as back.
func (o *HostObserver) Hosts(ctx context.Context) ([]one.Host, error) { return seenHosts(ctx, o.Cloud) }

func seenHosts(ctx context.Context, cloud Cloud) ([]one.Host, error) {
	hosts, err := cloud.Hosts(ctx)
	for i := range hosts {
		hosts[i] = recovery.Seen(hosts[i])
	}
	return hosts, err
}

// Host reads a host.
func (o *HostObserver) Host(ctx context.Context, id int) (one.Host, error) {
	h, err := o.Cloud.Host(ctx, id)
	if err != nil {
		return h, err
	}
	_, in := hostmark.QuarantineOf(h)
	if in && h.LastContact == 0 {
		if last, err := o.Cloud.MonitoredAt(ctx, id); err == nil {
			h.LastContact = last
		}
	}
	return o.overrule(ctx, o.see(recovery.Seen(h), in, time.Now())), nil
}

// heardWithin is how old the last monitoring of a host may be that counts as heard now, while oned still calls the
// host failed: one that really is silent gets that state after a monitoring interval without a word, so what is
// younger than this came after it (MONITOR_HOST each 120 s, STATE_VM each 5 s: monitord.conf, 6.0 to 7.4).
const heardWithin = time.Minute

// see makes a host what it has to be taken for.
func (o *HostObserver) see(h one.Host, quarantined bool, now time.Time) one.Host {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.sight[h.ID]
	s.quarantined = quarantined
	switch {
	case !h.State.Failed():
		s.first, s.heard = 0, false
	case h.LastContact <= s.first: // or oned does not tell
	case s.first > 0 && now.Sub(time.Unix(h.LastContact, 0)) < heardWithin:
		s.heard, h.State = true, one.HostMonitored
	default: // seen for the first time, or it was back while nobody looked, and has failed again
		s.first = h.LastContact
	}
	o.sight[h.ID] = s
	return h
}

// maxGap is the longest time between two looks in a streak. A host that oned monitors again stays MONITORED for a monitoring
// interval, and one that an admin enables stays INIT until it is monitored: no interval in use is that short.
const maxGap = 5 * time.Second

// streak is how long oned has called the host failed and granted it no lease, in looks without a gap: a lease is waited for since.
type streak struct {
	since   time.Time // end of the first look; zero without one
	sent    time.Time // begin of the last look
	contact int64     // LastContact, where oned tells
}

// noLease reports whether a host in this state is granted no lease by oned: what
// host_isolated --strict heeds. A DISABLED host keeps its VMs, so it is granted one.
func noLease(s one.HostState) bool { return s.Failed() || s == one.HostOffline }

// add takes a look that began at sent and has just been answered.
func (w *streak) add(sent time.Time, host one.Host) {
	now := time.Now()
	switch {
	case !noLease(host.State):
		*w = streak{contact: max(w.contact, host.LastContact)}
		return
	case w.since.IsZero(), now.Sub(w.sent) > maxGap, w.contact > 0 && host.LastContact > w.contact:
		w.since = now
	}
	w.sent, w.contact = sent, max(w.contact, host.LastContact)
}

// Crowd is from how many recoveries on all hosts are read in one call: a pool costs oned about as much as a few hosts.
const Crowd = 4

// pool is all hosts, read once for all who want to see them at about the same time.
type pool struct {
	cloud Cloud
	users atomic.Int32 // recoveries under way
	// old is set when a recovery begins: what was read before may show its host before
	// it failed, which must not be taken for one that came back.
	old   atomic.Bool
	hosts gated[[]one.Host]
	// inError are the hosts in ERROR among them that have VMs.
	inError atomic.Pointer[[]int]
}

// get gives all hosts as they were less than watchEvery ago and since the last recovery began, and when that reading began.
func (p *pool) get(ctx context.Context) ([]one.Host, time.Time, error) {
	young := func(_ []one.Host, sent time.Time) bool {
		return !p.old.Swap(false) && !sent.IsZero() && time.Since(sent) < watchEvery
	}
	return p.hosts.get(ctx, young, func([]one.Host, time.Time) ([]one.Host, time.Time, error) {
		sent := time.Now()
		hosts, err := seenHosts(ctx, p.cloud)
		if ctx.Err() != nil {
			p.old.Store(true)
			return nil, sent, err
		}
		ids := make([]int, 0, len(hosts))
		for _, h := range hosts {
			if h.State.Failed() && len(h.VMs) > 0 {
				ids = append(ids, h.ID)
			}
		}
		p.inError.Store(&ids)
		if err != nil {
			sent = time.Now() // it may have tried for minutes
		}
		return hosts, sent, err
	})
}

// failed are the hosts in ERROR that had VMs when the pool was last read; none without a pool.
func (p *pool) failed() []int {
	if p == nil || p.inError.Load() == nil {
		return nil
	}
	return *p.inError.Load()
}

// gated is what is read once for all who ask at about the same time.
type gated[T any] struct {
	gate  chan struct{} // its holder reads, or uses what is below: not a mutex, which nobody can wait for in virtual time
	value T
	read  time.Time // when reading it began, or what the reader says
	err   error
}

func newGated[T any]() gated[T] { return gated[T]{gate: make(chan struct{}, 1)} }

// get gives the value if it is good enough, or else reads it again. Who comes meanwhile waits for that, and no longer than
// its context. What a context that ended has spoilt is kept from others.
func (g *gated[T]) get(ctx context.Context, good func(T, time.Time) bool, read func(T, time.Time) (T, time.Time, error)) (value T, at time.Time, err error) {
	select {
	case g.gate <- struct{}{}:
		defer func() { <-g.gate }()
	case <-ctx.Done():
		return value, at, ctx.Err()
	}
	if !good(g.value, g.read) {
		value, at, err = read(g.value, g.read)
		if ctx.Err() != nil {
			return value, at, err
		}
		g.value, g.read, g.err = value, at, err
	}
	return g.value, g.read, g.err
}
