package failover

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"one-ft/pkg/one"
	"one-ft/pkg/onedconf"
)

// FuzzMonitordInterval: a monitord.conf gives a time that can be multiplied, or none.
func FuzzMonitordInterval(f *testing.F) {
	for _, text := range []string{
		"MONITORING_INTERVAL_HOST = 180\n", "# MONITORING_INTERVAL_HOST = 1\nMONITORING_INTERVAL_HOST=\"20\" # s\n", "MONITORING_INTERVAL_HOST = 9223372036854775807",
		"MONITORING_INTERVAL_HOST = -1", "MONITORING_INTERVAL_HOST\n=\n", "LOG = [ SYSTEM = \"file\" ]\nMONITORING_INTERVAL_HOST = 0",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		conf, _, err := onedconf.Parse("monitord.conf", []byte(text))
		interval, found := monitordInterval(conf)
		if found != (interval > 0) || interval > one.MaxInterval*time.Second || found && interval%time.Second != 0 {
			t.Errorf("%q: %s, %v", text, interval, found)
		}
		if found && !strings.Contains(strings.ToUpper(text), "MONITORING_INTERVAL_HOST") {
			t.Errorf("%q: %s, %v", text, interval, err)
		}
	})
}

// intervals is a cloud that does not tell its interval, as since 6.0.
type intervals struct{ Cloud }

func (intervals) MonitoringInterval(context.Context) (int, error) { return 0, nil }

// TestInterval: monitord.conf is read as monitord reads it; one that cannot be read is said.
func TestInterval(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"monitoring_interval_host = 15\n": 15 * time.Second, "A = 1 MONITORING_INTERVAL_HOST = 15\n": 15 * time.Second, "MONITORING_INTERVAL_HOST\n= 15\n": 15 * time.Second,
		"MONITORING_INTERVAL_HOST = 15\r\n": 15 * time.Second, "LOG = [ SYSTEM = \"file\", # MONITORING_INTERVAL_HOST = 1\n X = 2 ]\nMONITORING_INTERVAL_HOST = \"20\" # s\n": 20 * time.Second,
		"# MONITORING_INTERVAL_HOST = 1\n": DefaultInterval, "": DefaultInterval, "MONITORING_INTERVAL_HOST = soon\n": DefaultInterval,
	} {
		path := filepath.Join(t.TempDir(), "monitord.conf")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		interval, source, err := Interval(t.Context(), intervals{}, path)
		if interval != want || err != nil || want != DefaultInterval && source != path {
			t.Errorf("%q: %s, %s, %v", text, interval, source, err)
		}
	}
	for path, says := range map[string]string{t.TempDir(): "cannot be read", filepath.Join(t.TempDir(), "none"): "default of monitord"} {
		if interval, source, err := Interval(t.Context(), intervals{}, path); interval != DefaultInterval || !strings.Contains(source, says) || err != nil {
			t.Errorf("%s: %s, %s, %v", path, interval, source, err)
		}
	}
}

// FuzzClaim: what other front-ends, and whoever may write the template of a host, say in FT_INCIDENT is
// a claim that nothing but one-ft makes, or nothing; it is written again as it was, and shown in a line.
func FuzzClaim(f *testing.F) {
	f.Add(Claim{FrontEnd: "one1-1f3a", Incident: 12, Began: time.Unix(1_700_000_000, 0), Seen: time.Unix(1_700_000_009, 0), Status: "open", Action: "recreate"}.String())
	f.Add("v=1 fe=b n=1 began=1 seen=1 ended=false status=open action=explode idle=true fencing=off verify=- confirm=0")
	f.Add("v=1 fe=$(reboot) n=1")
	f.Add("v=2")
	f.Add(strings.Repeat("\xf5", maxClaim))
	f.Add("v=1 fe=b n=1 began=1 seen=1 ended=false action=delete idle=true fencing=off verify=- confirm=0") // without a status
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseClaim(text)
		if err != nil {
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) || len(err.Error()) > 400 {
				t.Errorf("%q", err)
			}
			return
		}
		if again, err := ParseClaim(c.String()); err != nil || again != c {
			t.Errorf("%+v, then %+v, %v", c, again, err)
		}
		if strings.ContainsAny(c.String(), "\"\n\\") || len(c.String()) > 1000 || strings.ContainsFunc(c.String(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("an attribute cannot hold %q", c)
		}
		if _, found := ClaimOf(one.Host{Template: map[string]string{AttrIncident: text}}); !found {
			t.Errorf("%q is a claim, and not that of a host", text)
		}
	})
}
