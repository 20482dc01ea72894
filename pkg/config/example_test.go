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

// settingLike is a line of an example that is a setting, commented out: behind its # is
// no space, or at least two. What explains has exactly one.
var settingLike = regexp.MustCompile(`^#(\S|  )`)

// uncommented is the example with every setting in use, but without these top-level
// keys, each in one line.
func (e example) uncommented(without ...string) string {
	var lines []string
	for line := range strings.Lines(string(e)) {
		out := slices.ContainsFunc(without, func(key string) bool { return strings.HasPrefix(line, "#"+key+":") })
		if settingLike.MatchString(line) && !out {
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
	if f, err := Load(path, ""); err != nil || !reflect.DeepEqual(f, File{Path: path}) {
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
		want.Verify, want.TimeoutSet, want.FencingSet = "left", true, true
		want.WatchAct = got.WatchAct
		want.SurveyPort, want.SurveySkip = 16509, []string{"gpu*"}
		want.Endpoint, want.AuthFile, want.CAFile, want.SSH = got.Endpoint, got.AuthFile, got.CAFile, "/usr/bin/ssh"
		want.LogFile, want.StateDir = got.LogFile, "/var/lib/one/one-ft"
		want.Notify = []Notification{{Command: []string{"/usr/local/bin/tell", "--pager"}, On: DefaultNotifyOn(), Timeout: DefaultNotifyTimeout}}
		want.MetricsFile = "/var/lib/prometheus/node-exporter/one_ft.prom"
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
		if (without == "wait") != (got.Wait == 0) || (got.Wait == 0) == (got.Cycles == 0) {
			t.Errorf("without %s: wait %v, cycles %v", without, got.Wait, got.Cycles)
		}
		e := f.Fence[0]
		if e.Timeout == 0 || e.Attempts == 0 || e.Backoff == 0 || len(e.Levels) != 4 {
			t.Errorf("fence: %+v", e)
		}
		// The front-end waits for as long as the host's defaults may take.
		if lease := e.Levels[2].Devices[0]; lease.Lease.Length != DefaultIsolation().Lease {
			t.Errorf("lease: %+v", lease)
		}
		roundTrips(t, f)
	}
	refused(t, ex.uncommented(), private, "f:"+ex.lineWith(t, "#cycles:")+": cycles: contradicts wait in line "+
		ex.lineWith(t, "#wait:")+"; allowed is one of both: they say the same thing")
}

// Every key that the reader knows is in the example and explained there with its default; that the
// example has no other, TestExampleUncommented holds.
func TestExampleIsComplete(t *testing.T) {
	var all []string
	for _, path := range pathsOf(t) {
		all = append(all, path[strings.LastIndexByte(path, '.')+1:])
	}
	if len(all) < 55 {
		t.Errorf("only %d keys were found: %q", len(all), all)
	}
	exampleOf(t, Name).isComplete(t, all, "fence", "storm", "survey", "watch", "put_to_rest", "priority", "budget", "resume", "levels", "devices", "hosts")
}

// pathsOf are the paths of all keys of a one-ft.yaml, such as fence[].levels[].name: the reader lists
// those of a mapping when it gets another thing.
func pathsOf(t *testing.T) (all []string) {
	t.Helper()
	var under func(path, before, after string)
	under = func(path, before, after string) {
		_, err := parse("f", []byte(before+"1"+after), private)
		if err == nil {
			return
		}
		switch _, list, found := strings.Cut(err.Error(), "allowed is a mapping with "); {
		case strings.Contains(err.Error(), "a single value; allowed is a list of ") && !strings.HasSuffix(path, "[]"):
			under(path+"[]", before+"[", "]"+after)
		case found:
			for _, key := range strings.Split(strings.ReplaceAll(list, " or ", ", "), ", ") {
				p := strings.TrimPrefix(path+"."+key, ".")
				all = append(all, p)
				under(p, before+"{"+key+": ", "}"+after)
			}
		}
	}
	under("", "", "")
	return all
}

// keysOf are the keys of an Isolation, sorted.
func keysOf() (found []string) {
	typ := reflect.TypeFor[Isolation]()
	for i := range typ.NumField() {
		if key, _, _ := strings.Cut(typ.Field(i).Tag.Get("yaml"), ","); key != "-" {
			found = append(found, key)
		}
	}
	slices.Sort(found)
	return found
}
