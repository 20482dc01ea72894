package oneftcmd

import "testing"

// What an admin has configured stays, unless a flag says another value; and nothing is written that nobody
// has said.
func TestNextFencing(t *testing.T) {
	for _, c := range []struct {
		flag, configured string
		attended         bool
		want             fencingStep
	}{
		{want: fencingTell},
		{attended: true, want: fencingAsk},
		{configured: "auto", attended: true, want: fencingStays},
		{configured: "off", want: fencingStays},
		{flag: "required", want: "required"},
		{flag: "required", configured: "off", attended: true, want: "required"},
		{flag: "required", configured: "required", want: fencingStays},
		{flag: "auto", want: "auto"},
		{flag: "keep", attended: true, want: fencingStays},
		{flag: "keep", want: fencingStays},
	} {
		if got := nextFencing(c.flag, c.configured, c.attended); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
