package fence

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// hard is a secret that looks different in every quoting.
const hard = `pä's\w"ö&d <1>%`

// TestSecretReachesTheAgentOnly looks at what the system shows of a running agent.
func TestSecretReachesTheAgentOnly(t *testing.T) {
	t.Parallel()
	g := newGear(t)
	proof, err := Prove(t.Context(), theHost, g.settings(level(with(g.agent("bmc", "fence_spy"), "password", hard))))
	if err != nil {
		t.Fatal(err)
	}
	if got := g.read("bmc", "password"); got != hard {
		t.Fatalf("the agent got the password %q", got)
	}
	pid, group, _ := strings.Cut(g.read("bmc", "group"), " ")
	if pid != group {
		t.Errorf("process %s is in group %s, not in one of its own", pid, group)
	}
	cmdline, environ := g.read("bmc", "cmdline"), g.read("bmc", "environ")
	if lines := strings.Split(cmdline, "\n"); len(lines) != 2 {
		t.Errorf("arguments: %q", cmdline)
	}
	var names []string
	for line := range strings.Lines(environ) {
		name, _, _ := strings.Cut(line, "=")
		names = append(names, name)
	}
	if got := strings.Join(names, " "); got != "PATH LANG PYTHONWARNINGS" {
		t.Errorf("environment: %s", got)
	}
	for where, text := range map[string]string{"arguments": cmdline, "environment": environ, "events": g.told(), "proof": proof.String()} {
		if strings.Contains(text, hard) {
			t.Errorf("the secret is in the %s", where)
		}
	}
}

// TestSecretIsEchoed has an agent print its input in many forms.
func TestSecretIsEchoed(t *testing.T) {
	for _, secret := range []string{hard, "s3cret", "abcdefgh", "xy", "1", "it's", strings.Repeat("long ", 60) + "end"} {
		t.Run(secret[:min(8, len(secret))], func(t *testing.T) {
			t.Parallel()
			g := newGear(t)
			// The path of the device must not contain a short secret by chance.
			d := Device{Kind: KindAgent, Agent: "fence_echo", Params: map[string]string{"ip": "HOST", "username": "admin", "password": secret}}
			_, err := Prove(t.Context(), theHost, g.settings(level(d)))
			if err == nil {
				t.Fatal("proven")
			}
			// What the agent said, without what this package says itself.
			told := strings.ReplaceAll(err.Error()+g.told(), "exit code 1", "")
			for _, form := range append(SecretForms(secret), base64.StdEncoding.EncodeToString([]byte("admin:"+secret))) {
				if len(secret) >= shortSecret && strings.Contains(told, form) {
					t.Errorf("%q is in %q", form, told)
				}
			}
			if len(secret) < shortSecret && !strings.Contains(told, "withheld") {
				t.Errorf("a short secret was not withheld: %q", told)
			}
			if len(secret) >= shortSecret && !strings.Contains(told, "password=****") {
				t.Errorf("nothing is left of the output: %q", told)
			}
		})
	}
}

func TestSecretFile(t *testing.T) {
	t.Parallel()
	g := newGear(t)
	write := func(name, text string, mode os.FileMode) {
		path := filepath.Join(g.dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("good", hard+"\n", 0o600)
	write("dos", hard+"\r\n", 0o640)
	write("open", hard, 0o644)
	write("empty", "\n", 0o600)
	write("lines", "s3cret-one\ns3cret-two\n", 0o600)
	write("big", strings.Repeat("s3cret-", 1000), 0o600)
	for _, c := range []struct{ file, says string }{
		{"good", ""}, {"dos", ""}, {filepath.Join(g.dir, "good"), ""},
		{"open", "chmod"}, {"empty", "one line"}, {"lines", "more than one line"}, {"big", "one line"},
		{"none", "does not exist"}, {g.dir, "not a file"},
	} {
		d := g.agent("bmc", "fence_spy")
		d.SecretFile = c.file
		_, err := Prove(t.Context(), theHost, g.settings(level(d)))
		switch {
		case c.says == "" && err != nil:
			t.Errorf("%s: %v", c.file, err)
		case c.says == "" && g.read("bmc", "password") != hard:
			t.Errorf("%s: the password is %q", c.file, g.read("bmc", "password"))
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "s3cret-")):
			t.Errorf("%s: %v", c.file, err)
		}
	}
}

// A command gets the XML of its host, with what an admin wrote into the template, and
// may print it.
func TestSecretInTheXML(t *testing.T) {
	t.Parallel()
	g := newGear(t)
	dir := g.path("bmc")
	g.write("bmc", "fails", "9")
	for pad := range 3 {
		host := Host{ID: 4, Template: map[string]string{"FENCE_PASSWORD": "s3cret-in-xml"}}
		host.XML = fmt.Appendf(nil, "<HOST>%s<FENCE_PASSWORD>s3cret-in-xml</FENCE_PASSWORD><FENCE_IP>%s</FENCE_IP></HOST>", strings.Repeat("x", pad), dir)
		_, err := Prove(t.Context(), host, g.settings(level(siteCommand(t))))
		told := g.told() + err.Error()
		if !strings.Contains(told, "<FENCE_PASSWORD>****<") {
			t.Fatalf("the output is missing: %q", told)
		}
		for _, form := range base64Forms("s3cret-in-xml") {
			if strings.Contains(told, form) {
				t.Errorf("%q is in %q", form, told)
			}
		}
		if strings.Contains(told, "s3cret-in-xml") {
			t.Errorf("the secret is in %q", told)
		}
	}
}

// A cut through a secret must not leave its beginning.
func TestSecretAtTheCut(t *testing.T) {
	m := newMasker([]Device{{Params: map[string]string{"password": "s3cret-word"}}})
	if got := m.said("said: s3cret-wor", true); strings.Contains(got, "s3c") {
		t.Errorf("half a secret: %q", got)
	}
}

func TestOutputIsFitForALog(t *testing.T) {
	got := newMasker(nil).said("\n  one \r\n\x1b[31mred\x1b[0m\n\n\ttwo\xff\u202e\x00\n", false)
	if want := `one / \x1b[31mred\x1b[0m / two\xff\u202e\x00`; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := newMasker(nil).said(strings.Repeat("ä", 100000), true); len([]rune(got)) > maxSaid+3 {
		t.Errorf("%d characters", len([]rune(got)))
	}
}

// TestMaskProperty puts secrets anywhere into text, in any form.
func TestMaskProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[a-zA-Z0-9 '"\\<>&%$äß/+-]{4,40}`).Draw(t, "secret")
		m := newMasker([]Device{{Params: map[string]string{"password": secret, "username": "admin"}}})
		forms := SecretForms(secret)
		var b strings.Builder
		for range rapid.IntRange(1, 4).Draw(t, "times") {
			b.WriteString(rapid.StringMatching(`[ -~\n]{0,5}`).Draw(t, "before"))
			b.WriteString(rapid.SampledFrom(forms).Draw(t, "form"))
		}
		masked := m.clean(b.String())
		for _, form := range forms {
			if strings.Contains(masked, form) {
				t.Fatalf("%q is in %q", form, masked)
			}
		}
	})
}
