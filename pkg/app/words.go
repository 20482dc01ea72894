package app

import (
	"context"
	"errors"
	"flag"
	"io"
	"maps"
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
	c := cli.NewContext(&cli.App{Metadata: map[string]any{optionsKey: r.options, typedKey: words}}, r.set, nil)
	c.Context, c.Command = ctx, command
	return c, nil
}

// optionsKey and typedKey are where Read leaves Options and all words among what cli carries along.
const optionsKey, typedKey = "options", "typed"

// typed are the words behind the name of the command, as they were given.
func typed(c *cli.Context) []string {
	words, _ := c.App.Metadata[typedKey].([]string)
	return words
}

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
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		switch {
		case word == "--":
			return append(args, words...), nil
		case !isFlag(word):
			args = append(args, word)
			continue
		}
		options, err := r.split(word)
		if err != nil {
			return nil, err
		}
		for _, option := range options {
			if words, err = r.option(option, words); err != nil {
				return nil, err
			}
		}
	}
	return args, nil
}

// isFlag reports whether a word is meant as a flag: a dash and more, but not a negative number and not "--".
func isFlag(word string) bool {
	return len(word) > 1 && word[0] == '-' && word != "--" && (word[1] < '0' || word[1] > '9')
}

const mostWord, mostValue = 40, 120 // characters of a foreign word or value in a message

// shown quotes a foreign word for a message.
func shown(word string) string { return text.Quote(word, mostWord) }

// split makes of combined one-letter flags behind a single dash a word each; other words stay whole.
func (r *reader) split(word string) (options []string, err error) {
	name, _, _ := strings.Cut(strings.TrimPrefix(word[1:], "-"), "=")
	_, known := r.flags[name]
	switch {
	case name == "" || name[0] == '-':
		return nil, Usagef("%s is not an option; --help lists them", shown(word))
	case known:
		return []string{word}, nil
	}
	for rest := word[1:]; rest != ""; {
		_, size := utf8.DecodeRuneInString(rest)
		f, known := r.flags[rest[:size]]
		if !known || word[1] == '-' {
			return nil, r.unknown(word, name)
		}
		option := "-" + rest[:size]
		if rest = rest[size:]; takesValue(f) && rest != "" {
			option, rest = option+"="+strings.TrimPrefix(rest, "="), ""
		}
		options = append(options, option)
	}
	return options, nil
}

// unknown is the error for an option that no flag has.
func (r *reader) unknown(word, name string) error {
	long := slices.DeleteFunc(slices.Sorted(maps.Keys(r.flags)), func(known string) bool { return len(known) == 1 })
	if near := text.Nearest(name, long); near != "" {
		return Usagef("unknown option %s; did you mean --%s?", shown(word), near)
	}
	return Usagef("unknown option %s; --help lists them", shown(word))
}

// option gives the flag of a word its value, which may be the first of the words that follow, and returns the rest.
func (r *reader) option(word string, next []string) ([]string, error) {
	r.options = append(r.options, word)
	name, value, given := strings.Cut(strings.TrimLeft(word, "-"), "=")
	switch takes := takesValue(r.flags[name]); {
	case takes && !given && (len(next) == 0 || isFlag(next[0]) || next[0] == "--"):
		return nil, Usagef("option %s needs a value; write %s=…", shown(word), word)
	case takes && !given:
		value, next = next[0], next[1:]
		r.options = append(r.options, value)
	case !given:
		value = "true"
	case !takes:
		if _, err := strconv.ParseBool(value); err != nil {
			return nil, Usagef("option %s takes no value; put a space between the words", shown(word))
		}
	}
	return next, r.give(r.flags[name], value)
}

func takesValue(f cli.Flag) bool {
	doc, ok := f.(cli.DocGenerationFlag)
	return ok && doc.TakesValue()
}

// give gives a flag a value, by all of its names: cli keeps one for each.
func (r *reader) give(f cli.Flag, value string) (err error) {
	want, word, first := "true or false", value, dashed(f.Names()[0])
	switch f := f.(type) {
	case *ValuesFlag:
		if n := len(f.Values) - 1; !slices.Contains(f.Values, value) {
			return Usagef("%s %s: allowed are %s and %s", first, text.Short(value, mostValue), strings.Join(f.Values[:n], ", "), f.Values[n])
		}
	case *cli.StringSliceFlag: // cli would split the word at commas
		if values, ok := r.set.Lookup(f.Name).Value.(*cli.StringSlice); ok {
			all := append(slices.Clone(values.Value()), value)
			defer func() { *values = *cli.NewStringSlice(all...) }()
		}
	case *cli.DurationFlag:
		want = "a duration such as 90s or 10m"
	case *cli.Float64Flag:
		want = "a number such as 2.5"
	case *cli.IntFlag:
		want = "a whole number such as 2"
		var n int
		n, err = strconv.Atoi(value)
		word = strconv.Itoa(n) // cli would read 010 as octal
	}
	for _, name := range f.Names() {
		err = errors.Join(err, r.set.Set(name, word))
	}
	if err != nil {
		return Usagef("%s %s: invalid value; want %s", first, text.Short(value, mostValue), want)
	}
	return nil
}

// OneOf returns the only one of several switches that is given, which are written as the admin types them: "-r",
// "--recreate". None or more than one is a *UsageError that lists them; what names what is chosen, such as "action".
func OneOf(c *cli.Context, what string, switches ...string) (string, error) {
	given := slices.DeleteFunc(slices.Clone(switches), func(name string) bool { return !c.Bool(strings.TrimLeft(name, "-")) })
	switch len(given) {
	case 0:
		return "", Usagef("no %s given; give one of %s", what, strings.Join(switches, ", "))
	case 1:
		return given[0], nil
	}
	return "", Usagef("more than one %s given (%s); give only one", what, strings.Join(given, ", "))
}
