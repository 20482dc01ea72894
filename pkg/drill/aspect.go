package drill

import (
	"fmt"
	"strings"
)

// Aspect is something that decides where a VM can run.
type Aspect string

// The aspects; their names are stable in JSON.
const (
	PCIDevices   Aspect = "pci_devices"
	PinnedCPUs   Aspect = "pinned_cpus" // NUMA
	HugePages    Aspect = "huge_pages"  // NUMA
	Networks     Aspect = "networks"    // that the scheduler chooses (NETWORK_MODE = auto)
	PublicClouds Aspect = "public_clouds"
	VMGroups     Aspect = "vm_groups"

	// Those below matter for placing a VM (Placer), not for whether there is room.

	Affinity         Aspect = "affinity"         // requirements about the VMs that are on a host (CURRENT_VMS)
	Requirements     Aspect = "requirements"     // that cannot be told, or not be read
	ImageDatastores  Aspect = "image_datastores" // a disk is copied on its image datastore
	SystemDatastores Aspect = "system_datastores"
	AccessControl    Aspect = "access_control" // whether its owner may use any of the hosts or datastores
	Preference       Aspect = "preference"     // SCHED_RANK or SCHED_DS_RANK of its own
	Room             Aspect = "room"           // no host that may be used has it
	State            Aspect = "state"          // it does not wait (any more)
	Unreadable       Aspect = "unreadable"     // it could not be read
)

// String is the aspect in words.
func (a Aspect) String() string {
	switch a {
	case PCIDevices:
		return "PCI devices"
	case PinnedCPUs:
		return "pinned CPUs (NUMA)"
	case HugePages:
		return "huge pages (NUMA)"
	case Networks:
		return "networks that the scheduler chooses"
	case PublicClouds:
		return "public clouds"
	case VMGroups:
		return "VM groups"
	case Affinity:
		return "which VMs are on a host"
	case Requirements:
		return "its requirements"
	case ImageDatastores:
		return "free space of image datastores"
	case SystemDatastores:
		return "system datastores"
	case AccessControl:
		return "permissions of its owner (ACL)"
	case Preference:
		return "a rank of its own"
	case Room:
		return "room on the other hosts"
	case State:
		return "its state"
	case Unreadable:
		return "the VM itself, which could not be read"
	}
	return fmt.Sprintf("aspect %q", string(a))
}

// aspects are several in words.
func aspects(all []Aspect) string {
	words := make([]string, len(all))
	for i, a := range all {
		words[i] = a.String()
	}
	return strings.Join(words, ", ")
}
