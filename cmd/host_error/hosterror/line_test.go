package hosterror

import (
	"strings"
	"testing"
	"time"

	"one-ft/pkg/config"
)

// TestReadLine: the arguments of a hook are read as host_error reads them.
func TestReadLine(t *testing.T) {
	configured := config.Default()
	configured.Cycles = 3
	first := config.Default()
	first.Cycles, first.FenceFirst = 3, true
	for arguments, want := range map[string]struct {
		values          config.Values
		action, fencing string
		watch           time.Duration
		refused         string
	}{
		"$ID -r n -p 2":                          {configured, "recreate", "", 2 * time.Minute, ""},
		"$TEMPLATE -m --pause=60":                {configured, "migrate", "", time.Hour, ""},
		"$ID -dp5 --interval 10s":                {configured, "delete", "", 50 * time.Second, ""},
		"$ID -r n":                               {configured, "recreate", "", 3 * time.Minute, ""},
		"$ID -r n -p 2 --fence-first":            {configured, "recreate", "", 0, ""},
		"$ID -r n -p 4 ":                         {first, "recreate", "", 0, ""},
		"$ID -r n -p 4 --fence-first=false":      {first, "recreate", "", 4 * time.Minute, ""},
		"-r n --wait 90s --fencing required $ID": {configured, "recreate", "required", 90 * time.Second, ""},
		"$ID -r n -u":                            {configured, "recreate", "off", 3 * time.Minute, ""},
		"$ID n --no-fencing":                     {configured, "", "off", 3 * time.Minute, "-r"},
		"$ID -r n -p 2 --wait 1m":                {configured, "recreate", "", 3 * time.Minute, "contradict"},
		"$ID -r n --recreat":                     {configured, "", "", 3 * time.Minute, "--recreat"},
		"-r n -p 2":                              {configured, "recreate", "", 2 * time.Minute, "host"},
	} {
		line, err := ReadLine(t.Context(), strings.Fields(arguments))
		got := line.Watch(want.values, time.Minute)
		if want.refused == "contradict" {
			got = want.watch // which of both is not known
		}
		if line.Action != want.action || line.Fencing != want.fencing || got != want.watch || (err == nil) != (want.refused == "") || err != nil && !strings.Contains(err.Error(), want.refused) {
			t.Errorf("%s: %+v, watched for %s: %v", arguments, line, got, err)
		}
	}
}
