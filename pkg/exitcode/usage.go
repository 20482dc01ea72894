package exitcode

import "fmt"

// UsageError is wrong usage or configuration: exit code Usage.
type UsageError struct{ err error }

// Usagef makes a UsageError of one line that says what is allowed.
func Usagef(format string, args ...any) error { return &UsageError{fmt.Errorf(format, args...)} }

// Error is the line.
func (e *UsageError) Error() string { return e.err.Error() }

// Unwrap gives the cause.
func (e *UsageError) Unwrap() error { return e.err }
