package one

import (
	"cmp"
	"context"
	"slices"

	"one-ft/pkg/text"
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

// ownUser is the ID with which one.user.info gives the user who asks.
const ownUser = -1

// OwnUser reads the user of this client.
func (c *Client) OwnUser(ctx context.Context) (User, error) {
	u, err := readObject(ctx, c, "USER", ownUser, (*Element).User, "one.user.info")
	return u, wrap(err, "read the own user")
}

// User reads a USER element.
func (e *Element) User() (User, error) {
	if err := cmp.Or(e.Require("ID", "GID"), e.Once("GROUPS")); err != nil {
		return User{}, wrap(err, "user")
	}
	primary := int(e.Number("GID"))
	others := slices.DeleteFunc(e.IDs("GROUPS"), func(id int) bool { return id == primary })
	return User{ID: int(e.Number("ID")), Name: text.Printable(e.Value("NAME")), Groups: append([]int{primary}, others...)}, nil
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

// VMDisks reads a VM element.
func (e *Element) VMDisks() (VMDisks, error) {
	vm, err := parseVM(e)
	v := VMDisks{VM: vm}
	for _, d := range e.Child("TEMPLATE").All("DISK") {
		target := d.Value("LN_TARGET")
		v.Disks = append(v.Disks, Disk{
			Persistent: d.persistent(),
			ReadOnly:   d.Is("READONLY", "YES") || d.Is("TYPE", "CDROM") || d.Is("TYPE", "SWAP"),
			Copied:     target != "" && !d.Is("LN_TARGET", "NONE"),
		})
	}
	return v, err
}
