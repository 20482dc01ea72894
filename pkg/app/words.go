package app

import (
	"context"
	"flag"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/text"
)

// Read reads the words behind the name of a command by its flags.
//
// Flags may stand anywhere, with one dash or two whatever their length. The value follows as the next
// word or after "=". One-letter flags may be combined, the last one with a value: -rf is -r -f, and
// -rp2 is -r -p=2; a known long name goes first. A switch may say =true or =false. A number such as -1 is never
// a flag. After a bare "--" no word is one. A value is never taken from a word that looks like a flag:
// "--wait --json" is an error, "--wait=--json" is not. A value is never split at commas.
//
// Errors are *UsageError: an unknown flag, a missing or an invalid value.
func Read(ctx context.Context, command *cli.Command, words []string) (*cli.Context, error) {
	r := reader{set: flag.NewFlagSet(command.HelpName, flag.ContinueOnError), flags: map[string]cli.Flag{}}
	r.set.SetOutput(io.Discard)
	for _, f := range command.Flags {
		if err := f.Apply(r.set); err != nil {
			return nil, err
		}
		for _, name := range f.Names() {
			r.flags[name] = f
		}
	}
	args, err := r.sort(words)
	if err == nil {
		err = r.set.Parse(append([]string{"--"}, args...))
	}
	if err != nil {
		return nil, err
	}
	c := cli.NewContext(&cli.App{Metadata: map[string]any{optionsKey: r.options}}, r.set, nil)
	c.Context, c.Command = ctx, command
	return c, nil
}

// optionsKey is where Read leaves Options among what cli carries along.
const optionsKey = "options"

// Options are the words of the flags that were given, in their order, one flag each and its value as the next word or
// behind "=".
func Options(c *cli.Context) []string {
	options, _ := c.App.Metadata[optionsKey].([]string)
	return options
}

// Pick gives a flag that was given, else the value of the configuration.
func Pick[T any](c *cli.Context, flag string, configured T) T {
	if !c.IsSet(flag) {
		return configured
	}
	value, _ := c.Value(flag).(T)
	return value
}

// reader gives flags their values.
type reader struct {
	set     *flag.FlagSet
	flags   map[string]cli.Flag // by each of their names
	options []string
}

// sort gives the flags among the words their values; args are the other words.
func (r *reader) sort(words []string) (args []string, err error) {
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case word == "--":
			return append(args, words[i+1:]...), nil
		case !isFlag(word):
			args = append(args, word)
			continue
		}
		open, err := r.option(word)
		if err != nil {
			return nil, err
		}
		if open == "" {
			continue
		}
		i++
		if i == len(words) || isFlag(words[i]) || words[i] == "--" {
			return nil, Usagef("option %s needs a value; write %s=…", shown(open), open)
		}
		r.options = append(r.options, open, words[i])
		if err := r.give(strings.TrimLeft(open, "-"), words[i]); err != nil {
			return nil, err
		}
	}
	return args, nil
}

// isFlag reports whether a word is meant as a flag: a dash and more, but not a negative number and not "--".
func isFlag(word string) bool {
	return len(word) > 1 && word[0] == '-' && word != "--" && (word[1] < '0' || word[1] > '9')
}

// shown quotes a foreign word for a message.
func shown(word string) string {
	const most = 40 // characters
	return text.Quote(word, most)
}

// option reads a word that is meant as a flag. A flag whose value has to be the next word is returned as open.
func (r *reader) option(word string) (open string, err error) {
	name, value, hasValue := strings.Cut(strings.TrimPrefix(word[1:], "-"), "=")
	f, known := r.flags[name]
	switch {
	case name == "" || name[0] == '-':
		return "", Usagef("%s is not an option; --help lists them", shown(word))
	case !known && strings.HasPrefix(word, "--"):
		return "", unknown(word)
	case !known:
		return r.cluster(word)
	case takesValue(f) && !hasValue:
		return word, nil
	case !takesValue(f) && hasValue:
		if _, err := strconv.ParseBool(value); err != nil {
			return "", Usagef("option %s takes no value; put a space between the words", shown(word))
		}
	case !hasValue:
		value = "true"
	}
	r.options = append(r.options, word)
	return "", r.give(name, value)
}

// cluster reads combined one-letter flags behind a single dash.
func (r *reader) cluster(word string) (open string, err error) {
	for rest := word[1:]; rest != ""; {
		_, size := utf8.DecodeRuneInString(rest)
		letter := rest[:size]
		rest = rest[size:]
		f, known := r.flags[letter]
		option, value := "-"+letter, "true"
		switch {
		case !known:
			return "", unknown(word)
		case takesValue(f) && rest == "":
			return option, nil
		case takesValue(f):
			value, rest = strings.TrimPrefix(rest, "="), ""
			option += "=" + value
		}
		r.options = append(r.options, option)
		if err := r.give(letter, value); err != nil {
			return "", err
		}
	}
	return "", nil
}

func unknown(word string) error {
	return Usagef("unknown option %s; --help lists them", shown(word))
}

func takesValue(f cli.Flag) bool {
	doc, ok := f.(cli.DocGenerationFlag)
	return ok && doc.TakesValue()
}

// give gives a flag a value. That of its first name counts: cli keeps one for each name.
func (r *reader) give(name, value string) error {
	f := r.flags[name]
	name = f.Names()[0]
	want, word := "true or false", value
	switch f := f.(type) {
	case *ValuesFlag:
		if n := len(f.Values) - 1; !slices.Contains(f.Values, value) {
			return Usagef("%s %s: allowed are %s and %s", dashed(name), value, strings.Join(f.Values[:n], ", "), f.Values[n])
		}
	case *cli.StringSliceFlag:
		return r.add(name, value)
	case *cli.DurationFlag:
		want = "a duration such as 90s or 10m"
	case *cli.Float64Flag:
		want = "a number such as 2.5"
	case *cli.IntFlag:
		want = "a whole number such as 2"
		word = decimal(value)
	}
	if err := r.set.Set(name, word); err != nil {
		return Usagef("%s %s: invalid value; want %s", dashed(name), value, want)
	}
	return nil
}

// decimal is a whole number without what makes cli read it as octal or hexadecimal; "" if it is none.
func decimal(word string) string {
	n, err := strconv.Atoi(word)
	if err != nil {
		return ""
	}
	return strconv.Itoa(n)
}

// add adds a value to those of a flag that may be repeated: the whole word, which cli would split at commas.
func (r *reader) add(name, value string) error {
	values, ok := r.set.Lookup(name).Value.(*cli.StringSlice)
	if !ok {
		return r.set.Set(name, value)
	}
	all := append(slices.Clone(values.Value()), value)
	err := r.set.Set(name, "") // it was given
	*values = *cli.NewStringSlice(all...)
	return err
}

// Choice is one of several flags that exclude each other.
type Choice struct {
	Flag string // as the admin types it: "-r", "--recreate"
	Set  bool   // was given
}

// OneOf returns the Flag of the only choice that is set. None or more than one is a *UsageError that lists
// them; what names what is chosen, such as "action".
func OneOf(what string, choices ...Choice) (string, error) {
	var all, set []string
	for _, c := range choices {
		all = append(all, c.Flag)
		if c.Set {
			set = append(set, c.Flag)
		}
	}
	switch len(set) {
	case 0:
		return "", Usagef("no %s given; give one of %s", what, strings.Join(all, ", "))
	case 1:
		return set[0], nil
	}
	return "", Usagef("more than one %s given (%s); give only one", what, strings.Join(set, ", "))
}
