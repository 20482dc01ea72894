package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"
)

// private is the mode of a file that may hold secrets.
const private fs.FileMode = 0o640

// write makes a file with this content and mode, whatever the umask is.
func write(t testing.TB, content string, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// loaded is the File of a valid text.
func loaded(t testing.TB, text string) File {
	t.Helper()
	f, err := parse("f", []byte(text), private)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return f
}

// refused checks that the text is refused as a one-ft.yaml with this line.
func refused(t testing.TB, text string, mode fs.FileMode, want string) {
	t.Helper()
	refusedBy(t, parse, text, mode, want)
}

// refusedBy checks that a parser refuses the text with this line.
func refusedBy[T any](t testing.TB, parse parser[T], text string, mode fs.FileMode, want string) {
	t.Helper()
	value, err := parse("f", []byte(text), mode)
	if err == nil || err.Error() != want {
		t.Errorf("%s\n got %v\nwant %s", text, err, want)
	}
	if err != nil {
		wellFormed(t, err)
	}
	if !reflect.ValueOf(value).IsZero() {
		t.Errorf("%s\nsomething of a refused file is left: %+v", text, value)
	}
}

// parser reads the text of one kind of file with this mode.
type parser[T any] func(path string, text []byte, mode fs.FileMode) (T, error)

// wellFormed checks that an error is an *Error of one printable line.
func wellFormed(t testing.TB, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("%v is a %T", err, err)
	}
	if strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("%q is not a printable line", err.Error())
	}
}

// device is a file with one fence device whose keys are the lines.
func device(lines ...string) string {
	return "fence:\n- hosts: [a]\n  levels:\n  - devices:\n    - " + strings.Join(lines, "\n      ") + "\n"
}
