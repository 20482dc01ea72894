package config

import (
	"fmt"
	"slices"
	"time"
)

// parseFile reads the top of a document.
func parseFile(p place) (File, error) {
	f := File{Path: p.doc.file}
	seen, err := p.mapping(fields{
		"wait":         set(&f.Wait, times(0, longest)),
		"cycles":       set(&f.Cycles, numbers(0, MaxCycles)),
		"confirm":      store(&f.Confirm, listOf("a list of programs with their arguments", argv(exampleProgram))),
		"fencing":      set(&f.Fencing, oneOf(FencingAuto, FencingRequired, FencingOff)),
		"fence_first":  set(&f.FenceFirst, yesNo),
		"fence":        store(&f.Fence, parseFence),
		"quarantine":   set(&f.Quarantine, yesNo),
		"storm":        store(&f.Storm, parseStorm),
		"priority":     store(&f.Priority, parsePriority),
		"budget":       store(&f.Budget, parseBudget),
		"resume":       store(&f.Resume, parseResume),
		"parallel":     set(&f.Parallel, numbers(1, MaxParallel)),
		"timeout":      set(&f.Timeout, times(time.Second, longest)),
		"oned_wait":    set(&f.OnedWait, times(0, longest)),
		"verify":       set(&f.Verify, oneOf(VerifyLeft, VerifyRunning, VerifyNone)),
		"place":        set(&f.Place, yesNo),
		"ssh":          set(&f.SSH, absolute()),
		"endpoint":     set(&f.Endpoint, endpoint),
		"auth_file":    set(&f.AuthFile, absolute()),
		"ca_file":      set(&f.CAFile, absolute()),
		"log_file":     set(&f.LogFile, absolute("-")),
		"state_dir":    set(&f.StateDir, absolute()),
		"notify":       store(&f.Notify, parseNotify),
		"metrics_file": set(&f.MetricsFile, metricsFile),
	})
	if err != nil {
		return File{}, err
	}
	if f.Wait != nil && f.Cycles != nil {
		return File{}, contradiction(seen, "cycles", "wait", "one of both: they say the same thing")
	}
	if v := f.Values(); v.FenceFirst && v.Fencing == FencingOff {
		return File{}, contradiction(seen, "fence_first", "fencing", "fence_first: true only with fencing auto or required")
	}
	return f, nil
}

// contradiction is the error for two keys of a mapping, at the later one.
func contradiction(seen map[string]place, a, b, allowed string) error {
	later, earlier, other := seen[a], seen[b], b
	if later.line < earlier.line {
		later, earlier, other = earlier, later, a
	}
	return later.wrong(allowed, "contradicts %s in line %d", other, earlier.line)
}

// parseStorm reads storm.
func parseStorm(p place) (Storm, error) {
	var s Storm
	seen, err := p.mapping(fields{
		"share":       set(&s.Share, percent),
		"hosts":       set(&s.Hosts, numbers(1, maxStormHosts)),
		"window":      set(&s.Window, times(minStormWindow, longest)),
		"cool_down":   set(&s.CoolDown, times(0, longest)),
		"give_up":     set(&s.GiveUp, times(time.Second, longest)),
		"quiet":       set(&s.Quiet, times(0, maxQuiet)),
		"per_cluster": set(&s.PerCluster, yesNo),
	})
	if err != nil {
		return Storm{}, err
	}
	if v := (File{Storm: s}).Values(); v.StormGiveUp <= v.StormCoolDown {
		// One of them is set: the defaults are in order.
		at, found := seen["give_up"]
		if !found {
			at = seen["cool_down"]
		}
		return Storm{}, at.wrong("a give_up that is longer than cool_down",
			"a storm could never end: give_up is %s, cool_down is %s", short(v.StormGiveUp), short(v.StormCoolDown))
	}
	return s, nil
}

// parsePriority reads priority.
func parsePriority(p place) (Priority, error) {
	var r Priority
	seen, err := p.mapping(fields{
		"min": set(&r.Min, numbers(0, MaxPriority)),
		"max": set(&r.Max, numbers(0, MaxPriority)),
	})
	if err == nil && r.Min != nil && r.Max != nil && *r.Min > *r.Max {
		err = seen["min"].wrong("a min that is not over max", "%d is over max, which is %d", *r.Min, *r.Max)
	}
	return r, err
}

// parseBudget reads budget.
func parseBudget(p place) (BudgetKeys, error) {
	var b BudgetKeys
	_, err := p.mapping(fields{
		"attempts":   set(&b.Attempts, numbers(0, MaxBudgetAttempts)),
		"window":     set(&b.Window, times(time.Minute, longest)),
		"back_off":   set(&b.BackOff, times(time.Second, time.Hour)),
		"ran_well":   set(&b.RanWell, times(time.Minute, longest)),
		"per_minute": set(&b.PerMinute, numbers(1, MaxPerMinute)),
	})
	return b, err
}

// parseFence reads fence, and refuses entries behind one that takes every host.
func parseFence(p place) ([]Entry, error) {
	var catchAll string
	return listOf("a list of entries with hosts or clusters, and levels", func(item place) (Entry, error) {
		e, err := parseEntry(item)
		if err == nil && catchAll != "" {
			err = item.wrong("", "never used: the first entry that matches wins, and %s takes every host", catchAll)
		}
		if slices.Contains(e.Hosts, "*") {
			catchAll = item.key
		}
		return e, err
	})(p)
}

// parseEntry reads one entry of fence.
func parseEntry(p place) (Entry, error) {
	var e Entry
	_, err := p.mapping(fields{
		"hosts":    store(&e.Hosts, listOf(`a list of patterns of host names, such as ["node0*"]`, pattern)),
		"clusters": store(&e.Clusters, listOf("a list of names of clusters, such as [default]", name("the name of a cluster"))),
		"timeout":  store(&e.Timeout, times(time.Second, maxFenceTimeout)),
		"attempts": store(&e.Attempts, numbers(1, maxAttempts)),
		"back_off": store(&e.BackOff, times(time.Second, maxBackOff)),
		"levels":   store(&e.Levels, parseLevels),
	})
	switch {
	case err != nil:
		return e, err
	case e.Hosts == nil && e.Clusters == nil:
		return e, p.wrong("hosts, clusters or both", "it is not said for which hosts")
	case e.Levels == nil:
		return e, p.wrong("one level or more", "no levels")
	}
	return e, nil
}

// parseLevels reads the levels of an entry and gives names to those that have none.
func parseLevels(p place) ([]Level, error) {
	lines := make(map[string]int)
	number := 0
	return listOf("a list of levels, such as [{devices: [{manual: true}]}]", func(item place) (Level, error) {
		number++
		level := Level{Name: fmt.Sprintf("level-%d", number)}
		_, err := item.mapping(fields{
			"name":    store(&level.Name, levelName),
			"devices": store(&level.Devices, listOf("a list of devices, such as [{manual: true}]", parseDevice)),
		})
		switch first, twice := lines[level.Name]; {
		case err != nil:
			return level, err
		case level.Devices == nil:
			return level, item.wrong("one device or more", "no devices")
		case len(level.Devices) > 1 && slices.ContainsFunc(level.Devices, func(d Device) bool { return d.Manual }):
			return level, item.wrong("manual: true alone in its level", "manual beside other devices")
		case len(level.Devices) > 1 && slices.ContainsFunc(level.Devices, func(d Device) bool { return d.Lease > 0 }):
			return level, item.wrong("a lease alone in its level", "lease beside other devices")
		case twice:
			return level, item.wrong("a different name for each level", "the name %q is used in line %d", level.Name, first)
		}
		lines[level.Name] = item.line
		return level, nil
	})(p)
}

// levelName reads the name of a level.
func levelName(p place) (string, error) {
	const most = 32
	allowed := fmt.Sprintf("1 to %d letters, digits, _ and -", most)
	text, err := p.scalar(allowed)
	if err == nil && (!isWord(text) || len(text) > most) {
		err = p.wrong(allowed, "%q is not a name", shortened(text))
	}
	return text, err
}
