package drill

import (
	"context"
	"slices"
)

// maxHistories is how many VMs are read one by one. So many never migrate at the same moment.
const maxHistories = 200

// migrating reads the histories of VMs that are migrating: pools tell the last record only,
// which does not say where they come from.
func (r *reader) migrating(ctx context.Context) {
	read := 0
	for i := range r.cloud.VMs {
		v := &r.cloud.VMs[i]
		if !v.Migrating() {
			continue
		}
		if read++; read > maxHistories {
			r.note("more than %d VMs are migrating; where the others come from was not read", maxHistories)
			return
		}
		text, err := r.src.Raw(ctx, "one.vm.info", v.ID)
		if err == nil {
			err = eachObject("<VM_POOL>"+text+"</VM_POOL>", "VM_POOL", "VM", func(e *element) error {
				now, err := parseVM(e)
				if err == nil && now.ID == v.ID && now.State == v.State && now.LCM == v.LCM {
					v.History = now.History
				}
				return err
			})
		}
		if err != nil {
			r.note("VM %d is migrating, and where it comes from could not be read: %v", v.ID, err)
		}
	}
}

// clusters adds the templates of clusters to the attributes of their hosts.
func (r *reader) clusters(ctx context.Context) {
	templates := map[int]*element{}
	err := r.pool(ctx, "CLUSTER_POOL", "CLUSTER", func(e *element) error {
		if err := e.once("ID", "TEMPLATE"); err != nil {
			return err
		}
		templates[int(e.number("ID"))] = e.child("TEMPLATE")
		return nil
	}, "one.clusterpool.info")
	if err != nil {
		r.note("attributes of clusters were not evaluated: %v", err)
		return
	}
	for _, h := range r.cloud.Hosts {
		addAttributes(h.Attributes, templates[h.ClusterID])
	}
}

// datastores reads the system datastores.
func (r *reader) datastores(ctx context.Context) {
	var all []Datastore
	err := r.pool(ctx, "DATASTORE_POOL", "DATASTORE", func(e *element) error {
		d, ok, err := parseDatastore(e)
		if ok {
			all = append(all, d)
		}
		return err
	}, "one.datastorepool.info")
	if err != nil {
		r.note("datastores were not evaluated: %v", err)
		return
	}
	slices.SortFunc(all, func(a, b Datastore) int { return a.ID - b.ID })
	r.cloud.Datastores = all
}

// groups reads the VM groups, if any VM is in one.
func (r *reader) groups(ctx context.Context) {
	if !slices.ContainsFunc(r.cloud.VMs, func(v VM) bool { return v.GroupID >= 0 }) {
		return
	}
	err := r.pool(ctx, "VM_GROUP_POOL", "VM_GROUP", func(e *element) error {
		g, err := parseGroup(e)
		r.cloud.Groups = append(r.cloud.Groups, g)
		return err
	}, "one.vmgrouppool.info", -2, -1, -1)
	if err == nil {
		return
	}
	r.cloud.Groups = nil
	r.note("VM groups were not evaluated: %v", err)
	for i := range r.cloud.VMs {
		if v := &r.cloud.VMs[i]; v.GroupID >= 0 {
			v.Unchecked = append(v.Unchecked, VMGroups)
		}
	}
}
