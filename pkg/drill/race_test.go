//go:build race

package drill_test

// raceEnabled: the race detector is on.
func raceEnabled() bool { return true }
