package drill

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"one-ft/pkg/one"
)

// Placement is where a VM that waits for a host is to be deployed.
type Placement struct {
	VM              int
	Host, Datastore int      // IDs; both -1 when it is left to the scheduler; a system datastore
	Left            []Aspect // why it is left to the scheduler
}

// Placed reports whether there is a host for the VM.
func (p Placement) Placed() bool { return p.Host >= 0 }

// Place finds hosts for VMs that wait for one, instead of the scheduler (place: true): for each VM, in the order of ids,
// which is that of their priority, where it is to be deployed now. A VM of which not everything that matters was evaluated
// is left to the scheduler, which knows it. Hosts in not are not used. It only reads: hosts, VMs that wait, datastores,
// access rules; what the scheduler starts meanwhile oned refuses (one.ErrWrongState, or no room).
func Place(ctx context.Context, client *one.Client, ids []int, not map[int]bool) ([]Placement, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	r := newReader(client)
	if err := r.hosts(ctx); err != nil {
		return nil, fmt.Errorf("place VMs: read the hosts: %w", err)
	}
	if err := r.waiting(ctx, ids); err != nil {
		return nil, fmt.Errorf("place VMs: read those that wait: %w", err)
	}
	r.clusters(ctx)
	r.datastores(ctx)
	var access Access
	if slices.ContainsFunc(r.cloud.VMs, func(v VM) bool { return !v.trusted() && slices.Contains(ids, v.ID) }) {
		access = r.access(ctx)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("place VMs: %w", err)
	}
	return r.cloud.PlaceWaiting(ids, not, access), nil
}

// PlaceWaiting is the decision of Place: pure. Each VM takes the room that those before it left, on the host with the
// fewest VMs (the default policy of all releases).
func (c Cloud) PlaceWaiting(ids []int, not map[int]bool, access Access) []Placement {
	s := newBareSimulation(c)
	placements := make([]Placement, 0, len(ids))
	for _, id := range ids {
		p := Placement{VM: id, Host: -1, Datastore: -1}
		p.Left = s.placeWaiting(&p, not, access)
		placements = append(placements, p)
	}
	return placements
}

// placeWaiting places one VM, or says why not.
func (s *simulation) placeWaiting(p *Placement, not map[int]bool, access Access) (left []Aspect) {
	i, found := s.cloud.indexOf(p.VM)
	_, unread := slices.BinarySearch(s.cloud.Unread, p.VM)
	_, twice := s.base.placed[p.VM]
	switch {
	case unread:
		return []Aspect{Unreadable}
	case !found || !s.cloud.VMs[i].fresh() || twice:
		return []Aspect{State}
	}
	v := &s.cloud.VMs[i]
	w := s.workload(v, 0)
	if left := w.notEvaluated(v, len(s.cloud.Datastores) > 0); len(left) > 0 {
		return left
	}
	if !s.allow(v, not, access) {
		return []Aspect{AccessControl}
	}
	host, store := s.choose(w, -1, Striping, false, &s.base)
	if host < 0 {
		return []Aspect{Room}
	}
	s.take(w, host, store, &s.base)
	p.Host, p.Datastore = s.hostID(host), s.cloud.Datastores[store].ID
	return nil
}

// fresh reports whether the VM waits for a host and has no disks anywhere: these actions keep them on the
// datastore where they are.
func (v *VM) fresh() bool {
	last, _ := v.Last()
	return v.State == one.Pending && !slices.Contains([]int{one.ActionUndeploy, one.ActionUndeployHard, one.ActionStop}, last.Action)
}

// notEvaluated is what matters for a VM and is not evaluated.
func (w *workload) notEvaluated(v *VM, datastores bool) []Aspect {
	unreadable, dynamic := len(w.unknowns()) > 0, false
	for _, r := range slices.Concat(w.rules, w.stores) {
		unreadable, dynamic = unreadable || r.err != nil, dynamic || r.Dynamic
	}
	inGroup := v.GroupID >= 0 && !slices.Contains(v.Unchecked, VMGroups)
	return slices.Concat(v.Unchecked, VMGroups.when(inGroup), Affinity.when(dynamic), Requirements.when(unreadable),
		ImageDatastores.when(v.ImageStore), SystemDatastores.when(!datastores), Preference.when(v.OwnRank))
}

// allow takes the hosts and datastores out that a VM may not use: those in not, those that are not in
// service, those that its owner has no right to, and shared datastores whose size is not known, which the
// scheduler does not use. It reports whether its owner has a right to any host and to any datastore.
func (s *simulation) allow(v *VM, not map[int]bool, access Access) bool {
	hosts, stores := false, false
	for i := range s.hosts {
		t := &s.hosts[i]
		may := access.mayUse(v, t.host.Host)
		hosts = hosts || may
		t.service = t.host.State.Back() && !not[t.host.ID] && may
	}
	for i, d := range s.cloud.Datastores {
		may := access.mayStore(v, d)
		stores = stores || may
		s.denied[i] = !may || d.Shared && !d.Monitored
	}
	return hosts && stores
}

// Masks of access rules (include/AclRule.h, PoolObjectSQL.h, AuthRequest.h: the same in 4.4 to 7.4).
const (
	aclIndividual = 1 << 32
	aclGroup      = 2 << 32
	aclAll        = 4 << 32
	aclCluster    = 8 << 32

	aclHost      = 0x0000002000000000
	aclDatastore = 0x0000100000000000

	aclUse    = 1
	aclManage = 2

	subject = 0xFFFFFFFFF // who, or what, a rule is about: the kind and the ID in the lowest 36 bits
)

// aclRule is an access rule of oned.
type aclRule struct{ user, resource, rights int64 }

// Access says who may use which hosts and datastores; when it could not be read, only oneadmin and its group.
type Access struct {
	rules  []aclRule
	groups map[int][]int // of users, by their ID
}

// access reads the rules that hold in this zone, and the groups of users.
func (r *reader) access(ctx context.Context) (a Access) {
	config, err := r.client.Configuration(ctx)
	if err != nil {
		return a
	}
	zone := config.Child("FEDERATION").Number("ZONE_ID") // 0 where there is no federation
	err = r.client.Each(ctx, "ACL", func(e *one.Element) error {
		if z := hex(e.Value("ZONE")); e.Child("ZONE") == nil || z == aclAll || z == aclIndividual|zone {
			a.rules = append(a.rules, aclRule{hex(e.Value("USER")), hex(e.Value("RESOURCE")), hex(e.Value("RIGHTS"))})
		}
		return e.Once("USER", "RESOURCE", "RIGHTS", "ZONE")
	}, "one.acl.info")
	if err != nil {
		return Access{}
	}
	a.groups = map[int][]int{}
	err = r.client.Each(ctx, "USER", func(e *one.Element) error {
		u, err := e.User()
		a.groups[u.ID] = u.Groups
		return err
	}, "one.userpool.info")
	if err != nil {
		return Access{}
	}
	return a
}

// hex reads a mask as oned writes it; 0, which allows nothing, for anything else.
func hex(text string) int64 {
	if n, err := strconv.ParseInt(strings.TrimSpace(text), 16, 64); err == nil {
		return n
	}
	return 0
}

// allows reports whether a rule gives a user a right on a resource of a kind, in one of these clusters.
func (a Access) allows(v *VM, right, kind int64, id int, clusters []int) bool {
	groups := a.groups[v.UID]
	return slices.ContainsFunc(a.rules, func(r aclRule) bool {
		if r.rights&right == 0 || r.resource&kind == 0 {
			return false
		}
		who, what := r.user&subject, r.resource&subject
		switch {
		case who == aclAll, who == aclIndividual|int64(v.UID):
		case who&aclGroup != 0 && slices.Contains(groups, int(who&^aclGroup)):
		default:
			return false
		}
		inCluster := what&aclCluster != 0 && slices.Contains(clusters, int(what&^aclCluster))
		return what == aclAll || what == aclIndividual|int64(id) || inCluster
	})
}

// trusted reports whether the scheduler asks for no rights: VMs of oneadmin, or of its group.
func (v *VM) trusted() bool { return v.UID == 0 || v.GID == 0 }

// mayUse reports whether the owner of a VM may run it on a host (MANAGE; Scheduler.cc, match_host).
func (a Access) mayUse(v *VM, h one.Host) bool {
	return v.trusted() || a.allows(v, aclManage, aclHost, h.ID, []int{h.ClusterID})
}

// mayStore reports whether the owner of a VM may use a datastore (USE; Scheduler.cc, match_system_ds).
func (a Access) mayStore(v *VM, d Datastore) bool {
	inGroup := d.GroupUse && slices.Contains(a.groups[v.UID], d.GID)
	return v.trusted() || d.OtherUse || inGroup || a.allows(v, aclUse, aclDatastore, d.ID, d.Clusters)
}
