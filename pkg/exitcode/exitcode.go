// Package exitcode has the exit codes, which are the same for all executables.
package exitcode

import "fmt"

// The exit codes.
const (
	Done       = 0 // done, or nothing to do
	Incomplete = 1 // some VM was not handled, or oned could not be reached
	Usage      = 2 // wrong usage or configuration
	Refused    = 3 // refused for safety
)

// UsageError is wrong usage or configuration: exit code Usage.
type UsageError struct{ error }

// Usagef makes a UsageError of one line that says what is allowed.
func Usagef(format string, args ...any) error { return &UsageError{fmt.Errorf(format, args...)} }

// Unwrap gives the cause.
func (e *UsageError) Unwrap() error { return e.error }
