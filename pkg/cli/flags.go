// Package cli is the command line: tables of flags and commands, how words are read by them, and --help.
//
// It uses neither reflection nor templates. With them the linker keeps every exported method
// of every type, which makes an executable 1.6 MB larger.
package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Flag is a row of a table of flags: a FlagOf.
type Flag interface {
	// Doc is what help, manuals and completions show of the flag.
	Doc() Doc
	initial() any
	parse(text string, before any) (any, error)
}

// FlagOf is a flag with a value of type T. A bool is a switch, a []string may be repeated.
type FlagOf[T bool | int | float64 | string | time.Duration | []string] struct {
	Name    string
	Aliases []string
	// Usage says what it does, with the placeholder of its value in back quotes.
	Usage       string
	DefaultText string // instead of Value, for people
	Hidden      bool
	Value       T        // when the flag is not given
	Values      []string // the only ones that are allowed
}

// The types of flags.
type (
	BoolFlag        = FlagOf[bool]
	IntFlag         = FlagOf[int]
	Float64Flag     = FlagOf[float64]
	StringFlag      = FlagOf[string]
	DurationFlag    = FlagOf[time.Duration]
	StringSliceFlag = FlagOf[[]string]
)

// Doc is a flag as help, manuals and completions show it.
type Doc struct {
	Names    []string // with their dashes, the long one first
	Value    string   // placeholder of its value; "" for a switch
	Usage    string   // with the placeholder as a plain word
	Default  string   // "" without one
	Values   []string // the only ones that are allowed
	Repeated bool
	Hidden   bool
}

// Doc implements Flag.
func (f *FlagOf[T]) Doc() Doc {
	d := Doc{Usage: strings.ReplaceAll(f.Usage, "`", ""), Hidden: f.Hidden, Default: f.DefaultText, Values: f.Values}
	for _, name := range append([]string{f.Name}, f.Aliases...) {
		d.Names = append(d.Names, dashed(name))
	}
	value := f.initial()
	if _, isSwitch := value.(bool); isSwitch {
		return d
	}
	d.Value = "VALUE"
	if _, rest, quoted := strings.Cut(f.Usage, "`"); quoted {
		d.Value, _, _ = strings.Cut(rest, "`")
	}
	if _, d.Repeated = value.([]string); !d.Repeated && d.Default == "" {
		d.Default = fmt.Sprint(value)
	}
	return d
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

func (f *FlagOf[T]) initial() any { return f.Value }

// parse reads a value; before is that of the flag so far.
func (f *FlagOf[T]) parse(text string, before any) (value any, err error) {
	want := ""
	switch before := before.(type) {
	case bool:
		want = "true or false"
		value, err = strconv.ParseBool(text)
	case int:
		want = "a whole number such as 2"
		value, err = strconv.Atoi(text)
	case float64:
		want = "a number such as 2.5"
		value, err = strconv.ParseFloat(text, 64)
	case time.Duration:
		want = "a duration such as 90s or 10m"
		value, err = time.ParseDuration(text)
	case []string:
		value = append(before[:len(before):len(before)], text)
	default:
		value = text
		if n := len(f.Values) - 1; n > 0 && !slices.Contains(f.Values, text) {
			return nil, Usagef("%s %s: allowed are %s and %s", dashed(f.Name), text, strings.Join(f.Values[:n], ", "), f.Values[n])
		}
	}
	if err != nil {
		return nil, Usagef("%s %s: invalid value; want %s", dashed(f.Name), text, want)
	}
	return value, nil
}

// UsageError is wrong usage or configuration.
type UsageError struct{ err error }

// Usagef makes a UsageError of one line that says what is allowed.
func Usagef(format string, args ...any) error { return &UsageError{fmt.Errorf(format, args...)} }

// Error is the line.
func (e *UsageError) Error() string { return e.err.Error() }

// Unwrap gives the cause.
func (e *UsageError) Unwrap() error { return e.err }
