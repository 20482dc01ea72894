// Package exitcode has the exit codes, which are the same for all executables.
package exitcode

// The exit codes.
const (
	Done       = 0 // done, or nothing to do
	Incomplete = 1 // some VM was not handled, or oned could not be reached
	Usage      = 2 // wrong usage or configuration
	Refused    = 3 // refused for safety
)
