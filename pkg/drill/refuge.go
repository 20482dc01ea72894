package drill

import (
	"context"
	"fmt"
	"slices"

	"one-ft/pkg/drill/requirement"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// Refuge is where VMs could go: the hosts, clusters and system datastores of a cloud at a moment.
type Refuge struct {
	client *one.Client
	cloud  Cloud
}

// ReadRefuge reads it: three pools, and no VM.
func ReadRefuge(ctx context.Context, client *one.Client) (Refuge, error) {
	r := newReader(client)
	if err := r.hosts(ctx); err != nil {
		return Refuge{}, fmt.Errorf("read the hosts: %w", err)
	}
	r.clusters(ctx)
	r.datastores(ctx)
	return Refuge{client, r.cloud}, ctx.Err()
}

// MayTake reads the VMs of a plan and decides as Cloud.MayTake. What cannot be read counts as possible.
func (f Refuge) MayTake(ctx context.Context, plan recovery.Plan, not map[int]bool) (bool, error) {
	if len(f.cloud.Notes) > 0 {
		return true, nil
	}
	var ids []int
	for _, step := range plan.Steps {
		if needsPlace(step.Verb) {
			ids = append(ids, step.VM.ID)
		}
	}
	r := reader{client: f.client, cloud: f.cloud}
	if err := r.pages(ctx, ids); err != nil {
		return true, fmt.Errorf("read the VMs: %w", err)
	}
	r.sort()
	return r.cloud.MayTake(plan, not), nil
}

// MayTake reports whether a host in service, other than those in not, may take any of the VMs of a plan, whether it has room
// now or not: room comes and goes. What is not evaluated counts as possible. VMs that are only deleted need no host; when
// there are no others any host in service will do, which says that the front-end sees hosts at all.
func (c Cloud) MayTake(plan recovery.Plan, not map[int]bool) bool {
	c.Datastores = slices.Clone(c.Datastores)
	for i, d := range c.Datastores {
		if slices.Equal(d.Clusters, []int{-1}) { // of 4.x, in no cluster: a doubt is no reason to hold
			c.Datastores[i].Clusters = nil
		}
	}
	s := newBareSimulation(c)
	others, placing := false, false
	for i := range s.hosts {
		t := &s.hosts[i]
		t.service = t.service && !not[t.host.ID]
		others = others || t.service
	}
	for _, step := range plan.Steps {
		if step.Verb.Acts() && step.Verb != recovery.VerbDelete {
			if placing = true; others && s.mayGo(step) {
				return true
			}
		}
	}
	return others && !placing
}

// mayGo reports whether a host in service may take the VM of a step.
func (s *simulation) mayGo(step recovery.Step) bool {
	switch step.Verb {
	case recovery.VerbMigrate:
		return s.inService(step.Target)
	case recovery.VerbReturn:
		source, known := step.VM.Previous()
		return !known || s.inService(source.HostID)
	}
	i, found := s.cloud.indexOf(step.VM.ID)
	if !found { // it could not be read
		return true
	}
	w := s.workload(&s.cloud.VMs[i], 0)
	w.disk, w.resched = 0, step.Verb == recovery.VerbResched
	for _, r := range slices.Concat(w.rules, w.stores) {
		if r.err != nil {
			return true
		}
	}
	for i := range s.hosts {
		if t := &s.hosts[i]; t.service && s.meets(w, t) != requirement.No {
			if _, verdict := s.store(w, i, &s.base); verdict != requirement.No {
				return true
			}
		}
	}
	return false
}

func (s *simulation) inService(id int) bool {
	return slices.ContainsFunc(s.hosts, func(t target) bool { return t.service && t.host.ID == id })
}
