//go:build !race

package scenarios_test

// raceEnabled: the race detector is off.
func raceEnabled() bool { return false }
