package one

import (
	"slices"
	"strings"
	"testing"
)

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]Version{"4.4.0": {4, 4, 0, 0}, "4.4": {4, 4, 0, 0}, "5.12.0.4": {5, 12, 0, 4}, "6.10.0-1": {6, 10, 0, 0},
		"7.4.1\n": {7, 4, 1, 0}, "5.4-beta": {5, 4, 0, 0}, "10.0.0": {10, 0, 0, 0}, "5.12.0.4-rc1": {5, 12, 0, 4}, "5.12.0.4.7": {5, 12, 0, 4}, "5.12.0.": {5, 12, 0, 0}} {
		if got, err := ParseVersion(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "7", "7.", "v7.4.1", "latest", "1234.5.6", "-1.2.3", "\x1b[2J", strings.Repeat("9", 1000)} {
		_, err := ParseVersion(text)
		_ = failed(t, err)
	}
	for _, text := range []string{"5.12.6", "5.12.0.5"} {
		if v, err := ParseVersion(text); err != nil || v.String() != text {
			t.Error(v, err)
		}
	}
}

// The columns of the table below.
const (
	byAction   = 1 << iota // delete and recreate by one.vm.action
	recBool                // recover takes a boolean, and there is FAILED
	boots                  // "boot" instead of "resume"
	query                  // vmpool.info with a fifth argument
	set                    // vmpool.infoset
	idle                   // recreate from SUSPENDED and POWEROFF
	reUnknown              // resched from UNKNOWN
	rePoweroff             // resched from POWEROFF
	migrates               // migrate from SUSPENDED and POWEROFF
	newer                  // nobody has measured it
)

func features(d Dialect) (f int) {
	for i, on := range []bool{d.deleteByAction, d.recoverBool && d.HasFailedState && !d.CanRetry(), d.bootAction == "boot", d.poolQuery, d.HasSet,
		d.RecreatesIdle, d.ReschedsUnknown, d.ReschedsPoweroff, d.MigratesIdle, d.Newer} {
		if on {
			f |= byAction << i
		}
	}
	return f
}

// TestDialects is read from OpenNebula's source at the tag of each release:
// signatures in include/RequestManagerVirtualMachine.h and
// include/RequestManagerPoolInfoFilter.h, methods in src/rm/RequestManager.cc, states in
// src/dm/DispatchManagerActions.cc and src/rm/RequestManagerVirtualMachine.cc. Versions
// without a release of their own (4.13.80, 4.90.0, ...) are betas.
func TestDialects(t *testing.T) {
	const v44 = byAction | recBool | boots
	const v410 = v44 | reUnknown
	const v414 = byAction | reUnknown | migrates
	const v50 = reUnknown | migrates
	const v58 = v50 | query
	const v510 = v58 | rePoweroff
	const v5126 = v510 | set
	const v610 = v5126 | idle
	for version, want := range map[string]struct{ features, migrateArgs int }{
		"4.4.0": {v44, 4}, "4.4.1": {v44, 4}, "4.6.0": {v44, 4}, "4.8.0": {v44, 4}, "4.9.80": {v44, 4},
		"4.10.0": {v410, 4}, "4.10.2": {v410, 4}, "4.12.3": {v410, 4},
		"4.13.80": {v414, 5}, "4.13.85": {v414, 5}, "4.14.0": {v414, 5}, "4.14.2": {v414, 5},
		"4.90.0": {v50, 5}, "5.0.0": {v50, 5}, "5.0.2": {v50, 5}, "5.2.1": {v50, 5}, "5.4.0": {v50, 5}, "5.4.15": {v50, 5}, "5.6.2": {v50, 5},
		"5.7.80": {v50, 5}, "5.7.85": {v58, 6}, "5.8.0": {v58, 6}, "5.8.5": {v58, 6},
		"5.9.80": {v510, 6}, "5.10.0": {v510, 6}, "5.10.5": {v510, 6}, "5.11.80": {v510, 6}, "5.12.0": {v510, 6}, "5.12.0.3": {v510, 6}, "5.12.0.4": {v5126, 6}, "5.12.0.5": {v5126, 6},
		"5.12.1": {v510, 6}, "5.12.5": {v510, 6},
		"5.12.6": {v5126, 6}, "5.12.7": {v5126, 6}, "5.12.8": {v5126, 6}, "5.12.13": {v5126, 6}, "5.13.80": {v5126, 6}, "6.0.0": {v5126, 6}, "6.4.7": {v5126, 6}, "6.8.3": {v5126, 6},
		"6.9.80": {v610, 6}, "6.10.0": {v610, 6}, "6.10.5": {v610, 6}, "6.99.80": {v610, 6}, "7.0.0": {v610, 6}, "7.4.0": {v610, 6}, "7.4.1": {v610, 6},
		"7.5.80": {v610 | newer, 6}, "7.6.0": {v610 | newer, 6}, "8.0.0": {v610 | newer, 6}, "10.4.1": {v610 | newer, 6},
	} {
		d := dialectOf(t, version)
		if v, err := ParseVersion(version); err != nil || d.NamesGuests != v.Before(5, 11) || d.HasMonitord == v.Before(5, 11) {
			t.Errorf("%s: DEPLOY_ID is the name of a guest: %t; monitord: %t", version, d.NamesGuests, d.HasMonitord)
		}
		hides := strings.HasPrefix(version, "5.11.") || slices.Contains([]string{"5.12.0", "5.12.0.3", "5.12.0.4", "5.12.0.5", "5.12.1", "5.12.5", "5.12.6", "5.12.7"}, version)
		if d.HidesOldGuests != hides {
			t.Errorf("%s: old guests hidden: %t", version, d.HidesOldGuests)
		}
		if got := features(d); got != want.features || d.migrateArgs != want.migrateArgs || d.Name == "" {
			t.Errorf("%s (%s): features %b, %d arguments of migrate; want %b, %d", version, d.Name, got, d.migrateArgs, want.features, want.migrateArgs)
		}
	}
	for _, old := range []Version{{4, 3, 90, 0}, {4, 2, 0, 9}, {3, 8, 5, 0}, {}} {
		_, err := DialectFor(old)
		is(t, err, ErrTooOld)
	}
}

func TestConnect(t *testing.T) {
	c := client(t, "", always(200, accepted("5.12.0.4")))
	v, d, err := c.Connect(ctx(t))
	if err != nil || v != (Version{5, 12, 0, 4}) || d != c.dialect || !d.HasSet {
		t.Errorf("%v, %+v, %v", v, d, err)
	}
	_, _, err = client(t, "", always(200, accepted("4.2.0"))).Connect(ctx(t))
	is(t, err, ErrTooOld)
	for _, text := range []string{"", "what?"} {
		_, _, err = client(t, "", always(200, accepted(text))).Connect(ctx(t))
		_ = failed(t, err)
	}
	_, _, err = client(t, "", always(200, elements("<boolean>1</boolean>", "<i4>7</i4>", "<i4>0</i4>"))).Connect(ctx(t))
	is(t, err, ErrDamaged)
}

func TestMonitoringInterval(t *testing.T) {
	for version, want := range map[string]int{"4.4": 5, "5.10": 5, "6.10": 0, "7.4": 0} {
		name := "002-"
		if version == "4.4" {
			name = "632-"
		}
		if got, err := playing(t, version, tapeOf(t, version, name+"one.system.config")).MonitoringInterval(ctx(t)); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", version, got, err, want)
		}
	}
	_, err := client(t, "7.4.0", always(200, accepted(""))).MonitoringInterval(ctx(t))
	is(t, err, ErrDamaged)
}

func TestDatastore(t *testing.T) {
	const text = `<DATASTORE><ID>100</ID><NAME>n</NAME><TEMPLATE><SHARED><![CDATA[%s]]></SHARED></TEMPLATE></DATASTORE>`
	for value, want := range map[string]bool{"YES": true, "NO": false, "": false} {
		d, err := client(t, "7.4.0", always(200, accepted(strings.Replace(text, "%s", value, 1)))).Datastore(ctx(t), 100)
		if err != nil || d != (Datastore{ID: 100, Name: "n", Shared: want}) {
			t.Errorf("%q: %+v, %v", value, d, err)
		}
	}
	_, err := client(t, "7.4.0", always(200, accepted("<DATASTORE><NAME>n</NAME></DATASTORE>"))).Datastore(ctx(t), 100)
	is(t, err, ErrDamaged)
}

// TestRecordedDatastores: a fresh OpenNebula has its three datastores.
func TestRecordedDatastores(t *testing.T) {
	for version, name := range map[string]string{"4.4": "636-", "5.10": "006-", "6.10": "035-", "7.4": "035-"} {
		tape := tapeOf(t, version, name+"one.datastorepool.info")
		list, err := ReadPool(ctx(t), playing(t, version, tape), "DATASTORE", (*Element).Datastore, tape.Method)
		found := map[int]Datastore{}
		for _, d := range list {
			found[d.ID] = d
		}
		text := string(tape.Response)
		if err != nil || len(list) != strings.Count(text, "&lt;DATASTORE&gt;") || found[0].Name != "system" || found[1].Name != "default" || found[2].Name != "files" {
			t.Errorf("%s: %+v, %v", version, list, err)
		}
		shared := 0
		for _, d := range list {
			if d.Shared {
				shared++
			}
		}
		if want := strings.Count(text, "&lt;SHARED&gt;&lt;![CDATA[YES]]&gt;"); shared != want {
			t.Errorf("%s: %d shared datastores, want %d", version, shared, want)
		}
	}
}
