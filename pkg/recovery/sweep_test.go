package recovery

import (
	"testing"
	"time"

	"one-ft/pkg/one"
)

func TestSweepHost(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	told := one.Host{ID: 1, State: one.HostError, LastContact: ago(time.Hour).Unix(), VMs: []int{11, 12}}
	silent := told
	silent.LastContact = 0
	old := Past{Number: 1, Began: ago(2 * time.Hour), Ended: ago(2 * time.Hour), Left: []int{11}}
	done := Past{Number: 2, Began: ago(50 * time.Minute), Ended: ago(49 * time.Minute), Left: []int{11, 12}}
	moved := done
	moved.Left = []int{11}
	refused, unfinished, back, open := done, done, done, done
	refused.Refused, unfinished.Unfinished, back.Back, open.Open = true, true, true, true
	just := unfinished
	just.Ended = ago(time.Minute)
	failed := just
	failed.Failed = true
	ancient := refused
	fresh, stale := told, told
	fresh.LastContact, stale.LastContact = ago(2*time.Minute).Unix(), ago(4*time.Minute).Unix()
	dead := told // it came back, and was not monitored since
	dead.LastContact = back.Began.Unix() - 1
	ancient.Ended = ago(25 * time.Hour)
	for name, c := range map[string]struct {
		host one.Host
		past []Past
		want Sweep
	}{
		"no incident":                          {told, nil, SweepMissed},
		"an incident before it was monitored":  {told, []Past{old}, SweepMissed},
		"handled":                              {told, []Past{done, old}, SweepHandled},
		"handled, a VM came back by itself":    {told, []Past{moved}, SweepHandled},
		"a process was stopped":                {told, []Past{open}, SweepContinue},
		"it came back, and failed anew":        {told, []Past{back}, SweepMissed},
		"it came back, and is monitored":       {fresh, []Past{back}, SweepAlive},
		"it came back, and is silent again":    {stale, []Past{back}, SweepMissed},
		"it came back, and nobody heard of it": {dead, []Past{back}, SweepMissed},
		"handled, and is monitored":            {fresh, []Past{done}, SweepMissed},
		"refused":                              {told, []Past{refused}, SweepPerson},
		"left undone":                          {told, []Past{unfinished}, SweepAgain},
		"left undone a minute ago":             {told, []Past{just}, SweepLater},
		"ended with an error a minute ago":     {told, []Past{failed}, SweepAgain},
		"with an error the second time":        {told, []Past{failed, unfinished}, SweepLater},
		"left undone five times":               {told, []Past{unfinished, unfinished, unfinished, unfinished, unfinished}, SweepPerson},
		"left undone in an outage before":      {told, []Past{unfinished, old, old, old, old, old}, SweepAgain},
		"silent: handled":                      {silent, []Past{done}, SweepHandled},
		"silent: a VM that was moved is back":  {silent, []Past{moved}, SweepMissed},
		"silent: refused":                      {silent, []Past{refused}, SweepPerson},
		"silent: refused long ago":             {silent, []Past{ancient}, SweepMissed},
		"silent: came back":                    {silent, []Past{back}, SweepMissed},
		"silent: stopped":                      {silent, []Past{open}, SweepContinue},
		"silent: left undone with other VMs":   {silent, []Past{unfinished}, SweepAgain},
		"silent: handled, nothing known of VM": {silent, []Past{{Number: 3, Began: ago(time.Minute), Ended: ago(time.Minute)}}, SweepMissed},
	} {
		if got := SweepHost(c.host, c.past, now); got.Verdict != c.want {
			t.Errorf("%s: %s, want %s", name, got.Verdict, c.want)
		}
	}
	if got := SweepHost(told, []Past{just}, now); !got.At.Equal(just.Ended.Add(5 * time.Minute)) {
		t.Errorf("tried again at %s", got.At)
	}
	if got := SweepHost(told, []Past{just, unfinished, unfinished}, now); !got.At.Equal(just.Ended.Add(20 * time.Minute)) {
		t.Errorf("the third time at %s", got.At)
	}
}

func TestSweepVM(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	ended := func(d time.Duration) Past { return Past{Number: 1, Began: now.Add(-d), Ended: now.Add(-d)} }
	unfinished := func(d time.Duration) Past { p := ended(d); p.Unfinished = true; return p }
	for name, c := range map[string]struct {
		past []Past
		want Sweep
	}{
		"no incident":             {nil, SweepMissed},
		"failed anew":             {[]Past{ended(time.Minute)}, SweepMissed},
		"stopped":                 {[]Past{{Open: true, Began: now.Add(-48 * time.Hour)}}, SweepContinue},
		"given up just now":       {[]Past{unfinished(time.Minute)}, SweepLater},
		"given up a while ago":    {[]Past{unfinished(time.Hour)}, SweepAgain},
		"given up again":          {[]Past{unfinished(6 * time.Minute), unfinished(time.Hour)}, SweepLater},
		"given up often":          {[]Past{unfinished(3 * time.Hour), unfinished(4 * time.Hour), unfinished(5 * time.Hour), unfinished(6 * time.Hour), unfinished(7 * time.Hour)}, SweepPerson},
		"given up the day before": {[]Past{unfinished(25 * time.Hour)}, SweepMissed},
		"fine in between":         {[]Past{unfinished(6 * time.Minute), ended(time.Hour), unfinished(2 * time.Hour)}, SweepAgain},
	} {
		if got := SweepVM(c.past, now); got.Verdict != c.want {
			t.Errorf("%s: %s, want %s", name, got.Verdict, c.want)
		}
	}
}
