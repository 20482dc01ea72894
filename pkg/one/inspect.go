package one

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// User is a user of the cloud.
type User struct {
	ID     int
	Name   string // printable
	Groups []int  // all, the primary one first
}

// Admin reports whether the user may do everything: oneadmin, and members of the group of
// that name (AuthManager.cc of 4.4 to 7.4; both have ID 0).
func (u User) Admin() bool { return u.ID == 0 || slices.Contains(u.Groups, 0) }

// OwnUser reads the user of this client.
func (c *Client) OwnUser(ctx context.Context) (User, error) {
	const own = -1
	u, err := readObject(ctx, c, "USER", parseUser, "one.user.info", own)
	if err != nil {
		return User{}, fmt.Errorf("read the own user: %w", err)
	}
	return u, nil
}

func parseUser(o *object) (User, error) {
	u := User{ID: o.integer("ID"), Name: Printable(o.value("NAME")), Groups: []int{o.integer("GID")}}
	if groups := o.single("GROUPS"); groups != nil {
		for _, e := range groups.children {
			if n, err := strconv.Atoi(strings.TrimSpace(e.text)); err == nil && e.name == "ID" && !slices.Contains(u.Groups, n) {
				u.Groups = append(u.Groups, n)
			}
		}
	}
	if o.err != nil {
		return User{}, fmt.Errorf("user: %w", o.err)
	}
	return u, nil
}

// LastMonitored reads when oned last monitored a host, in Unix seconds of the front-end; 0
// when it does not tell. Before 5.12 attempts that failed count, too.
func (c *Client) LastMonitored(ctx context.Context, hostID int) (int64, error) {
	at, err := readObject(ctx, c, "HOST", func(o *object) (int64, error) {
		if m := o.child("MONITORING"); m != nil {
			if at := (&object{element: m}).optional("TIMESTAMP"); at > 0 {
				return at, nil
			}
		}
		return max(0, o.optional("LAST_MON_TIME")), nil
	}, "one.host.info", hostID)
	if err != nil {
		return 0, fmt.Errorf("read host %d: %w", hostID, err)
	}
	return at, nil
}

// VMDisks is a VM with its disks.
type VMDisks struct {
	VM
	Disks []Disk
}

// Disk is a disk of a VM.
type Disk struct {
	// Persistent: it is an image that is kept when the VM ends.
	Persistent bool
	// ReadOnly disks, CDROMs and swap hold nothing of the VM.
	ReadOnly bool
	// Copied: the VM works on a copy of the image, which goes into the image when the VM ends
	// in good order (LN_TARGET is not NONE).
	Copied bool
}

// VMsBetween reads the VMs with IDs from one to another, both included, that are not DONE:
// full bodies, each with its last history record only.
func (c *Client) VMsBetween(ctx context.Context, from, to int) ([]VMDisks, error) {
	const allUsers, notDone = -2, -1
	method, args := "one.vmpool.info", []any{allUsers, from, to, notDone}
	if c.dialect.poolQuery { // since then the bodies of one.vmpool.info are short
		method, args = "one.vmpool.infoextended", append(args, "")
	}
	vms, err := readObjects(ctx, c, "VM_POOL", "VM", parseVMDisks, method, args...)
	if err == nil {
		err = distinct(vms, func(v VMDisks) int { return v.ID }, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("read the VMs from %d to %d: %w", from, to, err)
	}
	return vms, nil
}

func parseVMDisks(o *object) (VMDisks, error) {
	vm, err := parseVM(o)
	v := VMDisks{VM: vm}
	if t := o.child("TEMPLATE"); t != nil {
		for _, d := range t.children {
			if d.name != "DISK" {
				continue
			}
			yes := func(name string) bool { return strings.EqualFold(d.value(name), "YES") }
			kind, target := strings.ToUpper(d.value("TYPE")), strings.ToUpper(d.value("LN_TARGET"))
			v.Disks = append(v.Disks, Disk{
				Persistent: yes("PERSISTENT") || yes("SAVE"),
				ReadOnly:   yes("READONLY") || kind == "CDROM" || kind == "SWAP",
				Copied:     target != "" && target != "NONE",
			})
		}
	}
	return v, err
}
