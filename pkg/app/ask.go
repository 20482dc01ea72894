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

// person opens what a person types at this terminal; nil when nobody is there. Stdin
// is that only when it is a terminal itself: it may be the words of a hook or a list of hosts, and
// then the terminal of the process is asked, /dev/tty. Nobody sees a question when stderr is no
// terminal: a hook, cron and a log file have none, so they are never asked.
func person() io.ReadCloser {
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

// listen opens what the person at the terminal types; nil when nobody is there.
func (e Env) listen() io.ReadCloser {
	if e.Person == nil {
		return nil
	}
	return e.Person()
}

// Question is what a person is asked before something is done.
type Question struct {
	// Lines say what will happen and what to look at first, a sentence each.
	Lines []string
	// Ask is the last line, such as "Go on?".
	Ask string
	// Yes: an answer of nothing but Enter is a yes. Without it that is a no.
	Yes bool
}

// Decision is what became of a Question.
type Decision string

// The decisions.
const (
	Agreed   Decision = "agreed"
	Declined Decision = "declined" // also no answer in time, or one that is neither yes nor no
	Unasked  Decision = "unasked"  // nobody is there
)

// Confirm asks the person at the terminal on stderr. It asks nobody where nobody is.
func (e Env) Confirm(ctx context.Context, q Question) Decision {
	in := e.listen()
	if in == nil {
		return Unasked
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
	switch strings.ToLower(answer) {
	case "y", "yes":
		return Agreed
	case "":
		if q.Yes && err == nil {
			return Agreed
		}
	}
	return Declined
}

// answer prints a question without a line break and reads one line. An error is the end of the
// input, of the context, or of answerTime, and never an answer.
func (e Env) answer(ctx context.Context, in io.Reader, question string) (string, error) {
	fmt.Fprint(e.Stderr, text.Printable(question))
	type line struct {
		text string
		err  error
	}
	lines := make(chan line, 1)
	go func() { // a read from a terminal cannot be interrupted; the process ends soon
		text, err := bufio.NewReader(io.LimitReader(in, maxAnswer)).ReadString('\n')
		lines <- line{strings.TrimSpace(text), err}
	}()
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	select {
	case l := <-lines:
		if l.err != nil {
			fmt.Fprintln(e.Stderr)
		}
		return l.text, l.err
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
