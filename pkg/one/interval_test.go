package one

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
		if found != (interval > 0) || interval > MaxInterval*time.Second || found && interval%time.Second != 0 {
			t.Errorf("%q: %s, %v", text, interval, found)
		}
		if found && !strings.Contains(strings.ToUpper(text), "MONITORING_INTERVAL_HOST") {
			t.Errorf("%q: %s, %v", text, interval, err)
		}
	})
}

// TestInterval: monitord.conf is read as monitord reads it; one that cannot be read is said.
func TestInterval(t *testing.T) {
	silent := client(t, "6.10.0", always(200, accepted("<OPENNEBULA_CONFIGURATION/>")))
	for text, want := range map[string]time.Duration{
		"monitoring_interval_host = 15\n": 15 * time.Second, "A = 1 MONITORING_INTERVAL_HOST = 15\n": 15 * time.Second, "MONITORING_INTERVAL_HOST\n= 15\n": 15 * time.Second,
		"MONITORING_INTERVAL_HOST = 15\r\n": 15 * time.Second, "LOG = [ SYSTEM = \"file\", # MONITORING_INTERVAL_HOST = 1\n X = 2 ]\nMONITORING_INTERVAL_HOST = \"20\" # s\n": 20 * time.Second,
		"# MONITORING_INTERVAL_HOST = 1\n": DefaultInterval, "": DefaultInterval, "MONITORING_INTERVAL_HOST = soon\n": DefaultInterval,
	} {
		path := filepath.Join(t.TempDir(), "monitord.conf")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		interval, source, err := silent.Interval(t.Context(), path)
		if interval != want || err != nil || want != DefaultInterval && source != path {
			t.Errorf("%q: %s, %s, %v", text, interval, source, err)
		}
	}
	for path, says := range map[string]string{t.TempDir(): "cannot be read", filepath.Join(t.TempDir(), "none"): "default of monitord"} {
		if interval, source, err := silent.Interval(t.Context(), path); interval != DefaultInterval || !strings.Contains(source, says) || err != nil {
			t.Errorf("%s: %s, %s, %v", path, interval, source, err)
		}
	}
}
