package guest

import (
	"path"
	"strconv"
	"strings"
)

// namePrefix is what OpenNebula's drivers put before the ID of a VM to name its domain.
const namePrefix = "one-"

// ParseName returns the ID of the VM that OpenNebula gives a domain of exactly this name to: "one-7", without
// anything before, behind or between, and without leading zeros.
func ParseName(name string) (id int, ok bool) {
	digits, ok := strings.CutPrefix(name, namePrefix)
	if !ok {
		return 0, false
	}
	// IDs of OpenNebula are 32-bit numbers.
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || strconv.FormatUint(n, 10) != digits {
		return 0, false
	}
	return int(n), true
}

// domainOf returns whether these are the arguments of a QEMU, and the name of the domain that it runs; "" when it has
// none. libvirt writes "-name guest=one-7,debug-threads=on", older ones "-name one-7".
func domainOf(argv []string) (name string, qemu bool) {
	if len(argv) == 0 {
		return "", false
	}
	if program := path.Base(argv[0]); program != "kvm" && !strings.Contains(program, "qemu") {
		return "", false
	}
	for i, arg := range argv[:len(argv)-1] {
		if arg == "-name" || arg == "--name" { // QEMU takes both
			return guestOption(argv[i+1]), true
		}
	}
	return "", true
}

// guestOption returns the guest in the value of QEMU's option -name: a list of KEY=VALUE separated by commas. The
// first item may be the guest without its key, a comma in a value is written twice, and of several guests the last
// one counts.
func guestOption(value string) string {
	name := ""
	const comma = "\x00" // no argument holds it
	for i, item := range strings.Split(strings.ReplaceAll(value, ",,", comma), ",") {
		key, text, keyed := strings.Cut(strings.ReplaceAll(item, comma, ","), "=")
		switch {
		case keyed && key == "guest":
			name = text
		case !keyed && i == 0:
			name = key
		}
	}
	return name
}
