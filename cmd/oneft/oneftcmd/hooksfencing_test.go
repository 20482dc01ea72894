package oneftcmd

import "testing"

// What a person has configured stays, unless a flag says another value; and nothing is written that nobody
// has said.
func TestDecideFencing(t *testing.T) {
	for _, c := range []struct {
		when fencingCase
		want fencingStep
	}{
		{fencingCase{}, fencingStep{Tell: true}},
		{fencingCase{Asks: true}, fencingStep{Ask: true}},
		{fencingCase{Configured: "auto", Asks: true}, fencingStep{}},
		{fencingCase{Configured: "off"}, fencingStep{}},
		{fencingCase{Flag: "required"}, fencingStep{Write: "required"}},
		{fencingCase{Flag: "required", Configured: "off", Asks: true}, fencingStep{Write: "required"}},
		{fencingCase{Flag: "required", Configured: "required"}, fencingStep{}},
		{fencingCase{Flag: "auto"}, fencingStep{Write: "auto"}},
		{fencingCase{Flag: "keep", Asks: true}, fencingStep{}},
		{fencingCase{Flag: "keep"}, fencingStep{}},
	} {
		if got := c.when.decide(); got != c.want {
			t.Errorf("%+v: %+v, want %+v", c.when, got, c.want)
		}
	}
}
