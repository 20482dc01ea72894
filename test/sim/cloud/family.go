package cloud

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// family is one of the four releases that were recorded. Every other version
// behaves as the newest of them that is not newer than itself.
type family int

const (
	f44 family = iota
	f510
	f610
	f74
)

// families gives the names as they stand in the tables, oldest first.
func families() []string { return []string{"4.4", "5.10", "6.10", "7.4"} }

// familyOf finds the family of a version string such as "5.10.6".
func familyOf(version string) (family, error) {
	major, minor, err := majorMinor(version)
	if err != nil {
		return 0, err
	}
	for f := f74; f >= f44; f-- {
		fMajor, fMinor, err := majorMinor(families()[f])
		if err != nil {
			return 0, err
		}
		if major > fMajor || major == fMajor && minor >= fMinor {
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

// inVersions reports whether f is in a versions column of the tables: "5.10" is
// that family alone, "5.10+" it and every newer one.
func (f family) inVersions(column string) (bool, error) {
	name, andNewer := strings.CutSuffix(column, "+")
	for i, known := range families() {
		if known == name {
			return f == family(i) || andNewer && f > family(i), nil
		}
	}
	return false, fmt.Errorf("unknown versions %q", column)
}

// stamped puts the time before a message as oned does it in ERROR attributes:
// 4.4 and 5.10 with a space before the colon, newer ones without.
func (f family) stamped(at time.Time, message string) string {
	sep := " : "
	if f >= f610 {
		sep = ": "
	}
	return at.Format(time.ANSIC) + sep + message
}

// automaticRequirements is the AUTOMATIC_REQUIREMENTS that every recorded VM
// of the family has.
func (f family) automaticRequirements() string {
	switch f {
	case f44:
		return "!(PUBLIC_CLOUD = YES)"
	case f74:
		return "!(PIN_POLICY = PINNED)"
	default:
		return "!(PUBLIC_CLOUD = YES) & !(PIN_POLICY = PINNED)"
	}
}
