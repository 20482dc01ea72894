package recovery_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// limits are those of these tests.
func limits() recovery.Limits {
	return recovery.Limits{Cleanup: 10 * time.Minute, Settle: recovery.Settle(1, 15), Scheduler: 5 * time.Minute}
}

// onWay is a recreated VM whose last record is on a host.
func onWay(state one.VMState, lcm one.LCMState, host int) recovery.Way {
	return recovery.Way{VM: one.VM{ID: 7, State: state, LCM: lcm, History: []one.Record{{HostID: host}}}, Verb: recovery.VerbRecreate, Failed: 1, Asked: -1, Barred: time.Hour}
}

func TestFollow(t *testing.T) {
	const failed, other = 1, 2
	const turn = "Sun Nov 29 10:27:13 2026: Cannot dispatch VM to any Host. Possible reasons: Not enough capacity in Host or System DS, dispatch limit reached, or limit of free leases reached." // 6.10, live
	word := func(w recovery.Way, now, before string) recovery.Way {
		w.VM.UserTemplate, w.Word = map[string]string{"SCHED_MESSAGE": now}, before
		return w
	}
	for name, test := range map[string]struct {
		way   recovery.Way
		with  func(*recovery.Way)
		turn  recovery.Turn
		stage wording.Wait
	}{
		"clean-up, unproven, waits":                {onWay(one.Active, one.CleanupResubmit, failed), func(w *recovery.Way) { w.In, w.Closed = 9*time.Minute, true }, recovery.TurnWait, wording.WaitCleanup},
		"clean-up, unproven, over the limit":       {onWay(one.Active, one.CleanupResubmit, failed), func(w *recovery.Way) { w.In = 10 * time.Minute }, recovery.TurnStuck, wording.WaitCleanup},
		"clean-up, proven, something is under way": {onWay(one.Active, one.CleanupResubmit, failed), func(w *recovery.Way) { w.In, w.Proven = 9*time.Minute, true }, recovery.TurnWait, wording.WaitCleanup},
		"clean-up, proven, nothing is under way":   {onWay(one.Active, one.CleanupResubmit, failed), func(w *recovery.Way) { w.In, w.Proven, w.Closed = time.Second, true, true }, recovery.TurnCleanup, wording.WaitCleanup},
		"clean-up, proven, others may wait for a thread": {onWay(one.Active, one.CleanupResubmit, failed), func(w *recovery.Way) {
			w.In, w.Barred, w.Proven, w.Closed = 6*time.Minute, 100*time.Millisecond, true, true
		}, recovery.TurnWait, wording.WaitCleanup},
		"clean-up, proven, only just begun":           {onWay(one.Active, one.CleanupResubmit, failed), func(w *recovery.Way) { w.In, w.Proven, w.Closed = 100*time.Millisecond, true, true }, recovery.TurnWait, wording.WaitCleanup},
		"clean-up of the transfer driver":             {onWay(one.Active, one.CleanupResubmit, failed), func(w *recovery.Way) { w.In, w.Proven, w.Closed, w.ByTM = time.Minute, true, true, true }, recovery.TurnWait, wording.WaitCleanup},
		"clean-up, proven, over the limit":            {onWay(one.Active, one.CleanupResubmit, failed), func(w *recovery.Way) { w.In, w.Proven = 10*time.Minute, true }, recovery.TurnCleanup, wording.WaitCleanup},
		"clean-up that was ended a moment ago":        {onWay(one.Active, one.CleanupResubmit, failed), func(w *recovery.Way) { w.In, w.Proven, w.Closed, w.Asked = time.Minute, true, true, time.Second }, recovery.TurnWait, wording.WaitCleanup},
		"clean-up that was ended, and stays":          {onWay(one.Active, one.CleanupResubmit, failed), func(w *recovery.Way) { w.In, w.Proven, w.Closed, w.Asked = time.Minute, true, true, 5*time.Second }, recovery.TurnCleanup, wording.WaitCleanup},
		"pending without a word":                      {onWay(one.Pending, 0, failed), nil, recovery.TurnWait, wording.WaitScheduler},
		"pending without a word for too long":         {onWay(one.Pending, 0, failed), func(w *recovery.Way) { w.In = 5 * time.Minute }, recovery.TurnStuck, wording.WaitScheduler},
		"pending with an old word":                    {word(onWay(one.Pending, 0, failed), "no room", "no room"), func(w *recovery.Way) { w.In = 3 * time.Minute }, recovery.TurnWait, wording.WaitScheduler},
		"pending with a new word":                     {word(onWay(one.Pending, 0, failed), "no room", "old"), nil, recovery.TurnWait, wording.WaitRoom},
		"pending, and not its turn":                   {word(onWay(one.Pending, 0, failed), turn, "old"), func(w *recovery.Way) { w.In = 3 * time.Minute }, recovery.TurnWait, wording.WaitScheduler},
		"pending, and never its turn":                 {word(onWay(one.Pending, 0, failed), turn, "old"), func(w *recovery.Way) { w.In = time.Hour }, recovery.TurnStuck, wording.WaitScheduler},
		"pending with a new word for too long":        {word(onWay(one.Pending, 0, failed), "no room", ""), func(w *recovery.Way) { w.In = 2 * time.Minute }, recovery.TurnStuck, wording.WaitRoom},
		"on hold":                                     {onWay(one.Hold, 0, failed), nil, recovery.TurnStuck, wording.WaitOwner},
		"prolog":                                      {onWay(one.Active, one.Prolog, other), nil, recovery.TurnWait, wording.WaitDisks},
		"boot":                                        {onWay(one.Active, one.Boot, other), nil, recovery.TurnWait, wording.WaitBoot},
		"boot for too long":                           {onWay(one.Active, one.Boot, other), func(w *recovery.Way) { w.In = 10 * time.Minute }, recovery.TurnStuck, wording.WaitBoot},
		"oned has lost the recreate":                  {onWay(one.Active, one.Unknown, failed), func(w *recovery.Way) { w.Unmoved = true }, recovery.TurnAsk, wording.WaitNothing},
		"oned has lost the recreate of one that runs": {onWay(one.Active, one.Running, failed), func(w *recovery.Way) { w.Unmoved = true }, recovery.TurnAsk, wording.WaitNothing},
		"oned has lost the delete":                    {onWay(one.Active, one.Unknown, failed), func(w *recovery.Way) { w.Unmoved, w.Verb = true, recovery.VerbDelete }, recovery.TurnAsk, wording.WaitNothing},
		"a return that has not begun":                 {onWay(one.Active, one.PrologMigrateUnknown, failed), func(w *recovery.Way) { w.Unmoved, w.Verb = true, recovery.VerbReturn }, recovery.TurnWait, wording.WaitDisks},
		"runs elsewhere":                              {onWay(one.Active, one.Running, other), nil, recovery.TurnArrived, wording.WaitNothing},
		"runs on the old host":                        {onWay(one.Active, one.Running, failed), nil, recovery.TurnOldHost, wording.WaitNothing},
		"ended":                                       {onWay(one.Done, 0, failed), nil, recovery.TurnEnded, wording.WaitNothing},
		"deleted":                                     {onWay(one.Done, 0, failed), func(w *recovery.Way) { w.Verb = recovery.VerbDelete }, recovery.TurnArrived, wording.WaitNothing},
		"failed there for the first time":             {onWay(one.Active, one.PrologFailure, other), nil, recovery.TurnAgain, wording.WaitNothing},
		"failed there again":                          {onWay(one.Active, one.PrologFailure, other), func(w *recovery.Way) { w.Again = true }, recovery.TurnFailed, wording.WaitNothing},
		"4.4 failed there":                            {onWay(one.Failed, 0, other), func(w *recovery.Way) { w.Again = true }, recovery.TurnFailed, wording.WaitNothing},
		"moved while it was off":                      {onWay(one.Poweroff, 0, other), func(w *recovery.Way) { w.Verb = recovery.VerbMigrate }, recovery.TurnArrived, wording.WaitNothing},
		"back on its source":                          {onWay(one.Active, one.Running, other), func(w *recovery.Way) { w.Verb = recovery.VerbReturn }, recovery.TurnArrived, wording.WaitNothing},
	} {
		if test.with != nil {
			test.with(&test.way)
		}
		if turn, stage := recovery.Follow(test.way, limits()); turn != test.turn || stage != test.stage {
			t.Errorf("%s: %s, %q; want %s, %q", name, turn, stage, test.turn, test.stage)
		}
	}
}

// TestLimits: each wait ends at its limit, and not a moment before.
func TestLimits(t *testing.T) {
	const failed, other = 1, 2
	room := func(way recovery.Way) recovery.Way {
		way.VM.UserTemplate = map[string]string{"SCHED_MESSAGE": "no room"}
		return way
	}
	verb := func(way recovery.Way, v recovery.Verb) recovery.Way {
		way.Verb = v
		return way
	}
	quick := limits()
	quick.Scheduler = time.Second
	for name, test := range map[string]struct {
		way    recovery.Way
		limits recovery.Limits
		limit  time.Duration
		stage  wording.Wait
	}{
		"a clean-up without a proof":             {onWay(one.Active, one.CleanupResubmit, failed), limits(), 10 * time.Minute, wording.WaitCleanup},
		"a clean-up of a deleted VM":             {verb(onWay(one.Active, one.CleanupDelete, failed), recovery.VerbDelete), limits(), 10 * time.Minute, wording.WaitCleanup},
		"pending without a word":                 {onWay(one.Pending, 0, failed), limits(), 5 * time.Minute, wording.WaitScheduler},
		"pending, and the scheduler is quick":    {onWay(one.Pending, 0, failed), quick, 2 * time.Minute, wording.WaitScheduler},
		"pending without room":                   {room(onWay(one.Pending, 0, failed)), limits(), 2 * time.Minute, wording.WaitRoom},
		"prolog":                                 {onWay(one.Active, one.Prolog, other), limits(), 30 * time.Minute, wording.WaitDisks},
		"prolog on the host that failed":         {onWay(one.Active, one.Prolog, failed), limits(), 30 * time.Minute, wording.WaitDisks},
		"disks of a migration":                   {verb(onWay(one.Active, one.PrologMigrateUnknown, other), recovery.VerbMigrate), limits(), 30 * time.Minute, wording.WaitDisks},
		"boot":                                   {onWay(one.Active, one.Boot, other), limits(), 10 * time.Minute, wording.WaitBoot},
		"boot of an UNKNOWN VM":                  {verb(onWay(one.Active, one.BootUnknown, other), recovery.VerbBoot), limits(), 10 * time.Minute, wording.WaitBoot},
		"a state of which nothing is known":      {onWay(one.Active, one.Unknown, other), limits(), 10 * time.Minute, wording.WaitNothing},
		"an epilog":                              {onWay(one.Active, one.Epilog, other), limits(), 10 * time.Minute, wording.WaitNothing},
		"a VM that is to be deleted, and runs":   {verb(onWay(one.Active, one.Running, failed), recovery.VerbDelete), limits(), 10 * time.Minute, wording.WaitNothing},
		"a VM that is moved, on the failed host": {verb(onWay(one.Active, one.Running, failed), recovery.VerbMigrate), limits(), 10 * time.Minute, wording.WaitNothing},
	} {
		for in, want := range map[time.Duration]recovery.Turn{test.limit - 1: recovery.TurnWait, test.limit: recovery.TurnStuck} {
			test.way.In = in
			if turn, stage := recovery.Follow(test.way, test.limits); turn != want || stage != test.stage {
				t.Errorf("%s, after %s: %s, %q; want %s, %q", name, in, turn, stage, want, test.stage)
			}
		}
	}
}

// TestOldHost: a VM that was recreated and runs where it ran before has not arrived, however it got there; one whose
// host is fine, and one that runs elsewhere, has.
func TestOldHost(t *testing.T) {
	const failed, other = 1, 2
	for _, test := range []struct {
		verb   recovery.Verb
		host   int
		failed int
		want   recovery.Turn
	}{
		{recovery.VerbRecreate, failed, failed, recovery.TurnOldHost}, {recovery.VerbResumeRecreate, failed, failed, recovery.TurnOldHost},
		{recovery.VerbRecreate, other, failed, recovery.TurnArrived}, {recovery.VerbResumeRecreate, other, failed, recovery.TurnArrived},
		{recovery.VerbRecreate, failed, -1, recovery.TurnArrived}, {recovery.VerbMigrate, failed, failed, recovery.TurnWait},
	} {
		way := onWay(one.Active, one.Running, test.host)
		way.Verb, way.Failed = test.verb, test.failed
		if turn, _ := recovery.Follow(way, limits()); turn != test.want {
			t.Errorf("%s, on host %d, host %d failed: %s, want %s", test.verb, test.host, test.failed, turn, test.want)
		}
	}
}

// TestCleanupNeedsAProof: whatever else is known, a clean-up is ended only with a proof that the machine is off, and only
// when nothing of it can be under way any more.
func TestCleanupNeedsAProof(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := onWay(one.Active, rapid.SampledFrom([]one.LCMState{one.CleanupResubmit, one.CleanupDelete}).Draw(r, "state"), rapid.IntRange(0, 3).Draw(r, "host"))
		w.In = time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(r, "in"))
		w.Proven, w.Closed, w.ByTM = rapid.Bool().Draw(r, "proven"), rapid.Bool().Draw(r, "closed"), rapid.Bool().Draw(r, "by tm")
		w.Barred = time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(r, "barred"))
		w.Asked = time.Duration(rapid.Int64Range(-1, int64(time.Minute)).Draw(r, "asked"))
		l := recovery.Limits{Cleanup: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(r, "limit")), Settle: recovery.Settle(rapid.IntRange(0, 500).Draw(r, "vms"), rapid.IntRange(0, 15).Draw(r, "threads"))}
		turn, _ := recovery.Follow(w, l)
		if turn == recovery.TurnCleanup && (!w.Proven || w.In < l.Cleanup && (!w.Closed || w.ByTM || min(w.In, w.Barred) < l.Settle)) {
			r.Fatalf("ended: %+v with %+v", w, l)
		}
	})
}

func TestCleanupAction(t *testing.T) {
	if a := recovery.CleanupAction(one.VM{State: one.Active, LCM: one.CleanupResubmit}); a != one.RecoverFailure {
		t.Errorf("CLEANUP_RESUBMIT: %s", a)
	}
	if a := recovery.CleanupAction(one.VM{State: one.Active, LCM: one.CleanupDelete}); a != one.Delete {
		t.Errorf("CLEANUP_DELETE: %s", a)
	}
	if a := recovery.CleanupAction(one.VM{State: one.Active, LCM: one.Prolog}); a != "" {
		t.Errorf("PROLOG: %s", a)
	}
}

// TestSettle: up to as many clean-ups as there are threads nothing waits in a queue that nobody can see.
func TestSettle(t *testing.T) {
	for _, test := range []struct {
		vms, threads int
		want         time.Duration
	}{{0, 0, 500 * time.Millisecond}, {1, 1, 500 * time.Millisecond}, {15, 15, 500 * time.Millisecond}, {16, 15, 2 * time.Second}, {40, 1, 59 * time.Second}} {
		if got := recovery.Settle(test.vms, test.threads); got != test.want {
			t.Errorf("%d VMs, %d threads: %s, want %s", test.vms, test.threads, got, test.want)
		}
	}
	if !recovery.CleanedByTM("PROLOG_FAILURE") || !recovery.CleanedByTM("FAILED") || recovery.CleanedByTM("UNKNOWN") || recovery.CleanedByTM("BOOT") {
		t.Error("which driver cleans up")
	}
}
