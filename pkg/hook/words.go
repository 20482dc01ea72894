package hook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"one-ft/pkg/exitcode"
	"one-ft/pkg/process"
	"one-ft/pkg/text"
)

// MaxStdin is how many bytes Words reads from stdin. It leaves room for a template three times as big as the 2 MB (2.7 MB in
// base64) that must work.
const MaxStdin = 8 << 20

// MaxStdinWait is how long Words waits for the end of stdin when the context allows more. The hook manager writes all words
// at once and closes the pipe.
const MaxStdinWait = 30 * time.Second

// Words returns the words that the program was called with: a copy of argv (os.Args[1:]) when there are any, otherwise the
// words on stdin, on any number of lines, split at ASCII white space. Quotes mean nothing there.
//
// With an argv stdin is not touched. A terminal or another character device (/dev/null too), a closed and a nil stdin have
// no words and are never read. The call ends with ctx, or after MaxStdinWait, even if stdin is a pipe that nobody closes;
// the read it gives up ends with the process at the latest. Then, and when stdin cannot be read, holds more than MaxStdin
// bytes or a NUL byte, there is an error; one caused by ctx unwraps to its error.
func Words(ctx context.Context, argv []string, stdin *os.File) ([]string, error) {
	if len(argv) > 0 {
		return slices.Clone(argv), nil
	}
	info, err := stdin.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice != 0 {
		return nil, nil // nothing there, or somebody who would have to type
	}
	data, err := readAll(ctx, stdin, func() {
		// Ends the pending read where the descriptor allows deadlines.
		_ = stdin.SetReadDeadline(time.Unix(1, 0))
	})
	if err != nil {
		return nil, err
	}
	return split(data)
}

// readAll reads r to its end, at most MaxStdin bytes, until ctx is done or MaxStdinWait is over. In that case it calls stop,
// which should make the pending read return.
func readAll(ctx context.Context, r io.Reader, stop func()) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, MaxStdinWait)
	defer cancel()
	data, err := process.Bounded(ctx, func() ([]byte, error) { return io.ReadAll(io.LimitReader(r, MaxStdin+1)) })
	switch {
	case err != nil && errors.Is(err, context.Cause(ctx)):
		stop()
		return nil, usagef("the words on stdin did not end in time (%w); close stdin after writing them, or give them as arguments (an ID such as 3 first)", ctx.Err())
	case errors.Is(err, syscall.EBADF): // not open for reading
		return nil, nil
	case err != nil:
		return nil, usagef("cannot read the words on stdin: %w; give them as arguments", err)
	case len(data) > MaxStdin:
		return nil, usagef("more than %d MiB on stdin; write only the words of the hook there, or give the ID as an argument", MaxStdin>>20)
	}
	return data, nil
}

// split cuts stdin into words.
func split(data []byte) ([]string, error) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return nil, usagef("stdin holds a NUL byte at offset %d; write words with spaces between them there, the template in base64", i)
	}
	return strings.FieldsFunc(string(data), isBlank), nil
}

// isBlank reports whether r is ASCII white space.
func isBlank(r rune) bool {
	return r == ' ' || ('\t' <= r && r <= '\r')
}

// usagef makes a *exitcode.UsageError: what is wrong with the words, and what to write instead. Foreign text
// among args must have gone through shown or text.Short, so that the whole is one printable line.
func usagef(format string, args ...any) error { return exitcode.Usagef(format, args...) }

// shown quotes a foreign word for a message.
func shown(word string) string { return text.Quote(word, 40) }
