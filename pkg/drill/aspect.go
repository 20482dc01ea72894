package drill

import (
	"cmp"
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

	// Those below matter for placing a VM (Place), not for whether there is room.

	Affinity         Aspect = "affinity"         // requirements about the VMs that are on a host (CURRENT_VMS)
	Requirements     Aspect = "requirements"     // that are not known, or not readable
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
	return cmp.Or(map[Aspect]string{
		PCIDevices: "PCI devices", PinnedCPUs: "pinned CPUs (NUMA)", HugePages: "huge pages (NUMA)",
		Networks: "networks that the scheduler chooses", PublicClouds: "public clouds", VMGroups: "VM groups",
		Affinity: "which VMs are on a host", Requirements: "its requirements",
		ImageDatastores: "free space of image datastores", SystemDatastores: "system datastores",
		AccessControl: "permissions of its owner (ACL)", Preference: "a rank of its own",
		Room: "room on the other hosts", State: "its state", Unreadable: "the VM itself, which could not be read",
	}[a], fmt.Sprintf("aspect %q", string(a)))
}

func aspects(all []Aspect) string {
	words := make([]string, len(all))
	for i, a := range all {
		words[i] = a.String()
	}
	return strings.Join(words, ", ")
}

// when is the aspect, if it matters.
func (a Aspect) when(matters bool) []Aspect {
	if matters {
		return []Aspect{a}
	}
	return nil
}
