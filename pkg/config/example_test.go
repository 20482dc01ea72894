package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// example is the text of an example that is installed.
type example string

// exampleOf reads the example with this name.
func exampleOf(t *testing.T, name string) example {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "scripts", name))
	if err != nil {
		t.Fatal(err)
	}
	return example(text)
}

// setting is a line of an example that is a setting, commented out: behind its # is
// no space, or at least two. What explains has exactly one.
var setting = regexp.MustCompile(`^#(\S|  )`)

// uncommented is the example with every setting in use, but without these top-level
// keys, each in one line.
func (e example) uncommented(without ...string) string {
	var lines []string
	for line := range strings.Lines(string(e)) {
		out := slices.ContainsFunc(without, func(key string) bool { return strings.HasPrefix(line, "#"+key+":") })
		if setting.MatchString(line) && !out {
			line = line[1:]
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "")
}

// lineWith is the number of the line that begins so.
func (e example) lineWith(t *testing.T, start string) string {
	t.Helper()
	number := 0
	for line := range strings.Lines(string(e)) {
		number++
		if strings.HasPrefix(line, start) {
			return strconv.Itoa(number)
		}
	}
	t.Fatalf("no line begins with %s", start)
	return ""
}

// isComplete checks that each of these keys is in the example and explained there with
// its default, which structures have none of.
func (e example) isComplete(t *testing.T, keys []string, structures ...string) {
	t.Helper()
	for _, key := range keys {
		at := regexp.MustCompile(`(?m)^# (?:.*\. )?` + key + `: (?:.*\n)(?:# .*\n)*`).FindString(string(e))
		if !regexp.MustCompile(`(?m)^#(  +)?(- )?` + key + `:`).MatchString(string(e)) {
			t.Errorf("%s is not in the example", key)
		}
		if at == "" || !slices.Contains(structures, key) && !regexp.MustCompile(`(?i)default:\s`).MatchString(at) {
			t.Errorf("%s is not explained with its default: %q", key, at)
		}
	}
}

// fits checks that a terminal of 90 columns shows each line whole.
func (e example) fits(t *testing.T) {
	t.Helper()
	number := 0
	for line := range strings.Lines(string(e)) {
		if number++; len(line) > 90 || strings.TrimRight(line, " \n")+"\n" != line {
			t.Errorf("line %d is too long, or ends with a space: %s", number, line)
		}
	}
}

// As it is the example changes nothing.
func TestExampleAsItIs(t *testing.T) {
	e := exampleOf(t, Name)
	path := write(t, string(e), 0o644)
	if f, err := LoadNamed(path); err != nil || !reflect.DeepEqual(f, File{Path: path}) {
		t.Errorf("got %+v, %v", f, err)
	}
	e.fits(t)
}

// With every setting in use it is valid, also for everybody to read, and shows the
// defaults where there are any.
func TestExampleUncommented(t *testing.T) {
	ex := exampleOf(t, Name)
	for _, without := range []string{"wait", "cycles"} {
		f, err := parse("f", []byte(ex.uncommented(without)), 0o644)
		if err != nil {
			t.Fatal(err)
		}
		got, want := f.Values(), Default()
		want.Wait, want.Cycles = got.Wait, got.Cycles
		want.Confirm = [][]string{{"/usr/local/bin/is-alive", "--fast"}}
		want.Verify, want.TimeoutSet = VerifyLeft, true
		want.Endpoint, want.AuthFile, want.CAFile, want.SSH = got.Endpoint, got.AuthFile, got.CAFile, "/usr/bin/ssh"
		want.LogFile, want.StateDir = got.LogFile, "/var/lib/one/one-ft"
		want.Notify = []Notification{{Command: []string{"/usr/local/bin/tell", "--pager"}, On: DefaultNotifyOn(), Timeout: DefaultNotifyTimeout}}
		want.MetricsFile = "/var/lib/prometheus/node-exporter/one_ft.prom"
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
		if (without == "wait") != (f.Wait == nil) || (f.Wait == nil) == (f.Cycles == nil) {
			t.Errorf("without %s: wait %v, cycles %v", without, f.Wait, f.Cycles)
		}
		e := f.Fence[0]
		if e.Timeout == 0 || e.Attempts == 0 || e.BackOff == 0 || len(e.Levels) != 4 {
			t.Errorf("fence: %+v", e)
		}
		// The front-end waits for as long as the host's defaults may take.
		if lease := e.Levels[2].Devices[0]; lease.Lease != DefaultIsolation().Lease {
			t.Errorf("lease: %+v", lease)
		}
		roundTrips(t, f)
	}
	refused(t, ex.uncommented(), private, "f:"+ex.lineWith(t, "#cycles:")+": cycles: contradicts wait in line "+
		ex.lineWith(t, "#wait:")+"; allowed is one of both: they say the same thing")
}

// Every key that the types have is in the example and explained there with its
// default, and the example and the reader know no other.
func TestExampleIsComplete(t *testing.T) {
	e := exampleOf(t, Name)
	all := keysOf[File]()
	e.isComplete(t, all, "fence", "storm", "priority", "budget", "resume", "levels", "devices", "hosts")
	// The reader knows what the types have: what it does not know it refuses.
	var used []string
	for _, without := range []string{"wait", "cycles"} {
		f, err := parse("f", []byte(e.uncommented(without)), 0o644)
		if err != nil {
			t.Fatal(err)
		}
		used = append(used, setKeys(reflect.ValueOf(f))...)
	}
	slices.Sort(used)
	if used = slices.Compact(used); !slices.Equal(used, all) {
		t.Errorf("set in the example are %v\nthe types have %v", used, all)
	}
}

// keysOf are the keys of a type and of the types in it, sorted.
func keysOf[T any]() []string {
	return slices.Compact(slices.Sorted(slices.Values(keys(reflect.TypeFor[T]()))))
}

// keys are the keys of a type and of the types in it.
func keys(typ reflect.Type) (found []string) {
	switch {
	case typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice:
		return keys(typ.Elem())
	case typ.Kind() != reflect.Struct:
		return nil
	}
	for i := range typ.NumField() {
		key, _, _ := strings.Cut(typ.Field(i).Tag.Get("yaml"), ",")
		if key == "-" {
			continue
		}
		found = append(append(found, key), keys(typ.Field(i).Type)...)
	}
	return found
}

// setKeys are the keys whose fields are not zero.
func setKeys(v reflect.Value) (found []string) {
	switch v.Kind() {
	case reflect.Pointer:
		return setKeys(v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			found = append(found, setKeys(v.Index(i))...)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			if key != "-" && !v.Field(i).IsZero() {
				found = append(append(found, key), setKeys(v.Field(i))...)
			}
		}
	}
	return found
}
