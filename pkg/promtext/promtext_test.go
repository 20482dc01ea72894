package promtext_test

import (
	"testing"

	"one-ft/pkg/promtext"
)

func TestText(t *testing.T) {
	var b promtext.Text
	b.Family("one_ft_x_total", "counter", "How many.")
	b.Sample("one_ft_x_total", 1e15)
	b.Sample("one_ft_x_total", 0.25, "a", "b\\\"\n", "c", "")
	const want = "# HELP one_ft_x_total How many.\n# TYPE one_ft_x_total counter\n" +
		"one_ft_x_total 1000000000000000\none_ft_x_total{a=\"b\\\\\\\"\\n\",c=\"\"} 0.25\n"
	if got := b.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
