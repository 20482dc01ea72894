// Package config reads the configuration files: the one of the front-ends with Load,
// and the one of host_isolated on a host with LoadIsolation.
//
// It is strict: an unknown key, a missing unit or a contradiction is an *Error of
// one line with file, line and what is allowed, and nothing of the file is used. It
// never puts a secret into an error text, and it takes secrets only from files that
// others can neither read nor change. Of a file only its own mode bits count:
// permissions of directories, owners and access control lists are not looked at.
package config

import (
	"strconv"
	"strings"

	"one-ft/pkg/text"
)

// Name is the name of the configuration file in OpenNebula's configuration
// directory: /etc/one, or etc under $ONE_LOCATION.
const Name = "one-ft.yaml"

// Error is what is wrong with a file, in one printable line.
type Error struct {
	File    string // its path as given; "" for a text or a setting wherever it comes from
	Line    int    // from 1; 0 when it is about the file as a whole
	Key     string // path of the key, such as storm.share or fence[0].levels[1].name; "" at the top
	Problem string // what is wrong; never holds a secret
	Allowed string // what is allowed instead; "" when Problem says it
	Err     error  // what the operating system said; nil when it is about the content
}

// Error is the line, such as
//
//	/etc/one/one-ft.yaml:12: storm.share: "50" has no unit; allowed is 1% to 100%
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(text.Printable(e.File))
	if e.Line > 0 {
		b.WriteString(":" + strconv.Itoa(e.Line))
	}
	if e.File != "" {
		b.WriteString(": ")
	}
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	b.WriteString(e.Problem)
	if e.Allowed != "" {
		b.WriteString("; allowed is " + e.Allowed)
	}
	return b.String()
}

// Unwrap gives what the operating system said, so that errors.Is(err,
// fs.ErrNotExist) tells a missing file.
func (e *Error) Unwrap() error { return e.Err }
