package process

import (
	"strings"
	"testing"
)

func TestParseStat(t *testing.T) {
	line := "7 (qemu) Z 1 () S 3 2 3 0 -1 2097152 0 0 0 0 0 0 0 0 20 0 4 0 500 0 0\n"
	if got, want := ParseStat(line), (Stat{Name: "qemu) Z 1 (", State: "S", Parent: 3, Flags: 0x200000, Threads: 4, Started: 500}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := ParseStat("nonsense"); got != (Stat{}) {
		t.Errorf("%+v", got)
	}
}

// FuzzStat: no line makes a process gone that is not a zombie.
func FuzzStat(f *testing.F) {
	f.Add("7 (qemu) S 1 2 3 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 9 0 0")
	f.Add("7 (Z) Z) S 1")
	f.Add("7 (a) Z")
	f.Fuzz(func(t *testing.T, line string) {
		s := ParseStat(line)
		if s.Ended() && !strings.ContainsAny(line, "ZXx") || !strings.Contains(line, s.Name) {
			t.Errorf("%q: %+v", line, s)
		}
	})
}
