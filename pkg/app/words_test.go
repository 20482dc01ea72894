package app

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/hook"
)

// hostFlags are flags as host_error has them.
func hostFlags() []cli.Flag {
	flags := append(StandardFlags(true), &cli.StringFlag{Name: "wait"}, &cli.IntFlag{Name: "p"}, &cli.StringFlag{Name: "config"})
	for _, name := range []string{"r", "recreate", "d", "delete", "m", "f", "u", "json"} {
		flags = append(flags, &cli.BoolFlag{Name: name})
	}
	return flags
}

func words(line string) []string { return strings.Fields(line) }

// readWords is Read with these flags.
func readWords(words []string, flags []cli.Flag) (*cli.Context, error) {
	return Read(context.Background(), &cli.Command{HelpName: "host_error", Flags: flags}, words)
}

// read is Read with hostFlags.
func read(words []string) (options, args []string, err error) {
	c, err := readWords(words, hostFlags())
	if err != nil {
		return nil, nil, err
	}
	return Options(c), c.Args().Slice(), nil
}

// wantUsage checks that err is a UsageError of one clean line holding each part.
func wantUsage(t *testing.T, err error, parts ...string) {
	t.Helper()
	var usage *UsageError
	if !errors.As(err, &usage) {
		t.Fatalf("got error %v (%T), want a *UsageError", err, err)
	}
	line := err.Error()
	for _, part := range parts {
		if !strings.Contains(line, part) {
			t.Errorf("error %q does not say %q", line, part)
		}
	}
	if line == "" || len(line) > 1200 || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("message is empty, too long (%d bytes) or not one printable line: %q", len(line), line)
	}
}

func TestRead(t *testing.T) {
	for _, tc := range []struct{ in, flags, rest string }{
		{"", "", ""},
		{"3", "", "3"},
		{"3 -r n", "-r", "3 n"},
		{"-r n 3", "-r", "n 3"},
		{"3 -d y", "-d", "3 y"},
		{"3 -r -f -p 2", "-r -f -p 2", "3"},
		{"-p 2 3 -r", "-p 2 -r", "3"},
		{"-p=2 3 -r", "-p=2 -r", "3"},
		{"-p2 3 -r", "-p=2 -r", "3"},
		{"3 --recreate --wait 4 n", "--recreate --wait 4", "3 n"},
		{"3 --wait=4 --recreate", "--wait=4 --recreate", "3"},
		{"3 -recreate -wait 4", "-recreate -wait 4", "3"},
		{"3 --r", "--r", "3"},
		{"3 -rf", "-r -f", "3"},
		{"3 -rfp 2 n", "-r -f -p 2", "3 n"},
		{"3 -rfp2 n", "-r -f -p=2", "3 n"},
		{"3 -rp=2", "-r -p=2", "3"},
		{"3 -r=true --json=0", "-r=true --json=0", "3"},
		{"PFZNPjwvVk0+ -m -p 5 -u", "-m -p 5 -u", "PFZNPjwvVk0+"},
		{"3 -p -1", "-p -1", "3"},
		{"3 --wait=--json", "--wait=--json", "3"},
		{"3 --config - -r", "--config - -r", "3"},
		{"3 --config= -r", "--config= -r", "3"},
		{"-1 -r", "-r", "-1"},
		{"- -r", "-r", "-"},
		{"-r -- -d 3", "-r", "-d 3"},
		{"-r -- 3 -- -p", "-r", "3 -- -p"},
		{"3 -r --", "-r", "3"},
		{"3 -h", "-h", "3"},
		{"--help", "--help", ""},
	} {
		flags, rest, err := read(words(tc.in))
		if err != nil {
			t.Errorf("%q: %v", tc.in, err)
			continue
		}
		if !slices.Equal(flags, words(tc.flags)) || !slices.Equal(rest, words(tc.rest)) {
			t.Errorf("%q: got %q and %q, want %q and %q", tc.in, flags, rest, tc.flags, tc.rest)
		}
	}
}

func TestReadKeepsEmptyWords(t *testing.T) {
	flags, rest, err := read([]string{"", "--config", "", "-r"})
	if err != nil || !slices.Equal(flags, []string{"--config", "", "-r"}) || !slices.Equal(rest, []string{""}) {
		t.Errorf("got %q, %q, %v", flags, rest, err)
	}
}

func TestReadErrors(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want []string
	}{
		{"3 --wait --json", []string{`"--wait"`, "needs a value", "--wait=…"}},
		{"3 -r -p", []string{`"-p"`, "needs a value"}},
		{"3 -rp", []string{`"-p"`, "needs a value"}},
		{"-p -r 3", []string{`"-p"`, "needs a value"}},
		{"-p -- 3", []string{`"-p"`, "needs a value"}},
		{"3 --recrate", []string{`unknown option "--recrate"; did you mean --recreate?`}},
		{"3 -x", []string{`unknown option "-x"`, "--help"}},
		{"3 -rx", []string{`unknown option "-rx"`}},
		{"3 --rf", []string{`unknown option "--rf"`}},
		{"3 ---r", []string{`"---r"`, "not an option"}},
		{"3 --=r", []string{"not an option"}},
		{"3 -=", []string{"not an option"}},
		{"3 -r=n", []string{`"-r=n"`, "takes no value"}},
		{"3 --x\x1b[31m\u202e", []string{`\x1b[31m\u202e`}},
		{"3 --" + strings.Repeat("long", 1000), []string{"unknown option", "…"}},
		{"3 -\xff", []string{`unknown option "-\xff"`}},
	} {
		flags, rest, err := read(words(tc.in))
		wantUsage(t, err, tc.want...)
		if flags != nil || rest != nil {
			t.Errorf("%q: got %q and %q beside the error", tc.in, flags, rest)
		}
	}
}

// Every order of the same words gives the same result.
func TestReadInAnyOrder(t *testing.T) {
	groups := [][]string{{"5"}, {"-r"}, {"n"}, {"-p", "-2"}, {"--config=a b"}, {"-f"}}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rnd.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
		line := slices.Concat(groups...)
		c, err := readWords(line, hostFlags())
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		args := slices.Sorted(slices.Values(c.Args().Slice()))
		if !slices.Equal(args, []string{"5", "n"}) || !c.Bool("r") || !c.Bool("f") || c.Bool("u") || c.Int("p") != -2 || c.String("config") != "a b" {
			t.Fatalf("%q: %q, %+v", line, args, c)
		}
	}
}

// TestValues: each type of flag has its values, by all of its names, and says what is wrong with one.
func TestValues(t *testing.T) {
	flags := func() []cli.Flag {
		return []cli.Flag{
			&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}}, &cli.IntFlag{Name: "n", Value: 3}, &cli.Float64Flag{Name: "share"}, &cli.StringFlag{Name: "name", Value: "x"}, &ValuesFlag{Values: []string{"fast", "slow", "never"}, StringFlag: cli.StringFlag{Name: "how"}},
			&cli.DurationFlag{Name: "wait", Aliases: []string{"w"}, Value: time.Second}, &cli.StringSliceFlag{Name: "each", Value: cli.NewStringSlice("first")},
		}
	}
	c, err := readWords(words("-y=false -n 4 --share 0.5 -w 1m --each a,b --each c"), flags())
	if err != nil || c.Bool("yes") || !c.IsSet("yes") || c.Int("n") != 4 || c.Float64("share") != 0.5 || c.String("name") != "x" || c.IsSet("name") ||
		c.Duration("wait") != time.Minute || !slices.Equal(c.StringSlice("each"), []string{"first", "a,b", "c"}) {
		t.Errorf("%v, %+v", err, c)
	}
	if Pick(c, "name", "configured") != "configured" || Pick(c, "n", 9) != 4 || c.NArg() > 0 || c.IsSet("other") || c.Bool("n") {
		t.Error("values of other flags")
	}
	if err := c.Set("name", "y"); err != nil || Pick(c, "name", "configured") != "y" {
		t.Error("Set sets nothing")
	}
	for line, want := range map[string]string{"-n many": "whole number such as 2", "--wait 90": "duration such as 90s", "--share x": "number such as 2.5", "-y=no": "takes no value", "--how so": "--how so: allowed are fast, slow and never"} {
		_, err := readWords(words(line), flags())
		wantUsage(t, err, want)
	}
}

// TestDispatch: a command is found by its words, wherever its options stand; --help and --version say what there is.
func TestDispatch(t *testing.T) {
	var out bytes.Buffer
	ran := ""
	act := func(c *cli.Context) error {
		ran = strings.Join(append([]string{c.Command.HelpName}, c.Args().Slice()...), "|")
		return nil
	}
	program := &cli.Command{Name: "many", Usage: "does things", UsageText: "many list\n\n   More.", Subcommands: []*cli.Command{{
		Name: "list", Usage: "list all", Action: act,
		Subcommands: []*cli.Command{{Name: "show", Usage: "show one", ArgsUsage: "NUMBER", Action: act, Flags: []cli.Flag{
			&cli.StringFlag{Name: "html", Usage: "to `FILE`", DefaultText: "nowhere"}, &cli.BoolFlag{Name: "inner", Hidden: true}}}},
	}}}
	for line, want := range map[string]struct{ ran, out, err string }{
		"list":                 {ran: "many list"},
		"list show 3 --html x": {ran: "many list show|3"},
		"list --html x":        {err: "unknown option"},
		"":                     {out: "COMMANDS:\n   list  list all\n"},
		"-h":                   {out: "USAGE:\n   many list\n\n   More.\n"},
		"other":                {err: `"other" is not a command`},
		"--version":            {out: "many version " + Version() + "\n"},
		"list -v":              {err: "unknown option"},
		"list show 3 --help":   {out: "   many list show [options] NUMBER\n\nOPTIONS:\n   --html FILE  to FILE (default: nowhere)\n   --help, -h   show help\n"},
	} {
		out.Reset()
		ran = ""
		err := Dispatch(t.Context(), program, words(line), &out)
		if want.err != "" {
			wantUsage(t, err, want.err)
		} else if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if ran != want.ran || !strings.Contains(out.String(), want.out) || want.out == "" && out.Len() > 0 {
			t.Errorf("%s: ran %q and printed\n%s", line, ran, out.String())
		}
	}
}

// TestDefaults: a default is shown as the admin would type it; that of a switch only when it is explained.
func TestDefaults(t *testing.T) {
	docs := Docs([]cli.Flag{&cli.BoolFlag{Name: "ssh", DefaultText: "true there"}, &cli.BoolFlag{Name: "all"}, &cli.StringFlag{Name: "dir", Value: "/a b"}, &cli.IntFlag{Name: "n"}})
	for i, want := range []string{"true there", "", "/a b", "0"} {
		if docs[i].Default != want {
			t.Errorf("%q: default %q, want %q", docs[i].Names, docs[i].Default, want)
		}
	}
}

// TestPlainValues: a value is never split or trimmed, and a number is decimal.
func TestPlainValues(t *testing.T) {
	flags := func() []cli.Flag {
		return []cli.Flag{&cli.StringSliceFlag{Name: "each"}, &cli.IntFlag{Name: "pause", Aliases: []string{"p"}}}
	}
	c, err := readWords([]string{"--each", " a, b\xff", "--each=", "-p", "1", "--pause", "010"}, flags())
	if err != nil || !slices.Equal(c.StringSlice("each"), []string{" a, b\xff", ""}) || !c.IsSet("each") || c.Int("pause") != 10 {
		t.Errorf("%v: %q, %d", err, c.StringSlice("each"), c.Int("pause"))
	}
	if c, err := readWords(nil, flags()); err != nil || c.IsSet("each") || c.IsSet("pause") {
		t.Errorf("%v: what was not given is set", err)
	}
	_, err = readWords([]string{"-p0x10"}, flags())
	wantUsage(t, err, "--pause 0x10", "whole number")
}

// TestWholeWay: all forms of one call give the same flags and the same event.
func TestWholeWay(t *testing.T) {
	template := base64.StdEncoding.EncodeToString([]byte("<HOST><ID>3</ID><NAME>host03</NAME></HOST>"))
	flags := func() []cli.Flag {
		return []cli.Flag{&cli.BoolFlag{Name: "recreate", Aliases: []string{"r"}}, &cli.IntFlag{Name: "wait", Aliases: []string{"p"}}}
	}
	for _, line := range []string{
		"3 -r -p 2 n", "-r n 3 -p 2", "n 3 -rp2", "--recreate --wait=2 -- 3 n", template + " -r --wait 2 n", "-p 2 n -r " + template,
	} {
		c, err := readWords(words(line), flags())
		if err != nil {
			t.Fatal(err)
		}
		event, yn, err := hook.Parse(hook.Host, c.Args().Slice())
		if err != nil || event.ID != 3 || yn != hook.No || !c.Bool("recreate") || c.Int("wait") != 2 {
			t.Errorf("%q: got %+v, %q, %v and flags %q", line, event, yn, err, Options(c))
		}
	}
}

func TestOneOf(t *testing.T) {
	choose := func(line string) (string, error) {
		c, err := readWords(words(line), hostFlags())
		if err != nil {
			t.Fatal(err)
		}
		return OneOf(c, "action", "-r", "-d", "--recreate")
	}
	_, err := choose("3 -m -r=false")
	wantUsage(t, err, "no action given", "-r, -d, --recreate")
	for line, want := range map[string]string{"-d 3": "-d", "3 -recreate": "--recreate"} {
		if got, err := choose(line); got != want || err != nil {
			t.Errorf("%s: got %q, %v; want %s", line, got, err, want)
		}
	}
	got, err := choose("-dr")
	wantUsage(t, err, "more than one action", "(-r, -d)")
	if got != "" {
		t.Errorf("got %q beside the error", got)
	}
}

// FuzzRead: reading twice changes nothing, no word is lost or invented,
// and no flag is left among the positionals.
func FuzzRead(f *testing.F) {
	for _, line := range []string{"3 -r n", "-rfp2 3", "3 --wait=4 -p -1", "-r -- -d 3 --", "--wait --json", "- -1 -x", "-p -", "--config  3"} {
		f.Add(strings.ReplaceAll(line, " ", "\n"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		in := strings.Split(text, "\n")
		flags, rest, err := read(in)
		if err != nil {
			wantUsage(t, err)
			return
		}
		again, restAgain, err := read(slices.Concat(flags, []string{"--"}, rest))
		if err != nil || !slices.Equal(flags, again) || !slices.Equal(rest, restAgain) {
			t.Fatalf("%q: %q and %q, read again %q and %q (%v)", in, flags, rest, again, restAgain, err)
		}
		dash := slices.Index(in, "--")
		if dash >= 0 {
			in = slices.Delete(slices.Clone(in), dash, dash+1)
		} else {
			for _, word := range rest {
				if isFlag(word) {
					t.Fatalf("flag %q among the positionals %q", word, rest)
				}
			}
		}
		got := slices.Concat(flags, rest)
		if letters(got) != letters(in) {
			t.Fatalf("%q became %q and %q", in, flags, rest)
		}
	})
}

// letters is what no sorting or splitting of words may change: their sorted
// bytes, without dashes and "=".
func letters(words []string) string {
	all := []byte(strings.Join(words, ""))
	all = slices.DeleteFunc(all, func(b byte) bool { return b == '-' || b == '=' })
	slices.Sort(all)
	return string(all)
}
