package cli

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"one-ft/pkg/text"
)

// Context is what a program was called with.
type Context struct {
	// Call is how the program or its command is called, such as "oneft incidents show".
	Call string
	// Options are the words of the flags, in their order, one flag each and its value as the next
	// word or behind "=".
	Options []string
	// Args are the other words, in their order.
	Args []string

	flags map[string]*entry // by each of their names, without dashes
}

// entry is a flag and what was given.
type entry struct {
	Flag
	takes bool // a value
	value any
	given bool
}

// Bool is the value of a BoolFlag.
func (c *Context) Bool(name string) bool { return valueOf[bool](c, name) }

// Int is the value of an IntFlag.
func (c *Context) Int(name string) int { return valueOf[int](c, name) }

// Float64 is the value of a Float64Flag.
func (c *Context) Float64(name string) float64 { return valueOf[float64](c, name) }

// String is the value of a StringFlag.
func (c *Context) String(name string) string { return valueOf[string](c, name) }

// Duration is the value of a DurationFlag.
func (c *Context) Duration(name string) time.Duration { return valueOf[time.Duration](c, name) }

// StringSlice are the values of a StringSliceFlag.
func (c *Context) StringSlice(name string) []string { return valueOf[[]string](c, name) }

func valueOf[T any](c *Context, name string) (v T) {
	if e, known := c.flags[name]; known {
		v, _ = e.value.(T)
	}
	return v
}

// Pick gives a flag that was given, else the value of the configuration.
func Pick[T any](c *Context, flag string, configured T) T {
	if c.IsSet(flag) {
		return valueOf[T](c, flag)
	}
	return configured
}

// IsSet reports whether a flag was given.
func (c *Context) IsSet(name string) bool {
	e, known := c.flags[name]
	return known && e.given
}

// Set gives a flag of the table a value of its type, as if it had been given.
func (c *Context) Set(name string, value any) {
	e := c.flags[name]
	e.value, e.given = value, true
}

// First is the first of Args; "" without any.
func (c *Context) First() string {
	if len(c.Args) == 0 {
		return ""
	}
	return c.Args[0]
}

// Read reads the words behind the name of a program or command by its flags.
//
// Flags may stand anywhere, with one dash or two whatever their length. The value follows as the next
// word or after "=". One-letter flags may be combined, the last one with a value: -rf is -r -f, and
// -rp2 is -r -p=2; a known long name goes first. A switch may say =true or =false. A number such as -1 is never
// a flag. After a bare "--" no word is one. A value is never taken from a word that looks like a flag:
// "--wait --json" is an error, "--wait=--json" is not.
//
// Errors are *UsageError: an unknown flag, a missing or an invalid value.
func Read(call string, words []string, flags []Flag) (*Context, error) {
	c := &Context{Call: call, flags: map[string]*entry{}}
	for _, f := range flags {
		doc := f.Doc()
		e := &entry{Flag: f, takes: doc.Value != "", value: f.initial()}
		for _, name := range doc.Names {
			c.flags[strings.TrimLeft(name, "-")] = e
		}
	}
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case word == "--":
			c.Args = append(c.Args, words[i+1:]...)
			return c, nil
		case !isFlag(word):
			c.Args = append(c.Args, word)
			continue
		}
		open, err := c.option(word)
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
		c.Options = append(c.Options, open, words[i])
		if err := c.flags[strings.TrimLeft(open, "-")].take(words[i]); err != nil {
			return nil, err
		}
	}
	return c, nil
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

// take gives the flag a value.
func (e *entry) take(word string) (err error) {
	e.given = true
	e.value, err = e.parse(word, e.value)
	return err
}

// option reads a word that is meant as a flag. A flag whose value has to be the next word is returned as open.
func (c *Context) option(word string) (open string, err error) {
	name, value, hasValue := strings.Cut(strings.TrimPrefix(word[1:], "-"), "=")
	e, known := c.flags[name]
	switch {
	case name == "" || name[0] == '-':
		return "", Usagef("%s is not an option; --help lists them", shown(word))
	case !known && strings.HasPrefix(word, "--"):
		return "", unknown(word)
	case !known:
		return c.cluster(word)
	case e.takes && !hasValue:
		return word, nil
	case !e.takes && hasValue:
		if _, err := strconv.ParseBool(value); err != nil {
			return "", Usagef("option %s takes no value; put a space between the words", shown(word))
		}
	case !hasValue:
		value = "true"
	}
	c.Options = append(c.Options, word)
	return "", e.take(value)
}

// cluster reads combined one-letter flags behind a single dash.
func (c *Context) cluster(word string) (open string, err error) {
	for rest := word[1:]; rest != ""; {
		_, size := utf8.DecodeRuneInString(rest)
		letter := rest[:size]
		rest = rest[size:]
		e, known := c.flags[letter]
		option, value := "-"+letter, "true"
		switch {
		case !known:
			return "", unknown(word)
		case e.takes && rest == "":
			return option, nil
		case e.takes:
			value, rest = strings.TrimPrefix(rest, "="), ""
			option += "=" + value
		}
		c.Options = append(c.Options, option)
		if err := e.take(value); err != nil {
			return "", err
		}
	}
	return "", nil
}

func unknown(word string) error {
	return Usagef("unknown option %s; --help lists them", shown(word))
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
