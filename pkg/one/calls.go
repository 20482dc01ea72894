package one

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Connect asks oned for its version and chooses the dialect for it.
func (c *Client) Connect(ctx context.Context) (Version, Dialect, error) {
	text, err := c.text(ctx, "one.system.version")
	if err != nil {
		return Version{}, Dialect{}, fmt.Errorf("read the version of oned: %w", err)
	}
	v, err := ParseVersion(text)
	if err != nil {
		return Version{}, Dialect{}, err
	}
	c.dialect, err = DialectFor(v)
	return v, c.dialect, err
}

// text makes a call that only reads and whose value is a string.
func (c *Client) text(ctx context.Context, method string, args ...any) (string, error) {
	value, err := c.call(ctx, true, method, args...)
	if err != nil {
		return "", err
	}
	switch v := value.(type) {
	case string:
		return v, nil
	case nil: // kolo/xmlrpc gives nil for <string></string>
		return "", nil
	}
	return "", fmt.Errorf("[%s] %w: a %T where a string belongs", method, ErrDamaged, value)
}

// readObjects reads one object, or a pool of them, and passes each to keep.
func readObjects[T any](ctx context.Context, c *Client, root, item string, parse func(*object) (T, error), method string, args ...any) ([]T, error) {
	document, err := c.text(ctx, method, args...)
	if err != nil {
		return nil, err
	}
	all, err := objects(document, root, item, parse)
	if err != nil {
		return nil, fmt.Errorf("[%s] %w", method, err)
	}
	return all, nil
}

// distinct makes sure that a pool holds no object twice and, unless asked is nil,
// only those that were asked for: a value that breaks out of its CDATA section
// could end its own object early and forge another one.
func distinct[T any](pool []T, id func(T) int, asked []int) error {
	seen := make(map[int]bool, len(pool))
	for _, o := range pool {
		if seen[id(o)] || asked != nil && !slices.Contains(asked, id(o)) {
			return fmt.Errorf("%w: the pool holds %d twice or unasked", ErrDamaged, id(o))
		}
		seen[id(o)] = true
	}
	return nil
}

// readObject reads exactly one object.
func readObject[T any](ctx context.Context, c *Client, item string, parse func(*object) (T, error), method string, args ...any) (T, error) {
	all, err := readObjects(ctx, c, item, item, parse, method, args...)
	if err == nil && len(all) != 1 {
		err = fmt.Errorf("[%s] %w: no %s", method, ErrDamaged, item)
	}
	if err != nil {
		var none T
		return none, err
	}
	return all[0], nil
}

// Host reads one host.
func (c *Client) Host(ctx context.Context, id int) (Host, error) {
	h, err := readObject(ctx, c, "HOST", parseHost, "one.host.info", id)
	if err == nil && h.ID != id {
		err = fmt.Errorf("[one.host.info] %w: host %d", ErrDamaged, h.ID)
	}
	if err != nil {
		return Host{}, fmt.Errorf("read host %d: %w", id, err)
	}
	return h, nil
}

// HostXML reads one host as oned writes it, for programs that want it so.
func (c *Client) HostXML(ctx context.Context, id int) (string, error) {
	document, err := c.text(ctx, "one.host.info", id)
	if err != nil {
		return "", fmt.Errorf("read host %d: %w", id, err)
	}
	return document, nil
}

// Hosts reads all hosts. LastContact is 0 in such an answer.
func (c *Client) Hosts(ctx context.Context) ([]Host, error) {
	hosts, err := readObjects(ctx, c, "HOST_POOL", "HOST", parseHost, "one.hostpool.info")
	if err == nil {
		err = distinct(hosts, func(h Host) int { return h.ID }, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("read the hosts: %w", err)
	}
	return hosts, nil
}

// VM reads one VM with its whole history.
func (c *Client) VM(ctx context.Context, id int) (VM, error) {
	v, err := readObject(ctx, c, "VM", parseVM, "one.vm.info", id)
	if err == nil && v.ID != id {
		err = fmt.Errorf("[one.vm.info] %w: VM %d", ErrDamaged, v.ID)
	}
	if err != nil {
		return VM{}, fmt.Errorf("read VM %d: %w", id, err)
	}
	return v, nil
}

// VMSet reads several VMs in one call, each with its last history record only.
// VMs that do not exist are missing in the result. It fails with ErrUnsupported
// before 5.12.6, and with ErrDamaged when any of the VMs cannot be read: then read
// them one by one.
func (c *Client) VMSet(ctx context.Context, ids []int) ([]VM, error) {
	if !c.dialect.HasSet {
		return nil, fmt.Errorf("read %d VMs: %w", len(ids), ErrUnsupported)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = strconv.Itoa(id)
	}
	vms, err := readObjects(ctx, c, "VM_POOL", "VM", parseVM, "one.vmpool.infoset", strings.Join(words, ","), true)
	if err == nil {
		err = distinct(vms, func(v VM) int { return v.ID }, ids)
	}
	if err != nil {
		return nil, fmt.Errorf("read %d VMs: %w", len(ids), err)
	}
	return vms, nil
}

// PendingVMs reads the VMs that wait for a host: their IDs, states and what the
// scheduler says (USER_TEMPLATE/SCHED_MESSAGE).
func (c *Client) PendingVMs(ctx context.Context) ([]VM, error) {
	method := "one.vmpool.info"
	if c.dialect.poolQuery {
		// The short bodies of 5.8 to 5.10 leave SCHED_MESSAGE out (tapes).
		method = "one.vmpool.infoextended"
	}
	return c.vmPool(ctx, method, Pending, func(o *object) (VM, error) {
		v, err := parseVM(o)
		// A storm has tens of thousands, and nobody wants to know more of them.
		says, said := v.UserTemplate[schedulerMessage]
		if v.Template, v.UserTemplate = nil, nil; said {
			v.UserTemplate = map[string]string{schedulerMessage: says}
		}
		return v, err
	})
}

// schedulerMessage is where the scheduler says why a VM still waits for a host.
const schedulerMessage = "SCHED_MESSAGE"

// VMsIn reads all VMs in a state: their IDs, states and last history records. From 5.8 on
// the bodies are short: custom attributes are missing.
func (c *Client) VMsIn(ctx context.Context, state VMState) ([]VM, error) {
	return c.vmPool(ctx, "one.vmpool.info", state, parseVM)
}

func (c *Client) vmPool(ctx context.Context, method string, state VMState, parse func(*object) (VM, error)) ([]VM, error) {
	args := []any{-2, -1, -1, int(state)} // of all users, all IDs
	if c.dialect.poolQuery {
		args = append(args, "")
	}
	vms, err := readObjects(ctx, c, "VM_POOL", "VM", parse, method, args...)
	if err == nil {
		err = distinct(vms, func(v VM) int { return v.ID }, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("read the VMs that are %s: %w", state, err)
	}
	return vms, nil
}

// Datastore reads one datastore.
func (c *Client) Datastore(ctx context.Context, id int) (Datastore, error) {
	d, err := readObject(ctx, c, "DATASTORE", parseDatastore, "one.datastore.info", id)
	if err != nil {
		return Datastore{}, fmt.Errorf("read datastore %d: %w", id, err)
	}
	return d, nil
}

// MaxInterval is the longest time between two monitorings of a host, in seconds, that is
// believed. Nobody monitors that seldom, and times that are multiplied must not overflow.
const MaxInterval = 24 * 60 * 60

// MonitoringInterval reads the seconds between two monitorings of a host from
// oned's configuration: MONITORING_INTERVAL (4.x), MONITORING_INTERVAL_HOST
// (5.x). It is 0 where oned does not tell (6.0 and later: monitord.conf does), or what it tells
// is above MaxInterval.
func (c *Client) MonitoringInterval(ctx context.Context) (int, error) {
	document, err := c.text(ctx, "one.system.config")
	if err != nil {
		return 0, fmt.Errorf("read the configuration of oned: %w", err)
	}
	root := strings.SplitN(strings.TrimPrefix(strings.TrimSpace(document), "<"), ">", 2)[0] // TEMPLATE or OPENNEBULA_CONFIGURATION
	seconds := 0
	err = forEach(document, root, root, func(o *object) error {
		for _, name := range []string{"MONITORING_INTERVAL_HOST", "MONITORING_INTERVAL"} {
			if n, err := strconv.Atoi(o.value(name)); err == nil && n > 0 && n <= MaxInterval && seconds == 0 {
				seconds = n
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("[one.system.config] %w", err)
	}
	return seconds, nil
}

// Action is something that changes a VM.
type Action string

// The actions. What each does on a given version, and in which states it must
// not be tried, is the business of package recovery.
const (
	Recreate       Action = "recreate"        // run it anew elsewhere; disks that are not persistent are lost
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
		_, err = c.call(ctx, false, method, args...)
	}
	if err != nil {
		return fmt.Errorf("%s VM %d: %w", action, vmID, err)
	}
	return nil
}

// Migrate moves a SUSPENDED or POWEROFF VM, which stays so, to a host; oned
// checks that the host has room. A nil error means accepted.
func (c *Client) Migrate(ctx context.Context, vmID, hostID int) error {
	if c.dialect.Name == "" {
		return errNotConnected
	}
	const live, enforceCapacity = false, true
	args := []any{vmID, hostID, live, enforceCapacity, -1 /* the same datastore */, 0 /* by saving */}
	if _, err := c.call(ctx, false, "one.vm.migrate", args[:c.dialect.migrateArgs]...); err != nil {
		return fmt.Errorf("migrate VM %d to host %d: %w", vmID, hostID, err)
	}
	return nil
}

// Annotate sets one attribute in the user template of a VM; what else is there stays. The
// name has capital letters and underscores, and the value no quotes.
func (c *Client) Annotate(ctx context.Context, vmID int, name, value string) error {
	const merge = 1
	if _, err := c.call(ctx, false, "one.vm.update", vmID, fmt.Sprintf("%s = %q", name, value), merge); err != nil {
		return fmt.Errorf("set %s of VM %d: %w", name, vmID, err)
	}
	return nil
}

// AnnotateHost does the same in the template of a host, which needs MANAGE rights on it.
func (c *Client) AnnotateHost(ctx context.Context, hostID int, name, value string) error {
	const merge = 1
	if _, err := c.call(ctx, false, "one.host.update", hostID, fmt.Sprintf("%s = %q", name, value), merge); err != nil {
		return fmt.Errorf("set %s of host %d: %w", name, hostID, err)
	}
	return nil
}

// MonitoredAt is when a host was last monitored successfully, in Unix seconds of the front-end, where one.host.info
// does not tell: from 5.0 to 5.10, whose oned keeps the results of good monitorings only (src/im/MonitorThread.cc;
// one.host.monitoring). 0 for never. ErrUnsupported before, where oned writes them for hosts that it does not look at,
// and later, where Host.LastContact tells.
func (c *Client) MonitoredAt(ctx context.Context, hostID int) (int64, error) {
	if c.dialect.deleteByAction || c.dialect.HasSet {
		return 0, fmt.Errorf("read the monitoring of host %d: %w", hostID, ErrUnsupported)
	}
	document, err := c.text(ctx, "one.host.monitoring", hostID)
	if err != nil {
		return 0, fmt.Errorf("read the monitoring of host %d: %w", hostID, err)
	}
	var last int64
	err = forEach(document, "MONITORING_DATA", "HOST", func(o *object) error {
		last = max(last, o.optional("LAST_MON_TIME"))
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("[one.host.monitoring] %w", err)
	}
	return last, nil
}

// SetSchedulable lets the scheduler use a host (enable: INIT, and MONITORED after the next monitoring), or not
// (disable: DISABLED, which goes on being monitored). It is one.host.enable with a boolean up to 4.14 and
// one.host.status since 5.0 (src/rm/RequestManager.cc of each release), and needs ADMIN rights on the host.
func (c *Client) SetSchedulable(ctx context.Context, hostID int, enable bool) error {
	method, args := "one.host.status", []any{hostID, hostStatusDisabled}
	word := "disable"
	if enable {
		word, args[1] = "enable", hostStatusEnabled
	}
	if c.dialect.Name == "" {
		return errNotConnected
	}
	if c.dialect.deleteByAction { // up to 4.14, as for VMs
		method, args[1] = "one.host.enable", enable
	}
	if _, err := c.call(ctx, false, method, args...); err != nil {
		return fmt.Errorf("%s host %d: %w", word, hostID, err)
	}
	return nil
}

// The statuses of one.host.status (include/RequestManagerHost.h, 5.0 to 7.4).
const (
	hostStatusEnabled  = 0
	hostStatusDisabled = 1
)

// The operations of one.vm.recover since 4.14.
const (
	opFailure  = 0
	opRetry    = 2
	opDelete   = 3
	opRecreate = 4
)

// errNotConnected is a mistake of the program: what would be sent depends on the
// version, and nobody has asked for it.
var errNotConnected = errors.New("the version of oned is not known: Connect has not succeeded")

// request is the call for an action in this dialect.
func (d Dialect) request(action Action, vmID int) (method string, args []any, err error) {
	if d.Name == "" {
		return "", nil, errNotConnected
	}
	byName := func(name string) (string, []any, error) { return "one.vm.action", []any{name, vmID}, nil }
	byOperation := func(op int) (string, []any, error) { return "one.vm.recover", []any{vmID, op}, nil }
	switch action {
	case Recreate:
		if d.deleteByAction {
			return byName("delete-recreate")
		}
		return byOperation(opRecreate)
	case Delete:
		if d.deleteByAction {
			return byName("delete")
		}
		return byOperation(opDelete)
	case RecoverFailure:
		if d.recoverBool {
			return "one.vm.recover", []any{vmID, false}, nil
		}
		return byOperation(opFailure)
	case Retry:
		if d.CanRetry() {
			return byOperation(opRetry)
		}
	case Resume:
		return byName("resume")
	case Reboot:
		return byName(d.bootAction)
	case Resched:
		return byName("resched")
	}
	return "", nil, fmt.Errorf("%w: %s", ErrUnsupported, action)
}
