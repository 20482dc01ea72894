package config

import (
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// set reads a value into a field that is nil while it is not set.
func set[T any](field **T, parse func(place) (T, error)) func(place) error {
	return func(p place) error {
		value, err := parse(p)
		if err == nil {
			*field = &value
		}
		return err
	}
}

// store reads a value into a field.
func store[T any](field *T, parse func(place) (T, error)) func(place) error {
	return func(p place) error {
		value, err := parse(p)
		if err == nil {
			*field = value
		}
		return err
	}
}

// listOf reads a list that is not empty.
func listOf[T any](allowed string, parse func(place) (T, error)) func(place) ([]T, error) {
	return func(p place) (list []T, err error) {
		err = p.items(allowed, func(item place) error {
			value, err := parse(item)
			list = append(list, value)
			return err
		})
		return list, err
	}
}

// times are the durations from min to max.
func times(low, high time.Duration) func(place) (time.Duration, error) {
	return func(p place) (time.Duration, error) {
		allowed := short(low) + " to " + short(high)
		text, err := p.scalar(allowed)
		if err != nil {
			return 0, err
		}
		d, err := time.ParseDuration(text)
		switch {
		case isNumber(text):
			return 0, p.wrong(allowed+", such as "+shortened(text)+"s", "%q has no unit", shortened(text))
		case err != nil:
			return 0, p.wrong(allowed+", with the units ms, s, m and h", "%q is not a time", shortened(text))
		case d < low || d > high:
			return 0, p.wrong(allowed, "%q is out of range", shortened(text))
		}
		return d, nil
	}
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

// numbers are the whole numbers from low to high.
func numbers(low, high int) func(place) (int, error) {
	return func(p place) (int, error) {
		allowed := fmt.Sprintf("a number from %d to %d", low, high)
		text, err := p.scalar(allowed)
		if err != nil {
			return 0, err
		}
		n, err := strconv.Atoi(text)
		switch {
		case !isNumber(strings.TrimPrefix(text, "-")):
			return 0, p.wrong(allowed, "%q is not a whole number", shortened(text))
		case err != nil || n < low || n > high:
			return 0, p.wrong(allowed, "%q is out of range", shortened(text))
		}
		return n, nil
	}
}

// percent reads a share, such as 50%.
func percent(p place) (Percent, error) {
	const allowed = "1% to 100%"
	text, err := p.scalar(allowed)
	if err != nil {
		return 0, err
	}
	digits, unit := strings.CutSuffix(text, "%")
	n, err := strconv.Atoi(digits)
	switch {
	case isNumber(text):
		return 0, p.wrong(allowed, "%q has no unit", shortened(text))
	case !unit || !isNumber(digits):
		return 0, p.wrong(allowed, "%q is not a whole number of percent", shortened(text))
	case err != nil || n < 1 || n > 100:
		return 0, p.wrong(allowed, "%q is out of range", shortened(text))
	}
	return Percent(n), nil
}

// isNumber reports whether s is one or more digits.
func isNumber(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// yesNo reads true or false.
func yesNo(p place) (bool, error) {
	text, err := oneOf("true", "false")(p)
	return text == "true", err
}

// oneOf reads one of these words.
func oneOf(words ...string) func(place) (string, error) {
	return func(p place) (string, error) {
		text, err := p.scalar(orList(words))
		if err != nil {
			return "", err
		}
		for _, word := range words {
			if text == word {
				return text, nil
			}
		}
		return "", p.wrong(orList(words), "%q is not known", shortened(text))
	}
}

// absolute reads an absolute path, or one of the other words. It quotes nothing: who
// confuses a file with its content would see a secret in the error.
func absolute(others ...string) func(place) (string, error) {
	return func(p place) (string, error) {
		allowed := orList(append([]string{"an absolute path"}, others...))
		text, err := p.scalar(allowed)
		if err != nil {
			return "", err
		}
		for _, other := range others {
			if text == other {
				return text, nil
			}
		}
		if !filepath.IsAbs(text) {
			return "", p.wrong(allowed, "not an absolute path")
		}
		return text, nil
	}
}

// exampleProgram is a program with its arguments as it stands in the file.
const exampleProgram = "[/usr/local/bin/is-alive, --fast]"

// argv reads a program and its arguments, or one of the other words, alone.
func argv(example string, others ...string) func(place) ([]string, error) {
	return func(p place) ([]string, error) {
		allowed := "a list of an absolute path and arguments, such as " + example
		words, err := listOf(allowed, func(word place) (string, error) { return word.scalar("a text") })(p)
		if err == nil && !runnable(words, others...) {
			err = p.wrong(allowed, "the program is not an absolute path")
		}
		return words, err
	}
}

// runnable reports whether words are a program by its absolute path with arguments, or
// one of the other words, alone.
func runnable(words []string, others ...string) bool {
	return len(words) > 0 && filepath.IsAbs(words[0]) || len(words) == 1 && slices.Contains(others, words[0])
}

// pattern reads a shell pattern of host names.
func pattern(p place) (string, error) {
	const allowed = `a pattern such as "node0*", "gpu?" or "[ab]1"`
	text, err := name(allowed)(p)
	if err != nil {
		return "", err
	}
	if _, err := path.Match(text, ""); err != nil {
		return "", p.wrong(allowed, "%q is not a pattern", shortened(text))
	}
	return text, nil
}

// name reads a text that is not empty.
func name(allowed string) func(place) (string, error) {
	return func(p place) (string, error) {
		text, err := p.scalar(allowed)
		if err == nil && text == "" {
			err = p.wrong(allowed, "an empty text")
		}
		return text, err
	}
}

// endpoint reads the URL of oned. It quotes nothing: a password may stand in it.
func endpoint(p place) (string, error) {
	const allowed = "a URL such as http://localhost:2633/RPC2"
	text, err := p.scalar(allowed)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", p.wrong(allowed, "not a URL")
	}
	if _, found := u.User.Password(); found && p.doc.exposed != "" {
		return "", p.wrong("a password in auth_file, or here after chmod o-rwx,g-w", "a password in a file that %s", p.doc.exposed)
	}
	return text, nil
}
