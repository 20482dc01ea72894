package hook

import (
	"one-ft/pkg/exitcode"
	"one-ft/pkg/text"
)

// usagef makes a *exitcode.UsageError: what is wrong with the words, and what to write instead. Foreign text
// among args must have gone through shown or oneLine, so that the whole is one printable line.
func usagef(format string, args ...any) error { return exitcode.Usagef(format, args...) }

// shown quotes a foreign word for a message.
func shown(word string) string {
	const most = 40 // characters
	return text.Quote(word, most)
}

// oneLine is the text of an error of the system or of the XML parser, which can repeat foreign words, for a message.
func oneLine(err error) string {
	const most = 120 // characters
	return text.Short(err.Error(), most)
}
