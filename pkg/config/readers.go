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

// kind is what a value may be.
type kind[T any] struct {
	read  func(node) (T, error)
	check func(T) error // of a value that comes from a flag; nil when it comes from a file only
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

// from is a kind that comes from a file only.
func from[T any](read func(node) (T, error)) kind[T] { return kind[T]{read: read} }

// listOf is a list of values that is not empty.
func listOf[T any](allowed string, item kind[T]) kind[[]T] {
	return kind[[]T]{func(n node) (all []T, err error) {
		err = n.items(allowed, func(n node) error {
			value, err := item.read(n)
			all = append(all, value)
			return err
		})
		return all, err
	}, func(all []T) error {
		for i, value := range all {
			if err := item.check(value); err != nil {
				return fmt.Errorf("item %d: %w", i+1, err)
			}
		}
		return nil
	}}
}

// form is a single value that parse reads, whose errors have no place, out of what show writes.
func form[T any](allowed string, parse func(string) (T, error), show func(T) string) kind[T] {
	of := func(s string) (value T, err error) {
		if !allPrintable(s) {
			return value, refuse(allowed, unprintable)
		}
		return parse(s)
	}
	return kind[T]{func(n node) (value T, err error) {
		if n.yaml.Kind != yaml.ScalarNode || n.isNull() {
			return value, n.wrong(allowed, "%s", n.kind())
		}
		value, err = of(n.yaml.Value)
		return value, n.refused(err)
	}, func(value T) error {
		_, err := of(show(value))
		return err
	}}
}

const unprintable = "a character that cannot be printed"

// refuse is an *Error without a place, about a text or a setting wherever it comes from.
func refuse(allowed, format string, args ...any) error {
	return &Error{Problem: fmt.Sprintf(format, args...), Allowed: allowed}
}

// refused gives an error without a place that of the node.
func (n node) refused(err error) error {
	var why *Error
	if errors.As(err, &why) && why.File == "" {
		return n.wrong(why.Allowed, "%s", why.Problem)
	}
	return err
}

// allPrintable reports whether s has no control characters, line breaks, direction marks and the like.
func allPrintable(s string) bool { return text.Printable(s) == s }

// texts is a form whose value is the text itself.
func texts(allowed, problem string, ok func(string) bool) kind[string] {
	return parsed(allowed, func(s string) (string, error) {
		if !ok(s) {
			return "", &Error{Problem: problem, Allowed: allowed}
		}
		return s, nil
	})
}

// words is texts whose error quotes the text; it is for what cannot be a secret by mistake.
func words(allowed, problem string, ok func(string) bool) kind[string] {
	return parsed(allowed, func(s string) (string, error) {
		if !ok(s) {
			return "", refuse(allowed, "%s %s", text.Quote(s, maxQuoted), problem)
		}
		return s, nil
	})
}

// parsed is a form whose value is a text.
func parsed(allowed string, parse func(string) (string, error)) kind[string] {
	return form(allowed, parse, func(s string) string { return s })
}

func anyText() kind[string] { return texts("a text", "", func(string) bool { return true }) }

func name(allowed string) kind[string] {
	return texts(allowed, "an empty text", func(s string) bool { return s != "" })
}

func times(low, high time.Duration) kind[time.Duration] {
	allowed := short(low) + " to " + short(high)
	return form(allowed, func(s string) (time.Duration, error) {
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
	}, short)
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

func numbers(low, high int) kind[int] {
	allowed := fmt.Sprintf("a number from %d to %d", low, high)
	return form(allowed, func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		switch {
		case !isNumber(strings.TrimPrefix(s, "-")):
			return 0, refuse(allowed, "%s is not a whole number", text.Quote(s, maxQuoted))
		case err != nil || n < low || n > high:
			return 0, refuse(allowed, "%s is out of range", text.Quote(s, maxQuoted))
		}
		return n, nil
	}, strconv.Itoa)
}

func percent() kind[Percent] {
	const allowed = "1% to 100%"
	return form(allowed, func(s string) (Percent, error) {
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
	}, Percent.String)
}

func isNumber(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

func oneOf(known ...string) kind[string] {
	return words(orList(known), "is not known", func(s string) bool { return slices.Contains(known, s) })
}

func yesNo() kind[bool] {
	known := []string{"true", "false"}
	return form(orList(known), func(s string) (bool, error) { return s == "true", oneOf(known...).check(s) }, strconv.FormatBool)
}

// absolute is an absolute path, or one of the other words. It quotes nothing: who confuses a file with
// its content would see a secret in the error.
func absolute(others ...string) kind[string] {
	return texts(orList(append([]string{"an absolute path"}, others...)), "not an absolute path", func(s string) bool {
		return filepath.IsAbs(s) || slices.Contains(others, s)
	})
}

const exampleProgram = "[/usr/local/bin/is-alive, --fast]"

// program is a program by its absolute path and its arguments, or one of the other words, alone.
func program(example string, others ...string) kind[[]string] {
	allowed := "a list of an absolute path and arguments, such as " + example
	check := func(words []string) error {
		if len(words) > 0 && filepath.IsAbs(words[0]) || len(words) == 1 && slices.Contains(others, words[0]) {
			return nil
		}
		return refuse(allowed, "the program is not an absolute path")
	}
	return kind[[]string]{func(n node) ([]string, error) {
		words, err := listOf(allowed, anyText()).read(n)
		if err == nil {
			err = n.refused(check(words))
		}
		return words, err
	}, check}
}

func pattern() kind[string] {
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
