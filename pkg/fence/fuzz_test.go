package fence

import (
	"encoding/base64"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// attributesOf reads NAME=VALUE lines, so that a fuzzer can write a template.
func attributesOf(text string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		all[name] = strings.ReplaceAll(value, `\n`, "\n")
	}
	return all
}

// inOneLine reports whether text is fit for a log.
func inOneLine(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// fuzzSecret is a value that is in nothing else.
const fuzzSecret = "hunter2!Zq"

// FuzzTemplate: whoever may write a host template gets no program run and no file read but a fence
// agent and a file of the directory for secrets, the agent reads what was meant, and the error
// names an attribute, in one line without any secret.
func FuzzTemplate(f *testing.F) {
	for _, text := range []string{
		"FENCE_AGENT=fence_ipmilan\nFENCE_IP=10.0.0.11\nFENCE_USER=admin\nFENCE_PASSWORD_FILE=node1\nFENCE_LANPLUS=1",
		"FENCE_AGENT=fence_apc\nFENCE_PLUG=1,2\nFENCE_AGENT_2=fence_ipmilan\nFENCE_IP_2=[fe80::1]\nFENCE_IPPORT_2=623",
		"FENCE_LEASE=60\nFENCE_LEASE_REACTION=45\nFENCE_MANUAL=yes", "FENCE_LEASE=99999999999999999999", "FENCE_LEASE_REACTION=1", "FENCE_IP=10.0.0.1",
		"FENCE_COMMAND=/bin/sh", "FENCE_IPMITOOL_PATH=/bin/sh", "FENCE_PORT=1", "FENCE_ACTION=on", "FENCE_AGENT=../x", "FENCE_PASSWORD_FILE=../shadow",
		"FENCE_IP=a\\nagent=x", "FENCE_AGENT_01=x", "FENCE_AGENT_10=x", "fence_agent=fence_ipmilan\nFENCE_LOGIN=a\nFENCE_USERNAME=b", "FENCE_\x1b_PATH=1",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		template := attributesOf(text)
		template["FENCE_PASSWORD"] = fuzzSecret
		levels, err := FromTemplate(template)
		if err != nil {
			where, _, _ := strings.Cut(err.Error(), ": ")
			switch {
			case !strings.HasPrefix(strings.ToUpper(where), "HOST TEMPLATE, FENCE_"):
				t.Errorf("%v names no attribute", err)
			case !inOneLine(err.Error()) || strings.Contains(err.Error(), fuzzSecret):
				t.Errorf("%q", err)
			case !errors.Is(err, ErrNoAgent) && len(levels) > 0:
				t.Errorf("%d levels beside %v", len(levels), err)
			}
		}
		if len(levels) > maxTemplateLevels+2 {
			t.Errorf("%d levels", len(levels))
		}
		if err := Check(levels); err != nil {
			t.Errorf("what was taken cannot be used: %v", err)
		}
		for _, level := range levels {
			for _, d := range level.Devices {
				fromTemplate(t, d)
			}
		}
	})
}

// fromTemplate checks what a device of a template may be.
func fromTemplate(t *testing.T, d Device) {
	if d.Kind == KindCommand || strings.ContainsAny(d.Agent+d.SecretFile, "/\x00") || d.Kind == KindAgent && !strings.HasPrefix(d.Agent, "fence_") {
		t.Errorf("%+v", d)
	}
	if label := d.String(); !inOneLine(label) || strings.Contains(label, fuzzSecret) {
		t.Errorf("%q", label)
	}
	if d.Kind != KindAgent {
		return
	}
	lines := strings.Split(string(agentProgram(&device{Device: d}, actionOff).Stdin), "\n")
	if len(lines) != len(d.Params)+2 || lines[0] != "action=off" || lines[len(lines)-1] != "" {
		t.Errorf("the agent gets %q", lines)
	}
	for i, name := range slices.Sorted(maps.Keys(d.Params)) {
		if lines[i+1] != name+"="+d.Params[name] || runsPrograms(name) {
			t.Errorf("the agent gets %q for %s", lines[i+1], name)
		}
	}
}

// FuzzPromise: what a host says of its own lease is a time or refused in one line.
func FuzzPromise(f *testing.F) {
	for _, text := range []string{"FT_LEASE=60\nFT_LEASE_REACTION=48\nFT_LEASE_ARMED=YES", "FT_LEASE=60", "FT_LEASE=-1", "FT_LEASE=9223372036854775807", "FT_LEASE_ARMED=no", "FT_LEASE= 5 "} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, found, err := TemplatePromise(attributesOf(text))
		if err != nil && !inOneLine(err.Error()) {
			t.Errorf("%q", err)
		}
		if err == nil && found && (p.Lease <= 0 || p.Reaction < 0) {
			t.Errorf("%+v", p)
		}
		if err == nil && found && (Lease{Length: p.Lease, Reaction: p.Reaction}).Covers(p) == nil && p.Lease+p.Reaction >= drift {
			t.Errorf("a wait without a margin covers %+v", p)
		}
	})
}

// FuzzSaid: whatever an agent prints around the secret, in whatever form, and wherever its output
// is cut off, what is shown is one short line without the secret.
func FuzzSaid(f *testing.F) {
	f.Add(fuzzSecret, "Failed: password='", "' was refused\n", uint16(0), false)
	f.Add("abc", "a", "bc abc", uint16(2), true)
	f.Add(`a"b\c'd`, "x\x1b[2J", "\xff", uint16(30), true)
	f.Add("pässwörd", strings.Repeat("y", 390), "\r\n\r\n", uint16(3), false)
	f.Add("  two words", "Authorization: Basic ", "=", uint16(0), false)
	f.Add("aaaa", "aa", "aaa", uint16(1), true)
	f.Fuzz(func(t *testing.T, secret, before, after string, cut uint16, cutOff bool) {
		// What stands for a secret or a part that was left out may not be a part of it by itself.
		if secret == "" || strings.ContainsAny(secret, "*…/") || len(secret) > maxSecret || checkParam("password", secret) != nil {
			return
		}
		m := newMasker([]Device{{Kind: KindAgent, Params: map[string]string{"password": secret}}})
		forms := append(slices.Clone(m.forms), secret)
		for _, form := range forms {
			output := before + form + after
			if cutOff {
				output = output[:max(0, len(output)-int(cut))]
			}
			said := m.said(output, cutOff)
			if !inOneLine(said) || utf8.RuneCountInString(said) > maxSaid+len(maskText)+3 {
				t.Fatalf("%q", said)
			}
			if strings.Contains(said, secret) && !strings.Contains(said, "(withheld") {
				t.Fatalf("%q is in %q", secret, said)
			}
			if len(secret) >= shortSecret && strings.Contains(said, base64.StdEncoding.EncodeToString([]byte(secret))) && len(secret) > 8 {
				t.Fatalf("%q is in %q in base64", secret, said)
			}
		}
	})
}

// FuzzSecretFile: a file holds one line that an agent reads as it is, or an error that says nothing
// of it.
func FuzzSecretFile(f *testing.F) {
	for _, text := range []string{fuzzSecret, fuzzSecret + "\n", fuzzSecret + "\r\n", "\n", "", "a\nb\n", " a", `"quoted"`, "a\x00b", "\ufeff" + fuzzSecret, strings.Repeat("x", maxSecret+1)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "node1"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		secret, err := readSecret(filepath.Join(dir, "node1"))
		if err != nil {
			// The word must be longer than what an error says of its own.
			if word := strings.TrimSpace(text); secret != "" || len(word) > 12 && strings.Contains(err.Error(), word) {
				t.Errorf("%q beside %v", secret, err)
			}
			return
		}
		if secret == "" || len(secret) > maxSecret || strings.TrimRight(text, "\r\n") != strings.TrimRight(secret, "\r\n") || strings.ContainsAny(secret, "\n\x00") {
			t.Errorf("%q becomes %q", text, secret)
		}
	})
}
