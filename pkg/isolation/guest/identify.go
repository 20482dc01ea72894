package guest

import (
	"encoding/xml"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Known is a VM that oned counts on this host, by what oned calls its guest: DEPLOY_ID, which is the UUID of its domain
// (5.12 and later) or its name. It is how guests are recognised that were imported, and have kept their own names.
type Known struct {
	ID       int    `json:"id"`
	DeployID string `json:"deploy_id"`
}

// domain is what libvirt calls a guest. Either may be missing.
type domain struct{ name, uuid string }

// identify finds out which VM of OpenNebula a domain is: by its name; by what oned calls it; or by the metadata that
// OpenNebula has written into it. d.uuid is filled in where the name alone does not say it.
func (h Host) identify(d *domain) (id int, ours bool) {
	if id, ours = ParseName(d.name); ours {
		return id, true
	}
	status := h.status(d.name)
	if d.uuid == "" {
		d.uuid = status.UUID
	}
	if h.Known != nil {
		for _, k := range h.Known() {
			if k.DeployID != "" && (k.DeployID == d.name || strings.EqualFold(k.DeployID, d.uuid)) {
				return k.ID, true
			}
		}
	}
	if !strings.EqualFold(status.UUID, d.uuid) {
		return 0, false // of another domain that had this name
	}
	return idInDatastore(status.Datastore)
}

// Autostarted returns the names of the domains of OpenNebula that libvirt starts whenever this machine boots, sorted. OpenNebula
// makes none of them so: an admin did. Such a guest runs before anybody knows whether its VM was started elsewhere meanwhile.
func (h Host) Autostarted() (names []string) {
	links, err := h.System.List(filepath.Join(h.Etc, "libvirt/qemu/autostart"))
	if err != nil {
		return nil // there are none, or this is not root, which is said elsewhere
	}
	for _, link := range links {
		name, domain := strings.CutSuffix(link, ".xml")
		if _, ours := ParseName(name); domain && ours {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// status is what matters of a domain that runs.
type status struct {
	UUID string
	// Datastore is one:system_datastore of the metadata that the driver kvm of OpenNebula writes into each domain that it
	// starts (LibVirtDriverKVM.cc, since 5.8): the directory of the VM, DATASTORE_LOCATION/ID of the datastore/ID of the VM.
	// There is no attribute with the ID itself.
	Datastore string
}

// maxStatus is the most bytes of the state of a domain that are read; one with a few disks has 15 KB.
const maxStatus = 1 << 20

// status reads what libvirt keeps of each domain that runs, in /run/libvirt/qemu/NAME.xml, for itself: libvirtd and virtqemud
// find their guests again by it after a restart. So it needs neither of them, and no program. It is empty when there is none.
func (h Host) status(name string) status {
	if h.Run == "" || name == "" || strings.Contains(name, "/") {
		return status{}
	}
	text, _ := h.System.Read(filepath.Join(h.Run, "libvirt/qemu", name+".xml"), maxStatus) // without it there is no text
	return parseStatus(text)
}

// parseStatus reads the state of a domain. The namespace is that of OpenNebula's metadata (LIBVIRT_MD_URI in kvmrc).
func parseStatus(text []byte) status {
	var file struct {
		Domain struct {
			UUID     string `xml:"uuid"`
			Metadata struct {
				VM struct {
					Datastore string `xml:"http://opennebula.org/xmlns/libvirt/1.0 system_datastore"`
				} `xml:"http://opennebula.org/xmlns/libvirt/1.0 vm"`
			} `xml:"metadata"`
		} `xml:"domain"`
	}
	if xml.Unmarshal(text, &file) != nil {
		return status{}
	}
	return status{UUID: strings.TrimSpace(file.Domain.UUID), Datastore: strings.TrimSpace(file.Domain.Metadata.VM.Datastore)}
}

// idInDatastore returns the ID of the VM that a directory in a system datastore belongs to.
func idInDatastore(dir string) (id int, ok bool) {
	dir = path.Clean(dir)
	if _, datastore := number(path.Base(path.Dir(dir))); !datastore || !path.IsAbs(dir) {
		return 0, false
	}
	return number(path.Base(dir))
}

// number reads an ID of OpenNebula, which are 32-bit numbers, as OpenNebula writes it: without leading zeros or a sign.
func number(digits string) (id int, ok bool) {
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || strconv.FormatUint(n, 10) != digits {
		return 0, false
	}
	return int(n), true
}
