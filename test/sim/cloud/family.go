package cloud

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// family is one of the releases that were recorded. Every other version
// behaves as the newest of them that is not newer than itself, betas of a
// release as that release; but 5.0 and 5.2 as 5.4, which they resemble more
// than 4.14.
type family int

const (
	f44 family = iota
	f414
	f54
	f58
	f510
	f512
	f64
	f610
	f74
)

// families gives the names as they stand in the tables, oldest first.
func families() []string {
	return []string{"4.4", "4.14", "5.4", "5.8", "5.10", "5.12", "6.4", "6.10", "7.4"}
}

// since gives the first version of each family.
func (f family) since() (major, minor int) {
	first := [][2]int{{4, 4}, {4, 13}, {4, 90}, {5, 7}, {5, 9}, {5, 11}, {5, 13}, {6, 9}, {7, 3}}[f]
	return first[0], first[1]
}

// familyOf finds the family of a version string such as "5.10.6".
func familyOf(version string) (family, error) {
	major, minor, err := majorMinor(version)
	if err != nil {
		return 0, err
	}
	for f := f74; f >= f44; f-- {
		if fMajor, fMinor := f.since(); major > fMajor || major == fMajor && minor >= fMinor {
			return f, nil
		}
	}
	return 0, fmt.Errorf("version %q is older than 4.4", version)
}

// majorMinor reads the first two numbers of a version string.
func majorMinor(version string) (major, minor int, err error) {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) >= 2 {
		if major, err = strconv.Atoi(parts[0]); err == nil {
			if minor, err = strconv.Atoi(parts[1]); err == nil {
				return major, minor, nil
			}
		}
	}
	return 0, 0, fmt.Errorf("version %q does not begin with MAJOR.MINOR", version)
}

// fixOf reads the third and fourth number of a version of 5.12 and its betas; false for every other one.
func fixOf(version string) (patch, fix int, ok bool) {
	if strings.HasPrefix(version, "5.11.") {
		return 0, 0, true
	}
	rest, ok := strings.CutPrefix(version, "5.12.")
	first, second, _ := strings.Cut(rest, ".")
	patch, err := strconv.Atoi(first)
	if fix, err2 := strconv.Atoi(second); err2 == nil {
		return patch, fix, ok && err == nil
	}
	return patch, 0, ok && err == nil
}

// hasSet reports whether a version has one.vmpool.infoset: it came with 5.12.0.4 and with 5.12.6, which were given out
// in parallel (src/rm/RequestManager.cc of each; 5.12.0.5, live).
func hasSet(version string) bool {
	patch, fix, is512 := fixOf(version)
	return !is512 || patch >= 6 || patch == 0 && fix >= 4
}

// hidesOldGuests reports whether oned finds the guests of a host that it has elsewhere and does not store them: to 5.12.7
// (InformationManager::_vm_state of each; 5.12.0.5, live).
func hidesOldGuests(version string) bool {
	patch, _, is512 := fixOf(version)
	return is512 && patch < 8
}

// inVersions reports whether f is in a versions column of the tables: "5.10" is
// that family alone, "5.10+" it and every newer one, "4.4-5.10" those two and
// what is between them.
func (f family) inVersions(column string) (bool, error) {
	from, to, isRange := strings.Cut(strings.TrimSuffix(column, "+"), "-")
	switch {
	case strings.HasSuffix(column, "+"):
		to = families()[f74]
	case !isRange:
		to = from
	}
	first, last := slices.Index(families(), from), slices.Index(families(), to)
	if first < 0 || last < first {
		return false, fmt.Errorf("unknown versions %q", column)
	}
	return first <= int(f) && int(f) <= last, nil
}

// stamped puts the time before a message as oned does it in ERROR attributes:
// up to 5.12 with a space before the colon, newer ones without.
func (f family) stamped(at time.Time, message string) string {
	sep := " : "
	if f >= f64 {
		sep = ": "
	}
	return at.Format(time.ANSIC) + sep + message
}

// automaticRequirements is the AUTOMATIC_REQUIREMENTS that every recorded VM
// of the family has.
func (f family) automaticRequirements() string {
	switch f {
	case f44, f414, f54, f58:
		return "!(PUBLIC_CLOUD = YES)"
	case f74:
		return "!(PIN_POLICY = PINNED)"
	default:
		return "!(PUBLIC_CLOUD = YES) & !(PIN_POLICY = PINNED)"
	}
}
