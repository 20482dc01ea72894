package config

import (
	"slices"
	"strings"
	"testing"
)

// Every key is explained under its own path, in a part, with its example.
func TestExplain(t *testing.T) {
	for _, c := range []struct {
		name  string
		paths []string
		some  []string
	}{
		{Name, pathsOf(t), []string{"wait", "storm.share", "fence[].hosts", "fence[].levels[].devices[].password_file", "notify[].on", "state_dir"}},
		{IsolationName, keysOf(), []string{"strict", "power_off", "run_dir"}},
	} {
		e := Explain(string(exampleOf(t, c.name)))
		var keys []string
		for _, part := range e.Parts {
			if part.Title == "" || len(part.Settings) == 0 {
				t.Errorf("%s: the part %q has %d settings", c.name, part.Title, len(part.Settings))
			}
			for _, s := range part.Settings {
				keys = append(keys, s.Keys...)
				if len(s.Keys) == 0 || len(s.Lines) < len(s.Keys) || strings.Contains(s.Text, "#") {
					t.Errorf("%s: %+v", c.name, s)
				}
				for _, key := range s.Keys {
					last := key[strings.LastIndexByte(key, '.')+1:]
					if !strings.Contains(s.Text, last+":") {
						t.Errorf("%s: %s is explained by %q", c.name, key, s.Text)
					}
				}
			}
		}
		slices.Sort(keys)
		slices.Sort(c.paths)
		if !slices.Equal(keys, c.paths) {
			t.Errorf("%s: explained are %q\nthe reader knows %q", c.name, keys, c.paths)
		}
		for _, key := range c.some {
			if !slices.Contains(keys, key) {
				t.Errorf("%s: %s is not explained", c.name, key)
			}
		}
		if len(e.Intro) < 4 || !strings.HasPrefix(e.Intro[0], "Configuration of ") || slices.Contains(e.Intro[:len(e.Intro)-1], "") {
			t.Errorf("%s: begins with %q", c.name, e.Intro)
		}
	}
}
