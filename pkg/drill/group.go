package drill

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
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
func parseGroup(e *element) (Group, error) {
	if err := e.once("ID", "ROLES", "TEMPLATE"); err != nil {
		return Group{}, err
	}
	g := Group{ID: int(e.number("ID"))}
	if roles := e.child("ROLES"); roles != nil {
		for i := range roles.children {
			r := &roles.children[i]
			if r.name != "ROLE" {
				continue
			}
			g.Roles = append(g.Roles, Role{
				Name: r.value("NAME"), Policy: strings.ToUpper(r.value("POLICY")), VMs: numbers(r.value("VMS")),
				HostAffined: numbers(r.value("HOST_AFFINED")), HostAntiAffined: numbers(r.value("HOST_ANTI_AFFINED")),
			})
		}
	}
	if template := e.child("TEMPLATE"); template != nil {
		for i := range template.children {
			names := strings.FieldsFunc(template.children[i].text, func(r rune) bool { return r == ',' || r == ' ' })
			switch template.children[i].name {
			case "AFFINED":
				g.Affined = append(g.Affined, names)
			case "ANTI_AFFINED":
				g.AntiAffined = append(g.AntiAffined, names)
			}
		}
	}
	return g, nil
}

// numbers reads IDs with commas between them.
func numbers(list string) []int {
	var ids []int
	for word := range strings.SplitSeq(list, ",") {
		if n, err := strconv.Atoi(strings.TrimSpace(word)); err == nil {
			ids = append(ids, n)
		}
	}
	return ids
}

// role finds a role by its name.
func (g Group) role(name string) (Role, bool) {
	i := slices.IndexFunc(g.Roles, func(r Role) bool { return r.Name == name })
	if i < 0 {
		return Role{}, false
	}
	return g.Roles[i], true
}

// apart are the VMs that may not share a host with a VM of a role, and hosts what the role
// says of hosts, as a requirement; both as the scheduler writes them
// (src/vm_group/VMGroupRole.cc).
func (g Group) apart(vm int, role Role) (requirements []string) {
	not := func(ids []int) {
		var terms []string
		for _, id := range ids {
			if id != vm {
				terms = append(terms, fmt.Sprintf("(CURRENT_VMS != %d)", id))
			}
		}
		if len(terms) > 0 {
			requirements = append(requirements, strings.Join(terms, " & "))
		}
	}
	if role.Policy == "ANTI_AFFINED" {
		not(role.VMs)
	}
	for _, set := range g.AntiAffined {
		if !slices.Contains(set, role.Name) {
			continue
		}
		for _, name := range set {
			if other, found := g.role(name); found && name != role.Name {
				not(other.VMs)
			}
		}
	}
	if text := oneOf("ID", role.HostAffined); text != "" {
		requirements = append(requirements, text)
	}
	for _, id := range role.HostAntiAffined {
		requirements = append(requirements, fmt.Sprintf("ID != %d", id))
	}
	return requirements
}

// oneOf is the requirement that an attribute has one of several values.
func oneOf(name string, ids []int) string {
	terms := make([]string, len(ids))
	for i, id := range ids {
		terms[i] = fmt.Sprintf("(%s = %d)", name, id)
	}
	return strings.Join(terms, " | ")
}

// together are the sets of VMs that belong on one host: the roles that are affined in
// themselves, and the rules between roles; rules that share a role are one.
func (g Group) together() [][]int {
	var sets [][]int
	for _, r := range g.Roles {
		if r.Policy == "AFFINED" {
			sets = append(sets, slices.Clone(r.VMs))
		}
	}
	for _, names := range g.Affined {
		var set []int
		for _, name := range names {
			r, _ := g.role(name)
			set = append(set, r.VMs...)
		}
		sets = append(sets, set)
	}
	for merged := true; merged; {
		merged = false
		for i := range sets {
			for j := i + 1; j < len(sets); j++ {
				if slices.ContainsFunc(sets[i], func(vm int) bool { return slices.Contains(sets[j], vm) }) {
					sets[i] = append(sets[i], sets[j]...)
					sets, merged = slices.Delete(sets, j, j+1), true
					j--
				}
			}
		}
	}
	for i := range sets {
		slices.Sort(sets[i])
		sets[i] = slices.Compact(sets[i])
	}
	return sets
}
