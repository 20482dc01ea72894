package coordinator

import "testing"

// TestAlone: a batch with one line that is all there is to say is that line, once.
func TestAlone(t *testing.T) {
	b := Batch{Alone: true, Lines: []string{"this front-end is a follower"}}
	if b.Line() != "this front-end is a follower" || len(b.Notes()) != 0 || len(b.Problems()) != 0 || b.ExitCode() != 0 {
		t.Error(b.Line(), b.Notes(), b.Problems(), b.ExitCode())
	}
	b.Alone = false
	if b.Line() != "nothing to do (1 left as they are)" || len(b.Notes()) != 1 {
		t.Error(b.Line(), b.Notes())
	}
}
