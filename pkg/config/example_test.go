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

// examplePath is the example that is installed.
var examplePath = filepath.Join("..", "..", "scripts", Name)

// example is its text.
func example(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// setting is a line of the example that is a setting, commented out: behind its # is
// no space, or at least two. What explains has exactly one.
var setting = regexp.MustCompile(`^#(\S|  )`)

// uncommented is the example with every setting in use, but without the top-level key.
func uncommented(t *testing.T, without string) string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(example(t)) {
		if setting.MatchString(line) && !strings.HasPrefix(line, "#"+without+":") {
			line = line[1:]
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "")
}

// As it is the example changes nothing.
func TestExampleAsItIs(t *testing.T) {
	path := write(t, example(t), 0o644)
	if f, err := LoadNamed(path); err != nil || !reflect.DeepEqual(f, File{Path: path}) {
		t.Errorf("got %+v, %v", f, err)
	}
}

// With every setting in use it is valid, also for everybody to read, and shows the
// defaults where there are any.
func TestExampleUncommented(t *testing.T) {
	for _, without := range []string{"wait", "cycles"} {
		f, err := parse("f", []byte(uncommented(t, without)), 0o644)
		if err != nil {
			t.Fatal(err)
		}
		got, want := f.Values(), Default()
		want.Wait, want.Cycles = got.Wait, got.Cycles
		want.Confirm = [][]string{{"/usr/local/bin/is-alive", "--fast"}}
		want.Verify = VerifyLeft
		want.Endpoint, want.AuthFile, want.CAFile = got.Endpoint, got.AuthFile, got.CAFile
		want.LogFile, want.StateDir = got.LogFile, "/var/lib/one/one-ft"
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
		if (without == "wait") != (f.Wait == nil) || (f.Wait == nil) == (f.Cycles == nil) {
			t.Errorf("without %s: wait %v, cycles %v", without, f.Wait, f.Cycles)
		}
		e := f.Fence[0]
		if e.Timeout != DefaultFenceTimeout || e.Attempts != DefaultFenceAttempts || e.BackOff != DefaultFenceBackOff || len(e.Levels) != 3 {
			t.Errorf("fence: %+v", e)
		}
		roundTrips(t, f)
	}
	refused(t, uncommented(t, "nothing"), private, "f:"+lineWith(t, "#cycles:")+": cycles: contradicts wait in line "+
		lineWith(t, "#wait:")+"; allowed is one of both: they say the same thing")
}

// lineWith is the number of the line of the example that begins so.
func lineWith(t *testing.T, start string) string {
	t.Helper()
	number := 0
	for line := range strings.Lines(example(t)) {
		number++
		if strings.HasPrefix(line, start) {
			return strconv.Itoa(number)
		}
	}
	t.Fatalf("no line begins with %s", start)
	return ""
}

// Every key that the types have is in the example and explained there with its
// default, and the example and the reader know no other.
func TestExampleIsComplete(t *testing.T) {
	text := example(t)
	all := slices.Sorted(slices.Values(keys(reflect.TypeFor[File]())))
	all = slices.Compact(all)
	for _, key := range all {
		at := regexp.MustCompile(`(?m)^# (?:.*\. )?` + key + `: (?:.*\n)(?:# .*\n)*`).FindString(text)
		if !regexp.MustCompile(`(?m)^#( *|  *- |.*\{)` + key + `:`).MatchString(text) {
			t.Errorf("%s is not in the example", key)
		}
		structure := slices.Contains([]string{"fence", "storm", "priority", "levels", "devices", "hosts"}, key)
		if at == "" || !structure && !regexp.MustCompile(`(?i)default:\s`).MatchString(at) {
			t.Errorf("%s is not explained with its default: %q", key, at)
		}
	}
	// The reader knows what the types have: what it does not know it refuses.
	var used []string
	for _, without := range []string{"wait", "cycles"} {
		f, err := parse("f", []byte(uncommented(t, without)), 0o644)
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
