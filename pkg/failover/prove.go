package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

// Fencing says whether a host has to be proven off.
type Fencing = fence.Mode

// The values of --fencing.
const (
	FencingAuto     = fence.ModeAuto
	FencingRequired = fence.ModeRequired
	FencingOff      = fence.ModeOff
)

// Fencer proves that a host is off. fence.ErrNotConfigured means that nothing is
// configured for it. look is for leases.
type Fencer func(ctx context.Context, host one.Host, look fence.Look) (fence.Proof, error)

// Opinion is a second opinion about a host: alive means do not touch it. An
// error means that it has none.
type Opinion struct {
	Name string
	Ask  func(ctx context.Context, host one.Host) (alive bool, err error)
}

// permit is the right to act on the VMs of a host. Nothing acts on a VM without
// one, and it is made from a proof only, so that no later change can act first.
type permit struct {
	*runner
	proof fence.Proof
}

// errNoProof means that acting was about to begin without a proof: a defect.
var errNoProof = errors.New("no proof that the host is off, and no decision to do without")

// permit turns a proof into the right to act on the VMs of a host.
func (r *runner) permit(hostID int, proof fence.Proof) (*permit, error) {
	if !proof.Covers(hostID) {
		return nil, fmt.Errorf("act on the VMs of host %d: %w", hostID, errNoProof)
	}
	return &permit{r, proof}, nil
}

// opinions asks the second opinions, one after the other. One that says alive ends it.
func (r *runner) opinions(ctx context.Context, host one.Host, all []Opinion) stage {
	for _, o := range all {
		alive, err := o.Ask(ctx, host)
		switch {
		case err != nil:
			r.say(-1, wording.OpinionNone, o.Name, err)
		case alive:
			return stage{refused: wording.Of(wording.OpinionAlive, o.Name)}
		default:
			r.say(-1, wording.OpinionNotAlive, o.Name)
		}
	}
	return stage{}
}

// prove fences the host as the admin wants it.
func (r *runner) prove(ctx context.Context, host one.Host, job HostJob) (fence.Proof, stage) {
	unproven := func(kind wording.Kind) fence.Proof {
		why := wording.Of(kind)
		r.say(-1, wording.Unproven, why, host.ID)
		return fence.WithoutProof(host.ID, why.String())
	}
	mode := Fencing(r.opt.Request.Fencing)
	if mode == FencingOff || job.Fence == nil && mode != FencingRequired {
		return unproven(wording.FencingOff), stage{}
	}
	err := fence.ErrNotConfigured
	var proof fence.Proof
	if job.Fence != nil {
		start := time.Now()
		if proof, err = job.Fence(ctx, host, r.lookForLease); err == nil {
			r.say(-1, wording.Fenced, time.Since(start).Seconds(), proof)
			return proof, stage{}
		}
	}
	switch {
	case errors.Is(err, errBack):
		return proof, stage{back: true}
	case errors.Is(err, fence.ErrNotConfigured) && mode == FencingAuto:
		return unproven(wording.FencingMissing), stage{}
	case errors.Is(err, fence.ErrNotConfigured):
		return proof, stage{refused: wording.Of(wording.FencingRequired)}
	}
	refused := wording.Of(wording.FencingFailed, err)
	if number := r.rec.Number(); number > 0 {
		refused = wording.Of(wording.FencingUnconfirmed, err, wording.Resume(number))
	} else if errors.Is(err, fence.ErrManual) {
		refused = wording.Of(wording.FencingManual, err)
	}
	return proof, stage{refused: refused}
}

// clear takes the host through everything that comes before acting: watching it,
// the storm guard, second opinions, the fence.
func (r *runner) clear(ctx context.Context, host one.Host, job HostJob, before Earlier) (fence.Proof, stage, error) {
	if watch := incident.Duration(r.opt.Request.Confirm); watch > 0 && !r.opt.Request.FenceFirst {
		r.rec.Stage(incident.StepConfirm)
		s, err := r.confirm(ctx, watch, before.Watched)
		if err != nil || s.ended() {
			return fence.Proof{}, s, err
		}
	}
	r.turns.expect(r.hostID, true)
	r.rec.Stage(incident.StepGuard)
	s, err := r.guard(ctx, job.Storm)
	if err != nil || s.ended() {
		return fence.Proof{}, s, err
	}
	now := s.host
	if len(job.Opinions) > 0 {
		r.rec.Stage(incident.StepOpinion)
		if s := r.opinions(ctx, now, job.Opinions); s.ended() {
			return fence.Proof{}, s, nil
		}
		if now, err = r.host(ctx); err != nil || now.State.Back() { // they take their time
			return fence.Proof{}, stage{back: now.State.Back()}, err
		}
	}
	if !r.opt.Request.ConfirmedOff && r.alive(ctx, now) {
		r.lives = true
		return fence.Proof{}, stage{back: true}, nil
	}
	r.rec.Stage(incident.StepFence)
	proof, s := r.prove(ctx, now, job)
	if !s.refused.IsZero() && ctx.Err() != nil { // no device failed: this process was told to end
		return fence.Proof{}, stage{}, fmt.Errorf("prove that the host is off: %w", ctx.Err())
	}
	return proof, s, nil
}
