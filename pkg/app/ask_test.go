package app

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// typing is a world in which an operator types that.
func typing(text string, out io.Writer) Env {
	return Env{Stderr: out, Operator: func() io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }}
}

func TestConfirm(t *testing.T) {
	for _, c := range []struct {
		text string
		yes  bool // Enter is a yes
		want bool
	}{
		{"y\n", false, true}, {"Y\n", false, true}, {" yes \n", false, true}, {"YES\r\n", false, true}, {"y", false, true},
		{"\n", false, false}, {"n\n", false, false}, {"", false, false}, {"yesterday\n", false, false}, {"ja\n", false, false}, {"\ny\n", false, false},
		{strings.Repeat("x", 10_000), false, false},
		{"\n", true, true}, {"y\n", true, true}, {"n\n", true, false}, {"x\n", true, false},
		{"", true, false}, // the terminal is gone: that is no Enter
	} {
		var out bytes.Buffer
		got := typing(c.text, &out).Confirm(t.Context(), Question{Lines: []string{"Host \x1b[2J would go."}, Ask: "Go on?", Yes: c.yes})
		if got != c.want {
			t.Errorf("%q, yes %v: %v, want %v", c.text[:min(len(c.text), 20)], c.yes, got, c.want)
		}
		choice := map[bool]string{false: "Go on? [y/N] ", true: "Go on? [Y/n] "}[c.yes]
		if !strings.HasPrefix(out.String(), `Host \x1b[2J would go.`+"\n"+choice) {
			t.Errorf("asked is %q", out.String())
		}
	}
}

// Nobody is there, nobody is asked.
func TestUnasked(t *testing.T) {
	var out bytes.Buffer
	for _, e := range []Env{{Stderr: &out}, {Stderr: &out, Operator: func() io.ReadCloser { return nil }}} {
		if got := e.Confirm(t.Context(), Question{Ask: "Go on?"}); got || out.Len() > 0 {
			t.Errorf("%v, %q", got, out.String())
		}
	}
}

// A signal ends a question, and so does a time: neither is a yes, also where Enter is one.
func TestNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent, end := io.Pipe()
		defer end.Close()
		e := Env{Stderr: io.Discard, Operator: func() io.ReadCloser { return silent }}
		start := time.Now()
		if got := e.Confirm(t.Context(), Question{Ask: "Go on?", Yes: true}); got != false || time.Since(start) != answerTime {
			t.Errorf("%v after %s", got, time.Since(start))
		}
	})
	silent, end := io.Pipe()
	defer end.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := (Env{Stderr: io.Discard, Operator: func() io.ReadCloser { return silent }}).Confirm(ctx, Question{Ask: "Go on?", Yes: true}); got != false {
		t.Errorf("after a signal: %v", got)
	}
}

// The name of a host has to be typed as it is.
func TestTyped(t *testing.T) {
	for text, want := range map[string]bool{"node3\n": true, " node3 \n": true, "node33\n": false, "y\n": false, "\n": false, "": false} {
		if got := typing(text, io.Discard).Typed(t.Context(), "Type its name: ", "node3"); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
