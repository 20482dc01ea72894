package config

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"one-ft/pkg/text"
)

// kind is what a value may be. A value can come from a file, or from a flag and then has to be checked.
type kind[T any] interface {
	read(node) (T, error)
	check(T) error
}

// as is a setting whose value goes into a field.
func as[T any](key string, field *T, k kind[T]) setting {
	read := func(n node) (err error) {
		*field, err = k.read(n)
		return err
	}
	return setting{key, read, func() error { return k.check(*field) }}
}

// unless is s, with no check of a value that stands for none.
func (s setting) unless(unset bool) setting {
	if unset {
		s.check = func() error { return nil }
	}
	return s
}

// reader is a kind that comes from a file only.
type reader[T any] func(node) (T, error)

func (r reader[T]) read(n node) (T, error) { return r(n) }
func (r reader[T]) check(T) error          { return nil }

// list is a list of values, not empty unless that is said.
type list[T any] struct {
	allowed string
	item    kind[T]
	empty   bool
}

func listOf[T any](allowed string, item kind[T]) list[T] {
	return list[T]{allowed: allowed, item: item}
}

func (l list[T]) read(n node) (all []T, err error) {
	if l.empty && n.isEmptyList() {
		return nil, nil
	}
	err = n.items(l.allowed, func(item node) error {
		value, err := l.item.read(item)
		all = append(all, value)
		return err
	})
	return all, err
}

func (l list[T]) check(all []T) error {
	for i, value := range all {
		if err := l.item.check(value); err != nil {
			return fmt.Errorf("item %d: %w", i+1, err)
		}
	}
	return nil
}

// form is how a single value is written.
type form[T any] struct {
	allowed string
	parse   func(string) (T, error) // its errors are refusals
	show    func(T) string          // what parse reads
}

func (f form[T]) read(n node) (value T, err error) {
	if n.yaml.Kind != yaml.ScalarNode || n.isNull() {
		return value, n.wrong(f.allowed, "%s", n.kind())
	}
	value, err = f.of(n.yaml.Value)
	return value, n.refused(err)
}

func (f form[T]) check(value T) error {
	_, err := f.of(f.show(value))
	return err
}

// of reads a text, wherever it comes from.
func (f form[T]) of(s string) (value T, err error) {
	if !allPrintable(s) {
		return value, refuse(f.allowed, "a character that cannot be printed")
	}
	return f.parse(s)
}

// refusal is what is wrong with a text or a setting, wherever it comes from.
type refusal struct {
	problem string // never holds a secret
	allowed string // what is allowed instead
}

// Error is the line without the place.
func (r *refusal) Error() string { return r.problem + "; allowed is " + r.allowed }

func refuse(allowed, format string, args ...any) error {
	return &refusal{fmt.Sprintf(format, args...), allowed}
}

// refused gives a refusal its place in the file.
func (n node) refused(err error) error {
	var why *refusal
	if errors.As(err, &why) {
		return n.wrong(why.allowed, "%s", why.problem)
	}
	return err
}

// allPrintable reports whether s has no control characters, line breaks, direction marks and the like.
func allPrintable(s string) bool { return text.Printable(s) == s }

// texts is a form whose value is the text itself.
func texts(allowed, problem string, ok func(string) bool) form[string] {
	return parsed(allowed, func(s string) (string, error) {
		if !ok(s) {
			return "", &refusal{problem, allowed}
		}
		return s, nil
	})
}

// words is texts whose error quotes the text; it is for what cannot be a secret by mistake.
func words(allowed, problem string, ok func(string) bool) form[string] {
	return parsed(allowed, func(s string) (string, error) {
		if !ok(s) {
			return "", refuse(allowed, "%s %s", text.Quote(s, maxQuoted), problem)
		}
		return s, nil
	})
}

// parsed is a form whose value is a text.
func parsed(allowed string, parse func(string) (string, error)) form[string] {
	return form[string]{allowed, parse, func(s string) string { return s }}
}

func anyText() form[string] { return texts("a text", "", func(string) bool { return true }) }

func name(allowed string) form[string] {
	return texts(allowed, "an empty text", func(s string) bool { return s != "" })
}

func times(low, high time.Duration) form[time.Duration] {
	allowed := short(low) + " to " + short(high)
	return form[time.Duration]{allowed, func(s string) (time.Duration, error) {
		d, err := time.ParseDuration(s)
		switch {
		case isNumber(s):
			return 0, refuse(allowed+", such as "+text.Short(s, maxQuoted)+"s", "%s has no unit", text.Quote(s, maxQuoted))
		case err != nil:
			return 0, refuse(allowed+", with the units ms, s, m and h", "%s is not a duration", text.Quote(s, maxQuoted))
		case d < low || d > high:
			return 0, refuse(allowed, "%s is out of range", text.Quote(s, maxQuoted))
		}
		return d, nil
	}, short}
}

// short is a duration without parts that are zero: 1h instead of 1h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func numbers(low, high int) form[int] {
	allowed := fmt.Sprintf("a number from %d to %d", low, high)
	return form[int]{allowed, func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		switch {
		case !isNumber(strings.TrimPrefix(s, "-")):
			return 0, refuse(allowed, "%s is not a whole number", text.Quote(s, maxQuoted))
		case err != nil || n < low || n > high:
			return 0, refuse(allowed, "%s is out of range", text.Quote(s, maxQuoted))
		}
		return n, nil
	}, strconv.Itoa}
}

func percent() form[Percent] {
	const allowed = "1% to 100%"
	return form[Percent]{allowed, func(s string) (Percent, error) {
		digits, unit := strings.CutSuffix(s, "%")
		n, err := strconv.Atoi(digits)
		switch {
		case isNumber(s):
			return 0, refuse(allowed, "%s has no unit", text.Quote(s, maxQuoted))
		case !unit || !isNumber(digits):
			return 0, refuse(allowed, "%s is not a whole number of percent", text.Quote(s, maxQuoted))
		case err != nil || n < 1 || n > 100:
			return 0, refuse(allowed, "%s is out of range", text.Quote(s, maxQuoted))
		}
		return Percent(n), nil
	}, Percent.String}
}

func isNumber(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

func oneOf(known ...string) form[string] {
	return words(orList(known), "is not known", func(s string) bool { return slices.Contains(known, s) })
}

func yesNo() form[bool] {
	known := oneOf("true", "false")
	return form[bool]{known.allowed, func(s string) (bool, error) { return s == "true", known.check(s) }, strconv.FormatBool}
}

// absolute is an absolute path, or one of the other words. It quotes nothing: who confuses a file with
// its content would see a secret in the error.
func absolute(others ...string) form[string] {
	return texts(orList(append([]string{"an absolute path"}, others...)), "not an absolute path", func(s string) bool {
		return filepath.IsAbs(s) || slices.Contains(others, s)
	})
}

const exampleProgram = "[/usr/local/bin/is-alive, --fast]"

// program is a program by its absolute path and its arguments, or one of the other words, alone.
type program struct {
	example string
	others  []string
}

func (p program) read(n node) ([]string, error) {
	words, err := listOf(p.allowed(), anyText()).read(n)
	if err == nil {
		err = n.refused(p.check(words))
	}
	return words, err
}

func (p program) allowed() string {
	return "a list of an absolute path and arguments, such as " + p.example
}

// check refuses other words.
func (p program) check(words []string) error {
	if len(words) > 0 && filepath.IsAbs(words[0]) || len(words) == 1 && slices.Contains(p.others, words[0]) {
		return nil
	}
	return refuse(p.allowed(), "the program is not an absolute path")
}

func pattern() form[string] {
	return words(`a pattern such as "node0*", "gpu?" or "[ab]1"`, "is not a pattern", func(s string) bool {
		_, err := path.Match(s, "")
		return s != "" && err == nil
	})
}

// endpoint reads the URL of oned. It quotes nothing: a password may stand in it.
func endpoint(n node) (string, error) {
	var u *url.URL
	s, err := texts("a URL such as http://localhost:2633/RPC2", "not a URL", func(s string) (ok bool) {
		var err error
		u, err = url.Parse(s)
		return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
	}).read(n)
	if err != nil {
		return "", err
	}
	if _, found := u.User.Password(); found && n.doc.exposed != "" {
		return "", n.wrong("a password in auth_file, or here after chmod o-rwx,g-w", "a password in a file that %s", n.doc.exposed)
	}
	return s, nil
}
