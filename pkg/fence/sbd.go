package fence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/process"
	"one-ft/pkg/text"
)

// fence_sbd writes a poison pill into the slot of the host on a shared disk, and its status is what stands in that slot:
// nothing of the machine. sbd on the host reads the slot and resets the machine, or its watchdog does when it cannot read;
// both have happened when msgwait has passed since the pill was written (sbd(8); slot_msg in sbd-md.c sleeps so long). So
// the only proof is a pill that was not there before, written by us, and msgwait.
const (
	defaultSBD = "/usr/sbin/sbd" // --sbd_path of fence_sbd
	// pillMargin is what fence_sbd takes beside msgwait: it starts sbd some times, which opens each disk. A choice.
	pillMargin = 15 * time.Second
	maxMsgwait = 10 * time.Minute // a choice: nobody waits longer for a VM
)

// errOldPill is not worth another attempt: nothing that follows can make it a proof.
var errOldPill = errors.New("its slot on the disk holds an off or reset that was there before, which says nothing about the host; see for yourself that the host is off, then oneft resume INCIDENT --confirm-off (sbd on the host clears the slot when it starts)")

// pill makes fence_sbd reset the host, and waits as long as that needs.
func (w *work) pill(ctx context.Context, d *device) error {
	msgwait, err := w.msgwait(ctx, d)
	if err != nil {
		return err
	}
	if before := w.ask(ctx, d, actionStatus); before.code != exitOn {
		return pillStatus(before)
	}
	d.offTime = msgwait + pillMargin
	start := time.Now()
	done := w.ask(ctx, d, actionOff)
	switch took := time.Since(start); {
	case done.code != 0:
		return fmt.Errorf("off: %w; what its slot says from now on is no proof", done.failed())
	case took < msgwait:
		return fmt.Errorf("off ended after %.1f s, before msgwait (%s) was over, so the host may still run", took.Seconds(), msgwait)
	}
	if status := w.ask(ctx, d, actionStatus); status.code != exitOff {
		return fmt.Errorf("off: %w; but its slot is not off any more: %w", done.failed(), status.failed())
	}
	return nil
}

// pillStatus is why a host whose slot is not clear cannot be reset.
func pillStatus(before answer) error {
	if before.code == exitOff {
		return errOldPill
	}
	return fmt.Errorf("status before off: %w", before.failed())
}

var msgwaitLine = text.Pattern(`(?m)^Timeout \(msgwait\)\s*:\s*([0-9]+)\s*$`)

// msgwait reads how long a pill needs from the header of the disks: the longest, of more than half of them, as many as
// have to be written.
func (w *work) msgwait(ctx context.Context, d *device) (longest time.Duration, err error) {
	disks := strings.Split(d.param("devices"), ",")
	if disks[0] == "" {
		return 0, errors.New("parameter devices is missing: the disks of sbd, separated by commas")
	}
	read := 0
	var errs []error
	for _, disk := range disks {
		one, err := w.msgwaitOf(ctx, cmp.Or(d.param("sbd_path"), defaultSBD), strings.TrimSpace(disk))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		read, longest = read+1, max(longest, one)
	}
	if read <= len(disks)/2 {
		return 0, errors.Join(errs...)
	}
	return longest, nil
}

func (w *work) msgwaitOf(ctx context.Context, sbd, disk string) (time.Duration, error) {
	a := w.exec(ctx, w.settings.Timeout, process.Program{Path: sbd, Args: []string{"-d", disk, "dump"}, Dir: "/", Env: agentEnv()})
	m := msgwaitLine().FindStringSubmatch(a.output)
	if a.code != 0 || m == nil {
		return 0, fmt.Errorf("%s -d %s dump does not tell msgwait: %w", sbd, disk, a.failed())
	}
	seconds, err := strconv.Atoi(m[1])
	if most := int(maxMsgwait / time.Second); err != nil || seconds < 1 || seconds > most {
		return 0, fmt.Errorf("msgwait of %s is %s s: allowed are 1 to %d s", disk, m[1], most)
	}
	return time.Duration(seconds) * time.Second, nil
}

// param is a parameter of an agent, however it is written.
func (d Device) param(name string) string {
	for param, value := range d.Params {
		if plainParam(param) == name {
			return value
		}
	}
	return ""
}
