package install

import (
	"fmt"
	"strings"
	"testing"
)

// pool puts hooks as oned writes them into a pool.
func pool(hooks ...string) string { return "<HOOK_POOL>" + strings.Join(hooks, "") + "</HOOK_POOL>" }

// recorded is a hook as that version of oned wrote it.
func recorded(t testing.TB, version string) string {
	return strings.TrimSpace(string(example(t, "hook-"+version+".xml")))
}

func TestParsePool(t *testing.T) {
	for _, version := range []string{"5.10", "6.10", "7.4"} {
		want := `{5 ha-stdin state map[ARGUMENTS:$TEMPLATE -m -p 5 ARGUMENTS_STDIN:yes COMMAND:ft/host_error.rb REMOTE:NO RESOURCE:HOST STATE:ERROR]}`
		if version == "5.10" {
			want = `{0 host_error state map[ARGUMENTS:$TEMPLATE -r COMMAND:/usr/share/one/hooks/host_error REMOTE:NO RESOURCE:HOST STATE:ERROR]}`
		}
		for _, document := range []string{recorded(t, version), pool(recorded(t, version)), "<?xml version=\"1.0\"?>\n" + pool(recorded(t, version)) + "\n"} {
			hooks, err := ParsePool(document)
			if err != nil || len(hooks) != 1 || fmt.Sprint(hooks[0]) != want {
				t.Errorf("%s: %v, %v\nwant %s", version, hooks, err, want)
			}
			if hooks[0].trigger() != "HOST/ERROR" {
				t.Errorf("%s: waits for %q", version, hooks[0].trigger())
			}
		}
	}
	for document, want := range map[string]string{
		"<HOOK_POOL/>": "[]",
		pool("<HOOK><ID>1</ID><NAME>a</NAME><TYPE>api</TYPE><TEMPLATE><CALL>one.vm.info</CALL></TEMPLATE></HOOK>", recorded(t, "6.10")): "[1 5]",
		pool("<HOOK><ID>7</ID><TEMPLATE/></HOOK>"):                                                                       "[7]",
		pool("<HOOK><ID>8</ID><NAME>\xff\x01\x1b</NAME><TEMPLATE><A><![CDATA[\x02]]></A></TEMPLATE></HOOK>"):             "[8]",
		pool("<HOOK><ID>9</ID><TEMPLATE><V><B>1</B></V><A>1</A><A>2</A></TEMPLATE><HOOKLOG><ID>3</ID></HOOKLOG></HOOK>"): "[9]",
	} {
		hooks, err := ParsePool(document)
		ids := []int{}
		for _, h := range hooks {
			ids = append(ids, h.ID)
		}
		if err != nil || fmt.Sprint(ids) != want {
			t.Errorf("%q: %v, %v", document, ids, err)
		}
		if strings.Contains(document, "<V>") && fmt.Sprint(hooks[0].Attributes) != "map[A:1]" {
			t.Errorf("%v", hooks[0])
		}
	}
}

func TestParsePoolErrors(t *testing.T) {
	for document, part := range map[string]string{
		"":                                  "cut off",
		"HOOK":                              "cut off",
		"<HOOK_POOL>":                       "cut off",
		pool("<HOOK><ID>1</ID>"):            "no plain element",
		pool("<HOOK><NAME>x</NAME></HOOK>"): "without an ID",
		pool("<HOOK><ID>-1</ID></HOOK>"):    "without an ID",
		pool("<HOOK><ID>x</ID></HOOK>"):     "hook pool",
		"<VM_POOL/>":                        "VM_POOL",
		pool("<VM/>"):                       "VM",
		pool(pool()):                        "HOOK_POOL",
		strings.Repeat(" ", maxSize+1):      "4194304",
	} {
		hooks, err := ParsePool(document)
		wantError(t, err, part)
		if hooks != nil {
			t.Errorf("%q: %v beside the error", document[:min(len(document), 50)], hooks)
		}
	}
}

// FuzzParsePool: no panic, and whatever is in a pool can be planned and judged, in
// printable lines, without touching hooks of others.
func FuzzParsePool(f *testing.F) {
	for _, version := range []string{"5.10", "6.10", "7.4"} {
		f.Add([]byte(pool(recorded(f, version))))
	}
	f.Add([]byte(pool("<HOOK><ID>8</ID><NAME>\xff\x01</NAME><TYPE>state</TYPE><TEMPLATE><FT_HOOK>host_error</FT_HOOK><RESOURCE>HOST</RESOURCE><STATE>ERROR</STATE></TEMPLATE></HOOK>")))
	f.Add([]byte(pool("<HOOK><ID>8</ID><TYPE>state</TYPE><TEMPLATE><COMMAND>vm_failure</COMMAND><TIMEOUT>9999999999999999999999</TIMEOUT></TEMPLATE></HOOK>")))
	wanted := hooksFor(f, all(), v5104)
	facts := Facts{Version: v5104, Dir: DefaultDir, Executable: func(path string) error { return fmt.Errorf("no %s", path) }}
	f.Fuzz(func(t *testing.T, document []byte) {
		hooks, err := ParsePool(string(document))
		if err != nil {
			wantError(t, err)
			return
		}
		for _, finding := range LintPool(hooks, facts) {
			wantError(t, fmt.Errorf("%s %s", finding.What, finding.Fix))
		}
		changes, err := Plan(hooks, wanted, facts)
		if err != nil {
			wantError(t, err)
			return
		}
		for _, c := range changes {
			wantError(t, fmt.Errorf("%s", c))
			for _, h := range hooks {
				if c.ID == h.ID && !h.ours(facts.Dir) {
					ours := 0
					for _, same := range hooks {
						if same.ID == h.ID && same.ours(facts.Dir) {
							ours++
						}
					}
					if ours == 0 {
						t.Fatalf("%s, which is not ours", c)
					}
				}
			}
		}
	})
}
