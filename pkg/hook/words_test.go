package hook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipe returns a pipe that holds text, closed at its end if closed is true.
func pipe(t *testing.T, text string, closed bool) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() {
		_, err := io.WriteString(w, text)
		if closed {
			err = errors.Join(err, w.Close())
		}
		written <- err
	}()
	t.Cleanup(func() {
		r.Close()
		err := <-written
		if err != nil && !t.Failed() && len(text) <= MaxStdin {
			t.Error(err)
		}
		w.Close()
	})
	return r
}

func TestWordsFromStdin(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"", ""},
		{"\n", ""},
		{"3 -r n", "3|-r|n"},
		{"3 -r n\n", "3|-r|n"},
		{"3 -r n\r\n", "3|-r|n"},
		{"  3\n-r\tn \n\n", "3|-r|n"},
		{"PEhPU1Q+ -m -p 5 -u\n", "PEhPU1Q+|-m|-p|5|-u"},
		{"a\u00a0b", "a\u00a0b"},
	} {
		got, err := Words(t.Context(), nil, pipe(t, tc.text, true))
		if err != nil || strings.Join(got, "|") != tc.want {
			t.Errorf("%q: got %q, %v; want %q", tc.text, got, err, tc.want)
		}
	}
}

func TestWordsFromArgvLeaveStdinAlone(t *testing.T) {
	for _, argv := range [][]string{{"3", "-r"}, {""}} {
		stdin := pipe(t, "4", true)
		got, err := Words(t.Context(), argv, stdin)
		if err != nil || !slices.Equal(got, argv) {
			t.Errorf("got %q, %v; want %q", got, err, argv)
		}
		if left, err := io.ReadAll(stdin); string(left) != "4" || err != nil {
			t.Errorf("stdin now holds %q, %v: it was read", left, err)
		}
		got[0] = "changed"
		if argv[0] == "changed" {
			t.Error("the words share memory with argv")
		}
	}
}

func TestWordsFromFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "words")
	if err := os.WriteFile(path, []byte("3 -r"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got, err := Words(t.Context(), nil, file); err != nil || !slices.Equal(got, words("3 -r")) {
		t.Errorf("got %q, %v", got, err)
	}
}

// A terminal is a character device. Of those /dev/zero shows whether it was
// read: it never ends.
func TestWordsNeverReadCharacterDevices(t *testing.T) {
	for _, name := range []string{os.DevNull, "/dev/zero"} {
		device, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer device.Close()
		if got, err := Words(t.Context(), nil, device); len(got) != 0 || err != nil {
			t.Errorf("%s: got %q, %v; want no words", name, got, err)
		}
	}
}

func TestWordsWithoutStdin(t *testing.T) {
	closed := pipe(t, "", true)
	closed.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close() // open, but not for reading: EBADF
	for name, stdin := range map[string]*os.File{"nil": nil, "closed": closed, "write-only": w} {
		if got, err := Words(t.Context(), nil, stdin); len(got) != 0 || err != nil {
			t.Errorf("%s: got %q, %v; want no words", name, got, err)
		}
	}
}

func TestWordsErrors(t *testing.T) {
	_, err := Words(t.Context(), nil, pipe(t, "3 -r\x00n", true))
	wantUsage(t, err, "NUL byte at offset 4", "base64")

	big := strings.Repeat("x", MaxStdin)
	if got, err := Words(t.Context(), nil, pipe(t, big, true)); err != nil || len(got) != 1 || len(got[0]) != MaxStdin {
		t.Errorf("%d bytes: got %d words, %v", MaxStdin, len(got), err)
	}
	_, err = Words(t.Context(), nil, pipe(t, big+"x", true))
	wantUsage(t, err, "more than 8 MiB")

	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	_, err = Words(t.Context(), nil, dir)
	wantUsage(t, err, "cannot read", "give them as arguments")
	if errors.Unwrap(err) == nil {
		t.Error("the cause is lost")
	}
}

func TestWordsGiveUpAtTheDeadline(t *testing.T) {
	for _, text := range []string{"", "3 -r\n"} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		stdin := pipe(t, text, false)
		got, err := Words(ctx, nil, stdin)
		wantUsage(t, err, "did not end in time", "close stdin")
		if !errors.Is(err, context.DeadlineExceeded) || got != nil {
			t.Errorf("%q: got %q, %v; want the context's error", text, got, err)
		}
	}
}

// Without a deadline of the caller's, MaxStdinWait ends the call.
func TestWordsGiveUpWithoutADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		start := time.Now()
		_, err := readAll(t.Context(), r, func() { w.Close() })
		wantUsage(t, err, "did not end in time")
		if took := time.Since(start); took != MaxStdinWait {
			t.Errorf("gave up after %v, want %v", took, MaxStdinWait)
		}
	})
}

// A template of 2 MB comes through a real pipe and is parsed. It takes 0.1 s; the
// limit leaves room for a busy machine and the race detector, and none for work
// that grows with the square of the size.
func TestWordsBigTemplate(t *testing.T) {
	const limit = 20 * time.Second
	for _, tail := range []string{
		"<X>" + strings.Repeat("<![CDATA[0123456789abcdef]]>", 75_000) + "</X>",
		strings.Repeat("<X><ID>9</ID></X>\n", 117_000),
	} {
		text := "<HOST><ID>7</ID><VMS>" + tail + "</VMS></HOST>"
		if len(text) < 2_000_000 {
			t.Fatalf("the template has only %d bytes", len(text))
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		start := time.Now()
		got, err := Words(ctx, nil, pipe(t, encode(text)+" -r -p 2\n", true))
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 || !slices.Equal(got[1:], words("-r -p 2")) {
			t.Fatalf("%.200q", got)
		}
		event, _, err := Parse(Host, got[:1])
		if err != nil || event.ID != 7 || event.Damaged {
			t.Errorf("got %+v, %v", event, err)
		}
		if took := time.Since(start); took > limit {
			t.Errorf("took %v", took)
		}
	}
}

// FuzzWords: what is split holds every byte but the white space, in order.
func FuzzWords(f *testing.F) {
	for _, text := range []string{"", "3 -r n\r\n", "a\x00b", "\xff \v\f x", "a\u00a0b\u2028c"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := split(data)
		if err != nil {
			wantUsage(t, err, "NUL")
			return
		}
		if bytes.IndexByte(data, 0) >= 0 {
			t.Fatal("a NUL byte was accepted")
		}
		for _, word := range got {
			if word == "" || strings.ContainsAny(word, " \t\r\n\v\f") {
				t.Fatalf("word %q", word)
			}
		}
		want := bytes.NewBuffer(nil)
		for _, b := range data {
			if !isBlank(rune(b)) {
				want.WriteByte(b)
			}
		}
		if joined := strings.Join(got, ""); joined != want.String() {
			t.Fatalf("%q became %q", data, got)
		}
	})
}
