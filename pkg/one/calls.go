package one

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Connect asks oned for its version and chooses the dialect for it.
func (c *Client) Connect(ctx context.Context) (Version, Dialect, error) {
	answer, err := c.text(ctx, "one.system.version")
	if err != nil {
		return Version{}, Dialect{}, wrap(err, "read the version of oned")
	}
	v, err := ParseVersion(answer)
	if err == nil {
		c.version = v
		c.dialect, err = DialectFor(v)
	}
	return v, c.dialect, err
}

// Version is that of oned, once Connect has succeeded.
func (c *Client) Version() Version { return c.version }

// text makes a call that only reads and whose value is a string.
func (c *Client) text(ctx context.Context, method string, args ...any) (string, error) {
	value, err := c.call(ctx, true, method, args...)
	if err != nil {
		return "", err
	}
	answer, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("[%s] %w: a %T where a string belongs", method, ErrDamaged, value)
	}
	return answer, nil
}

// document makes a call that only reads and whose value is an XML document.
func (c *Client) document(ctx context.Context, method string, args ...any) (*Element, error) {
	answer, err := c.text(ctx, method, args...)
	if err != nil {
		return nil, err
	}
	e, err := Parse(answer)
	return e, inCall(method, err)
}

// Each makes a call that only reads a pool, such as one.hostpool.info of HOST, and passes each object
// on, which lasts until f returns. A pool that holds an object twice is ErrDamaged: a value that
// breaks out of its CDATA section could end its own object early and forge another one.
func (c *Client) Each(ctx context.Context, item string, f func(*Element) error, method string, args ...any) error {
	document, err := c.text(ctx, method, args...)
	if err != nil {
		return err
	}
	seen := map[int64]bool{}
	return inCall(method, eachElement(document, item+"_POOL", item, func(e *Element) error {
		id := e.Number("ID")
		if err := e.Require("ID"); err != nil {
			return err
		}
		if seen[id] {
			return damaged("the pool holds %d twice", id)
		}
		seen[id] = true
		return f(e)
	}))
}

// inCall says in which answer an object could not be read.
func inCall(method string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("[%s] %w", method, err)
}

// ReadPool gives all objects of a pool, or none and an error; see Each.
func ReadPool[T any](
	ctx context.Context, c *Client, item string, parse func(*Element) (T, error), method string, args ...any,
) (all []T, err error) {
	if err = c.Each(ctx, item, func(e *Element) error {
		v, err := parse(e)
		all = append(all, v)
		return err
	}, method, args...); err != nil {
		return nil, err
	}
	return all, nil
}

// readObject parses one object, which has to have this ID unless it is ownUser.
func readObject[T any](
	ctx context.Context, c *Client, item string, id int, parse func(*Element) (T, error), method string,
) (v T, err error) {
	e, err := c.document(ctx, method, id)
	switch {
	case err != nil:
		return v, err
	case e.name != item:
		err = damaged("%s where %s belongs", e.name, item)
	case id != ownUser && e.Number("ID") != int64(id):
		err = damaged("it is %s %s", item, e.Value("ID"))
	default:
		v, err = parse(e)
	}
	return v, inCall(method, err)
}

// wrap says what an error, if there is one, kept from being done.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}

// Host reads one host.
func (c *Client) Host(ctx context.Context, id int) (Host, error) {
	h, err := readObject(ctx, c, "HOST", id, (*Element).Host, "one.host.info")
	return h, wrap(err, "read host %d", id)
}

// HostXML reads one host as oned writes it, for programs that want it so.
func (c *Client) HostXML(ctx context.Context, id int) (string, error) {
	document, err := c.text(ctx, "one.host.info", id)
	return document, wrap(err, "read host %d", id)
}

// Hosts reads all hosts. LastContact is 0 in such an answer.
func (c *Client) Hosts(ctx context.Context) ([]Host, error) {
	hosts, err := ReadPool(ctx, c, "HOST", (*Element).Host, "one.hostpool.info")
	return hosts, wrap(err, "read the hosts")
}

// VM reads one VM with its whole history.
func (c *Client) VM(ctx context.Context, id int) (VM, error) {
	v, err := readObject(ctx, c, "VM", id, (*Element).WholeVM, "one.vm.info")
	return v, wrap(err, "read VM %d", id)
}

// VMSet reads several VMs in one call, each with its last history record only; those that do not exist are missing. It is
// ErrUnsupported where there is no such call, and ErrDamaged when any of the VMs cannot be read: then read them one by one.
func (c *Client) VMSet(ctx context.Context, ids []int) ([]VM, error) {
	if !c.dialect.HasSet {
		return nil, wrap(ErrUnsupported, "read %d VMs", len(ids))
	}
	if len(ids) == 0 {
		return nil, nil
	}
	method, args := c.vmsByID(ids)
	vms, err := ReadPool(ctx, c, "VM", func(e *Element) (VM, error) {
		if id := int(e.Number("ID")); !slices.Contains(ids, id) {
			return VM{}, damaged("VM %d, which is none of those", id)
		}
		return e.WholeVM()
	}, method, args...)
	return vms, wrap(err, "read %d VMs", len(ids))
}

// ReadVMs reads VMs that are not DONE by their IDs, which are ascending: full bodies, each with its last history record
// only. When they cannot be read together, each half is tried. unread are those that cannot be read.
func ReadVMs[T any](ctx context.Context, c *Client, ids []int, parse func(*Element) (T, error)) (vms []T, unread []int, err error) {
	method, args := c.vmsByID(ids)
	err = c.Each(ctx, "VM", func(e *Element) error {
		if _, wanted := slices.BinarySearch(ids, int(e.Number("ID"))); !wanted {
			return nil
		}
		v, err := parse(e)
		vms = append(vms, v)
		return err
	}, method, args...)
	switch {
	case err == nil:
		return vms, nil, nil
	case ctx.Err() != nil || !Unreadable(err):
		return nil, nil, err
	case len(ids) == 1:
		return nil, ids, nil
	}
	vms, unread, err = ReadVMs(ctx, c, ids[:len(ids)/2], parse)
	if err != nil {
		return nil, nil, err
	}
	more, missing, err := ReadVMs(ctx, c, ids[len(ids)/2:], parse)
	return append(vms, more...), append(slices.Clip(unread), missing...), err
}

// vmsByID is the call for full bodies of VMs by their IDs, or by the range that these are in.
func (c *Client) vmsByID(ids []int) (method string, args []any) {
	if !c.dialect.HasSet {
		const notDone = -1
		return c.vmsByRange(ids[0], ids[len(ids)-1], notDone)
	}
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = strconv.Itoa(id)
	}
	return "one.vmpool.infoset", []any{strings.Join(words, ","), true}
}

// vmsByRange is the call for full bodies of the VMs of all users in a state. Those of one.vmpool.info
// are short since 5.8: they leave out SCHED_MESSAGE and what the scheduler evaluates (tapes).
func (c *Client) vmsByRange(from, to, state int) (method string, args []any) {
	if c.dialect.poolQuery {
		return "one.vmpool.infoextended", []any{allUsers, from, to, state, ""}
	}
	return "one.vmpool.info", []any{allUsers, from, to, state}
}

const (
	allUsers = -2
	allIDs   = -1
	// allButDone is the state of all VMs that are not DONE.
	allButDone = -1
)

// ReadPending reads the VMs that wait for a host, with full bodies.
func ReadPending[T any](ctx context.Context, c *Client, parse func(*Element) (T, error)) ([]T, error) {
	method, args := c.vmsByRange(allIDs, allIDs, int(Pending))
	vms, err := ReadPool(ctx, c, "VM", parse, method, args...)
	return vms, wrap(err, "read the VMs that are %s", Pending)
}

// PendingVMs reads the VMs that wait for a host, of which a storm has tens of thousands, with the scheduler's message only.
func (c *Client) PendingVMs(ctx context.Context) ([]VM, error) {
	return ReadPending(ctx, c, func(e *Element) (VM, error) {
		return e.VM(func(name string) bool { return name == "SCHED_MESSAGE" })
	})
}

// VMsIn reads all VMs in a state with their last history records. Since 5.8 custom attributes are missing.
func (c *Client) VMsIn(ctx context.Context, state VMState) ([]VM, error) {
	args := []any{allUsers, allIDs, allIDs, int(state)}
	if c.dialect.poolQuery {
		args = append(args, "")
	}
	vms, err := ReadPool(ctx, c, "VM", (*Element).WholeVM, "one.vmpool.info", args...)
	return vms, wrap(err, "read the VMs that are %s", state)
}

// Named is an object by its ID and its name.
type Named struct {
	ID   int
	Name string
}

// HostNames gives the hosts that the user may see, in rising order of their IDs.
func (c *Client) HostNames(ctx context.Context) ([]Named, error) {
	return c.names(ctx, "HOST", "one.hostpool.info")
}

// VMNames gives the VMs that the user may see and that are not DONE, in rising order of their IDs.
func (c *Client) VMNames(ctx context.Context) ([]Named, error) {
	args := []any{allUsers, allIDs, allIDs, allButDone}
	if c.dialect.poolQuery {
		args = append(args, "")
	}
	return c.names(ctx, "VM", "one.vmpool.info", args...)
}

// UserNames gives the users that the user may see, in rising order of their IDs.
func (c *Client) UserNames(ctx context.Context) ([]Named, error) {
	return c.names(ctx, "USER", "one.userpool.info")
}

func (c *Client) names(ctx context.Context, item, method string, args ...any) (all []Named, err error) {
	err = c.Each(ctx, item, func(e *Element) error {
		all = append(all, Named{int(e.Number("ID")), e.Value("NAME")})
		return nil
	}, method, args...)
	sort.Slice(all, func(i, j int) bool { return all[i].ID < all[j].ID }) // smaller than slices.SortFunc by 13 kB
	return all, wrap(err, "find %s by name", item)
}

// HostsNamed gives the IDs of all hosts with a name, in rising order. Names may repeat (OpenNebula issue 7527).
func (c *Client) HostsNamed(ctx context.Context, name string) ([]int, error) {
	return idsOf(name)(c.HostNames(ctx))
}

// VMsNamed gives the IDs of all VMs with a name that are not DONE, in rising order.
func (c *Client) VMsNamed(ctx context.Context, name string) ([]int, error) {
	return idsOf(name)(c.VMNames(ctx))
}

// idsOf picks the IDs of those with a name.
func idsOf(name string) func([]Named, error) ([]int, error) {
	return func(all []Named, err error) (ids []int, _ error) {
		for _, n := range all {
			if err == nil && n.Name == name {
				ids = append(ids, n.ID)
			}
		}
		return ids, err
	}
}

// Datastore reads one datastore.
func (c *Client) Datastore(ctx context.Context, id int) (Datastore, error) {
	d, err := readObject(ctx, c, "DATASTORE", id, (*Element).Datastore, "one.datastore.info")
	return d, wrap(err, "read datastore %d", id)
}

// Configuration is oned.conf with its defaults, as oned reports it: TEMPLATE, or since 5.0 OPENNEBULA_CONFIGURATION.
func (c *Client) Configuration(ctx context.Context) (*Element, error) {
	e, err := c.document(ctx, "one.system.config")
	return e, wrap(err, "read the configuration of oned")
}

// Action is something that changes a VM.
type Action string

// The actions. In which states each must not be tried is the business of package recovery.
const (
	Recreate       Action = "recreate"        // start it again elsewhere; disks that are not persistent are lost
	Delete         Action = "delete"          // end it
	RecoverFailure Action = "recover failure" // let the operation in progress count as failed
	Retry          Action = "retry"           // repeat the operation that failed
	Resume         Action = "resume"          // start a SUSPENDED or POWEROFF VM where it is
	Reboot         Action = "boot"            // start an UNKNOWN VM again where it is
	Resched        Action = "resched"         // let the scheduler move it
)

// Do makes one call for one VM, once, and returns what oned answered. A nil
// error means accepted: not that it has happened, nor that it will.
func (c *Client) Do(ctx context.Context, action Action, vmID int) error {
	method, args, err := c.dialect.request(action, vmID)
	if err == nil {
		err = c.change(ctx, method, args...)
	}
	return wrap(err, "%s VM %d", action, vmID)
}

// errNotConnected is a mistake of the program: what would be sent depends on the version, and Connect has not run.
var errNotConnected = errors.New("the version of oned is not known: Connect has not succeeded")

// change makes a call that changes something, once.
func (c *Client) change(ctx context.Context, method string, args ...any) error {
	if c.dialect.Name == "" {
		return errNotConnected
	}
	_, err := c.call(ctx, false, method, args...)
	return err
}

// Migrate moves a SUSPENDED or POWEROFF VM, which stays so, to a host that has room. A nil error means accepted.
func (c *Client) Migrate(ctx context.Context, vmID, hostID int) error {
	const live, enforceCapacity, sameDatastore, bySaving = false, true, -1, 0
	args := []any{vmID, hostID, live, enforceCapacity, sameDatastore, bySaving}
	return wrap(c.change(ctx, "one.vm.migrate", args[:c.dialect.migrateArgs]...), "migrate VM %d to host %d", vmID, hostID)
}

// Deploy starts a VM that waits (PENDING or HOLD) on a host, as the scheduler does: oned checks that the host has room, and
// nothing else that the scheduler does. datastoreID is the system datastore, -1 for the default one of the host's cluster.
// A nil error means accepted; a VM that waits no more is ErrWrongState.
//
// All releases take the four arguments; the template with networks, 5.8 and later, may be left out (VirtualMachineDeploy in
// src/rm/RequestManagerVirtualMachine.cc of 4.4 to 7.0, src/rm/xml-rpc of 7.2 on: paramList.size() > 5).
func (c *Client) Deploy(ctx context.Context, vmID, hostID, datastoreID int) error {
	const enforceCapacity = true
	return wrap(c.change(ctx, "one.vm.deploy", vmID, hostID, enforceCapacity, datastoreID), "deploy VM %d on host %d", vmID, hostID)
}

// merge is the way to update a template that keeps what else is in it.
const merge = 1

// Annotate sets one attribute in the user template of a VM; what else is there stays. The value has no quotes.
func (c *Client) Annotate(ctx context.Context, vmID int, name, value string) error {
	return wrap(c.change(ctx, "one.vm.update", vmID, fmt.Sprintf("%s = %q", name, value), merge), "set %s of VM %d", name, vmID)
}

// AnnotateHost does the same in the template of a host, which needs MANAGE rights on it.
func (c *Client) AnnotateHost(ctx context.Context, hostID int, name, value string) error {
	return wrap(c.change(ctx, "one.host.update", hostID, fmt.Sprintf("%s = %q", name, value), merge), "set %s of host %d", name, hostID)
}

// MonitoredAt is when a host was last monitored successfully, in Unix seconds of the front-end, where one.host.info
// does not tell: from 5.0 to 5.10, whose oned keeps the results of good monitorings only (src/im/MonitorThread.cc;
// one.host.monitoring). 0 for never. ErrUnsupported before, where oned writes them for hosts that it does not monitor,
// and later: see Host.LastContact.
func (c *Client) MonitoredAt(ctx context.Context, hostID int) (int64, error) {
	if c.dialect.deleteByAction || c.dialect.HasMonitord {
		return 0, wrap(ErrUnsupported, "read the monitoring of host %d", hostID)
	}
	data, err := c.document(ctx, "one.host.monitoring", hostID)
	var last int64
	for _, host := range data.All("HOST") {
		last = max(last, host.Number("LAST_MON_TIME"))
	}
	return last, wrap(err, "read the monitoring of host %d", hostID)
}

// HeardOf is when each host was last monitored successfully, in Unix seconds of the front-end, by its ID; one that never was is
// missing. One call, since 5.12 (one.hostpool.monitoring with 0, the last record of each); ErrUnsupported before, where it
// answers with those of twelve hours.
func (c *Client) HeardOf(ctx context.Context) (map[int]int64, error) {
	if !c.dialect.HasMonitord {
		return nil, wrap(ErrUnsupported, "read when the hosts were last monitored")
	}
	data, err := c.document(ctx, "one.hostpool.monitoring", 0)
	if err != nil {
		return nil, wrap(err, "read when the hosts were last monitored")
	}
	heard := map[int]int64{}
	for _, m := range data.All("MONITORING") {
		if id := m.Value("ID"); id != "" {
			heard[int(m.Number("ID"))] = m.Number("TIMESTAMP")
		}
	}
	return heard, nil
}

// SetSchedulable lets the scheduler use a host (enable: INIT, and MONITORED after the next monitoring), or not
// (disable: DISABLED, which is still monitored). It is one.host.enable with a boolean up to 4.14 and
// one.host.status since 5.0 (src/rm/RequestManager.cc of each release), and needs ADMIN rights on the host.
func (c *Client) SetSchedulable(ctx context.Context, hostID int, enable bool) error {
	const enabled, disabled = 0, 1 // include/RequestManagerHost.h, 5.0 to 7.4
	method, word, to := "one.host.status", "disable", any(disabled)
	if enable {
		word, to = "enable", enabled
	}
	if c.dialect.deleteByAction { // up to 4.14, as for VMs
		method, to = "one.host.enable", enable
	}
	return wrap(c.change(ctx, method, hostID, to), "%s host %d", word, hostID)
}

// HookPool reads all hooks as oned writes them; 5.10 and later. Anything that is not authorized is missing in it.
func (c *Client) HookPool(ctx context.Context) (string, error) {
	document, err := c.text(ctx, "one.hookpool.info", allUsers, allIDs, allIDs)
	return document, wrap(err, "read the hooks")
}

// AllocateHook creates a hook from a template and returns its ID.
func (c *Client) AllocateHook(ctx context.Context, template string) (int, error) {
	value, err := c.call(ctx, false, "one.hook.allocate", template)
	id, ok := value.(int64)
	if err == nil && !ok {
		err = inCall("one.hook.allocate", damaged("no ID"))
	}
	return int(id), wrap(err, "create a hook")
}

// UpdateHook merges attributes into the template of a hook; others stay.
func (c *Client) UpdateHook(ctx context.Context, id int, template string) error {
	return wrap(c.change(ctx, "one.hook.update", id, template, merge), "update hook %d", id)
}

// DeleteHook deletes a hook.
func (c *Client) DeleteHook(ctx context.Context, id int) error {
	return wrap(c.change(ctx, "one.hook.delete", id), "delete hook %d", id)
}

// request is the call for an action in this dialect.
func (d Dialect) request(action Action, vmID int) (method string, args []any, err error) {
	names := map[Action]string{Resume: "resume", Reboot: d.bootAction, Resched: "resched"}
	if d.deleteByAction {
		names[Recreate], names[Delete] = "delete-recreate", "delete"
	}
	if name, found := names[action]; found {
		return "one.vm.action", []any{name, vmID}, nil
	}
	operation, found := map[Action]int{RecoverFailure: 0, Retry: 2, Delete: 3, Recreate: 4}[action] // since 4.14
	switch {
	case d.recoverBool && action == RecoverFailure:
		return "one.vm.recover", []any{vmID, false}, nil
	case !found || d.recoverBool:
		return "", nil, fmt.Errorf("%w: %s", ErrUnsupported, action)
	}
	return "one.vm.recover", []any{vmID, operation}, nil
}
