//go:build race

package failover_test

// raceEnabled: the race detector is on.
func raceEnabled() bool { return true }
