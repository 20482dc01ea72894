package process

import (
	"bytes"
	"testing"
)

// FuzzCapped: of what a program writes, in whatever pieces, the beginning is kept up to the limit, and
// it is known whether something was lost.
func FuzzCapped(f *testing.F) {
	f.Add([]byte("Success: Powered OFF\n"), uint16(3), uint16(1))
	f.Add(bytes.Repeat([]byte("x"), 4096), uint16(4000), uint16(60000))
	f.Add([]byte{}, uint16(0), uint16(9))
	f.Fuzz(func(t *testing.T, piece []byte, cut, times uint16) {
		var c capped
		written := 0
		for range min(int(times), 2*MaxOutput/max(len(piece), 1)) % 1000 {
			for _, p := range [][]byte{piece[:min(len(piece), int(cut))], piece[min(len(piece), int(cut)):]} {
				if n, err := c.Write(p); n != len(p) || err != nil {
					t.Fatalf("%d of %d bytes, %v", n, len(p), err)
				}
				written += len(p)
			}
		}
		text, lost := c.text()
		if len(text) != min(written, MaxOutput) || lost != (written > MaxOutput) {
			t.Errorf("%d bytes of %d are kept, lost: %v", len(text), written, lost)
		}
	})
}
