package recovery

import (
	"testing"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

func TestSweepHost(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	told := one.Host{ID: 1, State: one.HostError, LastContact: ago(time.Hour).Unix(), VMs: []int{11, 12}}
	silent := told
	silent.LastContact = 0
	at := func(d time.Duration) *time.Time { t := ago(d); return &t }
	stay := func(ids ...int) (vms []incident.VM) {
		for _, id := range ids {
			vms = append(vms, incident.VM{ID: id, Result: "left"})
		}
		return vms
	}
	old := incident.Record{Number: 1, Status: incident.Done, Began: ago(2 * time.Hour), Ended: at(2 * time.Hour), VMs: stay(11)}
	done := incident.Record{Number: 2, Status: incident.Done, Began: ago(50 * time.Minute), Ended: at(49 * time.Minute), VMs: stay(11, 12)}
	moved := done
	moved.VMs = append(stay(11), incident.VM{ID: 12, Result: "done"})
	refused, unfinished, back, open := done, done, done, done
	refused.Status, unfinished.Status, back.Status, open.Status = incident.Refused, incident.Incomplete, incident.CameBack, incident.Open
	just := unfinished
	just.Ended = at(time.Minute)
	failed := just
	failed.Status = incident.Failed
	ancient := refused
	fresh, stale := told, told
	fresh.LastContact, stale.LastContact = ago(2*time.Minute).Unix(), ago(4*time.Minute).Unix()
	dead := told // it came back, and was not monitored since
	dead.LastContact = back.Began.Unix() - 1
	ancient.Ended = at(25 * time.Hour)
	for name, c := range map[string]struct {
		host one.Host
		past []incident.Record
		want Sweep
	}{
		"no incident":                          {told, nil, SweepMissed},
		"an incident before it was monitored":  {told, []incident.Record{old}, SweepMissed},
		"handled":                              {told, []incident.Record{done, old}, SweepHandled},
		"handled, a VM came back by itself":    {told, []incident.Record{moved}, SweepHandled},
		"handled, a VM was placed there since": {told, []incident.Record{{Number: 2, Status: incident.Done, Began: done.Began, Ended: done.Ended, VMs: stay(11)}}, SweepMissed},
		"a process was stopped":                {told, []incident.Record{open}, SweepContinue},
		"it came back, and failed anew":        {told, []incident.Record{back}, SweepMissed},
		"it came back, and is monitored":       {fresh, []incident.Record{back}, SweepAlive},
		"it came back, and is silent again":    {stale, []incident.Record{back}, SweepMissed},
		"it came back, and nobody heard of it": {dead, []incident.Record{back}, SweepMissed},
		"handled, and is monitored":            {fresh, []incident.Record{done}, SweepMissed},
		"refused":                              {told, []incident.Record{refused}, SweepPerson},
		"left undone":                          {told, []incident.Record{unfinished}, SweepAgain},
		"left undone a minute ago":             {told, []incident.Record{just}, SweepLater},
		"ended with an error a minute ago":     {told, []incident.Record{failed}, SweepAgain},
		"with an error the second time":        {told, []incident.Record{failed, unfinished}, SweepLater},
		"left undone five times":               {told, []incident.Record{unfinished, unfinished, unfinished, unfinished, unfinished}, SweepPerson},
		"left undone in an outage before":      {told, []incident.Record{unfinished, old, old, old, old, old}, SweepAgain},
		"silent: handled":                      {silent, []incident.Record{done}, SweepHandled},
		"silent: a VM that was moved is back":  {silent, []incident.Record{moved}, SweepMissed},
		"silent: refused":                      {silent, []incident.Record{refused}, SweepPerson},
		"silent: refused long ago":             {silent, []incident.Record{ancient}, SweepMissed},
		"silent: came back":                    {silent, []incident.Record{back}, SweepMissed},
		"silent: stopped":                      {silent, []incident.Record{open}, SweepContinue},
		"silent: left undone with other VMs":   {silent, []incident.Record{unfinished}, SweepAgain},
		"silent: handled, nothing known of VM": {silent, []incident.Record{{Number: 3, Status: incident.Done, Began: ago(time.Minute), Ended: at(time.Minute)}}, SweepMissed},
	} {
		if got := SweepHost(c.host, c.past, now); got.Verdict != c.want {
			t.Errorf("%s: %s, want %s", name, got.Verdict, c.want)
		}
	}
	if got := SweepHost(told, []incident.Record{just}, now); !got.At.Equal(just.Ended.Add(5 * time.Minute)) {
		t.Errorf("tried again at %s", got.At)
	}
	if got := SweepHost(told, []incident.Record{just, unfinished, unfinished}, now); !got.At.Equal(just.Ended.Add(20 * time.Minute)) {
		t.Errorf("the third time at %s", got.At)
	}
}

// TestSweepRefused: only where a proof was lacking it is asked again, ever less often, and not for ever.
func TestSweepRefused(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	host := one.Host{ID: 1, State: one.HostError, LastContact: now.Add(-48 * time.Hour).Unix(), VMs: []int{11}}
	refused := func(kind wording.Kind, ended time.Duration, asked, tries int) incident.Record {
		at := now.Add(-ended)
		return incident.Record{Number: 1, Status: incident.Refused, Reason: kind.Name(), Began: at.Add(-time.Minute), Ended: &at, Asked: asked, Tries: tries}
	}
	for name, c := range map[string]struct {
		past incident.Record
		want Sweep
	}{
		"a device failed":            {refused(wording.FencingFailed, time.Minute, 0, 0), SweepAsk},
		"just now":                   {refused(wording.FencingFailed, 20*time.Second, 0, 0), SweepPerson},
		"asked before":               {refused(wording.FencingUnconfirmed, 3*time.Minute, 3, 0), SweepPerson},
		"asked before, and it waits": {refused(wording.FencingUnconfirmed, 5*time.Minute, 3, 0), SweepAsk},
		"asked very often":           {refused(wording.FencingUnconfirmed, 16*time.Minute, 500, 0), SweepAsk},
		"the host answered":          {refused(wording.MonitoringBroken, time.Hour, 2, 0), SweepAsk},
		"tried five times":           {refused(wording.FencingFailed, time.Hour, 4, 4), SweepPerson},
		"a day ago":                  {refused(wording.FencingFailed, 25*time.Hour, 4, 0), SweepPerson},
		"a storm":                    {refused(wording.StormGivenUp, time.Hour, 0, 0), SweepPerson},
		"nowhere to go":              {refused(wording.NowhereGivenUp, time.Hour, 0, 0), SweepPerson},
		"a second opinion":           {refused(wording.OpinionAlive, time.Hour, 0, 0), SweepPerson},
	} {
		if got := SweepHost(host, []incident.Record{c.past}, now); got.Verdict != c.want {
			t.Errorf("%s: %s, want %s", name, got.Verdict, c.want)
		}
	}
}

func TestSweepVM(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	ended := func(d time.Duration) incident.Record {
		at := now.Add(-d)
		return incident.Record{Number: 1, Status: incident.Done, Began: at, Ended: &at}
	}
	unfinished := func(d time.Duration) incident.Record { p := ended(d); p.Status = incident.Incomplete; return p }
	for name, c := range map[string]struct {
		past []incident.Record
		want Sweep
	}{
		"no incident":             {nil, SweepMissed},
		"failed anew":             {[]incident.Record{ended(time.Minute)}, SweepMissed},
		"stopped":                 {[]incident.Record{{Status: incident.Open, Began: now.Add(-48 * time.Hour)}}, SweepContinue},
		"given up just now":       {[]incident.Record{unfinished(time.Minute)}, SweepLater},
		"given up a while ago":    {[]incident.Record{unfinished(time.Hour)}, SweepAgain},
		"given up again":          {[]incident.Record{unfinished(6 * time.Minute), unfinished(time.Hour)}, SweepLater},
		"given up often":          {[]incident.Record{unfinished(3 * time.Hour), unfinished(4 * time.Hour), unfinished(5 * time.Hour), unfinished(6 * time.Hour), unfinished(7 * time.Hour)}, SweepPerson},
		"given up the day before": {[]incident.Record{unfinished(25 * time.Hour)}, SweepMissed},
		"fine in between":         {[]incident.Record{unfinished(6 * time.Minute), ended(time.Hour), unfinished(2 * time.Hour)}, SweepAgain},
	} {
		if got := SweepVM(c.past, now); got.Verdict != c.want {
			t.Errorf("%s: %s, want %s", name, got.Verdict, c.want)
		}
	}
}
