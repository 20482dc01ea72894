package hook

import (
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// hostFlags are flags as host_error has them.
var hostFlags = Flags{
	"r": false, "recreate": false, "d": false, "delete": false, "m": false, "f": false, "u": false,
	"p": true, "wait": true, "json": false, "config": true,
}

func words(line string) []string { return strings.Fields(line) }

// wantUsage checks that err is a UsageError of one clean line holding each part.
func wantUsage(t *testing.T, err error, parts ...string) {
	t.Helper()
	var usage *UsageError
	if !errors.As(err, &usage) {
		t.Fatalf("got error %v (%T), want a *UsageError", err, err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
	checkLine(t, err.Error())
}

// checkLine checks that a message is fit for a terminal and a log.
func checkLine(t *testing.T, line string) {
	t.Helper()
	if line == "" || len(line) > 1200 || printable(line) != line {
		t.Errorf("message is empty, too long (%d bytes) or not one printable line: %q", len(line), line)
	}
}

func TestNormalize(t *testing.T) {
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
		flags, rest, err := Normalize(words(tc.in), hostFlags)
		if err != nil {
			t.Errorf("%q: %v", tc.in, err)
			continue
		}
		if !slices.Equal(flags, words(tc.flags)) || !slices.Equal(rest, words(tc.rest)) {
			t.Errorf("%q: got %q and %q, want %q and %q", tc.in, flags, rest, tc.flags, tc.rest)
		}
	}
}

func TestNormalizeKeepsEmptyWords(t *testing.T) {
	flags, rest, err := Normalize([]string{"", "--config", "", "-r"}, hostFlags)
	if err != nil || !slices.Equal(flags, []string{"--config", "", "-r"}) || !slices.Equal(rest, []string{""}) {
		t.Errorf("got %q, %q, %v", flags, rest, err)
	}
}

func TestNormalizeErrors(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want []string
	}{
		{"3 --wait --json", []string{`"--wait"`, "needs a value", "--wait=…"}},
		{"3 -r -p", []string{`"-p"`, "needs a value"}},
		{"3 -rp", []string{`"-p"`, "needs a value"}},
		{"-p -r 3", []string{`"-p"`, "needs a value"}},
		{"-p -- 3", []string{`"-p"`, "needs a value"}},
		{"3 --recrate", []string{`unknown option "--recrate"`, "--help"}},
		{"3 -x", []string{`unknown option "-x"`}},
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
		flags, rest, err := Normalize(words(tc.in), hostFlags)
		wantUsage(t, err, tc.want...)
		if flags != nil || rest != nil {
			t.Errorf("%q: got %q and %q beside the error", tc.in, flags, rest)
		}
	}
}

// parsed is what the real flag parser makes of an argument list.
type parsed struct {
	recreate, full bool
	wait           int
	config         string
	rest           []string
}

func runCLI(t *testing.T, argv []string) parsed {
	t.Helper()
	var got parsed
	app := &cli.App{
		Name: "host_error", Writer: io.Discard, ErrWriter: io.Discard,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "recreate", Aliases: []string{"r"}, Destination: &got.recreate},
			&cli.BoolFlag{Name: "f", Destination: &got.full},
			&cli.IntFlag{Name: "wait", Aliases: []string{"p"}, Destination: &got.wait},
			&cli.StringFlag{Name: "config", Destination: &got.config},
		},
		Action: func(c *cli.Context) error {
			got.rest = c.Args().Slice()
			return nil
		},
	}
	if err := app.Run(argv); err != nil {
		t.Fatalf("%q: %v", argv, err)
	}
	return got
}

// Every order of the same words must give the real flag parser the same result.
func TestNormalizeForTheFlagParser(t *testing.T) {
	groups := [][]string{{"5"}, {"-r"}, {"n"}, {"-p", "-2"}, {"--config=a b"}, {"-f"}}
	want := parsed{recreate: true, full: true, wait: -2, config: "a b"}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rnd.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
		line := slices.Concat(groups...)
		flags, rest, err := Normalize(line, hostFlags)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		got := runCLI(t, Argv([]string{"host_error"}, flags, rest))
		slices.Sort(got.rest)
		if !slices.Equal(got.rest, []string{"5", "n"}) {
			t.Fatalf("%q: positionals %q", line, got.rest)
		}
		got.rest = nil
		if got.recreate != want.recreate || got.full != want.full || got.wait != want.wait || got.config != want.config {
			t.Fatalf("%q: got %+v, want %+v", line, got, want)
		}
	}
}

// The reason for Normalize: without it the flags behind the ID are lost.
func TestFlagParserAloneStopsAtTheID(t *testing.T) {
	if got := runCLI(t, []string{"host_error", "5", "-r", "n"}); got.recreate {
		t.Error("the flag parser now reads flags behind positionals: Normalize may go")
	}
}

func TestArgvForSubcommands(t *testing.T) {
	var wait int
	var rest []string
	app := &cli.App{Name: "oneft", Writer: io.Discard, Commands: []*cli.Command{{
		Name:  "resume",
		Flags: []cli.Flag{&cli.IntFlag{Name: "p", Destination: &wait}},
		Action: func(c *cli.Context) error {
			rest = c.Args().Slice()
			return nil
		},
	}}}
	flags, positionals, err := Normalize(words("resume 12 -p 4"), hostFlags)
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Run(Argv([]string{"oneft", positionals[0]}, flags, positionals[1:])); err != nil {
		t.Fatal(err)
	}
	if wait != 4 || !slices.Equal(rest, []string{"12"}) {
		t.Errorf("got -p %d and %q", wait, rest)
	}
}

func TestOneOf(t *testing.T) {
	r, d, m := Choice{Flag: "-r"}, Choice{Flag: "-d"}, Choice{Flag: "-m"}
	_, err := OneOf("action", r, d, m)
	wantUsage(t, err, "no action given", "-r, -d, -m")
	d.Set = true
	if got, err := OneOf("action", r, d, m); got != "-d" || err != nil {
		t.Errorf("got %q, %v; want -d", got, err)
	}
	r.Set = true
	got, err := OneOf("action", r, d, m)
	wantUsage(t, err, "more than one action", "-r, -d)")
	if got != "" {
		t.Errorf("got %q beside the error", got)
	}
}

// FuzzNormalize: sorting twice changes nothing, no word is lost or invented,
// and no flag is left among the positionals.
func FuzzNormalize(f *testing.F) {
	for _, line := range []string{"3 -r n", "-rfp2 3", "3 --wait=4 -p -1", "-r -- -d 3 --", "--wait --json", "- -1 -x", "-p -", "--config  3"} {
		f.Add(strings.ReplaceAll(line, " ", "\n"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		in := strings.Split(text, "\n")
		flags, rest, err := Normalize(in, hostFlags)
		if err != nil {
			wantUsage(t, err)
			return
		}
		again, restAgain, err := Normalize(Argv(nil, flags, rest), hostFlags)
		if err != nil || !slices.Equal(flags, again) || !slices.Equal(rest, restAgain) {
			t.Fatalf("%q: %q and %q, sorted again %q and %q (%v)", in, flags, rest, again, restAgain, err)
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
