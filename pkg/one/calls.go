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
	answer, err := c.text(ctx, "one.system.version")
	if err != nil {
		return Version{}, Dialect{}, fmt.Errorf("read the version of oned: %w", err)
	}
	v, err := ParseVersion(answer)
	if err != nil {
		return Version{}, Dialect{}, err
	}
	c.version = v
	c.dialect, err = DialectFor(v)
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
	if err != nil {
		return nil, fmt.Errorf("[%s] %w", method, err)
	}
	return e, nil
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
	err = eachElement(document, item+"_POOL", item, func(e *Element) error {
		if err := e.Require("ID"); err != nil {
			return err
		}
		id := e.Number("ID")
		if seen[id] {
			return damaged("the pool holds %d twice", id)
		}
		seen[id] = true
		return f(e)
	})
	if err != nil {
		return fmt.Errorf("[%s] %w", method, err)
	}
	return nil
}

// readPool parses all objects of a pool.
func readPool[T any](ctx context.Context, c *Client, item string, parse func(*Element) (T, error), method string, args ...any) (all []T, err error) {
	err = c.Each(ctx, item, func(e *Element) error {
		v, err := parse(e)
		all = append(all, v)
		return err
	}, method, args...)
	return all, err
}

// readObject parses one object, which has to be the one with this ID, or with any for anyID.
func readObject[T any](ctx context.Context, c *Client, item string, id int, parse func(*Element) (T, error), method string) (v T, err error) {
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
	if err != nil {
		return v, fmt.Errorf("[%s] %w", method, err)
	}
	return v, nil
}

// Host reads one host.
func (c *Client) Host(ctx context.Context, id int) (Host, error) {
	h, err := readObject(ctx, c, "HOST", id, (*Element).Host, "one.host.info")
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
	hosts, err := readPool(ctx, c, "HOST", (*Element).Host, "one.hostpool.info")
	if err != nil {
		return nil, fmt.Errorf("read the hosts: %w", err)
	}
	return hosts, nil
}

// VM reads one VM with its whole history.
func (c *Client) VM(ctx context.Context, id int) (VM, error) {
	v, err := readObject(ctx, c, "VM", id, parseVM, "one.vm.info")
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
	method, args := c.vmsByID(ids)
	vms, err := readPool(ctx, c, "VM", func(e *Element) (VM, error) {
		if id := int(e.Number("ID")); !slices.Contains(ids, id) {
			return VM{}, damaged("VM %d, which is none of those", id)
		}
		return parseVM(e)
	}, method, args...)
	if err != nil {
		return nil, fmt.Errorf("read %d VMs: %w", len(ids), err)
	}
	return vms, nil
}

// ReadVMs reads VMs that are not DONE by their IDs, which are ascending: full bodies, each with its
// last history record only. When they cannot be read together, each half is tried: one VM whose text
// is damaged must not hide the others. unread are those that cannot be read.
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
	var answer *AnswerError
	switch {
	case err == nil:
		return vms, nil, nil
	case ctx.Err() != nil || !errors.Is(err, ErrDamaged) && !errors.As(err, &answer):
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
// are short since 5.8: they leave SCHED_MESSAGE and what the scheduler looks at out (tapes).
func (c *Client) vmsByRange(from, to, state int) (method string, args []any) {
	if c.dialect.poolQuery {
		return "one.vmpool.infoextended", []any{allUsers, from, to, state, ""}
	}
	return "one.vmpool.info", []any{allUsers, from, to, state}
}

const (
	allUsers = -2
	allIDs   = -1
)

// EachPendingVM passes on the VMs that wait for a host, with full bodies.
func (c *Client) EachPendingVM(ctx context.Context, f func(*Element) error) error {
	method, args := c.vmsByRange(allIDs, allIDs, int(Pending))
	return c.Each(ctx, "VM", f, method, args...)
}

// PendingVMs reads the VMs that wait for a host: their IDs, states and what the
// scheduler says (USER_TEMPLATE/SCHED_MESSAGE). A storm has tens of thousands, and nobody wants to
// know more of them.
func (c *Client) PendingVMs(ctx context.Context) (vms []VM, err error) {
	err = c.EachPendingVM(ctx, func(e *Element) error {
		v, err := e.VM(func(name string) bool { return name == "SCHED_MESSAGE" })
		vms = append(vms, v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the VMs that are %s: %w", Pending, err)
	}
	return vms, nil
}

// VMsIn reads all VMs in a state: their IDs, states and last history records. From 5.8 on
// the bodies are short: custom attributes are missing.
func (c *Client) VMsIn(ctx context.Context, state VMState) ([]VM, error) {
	args := []any{allUsers, allIDs, allIDs, int(state)}
	if c.dialect.poolQuery {
		args = append(args, "")
	}
	vms, err := readPool(ctx, c, "VM", parseVM, "one.vmpool.info", args...)
	if err != nil {
		return nil, fmt.Errorf("read the VMs that are %s: %w", state, err)
	}
	return vms, nil
}

// Datastore reads one datastore.
func (c *Client) Datastore(ctx context.Context, id int) (Datastore, error) {
	d, err := readObject(ctx, c, "DATASTORE", id, (*Element).Datastore, "one.datastore.info")
	if err != nil {
		return Datastore{}, fmt.Errorf("read datastore %d: %w", id, err)
	}
	return d, nil
}

// Configuration is what oned.conf says and its defaults, as oned tells it: TEMPLATE, or since 5.0
// OPENNEBULA_CONFIGURATION.
func (c *Client) Configuration(ctx context.Context) (*Element, error) {
	e, err := c.document(ctx, "one.system.config")
	if err != nil {
		return nil, fmt.Errorf("read the configuration of oned: %w", err)
	}
	return e, nil
}

// MaxInterval is the longest time between two monitorings of a host, in seconds, that is
// believed. Nobody monitors that seldom, and times that are multiplied must not overflow.
const MaxInterval = 24 * 60 * 60

// MonitoringInterval reads the seconds between two monitorings of a host from
// oned's configuration: MONITORING_INTERVAL (4.x), MONITORING_INTERVAL_HOST
// (5.x). It is 0 where oned does not tell (6.0 and later: monitord.conf does), or what it tells
// is above MaxInterval.
func (c *Client) MonitoringInterval(ctx context.Context) (int, error) {
	config, err := c.Configuration(ctx)
	if err != nil {
		return 0, err
	}
	for _, name := range []string{"MONITORING_INTERVAL_HOST", "MONITORING_INTERVAL"} {
		if n := config.Number(name); n > 0 && n <= MaxInterval {
			return int(n), nil
		}
	}
	return 0, nil
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
	data, err := c.document(ctx, "one.host.monitoring", hostID)
	if err != nil {
		return 0, fmt.Errorf("read the monitoring of host %d: %w", hostID, err)
	}
	var last int64
	for _, host := range data.All("HOST") {
		last = max(last, host.Number("LAST_MON_TIME"))
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
