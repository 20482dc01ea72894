package play

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// numbers reads "1", "1-5" and "1,3,7".
func numbers(word string) (ids []int, err error) {
	for part := range strings.SplitSeq(word, ",") {
		from, to, span := strings.Cut(part, "-")
		first, err := strconv.Atoi(from)
		last := first
		if err == nil && span {
			last, err = strconv.Atoi(to)
		}
		if err != nil || last < first {
			return nil, fmt.Errorf("%q is no number of a VM", part)
		}
		for id := first; id <= last; id++ {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// addVMs reads "vms 1-3 on host1 SUSPENDED cpu=2 FT_PRIORITY=80 template.FT_ACTION=none". A VM
// with "from host2" is on its way from there.
func (s *spec) addVMs(words []string) error {
	if len(words) == 0 {
		return fmt.Errorf("the number is missing")
	}
	ids, err := numbers(words[0])
	if err != nil {
		return err
	}
	for _, id := range ids {
		v := cloud.VM{ID: id, Name: fmt.Sprintf("vm%d", id), State: one.Active, LCM: one.Running, CPU: 0.5, MemMB: 256,
			UserTemplate: map[string]string{}, Template: map[string]string{}}
		if err := s.describe(&v, words[1:]); err != nil {
			return err
		}
		s.cloud.VMs = append(s.cloud.VMs, v)
	}
	return nil
}

// describe reads what follows the number of a VM.
func (s *spec) describe(v *cloud.VM, words []string) error {
	at, from, ds, driver, autostart := -1, -1, 0, "", false
	for i := 0; i < len(words); i++ {
		key, value, has := strings.Cut(words[i], "=")
		var err error
		switch {
		case key == "driver":
			driver = value
		case has:
			err = s.vmAttribute(v, key, value, &ds)
		case (key == "on" || key == "from") && i+1 < len(words):
			i++
			id := 0
			if id, err = s.hostID(words[i]); key == "on" {
				at = id
			} else {
				from = id
			}
		case key == "autostart":
			autostart = true
		case key == "imported":
			v.Template["IMPORTED"] = "YES"
		default:
			err = setState(v, key)
		}
		if err != nil {
			return err
		}
	}
	now := time.Now().Add(-time.Hour).Unix()
	stay := func(host int) cloud.Record {
		return cloud.Record{Seq: len(v.History), HostID: host, DSID: ds, Driver: driver, STime: now, PSTime: now, PETime: now + 1, RSTime: now + 1}
	}
	if from >= 0 {
		r := stay(from)
		r.Action, r.Reason = one.ActionMigrate, 2
		switch v.LCM {
		case one.PrologResume, one.BootStopped:
			r.Action = one.ActionStop
		case one.PrologUndeploy, one.BootUndeploy:
			r.Action = one.ActionUndeploy
		}
		v.History = append(v.History, r)
	}
	if autostart {
		s.autostart[at] = append(s.autostart[at], v.ID)
	}
	if at >= 0 {
		r := stay(at)
		if from >= 0 {
			r.PSTime, r.PETime, r.RSTime = 0, 0, 0
		}
		v.History = append(v.History, r)
	}
	return nil
}

// vmAttribute reads one attribute of a VM; those without a meaning of their own go into the
// user template, or into the template with "template." before them.
func (s *spec) vmAttribute(v *cloud.VM, key, value string, ds *int) (err error) {
	switch key {
	case "cpu":
		v.CPU, err = strconv.ParseFloat(value, 64)
	case "mem":
		v.MemMB, err = strconv.Atoi(value)
	case "name":
		v.Name = value
	case "requires":
		v.Requirements = value
	case "datastore":
		*ds, err = strconv.Atoi(value)
	case "owner":
		if v.UID = cloud.AdminID; value == "alice" {
			v.UID = cloud.AliceID
		}
	case "image":
		v.PrologFails = value == "broken"
		v.BootFails = value == "unbootable"
	case "attributes":
		err = addAttributes(v.UserTemplate, value)
	case "disk":
		disk := map[string]string{"DISK_ID": "0", "IMAGE_ID": "1", "PERSISTENT": "YES", "SAVE": "YES"}
		if value != "persistent" {
			disk = map[string]string{"DISK_ID": "0", "IMAGE_ID": "1", "CLONE": "YES"}
		}
		v.Disks = append(v.Disks, disk)
	default:
		if name, is := strings.CutPrefix(key, "template."); is {
			v.Template[name] = value
		} else {
			v.UserTemplate[key] = value
		}
	}
	return err
}

// setState puts a VM into the state of this name.
func setState(v *cloud.VM, name string) error {
	for s := one.Init; s <= one.CloningFailure; s++ {
		if s != one.Active && s.String() == name {
			v.State, v.LCM = s, one.LCMInit
			return nil
		}
	}
	for s := one.Prolog; s <= one.Restore; s++ {
		if s.String() == name {
			v.State, v.LCM = one.Active, s
			return nil
		}
	}
	return fmt.Errorf("what is %q?", name)
}
