package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"one-ft/pkg/text"
)

const (
	// answerTime is how long an answer is waited for. A choice: longer than it takes to look at a
	// machine's console, and a forgotten terminal does not act on what was asked an hour ago.
	answerTime = 15 * time.Minute
	// maxAnswer is the most bytes of an answer.
	maxAnswer = 256
)

// operator opens what is typed at this terminal; nil when nobody is there. Stdin
// is that only when it is a terminal itself: it may be the words of a hook or a list of hosts, and
// then the terminal of the process is read, /dev/tty. Nobody sees a question when stderr is no
// terminal: a hook, cron and a log file have none, so they are never asked.
func operator() io.ReadCloser {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return nil
	}
	if term.IsTerminal(int(os.Stdin.Fd())) {
		return io.NopCloser(os.Stdin)
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDONLY, 0)
	if err != nil { // a process without a terminal of its own
		return nil
	}
	return tty
}

// listen opens what the operator types; nil when nobody is there.
func (e Env) listen() io.ReadCloser {
	if e.Operator == nil {
		return nil
	}
	return e.Operator()
}

// Question is what the operator is asked before something is done.
type Question struct {
	// Lines say what will happen and what to check first, a sentence each.
	Lines []string
	// Ask is the last line, such as "Continue?".
	Ask string
	// Yes: an answer of nothing but Enter is a yes. Without it that is a no.
	Yes bool
}

// Confirm asks the operator on stderr, and reports whether the answer is a yes. It is no without an answer in time,
// with one that is neither yes nor no, and when nobody is there.
func (e Env) Confirm(ctx context.Context, q Question) bool {
	in := e.listen()
	if in == nil {
		return false
	}
	defer in.Close()
	for _, line := range q.Lines {
		fmt.Fprintln(e.Stderr, text.Printable(line))
	}
	choice := "[y/N]"
	if q.Yes {
		choice = "[Y/n]"
	}
	answer, err := e.answer(ctx, in, q.Ask+" "+choice+" ")
	answer = strings.ToLower(answer)
	return answer == "y" || answer == "yes" || answer == "" && q.Yes && err == nil
}

// answer prints a question without a line break and reads one line. An error is the end of the
// input, of the context, or of answerTime, and never an answer.
func (e Env) answer(ctx context.Context, in io.Reader, question string) (string, error) {
	fmt.Fprint(e.Stderr, text.Printable(question))
	type line struct {
		words string
		err   error
	}
	lines := make(chan line, 1)
	go func() { // a read from a terminal cannot be interrupted; the process ends soon
		words, err := bufio.NewReader(io.LimitReader(in, maxAnswer)).ReadString('\n')
		lines <- line{strings.TrimSpace(words), err}
	}()
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	select {
	case l := <-lines:
		if l.err != nil {
			fmt.Fprintln(e.Stderr)
		}
		return l.words, l.err
	case <-ctx.Done():
		fmt.Fprintln(e.Stderr)
		return "", ctx.Err()
	}
}

// Typed has somebody type a word, such as the name of a host: from the terminal, or from stdin for
// a script that means it. It reports whether it was that word.
func (e Env) Typed(ctx context.Context, question, word string) bool {
	var in io.Reader = e.Stdin
	if terminal := e.listen(); terminal != nil {
		defer terminal.Close()
		in = terminal
	}
	answer, _ := e.answer(ctx, in, question)
	return answer == word
}
