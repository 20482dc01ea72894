package oneftcmd

import (
	"context"
	"slices"

	"one-ft/cmd/host_error/hosterror"
	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/coordinator"
	"one-ft/pkg/drill"
	"one-ft/pkg/install"
	"one-ft/pkg/one"
	"one-ft/pkg/timing"
	"one-ft/pkg/wording"
)

// times finds what makes no sense about the times of the hooks for these hosts, and of the configuration.
func times(ctx context.Context, s app.Session, known []install.Known, hosts []one.Host) (found []timing.Finding) {
	v := s.Config.Values()
	cycle, err := coordinator.Cycle(ctx, s)
	if err != nil {
		cycle = 0 // not known
	}
	fences := coordinator.NewFences(s, nil)
	judge := func(line hosterror.Line, hooks []install.Known) {
		if line.Fencing != "" {
			v.Fencing = line.Fencing
		}
		in := coordinator.Times(v, line.Watch(v, cycle), cycle)
		for _, h := range hosts {
			if h.API() == "" && v.Fencing != config.FencingOff {
				set, err := fences.Settings(h)
				in = coordinator.TimesOf(in, v, drill.Fencing{Settings: set, Err: err})
			}
		}
		in.Limit = coordinator.Limit(hooks)
		for _, f := range timing.Judge(in) {
			f.What = f.What.After(where(f.What, hooks))
			if !slices.ContainsFunc(found, func(g timing.Finding) bool { return g.What.String() == f.What.String() }) {
				found = append(found, f)
			}
		}
	}
	ours := slices.DeleteFunc(slices.Clone(known), func(k install.Known) bool { return !k.RecoversHosts() })
	for _, k := range ours {
		line, _ := hosterror.ReadLine(ctx, k.Words())
		judge(line, []install.Known{k})
	}
	if len(ours) == 0 {
		judge(hosterror.Line{}, nil)
	}
	return found
}

// where names the hook that a finding is about; "" for one about the configuration alone.
func where(m wording.Message, hooks []install.Known) string {
	if len(hooks) == 0 || m.Kind == wording.StormNoEnd || m.Kind == wording.BudgetNoEnd {
		return ""
	}
	return hooks[0].Where
}

// refused finds hooks whose arguments host_error would refuse. That they name no host is found elsewhere.
func refused(ctx context.Context, known []install.Known) (found []install.Finding) {
	for _, k := range known {
		if !k.RecoversHosts() || !slices.ContainsFunc(k.Words(), func(w string) bool { return w == "$ID" || w == "$TEMPLATE" }) {
			continue
		}
		if _, err := hosterror.ReadLine(ctx, k.Words()); err != nil {
			found = append(found, install.Finding{Severity: install.Problem, What: k.Where + ": host_error refuses its arguments, and recovers nothing: " + err.Error(), Fix: "oneft hooks install"})
		}
	}
	return found
}

// severityOf is how bad it is.
func severityOf(f timing.Finding) string {
	if f.What.Level() == wording.Problem {
		return install.Problem
	}
	return install.Warning
}
