package config

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestWithFencing(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":                     {"", "fencing: required\n"},
		"only comments":             {"# mine\n\n#fence: x\n", "# mine\n\n#fence: x\nfencing: required\n"},
		"the example's line":        {"# fencing: auto fences ...\n#fencing: auto\n\n# more\n#wait: 90s\n", "# fencing: auto fences ...\n#fencing: auto\nfencing: required\n\n# more\n#wait: 90s\n"},
		"set with another value":    {"wait: 90s # watch\nfencing:   auto   # as before\n", "wait: 90s # watch\nfencing:   required   # as before\n"},
		"set in quotes":             {"fencing: \"off\" # ä\n", "fencing: required # ä\n"},
		"set in single quotes":      {"fencing: 'auto'\r\nwait: 1s\r\n", "fencing: required\r\nwait: 1s\r\n"},
		"set in a flow":             {"{wait: 1s, fencing: auto, parallel: 3}\n", "{wait: 1s, fencing: required, parallel: 3}\n"},
		"set already":               {"fencing: required\n", "fencing: required\n"},
		"no line break at the end":  {"wait: 90s", "wait: 90s\nfencing: required\n"},
		"Windows' line ends":        {"wait: 90s\r\n", "wait: 90s\r\nfencing: required\r\n"},
		"behind a list":             {"confirm:\n  - [/a, b]\n", "confirm:\n  - [/a, b]\nfencing: required\n"},
		"example's line in a block": {"storm:\n#fencing: auto\n  share: 60%\n", "storm:\n#fencing: auto\n  share: 60%\nfencing: required\n"},
		"behind the document's end": {"wait: 1s\n...\n", "fencing: required\nwait: 1s\n...\n"},
		"with a document's begin":   {"---\nwait: 1s\n", "---\nwait: 1s\nfencing: required\n"},
		"indented":                  {"  wait: 1s\n  parallel: 3\n", "  fencing: required\n  wait: 1s\n  parallel: 3\n"},
		"a flow":                    {"{wait: 1s}\n", ""},
		"wrong":                     {"fensing: auto\n", ""},
		"not YAML":                  {"a: [\n", ""},
	} {
		got, err := WithFencing([]byte(c.text), FencingRequired)
		switch {
		case c.want == "" && err == nil:
			t.Errorf("%s: got %q", name, got)
		case c.want != "" && (err != nil || string(got) != c.want):
			t.Errorf("%s: got %q, %v; want %q", name, got, err, c.want)
		}
		if name == "a flow" && (!errors.Is(err, ErrByHand) || !strings.Contains(err.Error(), "fencing: required")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The file that is shipped gets one line more, where it is explained.
func TestWithFencingInExample(t *testing.T) {
	text, err := os.ReadFile("../../scripts/one-ft.yaml")
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := WithFencing(text, FencingRequired)
	if err != nil || string(fresh) != strings.Replace(string(text), "\n#fencing: auto\n", "\n#fencing: auto\nfencing: required\n", 1) {
		t.Errorf("%v\n%s", err, fresh)
	}
	again, err := WithFencing(fresh, FencingAuto)
	if err != nil || string(again) != strings.Replace(string(text), "\n#fencing: auto\n", "\n#fencing: auto\nfencing: auto\n", 1) {
		t.Errorf("%v\n%s", err, again)
	}
}

// Of any file nothing else changes: what is taken out or put in is one line or one value.
func TestWithFencingKeepsTheRest(t *testing.T) {
	for seed := range *seeds {
		r := rand.New(rand.NewPCG(seed, 3))
		f := random(r)
		set := written(f)
		maps.DeleteFunc(set, func(key string, _ any) bool { return key != "fence_first" && r.IntN(3) == 0 })
		text, err := yaml.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := WithFencing(text, FencingRequired)
		if string(text) == "{}\n" {
			continue // a flow
		}
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		without := func(text []byte) string {
			var kept []string
			for line := range bytes.Lines(text) {
				if !bytes.HasPrefix(line, []byte("fencing:")) {
					kept = append(kept, string(line))
				}
			}
			return strings.Join(kept, "")
		}
		if without(text) != without(fresh) {
			t.Fatalf("seed %d:\n%s\nbecame\n%s", seed, text, fresh)
		}
	}
}

// FuzzWithFencing: what comes out is a valid file that says what it said, and required.
func FuzzWithFencing(f *testing.F) {
	for _, text := range []string{"", "fencing: auto\n", "#fencing: auto\n", "wait: 1s\n...\n", "{}", "ä: 1", "fencing: \"off\"\n", "? fencing\n: auto\n", "fencing:\n  auto\n", "fencing: &a auto\n", "fencing: >-\n  auto\n", "wait: 1s #\u2028fencing: auto"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fresh, err := WithFencing([]byte(text), FencingRequired)
		if err != nil {
			return
		}
		file, err := parse(Name, fresh, 0o600)
		if err != nil || !file.Values().FencingSet || file.Values().Fencing != FencingRequired {
			t.Errorf("%q became %q: %v", text, fresh, err)
		}
		if again, err := WithFencing(fresh, FencingRequired); !errors.Is(err, ErrByHand) && (err != nil || !bytes.Equal(again, fresh)) {
			t.Errorf("%q, and again %q: %v", fresh, again, err)
		}
	})
}
