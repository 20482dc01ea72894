//go:build !race

package failover_test

// raceEnabled: the race detector is off.
func raceEnabled() bool { return false }
