package drill

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"one-ft/pkg/one"
)

// Group is a VM group: rules about which VMs may share a host.
type Group struct {
	ID    int
	Roles []Role
	// Affined and AntiAffined are sets of roles whose VMs belong on one host, or on different ones.
	Affined, AntiAffined [][]string
}

// Role is a role of a VM group.
type Role struct {
	Name   string
	Policy string // AFFINED, ANTI_AFFINED or NONE, among its own VMs
	VMs    []int
	// HostAffined and HostAntiAffined are the hosts that its VMs must or must not be on.
	HostAffined, HostAntiAffined []int
}

// parseGroup reads a VM_GROUP element.
func parseGroup(e *one.Element) (Group, error) {
	g := Group{ID: int(e.Number("ID"))}
	for _, r := range e.Child("ROLES").All("ROLE") {
		g.Roles = append(g.Roles, Role{
			Name: r.Value("NAME"), Policy: strings.ToUpper(r.Value("POLICY")), VMs: numbers(r.Value("VMS")),
			HostAffined: numbers(r.Value("HOST_AFFINED")), HostAntiAffined: numbers(r.Value("HOST_ANTI_AFFINED")),
		})
	}
	sets := func(name string) (all [][]string) {
		for _, rule := range e.Child("TEMPLATE").All(name) {
			all = append(all, strings.FieldsFunc(rule.Text(), func(r rune) bool { return r == ',' || r == ' ' }))
		}
		return all
	}
	g.Affined, g.AntiAffined = sets("AFFINED"), sets("ANTI_AFFINED")
	return g, e.Once("ROLES", "TEMPLATE")
}

func numbers(list string) []int {
	var ids []int
	for word := range strings.SplitSeq(list, ",") {
		if n, err := strconv.Atoi(strings.TrimSpace(word)); err == nil {
			ids = append(ids, n)
		}
	}
	return ids
}

func (g Group) role(name string) (Role, bool) {
	if i := slices.IndexFunc(g.Roles, func(r Role) bool { return r.Name == name }); i >= 0 {
		return g.Roles[i], true
	}
	return Role{}, false
}

// apart is what a role requires of the host of one of its VMs: which VMs may not be on it, and which hosts the
// role names; both as the scheduler writes them (src/vm_group/VMGroupRole.cc).
func (g Group) apart(vm int, role Role) (requirements []string) {
	others := func(ids []int) {
		ids = slices.DeleteFunc(slices.Clone(ids), func(id int) bool { return id == vm })
		requirements = append(requirements, filled(joined("(CURRENT_VMS != %d)", " & ", ids))...)
	}
	if role.Policy == "ANTI_AFFINED" {
		others(role.VMs)
	}
	for _, set := range g.AntiAffined {
		for _, name := range set {
			if other, found := g.role(name); found && name != role.Name && slices.Contains(set, role.Name) {
				others(other.VMs)
			}
		}
	}
	return append(requirements, filled(onHosts(role.HostAffined), joined("ID != %d", " & ", role.HostAntiAffined))...)
}

func onHosts(ids []int) string { return joined("(ID = %d)", " | ", ids) }

// joined is a requirement with a term for each ID.
func joined(term, operator string, ids []int) string {
	terms := make([]string, len(ids))
	for i, id := range ids {
		terms[i] = fmt.Sprintf(term, id)
	}
	return strings.Join(terms, operator)
}

// together are the sets of VMs that belong on one host: the roles that are affined in
// themselves, and the rules between roles; rules that share a role are one.
func (g Group) together() (sets [][]int) {
	add := func(set []int) {
		sets = slices.DeleteFunc(sets, func(known []int) bool {
			shared := slices.ContainsFunc(known, func(vm int) bool { return slices.Contains(set, vm) })
			if shared {
				set = append(set, known...)
			}
			return shared
		})
		slices.Sort(set)
		sets = append(sets, slices.Compact(set))
	}
	for _, r := range g.Roles {
		if r.Policy == "AFFINED" {
			add(slices.Clone(r.VMs))
		}
	}
	for _, names := range g.Affined {
		var set []int
		for _, name := range names {
			r, _ := g.role(name)
			set = append(set, r.VMs...)
		}
		add(set)
	}
	return sets
}
