package cloud

import (
	"fmt"
	"strconv"
	"strings"
)

// The rights that a call needs on an object.
const (
	opUse    = "USE"
	opManage = "MANAGE"
	opAdmin  = "ADMIN"
)

// vmFor finds the VM of a call and checks that the user may do op to it: the
// owner may use and manage, the administrator everything.
func (c *Cloud) vmFor(r *request, id int, op string) (*vm, *answer) {
	v, ok := c.vms[id]
	if !ok {
		a := r.missing("virtual machine", id)
		return nil, &a
	}
	if r.uid != AdminID && (v.UID != r.uid || op == opAdmin) {
		a := r.denied(op, "VM", id)
		return nil, &a
	}
	return v, nil
}

// vmInfo is one.vm.info(id).
func vmInfo(c *Cloud, r *request) answer {
	v, bad := c.vmFor(r, r.int(0), opUse)
	if bad != nil {
		return *bad
	}
	return success(c.vmXML(v))
}

// vmUpdate is one.vm.update(id, text, append).
func vmUpdate(c *Cloud, r *request) answer {
	v, bad := c.vmFor(r, r.int(0), opManage)
	if bad != nil {
		return *bad
	}
	return c.updateTemplate(r, &v.UserTemplate, v.ID)
}

// vmAction is one.vm.action(name, id).
func vmAction(c *Cloud, r *request) answer {
	name := c.actionName(r.str(0))
	v, bad := c.vmFor(r, r.int(1), c.actionRight(name))
	if bad != nil {
		return *bad
	}
	if c.deadlocked {
		return answer{hang: true}
	}
	if strings.ContainsAny(name, ":") || name == "deploy" {
		return r.failure(codeAction, c.unsupported(name)) // names of other calls in the table
	}
	return c.act(r, v, name, name, nil)
}

// actionName resolves the names of older releases that oned still takes
// (RequestManagerVirtualMachine.cc of each).
func (c *Cloud) actionName(name string) string {
	var old map[string]string
	switch c.fam {
	case f44, f414:
		old = map[string]string{"cancel": "shutdown-hard", "restart": "boot", "finalize": "delete",
			"resubmit": "delete-recreate", "reset": "reboot-hard"}
	case f54, f58, f510, f512:
		old = map[string]string{"shutdown": "terminate", "shutdown-hard": "terminate-hard", "delete": "terminate-hard"}
	}
	if now, ok := old[name]; ok {
		return now
	}
	return name
}

// actionRight is the right that an action needs. From 5.10 on names of
// operations that are no actions count as well (VM_ADMIN_OPERATIONS in
// oned.conf).
func (c *Cloud) actionRight(name string) string {
	switch name {
	case "resched", "unresched":
		return opAdmin
	case "delete-recreate", "recover", "retry", "migrate", "deploy":
		if c.fam >= f54 {
			return opAdmin
		}
	}
	return opManage
}

// vmRecover is one.vm.recover(id, success) of 4.4 and one.vm.recover(id,
// operation) later.
func vmRecover(c *Cloud, r *request) answer {
	operation := strconv.FormatBool(r.bool(1))
	if c.fam >= f414 {
		operation = strconv.Itoa(r.int(1))
		if last := c.lastOperation(); r.int(1) < 0 || r.int(1) > last {
			return r.failure(codeAction, "Wrong recovery operation code")
		}
	}
	v, bad := c.vmFor(r, r.int(0), opAdmin)
	if bad != nil {
		return *bad
	}
	if c.deadlocked {
		return answer{hang: true}
	}
	return c.act(r, v, "recover:"+operation, operation, nil)
}

// lastOperation is the highest operation of one.vm.recover: deleting from the database, 5, is newer than 5.4.
func (c *Cloud) lastOperation() int {
	if c.fam == f54 {
		return 4
	}
	return 5
}

// vmAndHostFor finds the VM and the host of a migrate or deploy, the host
// first as oned does, and checks the rights.
func (c *Cloud) vmAndHostFor(r *request) (*vm, *host, *answer) {
	dest, ok := c.hosts[r.int(1)]
	if !ok {
		a := r.missing("host", r.int(1))
		return nil, nil, &a
	}
	v, bad := c.vmFor(r, r.int(0), opAdmin)
	if bad == nil && c.deadlocked {
		bad = &answer{hang: true}
	}
	return v, dest, bad
}

// vmMigrate is one.vm.migrate(id, host, live, enforce, datastore, kind).
func vmMigrate(c *Cloud, r *request) answer {
	v, dest, bad := c.vmAndHostFor(r)
	if bad != nil {
		return *bad
	}
	kind := "migrate:save"
	switch {
	case r.bool(2):
		kind = "migrate:live"
	case r.int(5) == 1:
		kind = "migrate:poweroff"
	case r.int(5) == 2:
		kind = "migrate:poweroff-hard"
	}
	if row, _ := c.tables.call(kind, v.state()); row.refusal == "" {
		if text := c.cannotMove(v, dest, r.bool(3)); text != "" {
			return r.failure(codeAction, text)
		}
	}
	return c.act(r, v, kind, kind, dest)
}

// cannotMove says why a VM cannot go to a host; "" when it can. 4.4 keeps
// VMs in their cluster.
func (c *Cloud) cannotMove(v *vm, dest *host, enforce bool) string {
	from := c.hosts[v.last().HostID]
	if from == dest {
		return fmt.Sprintf("VM is already running on host [%d]", dest.ID)
	}
	if enforce {
		if text := c.doesNotFit(v, dest); text != "" {
			return text
		}
	}
	if c.fam <= f414 && from.Cluster != dest.Cluster {
		return fmt.Sprintf("Cannot migrate to a different cluster. VM running in a host in cluster [%d] , "+
			"and new host is in cluster [%d]", from.Cluster, dest.Cluster)
	}
	return ""
}

// doesNotFit says what a host lacks for a VM; "" when nothing (HostShare::test).
func (c *Cloud) doesNotFit(v *vm, h *host) string {
	cpu, free := int(v.CPU*100+0.5), h.CPU-h.usedCPU
	mem, freeMem := v.MemMB*1024, (h.MemMB-h.usedMem)*1024
	lack := ""
	switch {
	case cpu > free:
		lack = fmt.Sprintf("Not enough CPU: %d/%d", cpu, free)
	case mem > freeMem:
		lack = fmt.Sprintf("Not enough memory: %d/%d", mem, freeMem)
	default:
		return ""
	}
	if c.fam <= f414 {
		return fmt.Sprintf("host %d does not have enough capacity.", h.ID)
	}
	return fmt.Sprintf("virtual machine [%d] does not fit in host [%d]. %s", v.ID, h.ID, lack)
}

// vmDeploy is one.vm.deploy(id, host, enforce, datastore, template).
func vmDeploy(c *Cloud, r *request) answer {
	v, dest, bad := c.vmAndHostFor(r)
	if bad != nil {
		return *bad
	}
	if row, _ := c.tables.call("deploy", v.state()); row.refusal == "" && r.bool(2) {
		if text := c.doesNotFit(v, dest); text != "" {
			return r.failure(codeAction, text)
		}
	}
	return c.act(r, v, "deploy", "deploy", dest)
}
