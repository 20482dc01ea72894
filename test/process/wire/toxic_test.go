package wire

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// wire is a connection to oned that has a fault from begin to end.
type wire interface {
	address() string
	begin()
	end()
}

// toxic is a wire of toxiproxy's: one that refuses connections without any toxics.
type toxic struct {
	t      *testing.T
	proxy  *toxiproxy.Proxy
	toxics []string
}

// toxics makes a wire with these toxics, as toxiproxy writes them.
func toxics(texts ...string) func(*testing.T, *oned) wire {
	return func(t *testing.T, o *oned) wire {
		t.Helper()
		server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
		w := &toxic{t: t, toxics: texts, proxy: toxiproxy.NewProxy(server, "wire", ownAddress(), o.address())}
		if err := w.proxy.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.proxy.Stop)
		return w
	}
}

// wires counts the wires of all tests.
var wires atomic.Int32

// ownAddress gives each wire an address of its own, on loopback: while it refuses connections
// its port must not become that of another test.
func ownAddress() string {
	n := wires.Add(1)
	return fmt.Sprintf("127.78.%d.%d:0", n/200, 1+n%200)
}

func (w *toxic) address() string { return w.proxy.Listen }

func (w *toxic) begin() {
	if len(w.toxics) == 0 {
		w.proxy.Stop()
	}
	for _, text := range w.toxics {
		if _, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
			w.t.Errorf("%s: %v", text, err)
		}
	}
}

func (w *toxic) end() {
	if len(w.toxics) == 0 {
		if err := w.proxy.Start(); err != nil {
			w.t.Error(err)
		}
		return
	}
	w.proxy.Toxics.ResetToxics(w.t.Context())
}
