package one

import "one-ft/pkg/text"

// Printable is text.Printable.
func Printable(s string) string { return text.Printable(s) }
