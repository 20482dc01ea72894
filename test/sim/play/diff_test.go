package play

import "testing"

func TestSame(t *testing.T) {
	const log = "00:10.0  A   one\n00:10.0  B   two\n1:00:10.1  A  three\n       end  vm 1: RUNNING"
	for other, want := range map[string]bool{
		log: true,
		"00:10.0  B   two\n00:10.1  A   one\n1:00:10.2  A  three\n end  vm 1: RUNNING": true, // a tenth later
		"00:10.0  B   two\n00:10.2  A   one\n1:00:10.1  A  three\n end  vm 1: RUNNING": false,
		"00:10.0  A   one\n00:10.0  B   two\n1:01:10.1  A  three\n end  vm 1: RUNNING": false,
		"00:10.0  A   one\n00:10.0  B   two\n1:00:10.1  A  three\n end  vm 2: RUNNING": false,
		"00:10.0  A   one\n00:10.0  A   one\n1:00:10.1  A  three\n end  vm 1: RUNNING": false,
		"00:10.0  A   one\n00:10.0  B   two\n end  vm 1: RUNNING":                      false,
		log + "\n1:00:10.1  A  three": false,
	} {
		if Same(log, other) != want {
			t.Errorf("%q: %v, want %v", other, !want, want)
		}
	}
}
