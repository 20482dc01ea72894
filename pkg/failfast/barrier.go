// Package failfast makes ssh from this front-end to a host that is proven off fail at once.
//
// oned cleans up on the dead host itself, command after command over ssh: 3 s each when ARP gets no answer, 135 s
// when packets are dropped, 40 s more behind a stale master (OpenNebula 6.10, measured). A block in the ssh
// configuration of the user that the drivers run as (Block) asks a file for each host name, a mark, and lets ssh fail
// where it is there: 9 ms.
//
// A mark carries its expiry as its modification time, in the future, and the block compares it with /proc/self, whose
// time is now. So a mark that nobody renews expires within MaxHold, without any process. That matters: oned starts
// the monitoring of a host that was powered on again over ssh, so a mark that stays keeps a living host in ERROR.
//
// Nothing here decides whether a host is off: who sets a mark has the proof.
package failfast

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/wording"
)

// How often the marks of a host are renewed, which end by themselves within MaxHold, and how often the
// processes of drivers are looked at while they are up. Looking reads a few files of each process of the user.
const (
	renewMarks = 15 * time.Second
	lookEvery  = 250 * time.Millisecond
	// barTime bounds what is done before the first call: ssh -G for each name, ending masters and connections.
	barTime = 10 * time.Second
)

// Barrier keeps ssh of this front-end away from a host that is proven off: what would wait for minutes fails at once,
// and no command that was meant for the old copy of a VM can reach the host when it is back.
type Barrier interface {
	// Names are those under which ssh to the host fails at once.
	Names() []string
	// Closed reports whether nothing can reach the host any more: the names fail at once for the user of the drivers,
	// and no command to them is under way.
	Closed() bool
	// Open takes the barrier away. It is called once.
	Open()
}

// sshBarrier is a Barrier of marks that ssh of the drivers obeys.
type sshBarrier struct {
	client Client
	marks  Marks
	hold   Hold
	names  []string
	closed atomic.Bool
	stop   context.CancelFunc
	done   chan struct{}
}

// NewBar makes what puts up a Barrier for the ssh of the drivers on a machine, under the names of a host, and for an incident.
// What it says goes to notify.
func NewBar(machine Machine, stateDir string, notify func(wording.Message)) func(context.Context, one.Host, []string, int) (Barrier, error) {
	return func(ctx context.Context, host one.Host, names []string, number int) (Barrier, error) {
		bounded, cancel := context.WithTimeout(ctx, barTime)
		defer cancel()
		client, err := NewClient(machine, stateDir)
		if err != nil {
			return nil, err
		}
		b := &sshBarrier{client: client, marks: Open(stateDir), names: names, done: make(chan struct{})}
		name, _ := incident.KnownFrontEndName(stateDir)
		b.hold = Hold{Host: host.ID, Incident: number, FrontEnd: name, PID: os.Getpid()}
		if force := client.InForce(bounded, b.marks); force.State != InForce {
			_, _ = client.endConnections(bounded, names) // no mark keeps new ones away; the limit of clean-ups counts on
			if force.State == NotInstalled {
				return nil, errors.New("ssh of the drivers does not fail fast: oneft hooks install --ssh")
			}
			return nil, fmt.Errorf("whether ssh of the drivers fails fast is not known (%s): %w", force.State, errors.Join(force.Err, errors.New("oneft check says more")))
		}
		b.hold.Until = time.Now().Add(MaxHold)
		engaged, err := client.Engage(bounded, b.marks, names, b.hold)
		b.names = engaged.Names
		if len(engaged.Masters)+len(engaged.Connections) > 0 {
			notify(wording.Of(wording.SSHEnded, len(engaged.Connections), len(engaged.Masters)))
		}
		keep, stop := context.WithCancel(ctx)
		b.stop = stop
		go b.keep(keep)
		return b, err
	}
}

// keep renews the marks and looks for processes of drivers until Open.
func (b *sshBarrier) keep(ctx context.Context) {
	defer close(b.done)
	quiet := 0 // looks in a row that saw nothing: between two commands of a clean-up there is a moment without any
	for renewed := time.Now(); ; {
		working, err := b.client.working(b.names)
		busy, unknown := b.client.Busy() // of hosts that nobody has proven off, or of migrations: ours wait behind them
		if quiet++; err != nil || unknown != nil || busy || len(working) > 0 {
			quiet = 0
		}
		b.closed.Store(quiet > 1)
		if time.Since(renewed) >= renewMarks {
			renewed = time.Now()
			b.hold.Until = renewed.Add(MaxHold)
			if err := b.marks.Set(ctx, b.names, b.hold); err != nil {
				b.closed.Store(false)
			}
			_, _ = b.client.endConnections(ctx, b.names) // the limit of clean-ups counts on
		}
		if !process.Pause(ctx, lookEvery) {
			return
		}
	}
}

// Names is a part of Barrier.
func (b *sshBarrier) Names() []string { return b.names }

// Closed is a part of Barrier.
func (b *sshBarrier) Closed() bool { return b.closed.Load() }

// Open is a part of Barrier.
func (b *sshBarrier) Open() {
	b.stop()
	<-b.done
	ctx, cancel := context.WithTimeout(context.Background(), barTime)
	defer cancel()
	_ = b.marks.Clear(ctx, b.hold.Host) // it ends on its own within a minute
}
