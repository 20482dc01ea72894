package fence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/process"
)

// bench is a directory with agents and secrets, and settings that may run nothing.
type bench struct {
	t        *testing.T
	dir      string
	metadata map[string]string // of agents
}

func newBench(t *testing.T) bench {
	t.Helper()
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	b := bench{t, dir, map[string]string{}}
	b.file("fence_fine", "", 0o755)
	b.file("fence_text", "", 0o644)
	b.file("fence_scsi", "", 0o755)
	b.file("fence_ipmilan", "", 0o755)
	b.file("fence_cut", "", 0o755)
	b.metadata["fence_cut"] = `<?xml version="1.0" ?><resource-agent name="fence_cut"><actions><action name="on" automatic="1"/><action name="off" /><action name="status" /></actions></resource-agent>`
	b.file("fence_root", "", 0o700)
	b.file("secret", "s3cret\n", 0o640)
	b.file("exposed", "s3cret\n", 0o644)
	b.file("empty", "\n", 0o600)
	if err := os.Mkdir(filepath.Join(dir, "fence_dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b bench) file(name, text string, mode os.FileMode) {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	if err := errors.Join(os.WriteFile(path, []byte(text), mode), os.Chmod(path, mode)); err != nil {
		b.t.Fatal(err)
	}
}

func (b bench) settings(levels ...Level) Settings {
	return Settings{Levels: levels, AgentDir: []string{b.dir}, SecretDir: b.dir, Run: func(_ context.Context, _ time.Duration, p process.Program) process.Result {
		if !slices.Equal(p.Args, []string{"-o", "metadata"}) || len(p.Stdin) > 0 {
			b.t.Errorf("%s was run", p.Path)
		}
		return process.Result{Output: b.metadata[filepath.Base(p.Path)]}
	}}
}

func agentOf(name, secret string) Device {
	return Device{Kind: KindAgent, Agent: name, Params: map[string]string{"ip": "10.0.0.11"}, SecretFile: secret}
}

// What is seen of one device, by this process and by the user of the hooks, without running it.
func TestReadyDevice(t *testing.T) {
	b := newBench(t)
	at := func(name string) string { return filepath.Join(b.dir, name) }
	lease := Device{Kind: KindLease, Lease: Lease{Length: time.Minute}}
	nobody := &Account{UID: 65534, GIDs: []int{65534}, Name: "nobody"}
	for _, c := range []struct {
		device   Device
		template string // FT_LEASE of the host, with FT_LEASE_REACTION 40
		as       *Account
		kind     ProblemKind // "" for none
		says     string
	}{
		{agentOf("fence_fine", ""), "", nil, "", ""},
		{agentOf("fence_fine", "secret"), "", nil, "", ""},
		{agentOf("fence_ipmilan", ""), "", nil, "", ""},
		{agentOf("fence_scsi", ""), "", nil, NoProof, "fence_scsi is no proof that the host is off: it cuts off the storage of the host"},
		{agentOf("fence_kdump", ""), "", nil, NoProof, "fence_kdump is no proof that the host is off: it switches nothing off"},
		{agentOf("fence_cut", ""), "", nil, NoProof, "fence_cut is no proof that the host is off: it cuts off storage or a network, not power"},
		{agentOf("fence_none", ""), "", nil, NotInstalled, "fence_none is not installed (package fence-agents)"},
		{agentOf("fence_text", ""), "", nil, NotExecutable, at("fence_text") + " is not executable (mode 0644); chmod it to 0755"},
		{agentOf("fence_dir", ""), "", nil, NotExecutable, at("fence_dir") + " is not a program"},
		{agentOf("fence_root", ""), "", nobody, NotExecutable, "is not executable (mode 0700)"},
		{agentOf("fence_fine", "none"), "", nil, SecretMissing, "secret " + at("none") + " does not exist; write the password into it, mode 0640 or 0600"},
		{agentOf("fence_fine", "exposed"), "", nil, SecretExposed, "everybody can use it (mode 0644); chmod it to 0640 or 0600"},
		{agentOf("fence_fine", "empty"), "", nil, SecretInvalid, "allowed is one line"},
		{agentOf("fence_fine", at("fence_dir")), "", nil, SecretInvalid, "it is not a file"},
		{agentOf("fence_fine", "secret"), "", nobody, SecretUnreadable, "hooks run as nobody and cannot read it; chgrp it to a group of nobody and chmod it to 0640"},
		{agentOf("fence_fine", "secret"), "", &Account{UID: 65534, GIDs: []int{os.Getegid()}, Name: "nobody"}, "", ""},
		{Device{Kind: KindCommand, Command: []string{at("fence_fine"), "-x"}}, "", nil, "", ""},
		{Device{Kind: KindCommand, Command: []string{at("none")}}, "", nil, NotInstalled, at("none") + " does not exist"},
		{Device{Kind: KindCommand, Command: []string{at("fence_text")}}, "", nil, NotExecutable, "is not executable"},
		{lease, "", nil, "", ""},
		{lease, "60", nil, "", ""},
		{lease, "90", nil, LeaseTooShort, "the host needs up to 2m10s"},
		{lease, "soon", nil, LeaseInvalid, "FT_LEASE"},
		{Device{Kind: KindManual}, "", nil, NeedsConfirm, "only an admin can say that the host is off"},
	} {
		host := Host{ID: 3, Name: "node3", Template: map[string]string{}}
		if c.template != "" {
			host.Template["FT_LEASE"], host.Template["FT_LEASE_REACTION"] = c.template, "40"
		}
		problems, usable := Ready(t.Context(), host, b.settings(level(c.device)), c.as)
		if (c.kind == "") != (usable == 1) || usable != 1-len(problems) {
			t.Errorf("%s: %+v, %d usable", c.device, problems, usable)
		}
		if len(problems) == 0 {
			continue
		}
		if p := problems[0]; p.Level != 1 || p.Place != 1 || p.Kind != c.kind || !strings.Contains(p.Detail, c.says) || p.Device != c.device.String() {
			t.Errorf("%s: %+v, want %s: %s", c.device, p, c.kind, c.says)
		}
		if text, err := json.Marshal(problems); err != nil || strings.Contains(string(text), "s3cret") {
			t.Errorf("%s: %s, %v", c.device, text, err)
		}
	}
}

// What Ready refuses is what Prove fails with: one function finds agents and reads secrets for both.
func TestReadyAgreesWithProve(t *testing.T) {
	b := newBench(t)
	for _, d := range []Device{agentOf("fence_none", ""), agentOf("fence_scsi", ""), agentOf("fence_cut", ""), agentOf("fence_text", ""), agentOf("fence_fine", "none"), agentOf("fence_fine", "exposed"), {Kind: KindManual}} {
		s := b.settings(level(d))
		_, err := Prove(t.Context(), theHost, s)
		var failed *FailedError
		if !errors.As(err, &failed) {
			t.Fatalf("%s: %v", d, err)
		}
		problems, _ := Ready(t.Context(), theHost, s, nil)
		p := problems[0]
		if d.Kind != KindManual && !strings.HasSuffix(failed.Errs[0].Error(), ": "+p.Detail) {
			t.Errorf("%s: ready says %q, prove %q", d, p.Detail, failed.Errs[0])
		}
		if p.Kind == NotInstalled && !errors.Is(err, ErrNotInstalled) {
			t.Errorf("%s: %v", d, err)
		}
	}
}

// TestForeseeLease: whether only a lease would prove it, which covers less than a machine that is off.
func TestForeseeLease(t *testing.T) {
	b := newBench(t)
	fine, gone, manual := agentOf("fence_fine", ""), agentOf("fence_none", ""), Device{Kind: KindManual}
	lease := Device{Kind: KindLease, Lease: Lease{Length: time.Minute}}
	for name, c := range map[string]struct {
		levels []Level
		want   bool
	}{
		"lease": {[]Level{level(lease)}, true}, "agent": {[]Level{level(fine)}, false}, "agent, then lease": {[]Level{level(fine), level(lease)}, false},
		"agent that is missing, then lease": {[]Level{level(gone), level(lease)}, true}, "lease, then an admin": {[]Level{level(lease), level(manual)}, true},
	} {
		if o := Foresee(t.Context(), ModeAuto, theHost, b.settings(c.levels...), nil); o.Leased != c.want || o.Verdict != Provable {
			t.Errorf("%s: %s, leased %t", name, o.Verdict, o.Leased)
		}
	}
	waiver, off := WithoutProof(3, "none"), ConfirmedOff(3, "an admin")
	if run := (Proof{made: true, certain: true, lease: true}); !run.Leased() || waiver.Leased() || off.Leased() {
		t.Errorf("%t %t %t", run.Leased(), waiver.Leased(), off.Leased())
	}
}

// Levels are alternatives, the devices of one are not.
func TestForesee(t *testing.T) {
	b := newBench(t)
	fine, gone, manual := agentOf("fence_fine", ""), agentOf("fence_none", ""), Device{Kind: KindManual}
	const missing = "fence_none is not installed (package fence-agents)"
	wrong := errors.New("template of host 3: FENCE_LEASE: no number")
	for name, c := range map[string]struct {
		mode    Mode
		levels  []Level
		err     error
		want    string // verdict, reason, detail
		warning string
	}{
		"off":                     {ModeOff, []Level{level(fine)}, nil, "unproven fencing_off fencing is off", ""},
		"nothing configured":      {ModeAuto, nil, ErrNotConfigured, "unproven not_configured no fencing is configured for this host", ""},
		"but it is required":      {ModeRequired, nil, ErrNotConfigured, "refused not_configured fencing is required, and none is configured for this host", ""},
		"wrong template":          {ModeAuto, nil, wrong, "refused misconfigured " + wrong.Error(), ""},
		"usable":                  {ModeRequired, []Level{level(fine)}, nil, "provable  ", ""},
		"not installed":           {ModeAuto, []Level{level(gone)}, nil, "refused not_ready " + missing, ""},
		"the second level helps":  {ModeAuto, []Level{level(gone), level(fine)}, nil, "provable  ", "level 1: " + missing},
		"also a first one":        {ModeAuto, []Level{level(fine), level(gone)}, nil, "provable  ", "level 2: " + missing},
		"one of two power feeds":  {ModeAuto, []Level{level(fine, gone)}, nil, "refused not_ready " + missing, ""},
		"no level":                {ModeAuto, []Level{level(gone), level(agentOf("fence_text", ""))}, nil, "refused not_ready level 1: " + missing + "; level 2: " + b.dir + "/fence_text is not executable (mode 0644); chmod it to 0755", ""},
		"an admin at the end":     {ModeAuto, []Level{level(fine), level(manual)}, nil, "provable  ", ""},
		"an admin only":           {ModeAuto, []Level{level(manual)}, nil, "refused unconfirmed only an admin can say that the host is off", ""},
		"an admin after a broken": {ModeAuto, []Level{level(gone), level(manual)}, nil, "refused not_ready level 1: " + missing + "; level 2: only an admin can say that the host is off", ""},
	} {
		o := Foresee(t.Context(), c.mode, theHost, b.settings(c.levels...), c.err)
		if got := fmt.Sprintf("%s %s %s", o.Verdict, o.Reason, o.Detail); got != c.want {
			t.Errorf("%s: got  %s\nwant %s", name, got, c.want)
		}
		if o.Warning() != c.warning {
			t.Errorf("%s: warning %q, want %q", name, o.Warning(), c.warning)
		}
	}
}
