package crash_test

import (
	"context"
	"testing"

	"one-ft/pkg/incident"
)

// TestOtherFrontEndGoesOn kills host_error on one front-end after a part of its calls. The next
// event comes to another front-end, which has no file of the first one. It waits until the first
// one has not renewed its claim on the host for a while (45 s), and finishes.
func TestOtherFrontEndGoesOn(t *testing.T) {
	t.Parallel()
	const version = "7.4.1" // all versions: pkg/coordinator, in virtual time
	undisturbed, _, all := frontEnds(t, version)
	defer undisturbed.close()
	if err := all.handled(t.Context(), undisturbed); err != nil {
		t.Fatal(err)
	}
	calls := undisturbed.front.made()
	for part, call := range map[string]int{"a third": calls / 3, "a half": calls / 2, "two thirds": 2 * calls / 3} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			goesOn(t, version, call, executed)
		})
	}
}

// goesOn kills on one front-end and finishes on the other.
func goesOn(t *testing.T, version string, call int, when moment) {
	w, killedAt, other := frontEnds(t, version)
	defer w.close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	where, err := killAtCall(ctx, w, killedAt, call, when)
	if err != nil || where == "" {
		t.Fatalf("killed at %q: %v", where, err)
	}
	if err := other.handled(ctx, w); err != nil {
		t.Error(err)
	}
	for _, wrong := range w.once(ctx) {
		t.Errorf("%s: %s", where, wrong)
	}
	first, err := killedAt.incidents()
	if err != nil || len(first) != 1 {
		t.Errorf("%s: the first one has %d incidents, %v", where, len(first), err)
	}
	second, err := other.incidents()
	if err != nil || len(second) > 1 || len(second) == 1 && second[0].Status != incident.Done {
		t.Errorf("%s: the second one has %v, %v", where, second, err)
	}
}

// frontEnds makes a cloud and two front-ends of it.
func frontEnds(t *testing.T, version string) (w *world, one, two frontEnd) {
	t.Helper()
	w, err := newWorld(version)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*frontEnd{&one, &two} {
		if *f, err = newFrontEnd(t.TempDir()); err != nil {
			w.close()
			t.Fatal(err)
		}
	}
	return w, one, two
}
