package timing

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"one-ft/pkg/wording"
)

// usual are the times of the shipped configuration with the hook line of the README.
func usual() Input {
	return Input{
		Watch: 6 * time.Minute, Cycle: 3 * time.Minute, Fencing: 4 * time.Minute, Lease: 2 * time.Minute, Window: time.Hour, CoolDown: time.Minute,
		GiveUp: 30 * time.Minute, Acting: 10 * time.Minute, Limit: 4 * time.Hour, Attempts: 3, Span: time.Hour, BackOff: 30 * time.Second,
	}
}

func kinds(found []Finding) (all []wording.Kind) {
	for _, f := range found {
		all = append(all, f.What.Kind)
	}
	return all
}

func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Input)
		want   []wording.Kind
	}{
		"as shipped":           {func(*Input) {}, nil},
		"nothing known":        {func(in *Input) { *in = Input{} }, nil},
		"-p 60":                {func(in *Input) { in.Watch = 3 * time.Hour }, []wording.Kind{wording.WatchHides, wording.WatchTooLong}},
		"-p 80":                {func(in *Input) { in.Watch = 4 * time.Hour }, []wording.Kind{wording.HookKilled, wording.WatchHides, wording.WatchTooLong}},
		"-p 75":                {func(in *Input) { in.Watch = 225 * time.Minute }, []wording.Kind{wording.WatchHides, wording.HookShort, wording.WatchTooLong}},
		"half an hour":         {func(in *Input) { in.Watch = 30 * time.Minute }, nil},
		"a little more":        {func(in *Input) { in.Watch = 31 * time.Minute }, []wording.Kind{wording.WatchTooLong}},
		"up to the window":     {func(in *Input) { in.Window = 9*time.Minute + 1 }, nil},
		"short window":         {func(in *Input) { in.Window = 9 * time.Minute }, []wording.Kind{wording.WatchHides}},
		"no TIMEOUT":           {func(in *Input) { in.Limit, in.Watch = 0, 30*time.Minute }, nil},
		"TIMEOUT 60":           {func(in *Input) { in.Limit = time.Minute }, []wording.Kind{wording.HookKilled}},
		"TIMEOUT just enough":  {func(in *Input) { in.Limit = 50 * time.Minute }, nil},
		"TIMEOUT and a storm":  {func(in *Input) { in.Limit = 50*time.Minute - 1 }, []wording.Kind{wording.HookShort}},
		"slow devices":         {func(in *Input) { in.Fencing = 4 * time.Hour }, []wording.Kind{wording.HookKilled}},
		"long cool-down":       {func(in *Input) { in.CoolDown = 30 * time.Minute }, []wording.Kind{wording.StormNoEnd}},
		"cycle as cool-down":   {func(in *Input) { in.GiveUp = 190 * time.Second }, []wording.Kind{wording.StormNoEnd}},
		"give-up in a cycle":   {func(in *Input) { in.GiveUp = 191 * time.Second }, nil},
		"lease behind a watch": {func(in *Input) { in.Lease = 7 * time.Minute }, []wording.Kind{wording.LeaseBehind}},
		"lease without one":    {func(in *Input) { in.Watch = 0 }, nil},
		"back-off too long":    {func(in *Input) { in.BackOff = 20 * time.Minute }, []wording.Kind{wording.BudgetNoEnd}},
		"one attempt":          {func(in *Input) { in.BackOff, in.Attempts = time.Hour, 1 }, nil},
		"no attempt":           {func(in *Input) { in.BackOff, in.Attempts = time.Hour, 0 }, nil},
	} {
		in := usual()
		c.change(&in)
		if got := kinds(Judge(in)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestFixes: what a finding advises ends it, and makes no other.
func TestFixes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		span := rapid.Map(rapid.IntRange(0, 24*60), func(n int) time.Duration { return time.Duration(n) * time.Minute })
		in := Input{Watch: span.Draw(t, "watch"), Cycle: span.Draw(t, "cycle"), Fencing: span.Draw(t, "fencing"), Lease: span.Draw(t, "lease"), Window: span.Draw(t, "window"),
			CoolDown: span.Draw(t, "cool-down"), GiveUp: span.Draw(t, "give-up"), Acting: span.Draw(t, "acting"), Limit: span.Draw(t, "limit"),
			Attempts: rapid.IntRange(0, 100).Draw(t, "attempts"), Span: span.Draw(t, "span"), BackOff: span.Draw(t, "back-off")}
		for _, f := range Judge(in) {
			fixed, value := in, time.Duration(0)
			if len(f.Fix.Args) > 0 {
				value, _ = f.Fix.Args[0].(time.Duration)
			}
			switch f.Fix.Kind {
			case wording.FixTimeout:
				fixed.Limit = time.Duration(f.Fix.Args[0].(int64)) * time.Second
			case wording.FixWindow:
				fixed.Window = value
			case wording.FixGiveUp:
				fixed.GiveUp = value
			case wording.FixBudget:
				fixed.Span = value
			case wording.FixLease:
				fixed.Watch = value
			case wording.FixWatch:
				fixed.Watch = 0
			default:
				t.Fatalf("nothing fixes %v", f.What)
			}
			if after := kinds(Judge(fixed)); slices.Contains(after, f.What.Kind) {
				t.Fatalf("%+v: %v stays after: %v", in, f.What, f.Fix)
			}
		}
	})
}
