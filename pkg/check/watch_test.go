package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/failfast"
	"one-ft/pkg/statedir"
	"one-ft/pkg/watch"
)

// What oneft watch sees is named, and that it does not run where somebody counts on it.
func TestWatch(t *testing.T) {
	t.Parallel()
	outage := watch.Outage{Host: 2, Name: "node2", Since: noon.Add(-time.Minute), Told: true}
	with := func(change func(*watch.Outage)) watch.Outage {
		o := outage
		change(&o)
		return o
	}
	for name, c := range map[string]struct {
		watch    Watch
		act      time.Duration
		severity Severity
		what     string
	}{
		"not enabled":     {severity: Warning, what: "a host that is frozen is not noticed"},
		"runs":            {watch: Watch{Enabled: true, State: watch.State{At: noon}}, severity: OK, what: "no host is silent"},
		"stopped":         {watch: Watch{Enabled: true, State: watch.State{At: noon.Add(-3 * time.Minute)}}, severity: Warning, what: "is enabled and does not run"},
		"act without it":  {act: 45 * time.Second, severity: Warning, what: "watch.act is set"},
		"silent":          {watch: Watch{State: watch.State{At: noon, Outages: []watch.Outage{outage}}}, severity: Problem, what: "host 2 (node2) does not answer this front-end"},
		"frozen":          {watch: Watch{State: watch.State{At: noon, Outages: []watch.Outage{with(func(o *watch.Outage) { o.Frozen = true })}}}, severity: Problem, what: "host 2 (node2) is frozen"},
		"heard":           {watch: Watch{State: watch.State{At: noon, Outages: []watch.Outage{with(func(o *watch.Outage) { o.Heard = true })}}}, severity: Problem, what: "but oned monitors it"},
		"for seconds":     {watch: Watch{State: watch.State{At: noon, Outages: []watch.Outage{with(func(o *watch.Outage) { o.Told = false })}}}, severity: OK, what: "no host is silent"},
		"of a dead watch": {watch: Watch{State: watch.State{At: noon.Add(-time.Hour), Outages: []watch.Outage{outage}}}, severity: Warning, what: "not enabled"},
		"of the future":   {watch: Watch{Enabled: true, State: watch.State{At: noon.Add(time.Hour), Outages: []watch.Outage{outage}}}, severity: Warning, what: "does not run"},
		"began later":     {watch: Watch{State: watch.State{At: noon, Outages: []watch.Outage{with(func(o *watch.Outage) { o.Since = noon.Add(time.Minute) })}}}, severity: Problem, what: "(in the future: the clocks differ), and oned"},
		"threads":         {watch: Watch{State: watch.State{At: noon}, Hanging: []failfast.Process{{PID: 71}, {PID: 72}}}, severity: Warning, what: "2 restarts of the monitoring hang"},
	} {
		f := good(t, v74)
		f.Watch, f.Values.WatchAct = c.watch, c.act
		found := false
		for _, finding := range Evaluate(f).Findings {
			found = found || finding.Topic == "watch" && finding.Severity == c.severity && strings.Contains(finding.What, c.what)
		}
		if !found {
			t.Errorf("%s: %+v", name, Evaluate(f).Findings)
		}
	}
}

func TestCollectWatch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link := filepath.Join(dir, "etc/systemd/system/multi-user.target.wants/one-ft-watch.service")
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/usr/lib/systemd/system/one-ft-watch.service", link); err != nil {
		t.Fatal(err)
	}
	want := watch.State{At: noon, Outages: []watch.Outage{{Host: 2, Name: "node2", Since: noon, Told: true}}}
	if err := watch.Write(dir, want); err != nil {
		t.Fatal(err)
	}
	c := &collector{Input: Input{Root: dir, State: statedir.Dir(dir)}}
	if got := c.watch(); !got.Enabled || !got.State.At.Equal(noon) || len(got.State.Outages) != 1 || !got.State.Outages[0].Told {
		t.Errorf("%+v", got)
	}
	if err := os.WriteFile(statedir.Dir(dir).Watch(), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := c.watch(); !got.State.At.IsZero() {
		t.Errorf("damaged: %+v", got)
	}
}
