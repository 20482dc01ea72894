package drill

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"one-ft/pkg/one"
)

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
)

// subject is who, or what, a rule is about: the kind and the ID in the lowest 36 bits.
const subject = 0xFFFFFFFFF

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
	n, err := strconv.ParseInt(strings.TrimSpace(text), 16, 64)
	if err != nil {
		return 0
	}
	return n
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
