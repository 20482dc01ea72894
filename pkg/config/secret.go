package config

import (
	"fmt"
	"path/filepath"
	"strings"
)

// ReadSecret reads a secret from a file of its own: one line of at most MaxSecret
// bytes, without the line break at its end. It refuses a file that others may read,
// or that its group or others may write; the group may read it. Links are followed,
// and what they lead to is checked. Permissions of directories are not looked at.
// Every error is an *Error, and none holds anything of the content.
func ReadSecret(path string) (string, error) {
	if !filepath.IsAbs(path) {
		// Whatever it is, it may be the secret itself.
		return "", &Error{File: "file with a secret", Problem: "not an absolute path", Allowed: "an absolute path"}
	}
	content, mode, err := readRegular(path, MaxSecret)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSuffix(string(content), "\n")
	fail := func(allowed, format string, args ...any) (string, error) {
		return "", &Error{File: path, Problem: fmt.Sprintf(format, args...), Allowed: allowed}
	}
	const private = "0400, 0600, 0440 or 0640"
	switch {
	case mode&othersRead != 0:
		return fail(private, "others may read this secret (mode %04o)", mode.Perm())
	case mode&(groupWrite|othersWrite) != 0:
		return fail(private, "others than its owner may write this secret (mode %04o)", mode.Perm())
	case secret == "":
		return fail("one line", "empty")
	case strings.ContainsAny(secret, "\n\r\x00"):
		return fail("one line", "more than one line, a carriage return or a zero byte")
	}
	return secret, nil
}
