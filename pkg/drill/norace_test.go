//go:build !race

package drill_test

// raceEnabled: the race detector is off.
func raceEnabled() bool { return false }
