//go:build race

package scenarios_test

// raceEnabled: the race detector is on.
func raceEnabled() bool { return true }
