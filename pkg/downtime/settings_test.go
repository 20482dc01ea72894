package downtime

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"one-ft/pkg/one"
	"one-ft/pkg/onedconf"
)

// files reads configuration files that are texts.
func files(texts map[File]string) func(File) ([]onedconf.Attribute, error) {
	return func(f File) ([]onedconf.Attribute, error) {
		text, found := texts[f]
		if !found {
			return nil, fmt.Errorf("open %s: %w", f, fs.ErrNotExist)
		}
		all, _, err := onedconf.Parse(string(f), []byte(text))
		return all, err
	}
}

// TestShipped: for each release, what the table says is shipped is what is in the files that OpenNebula
// ships, or is built in where they do not have it.
func TestShipped(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/shipped.txtar")
	if err != nil {
		t.Fatal(err)
	}
	releases := map[string]map[File]string{}
	for _, f := range archive.Files {
		name, file, _ := strings.Cut(f.Name, "/")
		if releases[name] == nil {
			releases[name] = map[File]string{}
		}
		releases[name][File(file)] = string(f.Data)
	}
	if len(releases) != 18 {
		t.Fatalf("%d releases", len(releases))
	}
	for name, texts := range releases {
		v, err := one.ParseVersion(name)
		if err != nil {
			t.Fatal(err)
		}
		s, problems := Read(v, files(texts))
		if len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
		}
		shipped := ShippedSettings(v)
		for i, got := range s.Values {
			if want := shipped.Values[i]; got.Setting != want.Setting || got.Number != want.Number {
				t.Errorf("%s: %s is %d (%s), the table says %d", name, got.Setting, got.Number, got.Origin, want.Number)
			}
		}
	}
}

// TestTable: each release has each setting once, and knows which way it works.
func TestTable(t *testing.T) {
	for name, want := range map[string]struct {
		plans, beacons bool
		interval       int
		setting        Setting
	}{
		"4.4.1": {false, false, 60, OldInterval}, "5.4.0": {false, false, 60, OldInterval}, "5.6.0": {false, false, 180, HostInterval},
		"5.10.6": {false, false, 180, HostInterval}, "5.12.0": {false, true, 180, HostInterval}, "6.10.0": {false, true, 180, HostInterval},
		"6.99.80": {true, true, 180, HostInterval}, "7.4.1": {true, true, 180, HostInterval}, "8.0.0": {true, true, 180, HostInterval},
	} {
		v, _ := one.ParseVersion(name)
		s := ShippedSettings(v)
		if i := s.Interval(); s.Plans() != want.plans || s.Beacons() != want.beacons || i.Number != want.interval || i.Setting != want.setting {
			t.Errorf("%s: %+v", name, s)
		}
		var seen []Setting
		for _, v := range s.Values {
			if slices.Contains(seen, v.Setting) {
				t.Errorf("%s: %s twice", name, v.Setting)
			}
			seen = append(seen, v.Setting)
		}
	}
}

// TestRead: what is in a file wins, what it does not have is built in, what cannot be read is said.
func TestRead(t *testing.T) {
	v610 := release(6, 10)
	for name, c := range map[string]struct {
		version  one.Version
		texts    map[File]string
		setting  Setting
		want     string
		problems []ProblemKind
	}{
		"lower case":      {v610, map[File]string{FileSched: "", FileMonitord: "monitoring_interval_host = 15\n", FileOned: ""}, HostInterval, "15 configured", nil},
		"behind another":  {v610, map[File]string{FileSched: "", FileMonitord: "A = 1 MONITORING_INTERVAL_HOST = 15\n", FileOned: ""}, HostInterval, "15 configured", nil},
		"next line":       {v610, map[File]string{FileSched: "", FileMonitord: "MONITORING_INTERVAL_HOST\n= 15\n", FileOned: ""}, HostInterval, "15 configured", nil},
		"CRLF":            {v610, map[File]string{FileSched: "MAX_HOST = 7\r\n", FileMonitord: "", FileOned: ""}, MaxHost, "7 configured", nil},
		"commented out":   {v610, map[File]string{FileSched: "#SCHED_INTERVAL = 7\n", FileMonitord: "", FileOned: ""}, SchedInterval, "30 built_in", nil},
		"vector":          {v610, map[File]string{FileSched: "", FileMonitord: "PROBES_PERIOD = [ beacon_host = 10 ]", FileOned: ""}, Beacon, "10 configured", nil},
		"missing":         {v610, map[File]string{FileMonitord: "", FileOned: ""}, SchedInterval, "15 shipped", []ProblemKind{FileMissing}},
		"syntax":          {v610, map[File]string{FileSched: "MAX_HOST = 1 2", FileMonitord: "", FileOned: ""}, MaxHost, "1 shipped", []ProblemKind{FileSyntax}},
		"no number":       {v610, map[File]string{FileSched: "MAX_HOST = many", FileMonitord: "", FileOned: ""}, MaxHost, "1 invalid", []ProblemKind{ValueInvalid}},
		"quotes and CRLF": {v610, map[File]string{FileSched: "MAX_HOST = \"7\"\r\n", FileMonitord: "", FileOned: ""}, MaxHost, "1 invalid", []ProblemKind{ValueInvalid}},
		"zero interval":   {v610, map[File]string{FileSched: "SCHED_INTERVAL = 0", FileMonitord: "", FileOned: ""}, SchedInterval, "30 invalid", []ProblemKind{ValueInvalid}},
		"no limit":        {v610, map[File]string{FileSched: "MAX_DISPATCH = 0", FileMonitord: "", FileOned: ""}, MaxDispatch, "0 configured", nil},
		"too long":        {v610, map[File]string{FileSched: "", FileMonitord: "MONITORING_INTERVAL_HOST = 999999999", FileOned: ""}, HostInterval, "180 invalid", []ProblemKind{ValueInvalid}},
		"driver": {release(5, 10), map[File]string{FileSched: "", FileOned: "IM_MAD = [ NAME = \"collectd\", ARGUMENTS = \"-p 4124 -i 33\" ] IM_MAD = [ NAME = \"kvm\", ARGUMENTS = \"-r 5 -t15 -w 40 kvm\" ]"},
			CommandTimeout, "40 configured", nil},
		"push":           {release(5, 10), map[File]string{FileSched: "", FileOned: "IM_MAD = [ NAME = \"kvm\", ARGUMENTS = \"-i 9\" ] IM_MAD = [ NAME = \"collectd\", ARGUMENTS = \"-p 4124 -i33\" ]"}, Push, "33 configured", nil},
		"no such option": {release(5, 10), map[File]string{FileSched: "", FileOned: "IM_MAD = [ NAME = \"kvm\", ARGUMENTS = \"-r\" ]"}, Retries, "0 built_in", nil},
		"two daemons":    {release(7, 4), map[File]string{FileRank: "", FileMonitord: "MANAGER_TIMER = 3", FileOned: "MANAGER_TIMER = 4"}, MonitordTimer, "3 configured", nil},
		"oned's timer":   {release(7, 4), map[File]string{FileRank: "MAX_HOST = 4", FileMonitord: "MANAGER_TIMER = 3", FileOned: "MANAGER_TIMER = 4"}, ManagerTimer, "4 configured", nil},
		"rank.conf":      {release(7, 4), map[File]string{FileRank: "MAX_HOST = 4", FileMonitord: "", FileOned: ""}, MaxHost, "4 configured", nil},
	} {
		s, problems := Read(c.version, files(c.texts))
		v := s.Get(c.setting)
		if got := fmt.Sprintf("%d %s", v.Number, v.Origin); v.Setting == "" || got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		var kinds []ProblemKind
		for _, p := range problems {
			kinds = append(kinds, p.Kind)
		}
		if !slices.Equal(kinds, c.problems) {
			t.Errorf("%s: %v", name, problems)
		}
	}
	_, problems := Read(v610, func(f File) ([]onedconf.Attribute, error) { return nil, errors.New("input/output error") })
	if len(problems) != 3 || problems[0].Kind != FileUnreadable || path.Ext(string(problems[0].File)) != ".conf" {
		t.Errorf("%v", problems)
	}
}

// FuzzRead: whatever the files are, each setting is there once and within what is believed, and a
// forecast can be made of it.
func FuzzRead(f *testing.F) {
	f.Add("MONITORING_INTERVAL_HOST = 15 SCHED_INTERVAL = 5", uint8(6), uint8(10))
	f.Add("IM_MAD = [ NAME = \"kvm\", ARGUMENTS = \"-r 99999 -w -1\" ] MAX_HOST = 0 MAX_DISPATCH = -1", uint8(5), uint8(10))
	f.Add("SCHED_MAX_WND_TIME = 1 MAX_ACTIONS_PER_HOST = 0 MAX_ACTIONS_PER_CLUSTER = 0", uint8(7), uint8(4))
	f.Fuzz(func(t *testing.T, text string, major, minor uint8) {
		v := release(4+int(major)%5, int(minor)%16)
		s, _ := Read(v, func(f File) ([]onedconf.Attribute, error) {
			all, _, err := onedconf.Parse(string(f), []byte(text))
			return all, err
		})
		for _, v := range s.Values {
			if v.Number < 0 || v.Number > maxCount {
				t.Fatalf("%+v", v)
			}
		}
		for _, failure := range Failures() {
			in := Input{Settings: s, Failure: failure, Disks: []int{1, 2, 3}, Hosts: 2, Proven: true}
			if f := Predict(in); f.Total.Low < 0 || f.Total.High < f.Total.Low {
				t.Fatalf("%+v", f)
			}
			Levers(in, Span{}, failure)
		}
	})
}
