package hook

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	shownRunes = 40  // of a foreign word that an error message repeats
	causeRunes = 120 // of the text of an error that it repeats
)

// UsageError says what is wrong with the words that the executable was given,
// and what to write instead. Its text is one line without control characters,
// whatever the words held. Executables answer it with exit code 2.
type UsageError struct {
	text  string
	cause error
}

// Error returns the line to show.
func (e *UsageError) Error() string { return e.text }

// Unwrap returns the error of the context or of the read that is behind this
// one; nil when the words themselves are wrong.
func (e *UsageError) Unwrap() error { return e.cause }

// usagef makes a UsageError. Foreign text among args must have gone through
// shown.
func usagef(format string, args ...any) *UsageError {
	return &UsageError{text: fmt.Sprintf(format, args...)}
}

// shown quotes a foreign word for a message: at most shownRunes characters,
// everything unprintable escaped.
func shown(word string) string {
	return strconv.Quote(cut(word, shownRunes))
}

// oneLine is the text of an error of the system or of the XML parser for a
// message: at most causeRunes characters, "?" for each unprintable one. Such
// texts can repeat foreign words.
func oneLine(err error) string {
	return printable(cut(err.Error(), causeRunes))
}

// cut shortens text to n characters and marks that with "…".
func cut(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	end := 0
	for ; n > 0; n-- {
		_, size := utf8.DecodeRuneInString(text[end:])
		end += size
	}
	return text[:end] + "…"
}

// printable replaces every character that is not printable by "?".
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// Choice is one of several flags that exclude each other.
type Choice struct {
	Flag string // as the admin types it: "-r", "--recreate"
	Set  bool   // was given
}

// OneOf returns the Flag of the only choice that is set. None or more than one
// is a *UsageError that lists them; what names what is chosen, such as "action".
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
		return "", usagef("no %s given; give one of %s", what, strings.Join(all, ", "))
	case 1:
		return set[0], nil
	}
	return "", usagef("more than one %s given (%s); give only one", what, strings.Join(set, ", "))
}
